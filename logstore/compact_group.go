package logstore

import (
	"fmt"
	"slices"
	"time"

	"github.com/streamflow/streamflow/logstore/compact"
	"github.com/streamflow/streamflow/logstore/record"
	"github.com/streamflow/streamflow/logstore/segment"
)

// compactGroup rewrites the first of the segments, and as many of those behind it as fit with it into one, and puts that in
// their place. It returns how many they are.
func (p *Partition) compactGroup(c *compact.Cleaner, segments []*segment.Segment, upTo int64, now time.Time, res *CompactionResult) (int, error) {
	defer p.setCompacting(nil)
	c.Counts, c.Emptied, c.Changed = segment.Counts{}, nil, false
	target, n, err := p.writeCleaned(c, segments, upTo, now)
	if err != nil {
		return 0, err
	}
	group := segments[:n]
	if n == 1 && !c.Changed {
		return n, target.Discard() // as it was
	}
	m, err := describe(target, group, c.Counts)
	if err != nil {
		return 0, discard(target, err)
	}
	m.CleanedTo, m.TimeMs = upTo, now.UnixMilli()
	if err := validate(target, m); err != nil {
		return 0, discard(target, err)
	}
	if err := p.replace(group, target, m, c.Emptied); err != nil {
		return 0, err
	}
	res.add(m)
	return n, p.log.auditCompaction(p.tp, m)
}

func (r *CompactionResult) add(m segment.Manifest) {
	r.Replaced += len(m.Sources)
	r.Written++
	r.Counts.Add(m.Counts)
	for _, s := range m.Sources {
		r.Before += s.Bytes
	}
	r.After += m.Target.Bytes
}

// discard removes a target that is not to be, and keeps the reason.
func discard(target *segment.Segment, err error) error {
	_ = target.Discard() // the next opening removes it otherwise
	return err
}

func (p *Partition) setCompacting(group []*segment.Segment) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.life.compacting = group
}

// writeBlock is how much is put together for one write.
const writeBlock = 1 << 20

// writeCleaned writes what stays of the first segment, and of those behind it while they fit, and syncs it. It returns how
// many segments it took.
func (p *Partition) writeCleaned(c *compact.Cleaner, segments []*segment.Segment, upTo int64, now time.Time) (*segment.Segment, int, error) {
	first, cfg := segments[0].Summary(), p.Config()
	target, err := segment.CreateCleaned(p.log.o.FS, p.dir, first.Base, cfg.IndexInterval, now.UnixMilli())
	if err != nil {
		return nil, 0, err
	}
	n := 0
	for n < len(segments) && (n == 0 || joins(target.Summary(), segments[n].Summary(), upTo, cfg)) {
		p.setCompacting(segments[:n+1])
		if err := p.cleanInto(target, c, segments[n]); err != nil {
			return nil, 0, discard(target, err)
		}
		n++
	}
	if err := appendTo(target, c.Flush(nil)); err != nil {
		return nil, 0, discard(target, err)
	}
	target.SetTimes(first.Created, segments[n-1].Summary().Appended)
	if err := target.Sync(); err != nil {
		return nil, 0, discard(target, err)
	}
	return target, n, nil
}

// joins tells whether a segment fits behind what was written, even if all of it stays.
func joins(target, next segment.Summary, upTo int64, cfg PartitionConfig) bool {
	return next.Base < upTo && target.Bytes+next.Bytes+record.HeaderSize <= cfg.SegmentBytes &&
		target.Records+next.Records <= cfg.SegmentRecords && next.Next-target.Base < 1<<31
}

// cleanInto writes what stays of one segment. The last of its offsets may still be in the cleaner's gap.
func (p *Partition) cleanInto(target *segment.Segment, c *compact.Cleaner, s *segment.Segment) error {
	var buf []byte
	err := s.Scan(s.Base(), func(_ int64, b record.Batch) (more bool, err error) {
		if p.log.stopping() || p.isFailed() {
			return false, errStopped
		}
		if buf, err = c.Clean(buf, b); err == nil && len(buf) >= writeBlock {
			err, buf = appendTo(target, buf), buf[:0]
		}
		return err == nil, err
	})
	if err != nil {
		return err
	}
	return appendTo(target, buf)
}

// appendTo writes whole batches.
func appendTo(s *segment.Segment, data []byte) error {
	var list []record.Batch
	for len(data) > 0 {
		b, rest, err := record.Next(data)
		if err != nil {
			return err
		}
		list, data = append(list, b), rest
	}
	if len(list) == 0 {
		return nil
	}
	return s.Append(list, 0)
}

func describe(target *segment.Segment, group []*segment.Segment, counts segment.Counts) (segment.Manifest, error) {
	m := segment.Manifest{Version: segment.ManifestVersion, Counts: counts}
	var before int64
	for _, s := range group {
		sum, err := s.Sum()
		if err != nil {
			return m, err
		}
		before += sum.Bytes
		m.Sources = append(m.Sources, sum)
	}
	var err error
	m.Target, err = target.Sum()
	m.Ratio = float64(m.Target.Bytes) / float64(before)
	return m, err
}

// validate reads back what was written: every batch is sound, no offset is missing, and records add up.
func validate(target *segment.Segment, m segment.Manifest) error {
	next, records := m.Target.Base, int64(0)
	err := target.Scan(m.Target.Base, func(_ int64, b record.Batch) (bool, error) {
		if b.BaseOffset() != next {
			return false, fmt.Errorf("compaction wrote offset %d behind %d", b.BaseOffset(), next-1)
		}
		next = b.LastOffset() + 1
		if !b.Attributes().IsControl() {
			records += int64(b.Count())
		}
		return true, nil
	})
	if err != nil {
		return err
	}
	if end := m.Sources[len(m.Sources)-1].Next; next != end {
		return fmt.Errorf("compaction wrote up to offset %d of %d", next, end)
	}
	var before int64
	for _, s := range m.Sources {
		before += s.Records
	}
	k := m.Counts
	if records != k.Kept+k.Opaque || before != records+k.Superseded+k.Tombstones+k.Aborted {
		return fmt.Errorf("compaction has lost count: %d records before, %d after, %+v", before, records, k)
	}
	return nil
}

// replace puts the target in the place of its sources, on disk and in memory.
func (p *Partition) replace(group []*segment.Segment, target *segment.Segment, m segment.Manifest, emptied []compact.Txn) error {
	p.disk.Lock()
	defer p.disk.Unlock()
	if !p.holds(group) {
		return discard(target, errStopped) // retention was quicker
	}
	fs := p.log.o.FS
	maybe, err := segment.Commit(fs, p.dir, m)
	if err != nil && !maybe {
		return discard(target, err)
	}
	for _, s := range group {
		if err == nil {
			err = s.Retire()
		}
	}
	if err == nil {
		err = segment.Replace(fs, p.dir, m)
	}
	if err != nil { // how far it came is not known: the next opening brings it to its end
		p.setStuck(err)
		return err
	}
	target.Adopt()
	target.Manage(p.log.files)
	if len(emptied) > 0 {
		p.disk.snapWanted++
	}
	p.swapSegments(group, target, emptied)
	return target.Rest()
}

// holds tells that the segments are still the partition's.
func (p *Partition) holds(group []*segment.Segment) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	i := slices.Index(p.segments, group[0])
	return p.failed == nil && i >= 0 && i+len(group) < len(p.segments) && slices.Equal(p.segments[i:i+len(group)], group)
}

func (p *Partition) setStuck(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.life.stuck = err
}

// swapSegments changes what readers see. The aborted transactions whose records are gone go at the same moment: a reader that
// was told of one would wait for its marker, which may be gone as well.
func (p *Partition) swapSegments(group []*segment.Segment, target *segment.Segment, emptied []compact.Txn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	i := slices.Index(p.segments, group[0])
	fresh := append(slices.Clone(p.segments[:i]), target)
	p.segments = append(fresh, p.segments[i+len(group):]...)
	p.life.note(target.Base())
	for n, s := range group {
		p.retire(s, n > 0)
	}
	for _, t := range emptied {
		p.state.forgetAborted(t.ProducerID, t.Last)
	}
}

// forgetAborted drops an aborted transaction of which no record is left.
func (s *producers) forgetAborted(producerID, marker int64) {
	s.aborted = slices.DeleteFunc(slices.Clone(s.aborted), func(a abortedTxn) bool {
		return a.producerID == producerID && a.last == marker
	})
}
