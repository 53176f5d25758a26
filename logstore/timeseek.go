package logstore

import (
	"errors"
	"fmt"

	"github.com/streamflow/streamflow/logstore/record"
	"github.com/streamflow/streamflow/logstore/segment"
)

// TimestampOffset is a record's place and time; Offset is -1 where there is none.
type TimestampOffset struct {
	Offset      int64
	Timestamp   int64
	LeaderEpoch int32
}

var nowhere = TimestampOffset{Offset: -1, Timestamp: -1, LeaderEpoch: -1}

// OffsetForTime finds the first durable record whose timestamp is at least ms; Offset is -1 when there is none. An Arrow
// batch counts as a whole: its rows' times are not known here.
func (p *Partition) OffsetForTime(ms int64) (TimestampOffset, error) {
	start, limit, segments, err := p.seekView()
	if err != nil {
		return nowhere, err
	}
	found := nowhere
	look := func(_ int64, b record.Batch) (bool, error) {
		if b.BaseOffset() >= limit {
			return false, nil
		}
		if b.Attributes().IsControl() || b.MaxTimestamp() < ms || b.LastOffset() < start {
			return true, nil
		}
		found = firstAt(b, ms, start)
		return found.Offset < 0, nil
	}
	if found, err = p.coldOffsetForTime(ms, start, limit); err != nil || found.Offset >= 0 {
		return found, err
	}
	for _, s := range segments {
		if sum := s.Summary(); sum.Next <= start || !sum.HasData() || sum.MaxTimestamp < ms {
			continue
		}
		if err := s.ScanTime(ms, look); err != nil && !errors.Is(err, segment.ErrClosed) {
			return nowhere, fmt.Errorf("logstore: offset for time in %s: %w", p.tp, err)
		}
		if found.Offset >= 0 {
			return found, nil
		}
	}
	err = p.scanTail(look)
	return found, err
}

// FirstAt is the first record in a batch from the offset start on whose timestamp is at least ms; Offset is -1 if it has
// none.
func FirstAt(b record.Batch, ms, start int64) TimestampOffset {
	if b.Attributes().IsControl() || b.MaxTimestamp() < ms || b.LastOffset() < start {
		return nowhere
	}
	return firstAt(b, ms, start)
}

// firstAt is the first record in b from the offset start on whose timestamp is at least ms.
func firstAt(b record.Batch, ms, start int64) TimestampOffset {
	if b.Attributes().IsArrow() {
		return TimestampOffset{Offset: max(b.BaseOffset(), start), Timestamp: b.MaxTimestamp(), LeaderEpoch: b.LeaderEpoch()}
	}
	it := b.Records()
	for it.Next() {
		if it.Timestamp >= ms && it.Offset >= start {
			return TimestampOffset{Offset: it.Offset, Timestamp: it.Timestamp, LeaderEpoch: b.LeaderEpoch()}
		}
	}
	return nowhere // a producer's maximum that no record has
}

// MaxTimestamp finds the first durable record with the greatest timestamp.
func (p *Partition) MaxTimestamp() (TimestampOffset, error) {
	_, limit, segments, err := p.seekView()
	if err != nil {
		return nowhere, err
	}
	best := p.coldMaxTimestamp()
	look := func(_ int64, b record.Batch) (bool, error) {
		if b.BaseOffset() < limit && !b.Attributes().IsControl() {
			best = max(best, b.MaxTimestamp())
		}
		return b.BaseOffset() < limit, nil
	}
	for _, s := range segments {
		switch sum := s.Summary(); {
		case !sum.HasData() || sum.Base >= limit:
		case sum.MaxOffset < limit:
			best = max(best, sum.MaxTimestamp)
		default: // its greatest is not committed yet
			if err := s.Scan(sum.Base, look); err != nil && !errors.Is(err, segment.ErrClosed) {
				return nowhere, fmt.Errorf("logstore: greatest timestamp in %s: %w", p.tp, err)
			}
		}
	}
	err = p.scanTail(look)
	if err != nil || best < 0 {
		return nowhere, err
	}
	return p.OffsetForTime(best)
}

func (p *Partition) seekView() (start, limit int64, segments []*segment.Segment, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.logStart, p.high, append([]*segment.Segment(nil), p.segments...), p.failed
}

// scanTail gives fn the durable batches that are not in segments, until it returns false.
func (p *Partition) scanTail(fn func(pos int64, b record.Batch) (bool, error)) error {
	p.mu.Lock()
	list := append([]tailBatch(nil), p.tail.below(p.high)...)
	for _, b := range list {
		b.chunk.Retain()
	}
	p.mu.Unlock()
	defer func() {
		for _, b := range list {
			b.chunk.Release()
		}
	}()
	for _, b := range list {
		if more, err := fn(0, b.data); err != nil || !more {
			return err
		}
	}
	return nil
}
