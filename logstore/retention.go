package logstore

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/streamflow/streamflow/logstore/segment"
	"github.com/streamflow/streamflow/logstore/wal"
)

// DeleteRecords moves the log start to before (or to the high watermark for -1), and returns the new log start. Whole
// segments below it are deleted; records in the segment that holds it only become unreadable.
func (p *Partition) DeleteRecords(before int64) (int64, error) {
	o, err := p.LatestOffsets()
	if err != nil {
		return o.LogStart, err
	}
	if before == -1 {
		before = o.HighWatermark
	}
	if before < 0 || before > o.HighWatermark {
		return o.LogStart, fmt.Errorf("logstore: delete records of %s: %w: %d is not in %d to %d", p.tp, ErrOffsetOutOfRange, before, o.LogStart, o.HighWatermark)
	}
	if before <= o.LogStart {
		return o.LogStart, nil
	}
	if err := p.moveLogStart(before); err != nil {
		return o.LogStart, fmt.Errorf("logstore: delete records of %s: %w", p.tp, err)
	}
	if strings.HasPrefix(p.tp.Topic, "__") { // the engine's own: it does this all the time
		return before, nil
	}
	op := Operation{Op: "delete-records", Topic: p.tp.Topic, Partition: p.tp.Partition, Detail: fmt.Sprintf("log start %d", before)}
	if err := p.log.note(op); err != nil {
		return before, err
	}
	return before, nil
}

// retain deletes the oldest sealed segments that the topic's retention no longer asks for.
func (p *Partition) retain(now time.Time) error {
	start := p.retainedFrom(now)
	if start <= p.Offsets().LogStart {
		return nil
	}
	p.log.o.Logger.Info("retention deletes records", "topic", p.tp.Topic, "partition", p.tp.Partition, "before", start)
	if err := p.moveLogStart(start); err != nil {
		return err
	}
	return p.log.note(Operation{Op: "retention", Topic: p.tp.Topic, Partition: p.tp.Partition, Detail: fmt.Sprintf("log start %d", start)})
}

// retainedFrom is the first offset to keep.
func (p *Partition) retainedFrom(now time.Time) int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	start, size := p.logStart, p.tail.bytes
	for _, s := range p.segments {
		size += s.Summary().Bytes
	}
	start, size, more := p.retainedCold(start, size, now)
	if !more {
		return start
	}
	for i, s := range p.segments {
		sum := s.Summary()
		old := p.cfg.Retention > 0 && now.UnixMilli()-sum.Appended > p.cfg.Retention.Milliseconds()
		big := p.cfg.RetentionBytes > 0 && size-sum.Bytes >= p.cfg.RetentionBytes
		if i == len(p.segments)-1 || sum.Next > p.stable || (!old && !big) {
			break
		}
		start, size = max(start, sum.Next), size-sum.Bytes
	}
	return start
}

// moveLogStart makes the new start durable before anything is deleted: readers must never see it move back.
//
// A checkpoint lets write-ahead log records go that were durable when it began. It must then find the start to be put into a
// snapshot, though this goroutine may not have come any further: so the start is announced before its record is written.
func (p *Partition) moveLogStart(to int64) error {
	p.announceStart(to)
	r, err := p.log.wal.Reserve(wal.Request{
		Type: typeLogStart, Size: len(p.walPrefix) + 8, Timestamp: p.log.o.Clock.Now().UnixMilli(),
	})
	if err != nil {
		p.announceStart(0)
		return err
	}
	n := copy(r.Payload, p.walPrefix)
	binary.LittleEndian.PutUint64(r.Payload[n:], uint64(to))
	r.Commit()
	if err := p.log.onDisk(r.Group); err != nil {
		return err
	}
	if err := p.remember(to); err != nil {
		return err
	}
	p.disk.Lock()
	defer p.disk.Unlock()
	if p.gone() {
		return ErrUnknownPartition
	}
	for _, s := range p.setLogStart(to) {
		p.disk.unsynced = slices.DeleteFunc(p.disk.unsynced, func(u *segment.Segment) bool { return u == s })
		if err := p.remove(s); err != nil {
			return err
		}
	}
	return p.log.o.FS.SyncDir(p.dir)
}

// remember makes a snapshot have what only the segments that end at or below an offset say of producers and leader epochs:
// those segments will go, and a producer whose newest batch was in one of them goes on all the same.
func (p *Partition) remember(to int64) error {
	if !p.endsBelow(to) {
		return nil
	}
	known, err := p.remembered(to)
	if err != nil || known {
		return err
	}
	p.disk.Lock()
	p.disk.snapWanted++
	p.disk.Unlock()
	if err := p.checkpoint(false); err != nil {
		return err
	}
	if p.gone() {
		return ErrUnknownPartition
	}
	if known, err = p.remembered(to); err == nil && !known {
		err = fmt.Errorf("logstore: %s: no snapshot could be taken of what is below offset %d", p.tp, to)
	}
	return err
}

// endsBelow tells whether there is a segment, not the last, that ends at or below an offset.
func (p *Partition) endsBelow(to int64) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.segments) > 1 && p.segments[1].Base() <= to
}

// remembered tells whether there is a snapshot of an offset at or behind to.
func (p *Partition) remembered(to int64) (bool, error) {
	p.disk.Lock()
	defer p.disk.Unlock()
	all, err := listByOffset(p.log.o.FS, p.dir, snapshotExt)
	return len(all) > 0 && all[len(all)-1] >= to, err
}

// announceStart makes snapshots have a log start that will be; 0 takes it back.
func (p *Partition) announceStart(to int64) {
	p.disk.Lock()
	defer p.disk.Unlock()
	p.disk.snapWanted++
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.starting = max(p.starting, to); to == 0 {
		p.starting = 0
	}
}

// setLogStart moves the log start and takes the segments below it out of use. The last one always stays: its name keeps
// the partition's end.
func (p *Partition) setLogStart(to int64) (dropped []*segment.Segment) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if to <= p.logStart {
		return nil
	}
	p.logStart = to
	p.stable = max(p.stable, to)
	p.state.forgetBefore(to)
	for len(p.segments) > 1 && p.segments[1].Base() <= to {
		dropped = append(dropped, p.segments[0])
		p.segments = append([]*segment.Segment(nil), p.segments[1:]...)
	}
	p.wake()
	return dropped
}
