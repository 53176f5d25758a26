package logstore

import (
	"fmt"
	"path"
	"slices"
	"time"

	"github.com/streamflow/streamflow/internal/vfs"
	"github.com/streamflow/streamflow/logstore/record"
	"github.com/streamflow/streamflow/logstore/segment"
)

// flush writes what is durable, or under SyncAsync written, to the segments: after a sync, since a segment must not know more
// than the write-ahead log.
func (p *Partition) flush() error {
	to := p.flushable()
	if p.log.o.Sync == SyncAsync {
		if err := p.log.wal.SyncNow(); err != nil {
			return &syncError{err}
		}
	}
	return p.flushTo(to)
}

// flushable is the offset below which batches may be flushed once the write-ahead log is synced.
func (p *Partition) flushable() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.durable
}

// flushTo writes the batches in memory below an offset to the segments and lets their memory go. After an error nothing is
// lost: the batches stay in memory, and the write-ahead log keeps them. It goes beyond the high watermark: a partition that is
// waiting for its replicas must not hold memory and the write-ahead log, and a cut takes segments back (see cut).
func (p *Partition) flushTo(to int64) error {
	p.disk.Lock()
	defer p.disk.Unlock()
	p.mu.Lock()
	p.dirty = false
	if p.failed != nil {
		p.mu.Unlock()
		return nil
	}
	list := slices.Clone(p.tail.below(min(to, p.durable)))
	p.mu.Unlock()
	batches := make([]record.Batch, len(list))
	for i := range list {
		batches[i] = list[i].data
	}
	written, err := p.writeBatches(batches)
	p.mu.Lock()
	freed := p.tail.drop(written)
	if len(p.tail.below(p.durable)) > 0 && !p.dirty {
		p.dirty = true
		defer p.log.noteDirty(p)
	}
	p.mu.Unlock()
	p.log.hold(-freed)
	return err
}

func (p *Partition) writeSegments(batches []record.Batch) error {
	p.disk.Lock()
	defer p.disk.Unlock()
	_, err := p.writeBatches(batches)
	return err
}

// writeBatches appends batches to the active segment, rolling where it must, and tells how many were written. p.disk is
// held.
func (p *Partition) writeBatches(batches []record.Batch) (written int, err error) {
	if len(batches) == 0 {
		return 0, nil
	}
	if err := p.establish(); err != nil {
		return 0, fmt.Errorf("logstore: flush %s: %w", p.tp, err)
	}
	now := p.log.o.Clock.Now()
	for len(batches) > 0 {
		s, err := p.activeFor(batches[0], now)
		if err != nil {
			return written, fmt.Errorf("logstore: flush %s: %w", p.tp, err)
		}
		n := p.fit(s, batches)
		if err := s.Append(batches[:n], now.UnixMilli()); err != nil {
			return written, fmt.Errorf("logstore: flush %s: %w", p.tp, err)
		}
		p.noteUnsynced(s)
		for _, b := range batches[:n] {
			p.disk.snapBytes += int64(len(b))
		}
		batches, written = batches[n:], written+n
	}
	return written, nil
}

// establish makes the partition's directory and identity durable, once, before anything is written into it.
func (p *Partition) establish() error {
	id, filed := p.identity()
	if p.disk.established && filed {
		return nil
	}
	fs := p.log.o.FS
	if err := fs.MkdirAll(p.dir); err != nil {
		return err
	}
	if err := vfs.WriteFile(fs, path.Join(p.dir, identityFile), id.encode()); err != nil {
		return err
	}
	for _, dir := range []string{p.dir, path.Dir(p.dir), path.Dir(path.Dir(p.dir))} {
		if err := fs.SyncDir(dir); err != nil {
			return err
		}
	}
	p.disk.established = true
	p.mu.Lock()
	defer p.mu.Unlock()
	p.filedID = id.topicID
	return nil
}

func (p *Partition) noteUnsynced(s *segment.Segment) {
	if !slices.Contains(p.disk.unsynced, s) {
		p.disk.unsynced = append(p.disk.unsynced, s)
	}
}

// activeFor is the segment that takes b: the last one, or a new one if that is full or old.
func (p *Partition) activeFor(b record.Batch, now time.Time) (*segment.Segment, error) {
	p.mu.Lock()
	cfg := p.cfg
	var last *segment.Segment
	compacted := false // what a compaction wrote stays as its manifest says; it is the last one only after a recovery
	if n := len(p.segments); n > 0 {
		last = p.segments[n-1]
		compacted = p.life.compacted[last.Base()]
	}
	p.mu.Unlock()
	if last != nil && !compacted && !full(last.Summary(), b, cfg, now) {
		return last, nil
	}
	return p.roll(b.BaseOffset(), cfg, now)
}

// roll starts a new segment; the one before it is sealed from now on.
func (p *Partition) roll(base int64, cfg PartitionConfig, now time.Time) (*segment.Segment, error) {
	s, err := segment.Create(p.log.o.FS, p.dir, base, cfg.IndexInterval, now.UnixMilli())
	if err != nil {
		return nil, err
	}
	s.Manage(p.log.files)
	p.noteUnsynced(s)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.segments = append(p.segments, s)
	return s, nil
}

// full tells whether a segment must not take b. An empty one takes anything.
func full(s segment.Summary, b record.Batch, cfg PartitionConfig, now time.Time) bool {
	return s.Bytes > 0 && (s.Bytes+int64(len(b)) > cfg.SegmentBytes ||
		s.Records+int64(b.Count()) > cfg.SegmentRecords ||
		b.LastOffset()-s.Base > 1<<31-1 ||
		aged(s, cfg, now))
}

func aged(s segment.Summary, cfg PartitionConfig, now time.Time) bool {
	return now.UnixMilli()-s.Created >= cfg.SegmentAge.Milliseconds()
}

// fit is how many of batches the segment takes; the first one it takes.
func (p *Partition) fit(s *segment.Segment, batches []record.Batch) int {
	cfg, sum := p.Config(), s.Summary()
	n := 0
	for _, b := range batches {
		over := sum.Bytes+int64(len(b)) > cfg.SegmentBytes || sum.Records+int64(b.Count()) > cfg.SegmentRecords ||
			b.LastOffset()-sum.Base > 1<<31-1
		if n > 0 && over {
			break
		}
		sum.Bytes += int64(len(b))
		if !b.Attributes().IsControl() {
			sum.Records += int64(b.Count())
		}
		n++
	}
	return n
}

// rollAged seals an active segment that is old, so that retention by time can take it.
func (p *Partition) rollAged(now time.Time) error {
	p.disk.Lock()
	defer p.disk.Unlock()
	p.mu.Lock()
	cfg := p.cfg
	n := len(p.segments)
	if p.failed != nil || n == 0 {
		p.mu.Unlock()
		return nil
	}
	sum := p.segments[n-1].Summary()
	p.mu.Unlock()
	if sum.Bytes == 0 || !aged(sum, cfg, now) {
		return nil
	}
	_, err := p.roll(sum.Next, cfg, now)
	return err
}
