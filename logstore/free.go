package logstore

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"path"
	"slices"
	"time"

	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/internal/vfs"
	"github.com/streamflow/streamflow/logstore/segment"
)

// The file local-start says that the partition's older segments were given to the cold tier and freed here, so that their
// absence is no damage:
//
//	magic (8) | log start i64 | local start i64 | CRC32C
const (
	freedMagic = "SFLST\x00\x00\x01" // the last byte is the version
	freedFile  = "local-start"
)

// freed is what the file says.
type freed struct{ logStart, localStart int64 }

func (f freed) encode() []byte {
	b := binary.LittleEndian.AppendUint64([]byte(freedMagic), uint64(f.logStart))
	b = binary.LittleEndian.AppendUint64(b, uint64(f.localStart))
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

func decodeFreed(b []byte) (freed, error) {
	n := len(freedMagic) + 16
	if len(b) != n+4 || string(b[:len(freedMagic)]) != freedMagic {
		return freed{}, fmt.Errorf("not a local start of this version")
	}
	if crc32.Checksum(b[:n], castagnoli) != binary.LittleEndian.Uint32(b[n:]) {
		return freed{}, fmt.Errorf("local start fails its CRC")
	}
	le := binary.LittleEndian
	return freed{logStart: int64(le.Uint64(b[len(freedMagic):])), localStart: int64(le.Uint64(b[len(freedMagic)+8:]))}, nil
}

// readFreed finds what the partition gave to the cold tier; zeros when it gave nothing.
func (p *Partition) readFreed() error {
	name := path.Join(p.dir, freedFile)
	b, err := vfs.ReadFile(p.log.o.FS, name)
	if vfs.IsNotExist(err) {
		return nil
	}
	if err == nil {
		p.freed, err = decodeFreed(b)
	}
	if err != nil {
		return usererr.New("CORRUPT_SEGMENT", "XX001", "It cannot be read what a partition gave to the cold tier: %v.", err).
			In(name).WithFix("Restore the file from a copy or a replica.")
	}
	return nil
}

// removeFreed finishes a removal that a crash interrupted: every segment that ends before the local start.
func (p *Partition) removeFreed(bases []int64) ([]int64, error) {
	n := 0
	for n+1 < len(bases) && bases[n+1] <= p.freed.localStart {
		if err := segment.RemoveFiles(p.log.o.FS, p.dir, bases[n]); err != nil {
			return nil, err
		}
		n++
	}
	if n == 0 {
		return bases, nil
	}
	return bases[n:], p.log.o.FS.SyncDir(p.dir)
}

// keepColdStart takes back that the log begins with the local segments, which openSegments supposes: what is before them
// lies in the cold tier.
func (p *Partition) keepColdStart() {
	if p.freed.localStart > 0 && p.logStart <= p.freed.localStart {
		p.logStart = p.freed.logStart
	}
}

// freeable is the offset below which this node need not keep what the cold tier has: local.retention.ms and
// local.retention.bytes (KIP-405), which the whole retention stands for where they are not set.
func (p *Partition) freeable(now time.Time) int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cold == nil || len(p.segments) == 0 {
		return 0
	}
	_, next := p.cold.Bounds()
	cfg, to, size := p.cfg, int64(0), p.tail.bytes
	for _, s := range p.segments {
		size += s.Summary().Bytes
	}
	for _, s := range p.segments[:len(p.segments)-1] {
		sum := s.Summary()
		old := cfg.LocalRetention > 0 && now.UnixMilli()-sum.Appended >= cfg.LocalRetention.Milliseconds()
		big := cfg.LocalRetentionBytes > 0 && size > cfg.LocalRetentionBytes
		if sum.Next > next || !old && !big {
			break
		}
		to, size = sum.Next, size-sum.Bytes
	}
	return to
}

// FreeLocal removes the segments that the cold tier has and that local retention no longer asks for. It returns how many.
func (p *Partition) FreeLocal(now time.Time) (int, error) {
	to := p.freeable(now)
	if to == 0 {
		return 0, nil
	}
	if err := p.remember(to); err != nil {
		return 0, err
	}
	p.disk.Lock()
	defer p.disk.Unlock()
	if p.gone() {
		return 0, nil
	}
	p.mu.Lock()
	logStart := p.logStart
	p.mu.Unlock()
	f := freed{logStart: logStart, localStart: to}
	if err := p.establish(); err != nil {
		return 0, fmt.Errorf("logstore: free %s: %w", p.tp, err)
	}
	err := vfs.WriteFile(p.log.o.FS, path.Join(p.dir, freedFile), f.encode())
	if err == nil {
		err = p.log.o.FS.SyncDir(p.dir)
	}
	if err != nil {
		return 0, fmt.Errorf("logstore: free %s: %w", p.tp, err)
	}
	dropped := p.dropLocal(f)
	for _, s := range dropped {
		p.disk.unsynced = slices.DeleteFunc(p.disk.unsynced, func(u *segment.Segment) bool { return u == s })
		if err := s.Remove(); err != nil {
			return 0, fmt.Errorf("logstore: free %s: %w", p.tp, err)
		}
	}
	return len(dropped), p.log.o.FS.SyncDir(p.dir)
}

// dropLocal takes segments that are freed out of use. The last one always stays: its name keeps the partition's end.
func (p *Partition) dropLocal(f freed) (dropped []*segment.Segment) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.freed = f
	for len(p.segments) > 1 && p.segments[1].Base() <= f.localStart {
		dropped = append(dropped, p.segments[0])
		p.segments = append([]*segment.Segment(nil), p.segments[1:]...)
	}
	return dropped
}
