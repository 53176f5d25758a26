package logstore

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"path"
	"sort"

	"github.com/streamflow/streamflow/internal/vfs"
)

// The file high-watermarks lists the partitions that have other replicas, with the high watermark that each knew. It is
// written by checkpoints and says two things to the next start: that these partitions wait to be told their role, and up to
// where their records were committed for certain. It is a hint that may be too low, and nothing is ever cut by it.
//
//	magic (8) | count u32 | count times: entry prefix, high watermark i64 | CRC32C
const (
	highMagic = "SFHWM\x00\x00\x01" // the last byte is the version
	highFile  = "high-watermarks"
)

// highHint is what the file says of a partition.
type highHint struct {
	incarnation uint64
	high        int64
}

func encodeHighs(hints map[TopicPartition]highHint) []byte {
	tps := make([]TopicPartition, 0, len(hints))
	for tp := range hints {
		tps = append(tps, tp)
	}
	sort.Slice(tps, func(i, j int) bool {
		if tps[i].Topic != tps[j].Topic {
			return tps[i].Topic < tps[j].Topic
		}
		return tps[i].Partition < tps[j].Partition
	})
	b := binary.LittleEndian.AppendUint32([]byte(highMagic), uint32(len(tps)))
	for _, tp := range tps {
		b = appendEntryPrefix(b, tp, hints[tp].incarnation)
		b = binary.LittleEndian.AppendUint64(b, uint64(hints[tp].high))
	}
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

func decodeHighs(b []byte) (map[TopicPartition]highHint, error) {
	n := len(b) - 4
	if n < len(highMagic)+4 || string(b[:len(highMagic)]) != highMagic {
		return nil, errors.New("not a list of high watermarks of this version")
	}
	if crc32.Checksum(b[:n], castagnoli) != binary.LittleEndian.Uint32(b[n:]) {
		return nil, errors.New("list of high watermarks fails its CRC")
	}
	count := binary.LittleEndian.Uint32(b[len(highMagic):])
	hints := map[TopicPartition]highHint{}
	rest := b[len(highMagic)+4 : n]
	for ; count > 0; count-- {
		tp, incarnation, more, err := cutEntryPrefix(rest)
		if err != nil || len(more) < 8 {
			return nil, errors.New("list of high watermarks is cut short")
		}
		hints[tp] = highHint{incarnation: incarnation, high: int64(binary.LittleEndian.Uint64(more))}
		rest = more[8:]
	}
	if len(rest) != 0 {
		return nil, errors.New("list of high watermarks is too long")
	}
	return hints, nil
}

// readHighs loads the file. One that cannot be read is as good as none: whoever tells partitions their role does so before
// they are used.
func (l *Log) readHighs() error {
	b, err := vfs.ReadFile(l.o.FS, path.Join(l.o.Dir, highFile))
	if vfs.IsNotExist(err) {
		return nil
	}
	if err != nil {
		return err
	}
	l.hints.known, err = decodeHighs(b)
	if err != nil {
		l.o.Logger.Error("high watermarks are not known", "file", path.Join(l.o.Dir, highFile), "err", err)
	}
	l.hints.written = true
	return nil
}

// writeHighs saves the high watermarks of the replicated partitions, those that are not open yet too.
func (l *Log) writeHighs() error {
	hints := map[TopicPartition]highHint{}
	l.mu.RLock()
	for tp, h := range l.hints.known {
		if l.parts[tp] == nil {
			hints[tp] = h
		}
	}
	for tp, p := range l.parts {
		if h, ok := p.highHint(); ok {
			hints[tp] = h
		}
	}
	l.mu.RUnlock()
	if len(hints) == 0 && !l.hints.written {
		return nil
	}
	if err := vfs.WriteFile(l.o.FS, path.Join(l.o.Dir, highFile), encodeHighs(hints)); err != nil {
		return fmt.Errorf("logstore: high watermarks: %w", err)
	}
	if err := l.o.FS.SyncDir(l.o.Dir); err != nil {
		return fmt.Errorf("logstore: high watermarks: %w", err)
	}
	l.hints.written = true
	return nil
}

// forgetHigh drops what the file said of a partition that is gone.
func (l *Log) forgetHigh(tp TopicPartition) { delete(l.hints.known, tp) }

func (p *Partition) highHint() (highHint, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return highHint{incarnation: p.incarnation, high: p.high}, p.role.Replicated && (p.failed == nil || p.damage != nil)
}

// knowReplicated says, when a partition is opened, that it has other replicas: it appends nothing and shows nothing beyond
// high until it is told its role.
func (p *Partition) knowReplicated(high int64) {
	if p.role.Replicated {
		return
	}
	p.role = Role{LeaderID: -1, Epoch: -1, Replicated: true}
	p.state.track = true
	p.repl.leaderHigh = high
	p.high, p.stable = min(p.high, max(high, p.logStart)), min(p.stable, max(high, p.logStart))
}

// grown takes a new end that is on disk, when a partition is opened.
func (p *Partition) grown(end int64) {
	p.end, p.durable = end, end
	if p.role.Replicated {
		p.high = max(p.high, min(p.repl.leaderHigh, end), p.logStart)
	} else {
		p.high = end
	}
	p.settle()
}
