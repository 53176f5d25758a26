package stream

import (
	"context"
	"slices"
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
	close   time.Duration                // after which nothing waits for later rows; 0 never
	settle  int64                        // see Spec
	ends    map[string]connector.Offsets // by source: what was available when last looked
	moved   map[string][]time.Time       // when it last grew, or was marked
	quiet   map[string][]int             // how often it was marked since it grew
	grew    map[string]time.Time         // when the source last grew
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
		d.ends, d.moved, d.quiet, d.grew = map[string]connector.Offsets{}, map[string][]time.Time{}, map[string][]int{}, map[string]time.Time{}
	}
	for _, s := range sources {
		moved := d.moved[s.ID]
		for p, end := range s.Available {
			if p == len(moved) {
				moved, d.quiet[s.ID] = append(moved, now), append(d.quiet[s.ID], 0)
				d.grew[s.ID] = now
			} else if end > at(d.ends[s.ID], p) {
				moved[p], d.quiet[s.ID][p] = now, 0
				d.grew[s.ID] = now
			}
		}
		d.moved[s.ID], d.ends[s.ID] = moved, slices.Clone(s.Available)
	}
}

// marked notes that a partition was marked: its next mark is a timeout away, and the mark is not growth.
func (d *idleness) marked(source string, partition int, now time.Time) {
	d.ends[source][partition]++
	d.passed(source, partition, now)
}

// passed notes that a partition's clock was moved without a mark in its log.
func (d *idleness) passed(source string, partition int, now time.Time) {
	d.moved[source][partition] = now
	d.quiet[source][partition]++
}

// longestQuiet bounds how far apart the marks of a source in processing time are: the timeout, doubled so often.
const longestQuiet = 7

// closing is how long a partition in processing time waits for its next mark: longer each time, so that a source that
// stays idle closes all its windows with few marks.
func (d *idleness) closing(source string, partition int) time.Duration {
	return d.timeout << min(d.quiet[source][partition], longestQuiet)
}

// marks are the partitions to be marked now, and when to look again (zero: not before something moves). Among partitions
// some of which are active, the idle ones go to the least clock of the active; when all are idle, to the greatest of all.
// A source all of which is idle goes to where the active ones hold the query's watermark, when all sources are idle to where
// the farthest does. An idle source in processing time, which is the time of the log's records, goes to now: what comes later
// is later.
func (d *idleness) marks(now time.Time, ops []WatermarkOp, clocks map[string][]int64) (list []mark, next time.Time) {
	spans := make([]span, len(ops))
	active, farthest := int64(EndOfTime), int64(NoTime)
	for i := range ops {
		op := &ops[i]
		if op.Source == "" || len(d.moved[op.Source]) != len(clocks[op.ID]) {
			continue
		}
		s := d.span(now, op, clocks[op.ID])
		if !s.next.IsZero() && (next.IsZero() || s.next.Before(next)) {
			next = s.next
		}
		if s.active {
			active = min(active, behind(s.low, op.Delay))
		}
		farthest = max(farthest, behind(s.high, op.Delay))
		spans[i] = s
	}
	if active == EndOfTime {
		active = farthest
	}
	for i := range ops {
		op, target, wait := &ops[i], spans[i].low, func(int) time.Duration { return d.timeout }
		switch {
		case !spans[i].known:
			continue
		case spans[i].active:
		case op.Column == connector.ColTimestamp && spans[i].high != NoTime:
			target, wait = now.UnixMicro(), func(p int) time.Duration { return d.closing(op.Source, p) }
		default:
			target = max(spans[i].high, ahead(active, op.Delay))
		}
		for p, t := range d.moved[op.Source] {
			switch due := t.Add(wait(p)); {
			case clocks[op.ID][p] >= target:
			case now.Before(due):
				if next.IsZero() || due.Before(next) {
					next = due
				}
			default:
				list = append(list, mark{op, p, target})
			}
		}
	}
	return list, next
}

// span is where the partitions of a watermark operator stand.
type span struct {
	known, active bool
	low, high     int64     // the least clock of active partitions, the greatest of all
	next          time.Time // when the next partition may become idle
}

func (d *idleness) span(now time.Time, op *WatermarkOp, clocks []int64) span {
	s := span{known: true, low: EndOfTime, high: NoTime}
	for p, t := range d.moved[op.Source] {
		if now.Sub(t) < d.timeout {
			s.active, s.low = true, min(s.low, clocks[p])
			if due := t.Add(d.timeout); s.next.IsZero() || due.Before(s.next) {
				s.next = due
			}
		}
		s.high = max(s.high, clocks[p])
	}
	return s
}

// ahead is the clock at which a watermark is reached; the beginning and the end of time stay where they are.
func ahead(mark, delay int64) int64 {
	if mark == NoTime || mark > EndOfTime-delay {
		return mark
	}
	return mark + delay
}

// markIdle marks what has become idle and returns when to look again.
func (l *Loop) markIdle(ctx context.Context, f Facts, now time.Time) (time.Time, error) {
	if l.idle.timeout <= 0 && l.idle.close <= 0 || len(l.Spec.Watermarks) == 0 || f.Record.Committed == nil || !caughtUp(f) {
		return time.Time{}, nil
	}
	c := f.Record.Committed
	var marks []mark
	var next time.Time
	if l.idle.timeout > 0 {
		marks, next = l.idle.marks(now, l.Spec.Watermarks, c.Clocks)
	}
	if l.idle.close > 0 && !c.Settled {
		last, look := l.idle.settling(now, l.Spec.Watermarks, c.Clocks)
		if len(last) > 0 {
			marks = last
		}
		if !look.IsZero() && (next.IsZero() || look.Before(next)) {
			next = look
		}
	}
	for _, m := range marks {
		if err := l.mark(ctx, m, now); err != nil {
			return next, err
		}
	}
	if l.moved != nil {
		next = now // a batch is due
	}
	return next, nil
}

// mark moves an idle partition's clock: by a mark in its log, or, where it has none of ours, for this query alone.
func (l *Loop) mark(ctx context.Context, m mark, now time.Time) error {
	for _, s := range l.Spec.Sources {
		if s.ID != m.op.Source {
			continue
		}
		l.Logger.Debug("partition is idle", "query", l.Spec.Name, "source", s.Reader.Name(), "partition", m.partition)
		k, ok := s.Reader.(connector.Marker)
		if !ok {
			l.move(m)
			l.idle.passed(s.ID, m.partition, now)
			continue
		}
		if err := k.Mark(ctx, m.partition, m.op.Column, m.clock); err != nil {
			return err
		}
		l.idle.marked(s.ID, m.partition, now)
	}
	return nil
}

// move notes a clock that the next batch begins with.
func (l *Loop) move(m mark) {
	if l.moved == nil {
		l.moved = map[string][]int64{}
	}
	clocks := l.moved[m.op.ID]
	if clocks == nil {
		clocks = make([]int64, m.op.Parts)
		for p := range clocks {
			clocks[p] = NoTime
		}
		l.moved[m.op.ID] = clocks
	}
	clocks[m.partition] = m.clock
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
