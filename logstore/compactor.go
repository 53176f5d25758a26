package logstore

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"path"
	"slices"
	"time"

	"github.com/streamflow/streamflow/internal/vfs"
)

// compactions is the goroutine that compacts what is due, the dirtiest first.
func (l *Log) compactions() {
	for {
		tick, cancel := l.o.Clock.After(l.o.CompactionInterval)
		select {
		case <-l.stop:
			cancel()
			return
		case <-tick:
			l.compactDue()
		}
	}
}

// compactDue compacts every partition that is due.
func (l *Log) compactDue() {
	type due struct {
		p     *Partition
		ratio float64
	}
	var list []due
	now := l.o.Clock.Now()
	for _, p := range l.open() {
		cfg := p.Config()
		if !cfg.Compact {
			continue
		}
		if c := p.cleanable(now); c.due(cfg, now) {
			list = append(list, due{p, c.ratio()})
		}
	}
	slices.SortFunc(list, func(a, b due) int { return cmp.Compare(b.ratio, a.ratio) })
	for _, d := range list {
		if l.stopping() {
			return
		}
		l.compactOne(d.p)
	}
}

func (l *Log) compactOne(p *Partition) {
	began := l.o.Clock.Now()
	res, err := p.Compact()
	where := []any{"topic", p.tp.Topic, "partition", p.tp.Partition}
	switch {
	case vfs.IsDiskFull(err):
		l.o.Logger.Warn("compaction waits for room on the disk", where...)
	case err != nil:
		p.tellDamage(p.atOffset(err, p.Offsets().LogStart))
		l.o.Logger.Error("compaction failed", append(where, "err", err)...)
	case res.Replaced > 0:
		l.stats.compactions.Add(1)
		l.stats.before.Add(res.Before)
		l.stats.after.Add(res.After)
		l.o.Logger.Info("compacted", append(where, "segments", res.Replaced, "bytes_before", res.Before, "bytes_after", res.After,
			"records_dropped", res.Counts.Dropped(), "took", l.o.Clock.Now().Sub(began))...)
	}
}

// stopping tells that the log is being closed.
func (l *Log) stopping() bool {
	select {
	case <-l.stop:
		return true
	default:
		return false
	}
}

// The file compaction says how far compactions have come. Without it, or when it is damaged, all is dirty.
//
//	magic (8) | first dirty offset i64 | end of the last pass ms i64 | CRC32C
const (
	cleanedMagic = "SFCMP\x00\x00\x01" // the last byte is the version
	cleanedFile  = "compaction"
)

func encodeCleaned(to, ms int64) []byte {
	b := binary.LittleEndian.AppendUint64([]byte(cleanedMagic), uint64(to))
	b = binary.LittleEndian.AppendUint64(b, uint64(ms))
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

func decodeCleaned(b []byte) (to, ms int64, err error) {
	n := len(cleanedMagic) + 16
	if len(b) != n+4 || string(b[:len(cleanedMagic)]) != cleanedMagic {
		return 0, 0, fmt.Errorf("not a compaction's progress of this version")
	}
	if crc32.Checksum(b[:n], castagnoli) != binary.LittleEndian.Uint32(b[n:]) {
		return 0, 0, fmt.Errorf("compaction's progress fails its CRC")
	}
	return int64(binary.LittleEndian.Uint64(b[8:])), int64(binary.LittleEndian.Uint64(b[16:])), nil
}

// noteCleaned keeps that a pass has known every key below an offset.
func (p *Partition) noteCleaned(to int64, now time.Time) error {
	p.disk.Lock()
	defer p.disk.Unlock()
	p.mu.Lock()
	p.life.cleanedTo = max(p.life.cleanedTo, to)
	failed := p.failed
	p.mu.Unlock()
	if failed != nil {
		return errStopped
	}
	if err := vfs.WriteFile(p.log.o.FS, path.Join(p.dir, cleanedFile), encodeCleaned(to, now.UnixMilli())); err != nil {
		return fmt.Errorf("note what is clean: %w", err)
	}
	return nil
}
