package stream

import (
	"time"

	"github.com/streamflow/streamflow/structured/connector"
)

// settling are the marks by which event time moves on when all sources have brought nothing for long enough, and when to look
// again: beyond the last row by as much as any row may be waited for, so that everything that is held for later rows is put
// out. Sources in processing time go on by themselves.
func (d *idleness) settling(now time.Time, ops []WatermarkOp, clocks map[string][]int64) (list []mark, next time.Time) {
	last := int64(NoTime)
	for i := range ops {
		op := &ops[i]
		if op.Source == "" || len(d.moved[op.Source]) != len(clocks[op.ID]) {
			return nil, time.Time{}
		}
		if due := d.grew[op.Source].Add(d.close); due.After(next) {
			next = due
		}
		for _, c := range clocks[op.ID] {
			if op.Column != connector.ColTimestamp {
				last = max(last, c)
			}
		}
	}
	if last == NoTime || last == EndOfTime {
		return nil, time.Time{}
	}
	if now.Before(next) {
		return nil, next
	}
	for i := range ops {
		op := &ops[i]
		target := ahead(ahead(last, d.settle), op.Delay)
		for p, c := range clocks[op.ID] {
			if op.Column != connector.ColTimestamp && c < target {
				list = append(list, mark{op, p, target})
			}
		}
	}
	return list, time.Time{}
}

// settled reports whether event time has moved on since the last row, c being the entry after before: a batch that took no rows
// and left some operator's greatest clock ahead of where it was, for only settling does that.
func settled(before, c *Commit) bool {
	if c.Counters[RowsIn] > 0 {
		return false
	}
	if before == nil || before.Settled {
		return before != nil
	}
	for id, clocks := range c.Clocks {
		if greatest(clocks) > greatest(before.Clocks[id]) {
			return true
		}
	}
	return false
}

func greatest(clocks []int64) int64 {
	high := int64(NoTime)
	for _, c := range clocks {
		high = max(high, c)
	}
	return high
}
