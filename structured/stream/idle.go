package stream

import (
	"context"
	"time"

	"github.com/streamflow/streamflow/structured/connector"
)

// DefaultIdleTimeout is how long a partition may bring nothing before it no longer holds event time back.
const DefaultIdleTimeout = 30 * time.Second

// idleness follows which source partitions have stopped bringing rows. A partition that is idle holds the watermark back;
// so it is marked: a control record in its log moves its clock to where the others are. Because the mark lies in the log, a
// replay sees it at the same place between the same rows and decides the same rows to be late.
type idleness struct {
	timeout time.Duration
	ends    map[string]connector.Offsets // by source: what was available when last looked
	moved   map[string][]time.Time       // when it last grew
}

// mark is an idle partition and the event time that it is moved to.
type mark struct {
	op        *WatermarkOp
	partition int
	clock     int64
}

// observe notes which partitions have grown.
func (d *idleness) observe(now time.Time, sources []SourceFacts) {
	if d.ends == nil {
		d.ends, d.moved = map[string]connector.Offsets{}, map[string][]time.Time{}
	}
	for _, s := range sources {
		moved := d.moved[s.ID]
		for p, end := range s.Available {
			if p == len(moved) {
				moved = append(moved, now)
			} else if end > at(d.ends[s.ID], p) {
				moved[p] = now
			}
		}
		d.moved[s.ID], d.ends[s.ID] = moved, s.Available
	}
}

// marks are the partitions to be marked now, and when to look again (zero: not before something moves). Among partitions
// some of which are active, the idle ones go to the least clock of the active; when all are idle, to the greatest of all.
func (d *idleness) marks(now time.Time, ops []WatermarkOp, clocks map[string][]int64) (list []mark, next time.Time) {
	for i := range ops {
		op := &ops[i]
		moved, c := d.moved[op.Source], clocks[op.ID]
		if op.Source == "" || len(moved) != len(c) {
			continue
		}
		low, high := int64(EndOfTime), int64(NoTime)
		for p, t := range moved {
			if now.Sub(t) < d.timeout {
				low = min(low, c[p])
				if due := t.Add(d.timeout); next.IsZero() || due.Before(next) {
					next = due
				}
			}
			high = max(high, c[p])
		}
		target := low
		if low == EndOfTime {
			target = high
		}
		for p, t := range moved {
			if now.Sub(t) >= d.timeout && c[p] < target {
				list = append(list, mark{op, p, target})
			}
		}
	}
	return list, next
}

// markIdle marks what has become idle and returns when to look again.
func (l *Loop) markIdle(ctx context.Context, f Facts, now time.Time) (time.Time, error) {
	if l.idle.timeout <= 0 || len(l.Spec.Watermarks) == 0 || f.Record.Committed == nil || !caughtUp(f) {
		return time.Time{}, nil
	}
	marks, next := l.idle.marks(now, l.Spec.Watermarks, f.Record.Committed.Clocks)
	for _, m := range marks {
		for _, s := range l.Spec.Sources {
			k, ok := s.Reader.(connector.Marker)
			if s.ID != m.op.Source || !ok {
				continue
			}
			l.Logger.Debug("partition is idle", "query", l.Spec.Name, "source", s.Reader.Name(), "partition", m.partition)
			if err := k.Mark(ctx, m.partition, m.op.Column, m.clock); err != nil {
				return next, err
			}
			l.idle.moved[s.ID][m.partition] = now // its next mark is a timeout away
		}
	}
	return next, nil
}

// caughtUp reports whether everything that is there has been read: only then do the clocks say where partitions stand.
func caughtUp(f Facts) bool {
	for _, s := range f.Sources {
		if s.Ended || !equalOffsets(f.Record.From(s.ID), s.Available) {
			return false
		}
	}
	return true
}
