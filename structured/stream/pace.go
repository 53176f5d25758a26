package stream

import (
	"time"

	"github.com/streamflow/streamflow/structured/connector"
)

// pace bounds the rows that a batch takes from a partition, so that a batch takes about a target time: what came in a burst,
// or is there when a query catches up, is taken in bites, and results of what arrives do not wait for all of it.
type pace struct {
	target time.Duration // 0: no pace, max is the bound
	max    int64         // never more than this; 0 is no bound
	limit  int64         // what the next batch may take; 0 before anything is known
}

// firstBite is what the first batch takes from a partition when there is a target; then a measure is known.
const (
	firstBite = 1024
	minBite   = 16
)

// next is the bound for the next batch.
func (p *pace) next() int64 {
	if p.target <= 0 {
		return p.max
	}
	if p.limit == 0 {
		p.limit = p.within(firstBite)
	}
	return p.limit
}

// after learns from a batch that took rows from its busiest partition. A batch that took less than it was allowed to says
// something only when it was slow; one that was much faster than asked for lets the bound grow, twofold at the most, since
// what a batch costs is not proportional when it is small.
func (p *pace) after(rows int64, took time.Duration) {
	if p.target <= 0 || rows == 0 {
		return
	}
	fit := int64(float64(rows) * float64(p.target) / float64(max(took, time.Microsecond)))
	switch {
	case took > p.target:
		p.limit = p.within(min(p.limit, max(fit, rows/4)))
	case rows >= p.limit:
		p.limit = p.within(min(fit, 2*p.limit))
	}
}

func (p *pace) within(n int64) int64 {
	n = max(n, minBite)
	if p.max > 0 {
		n = min(n, p.max)
	}
	return n
}

// busiest is what a batch took from the partition that it took most from.
func busiest(from, to map[string]connector.Offsets) (n int64) {
	for id, end := range to {
		for p := range end {
			n = max(n, end[p]-at(from[id], p))
		}
	}
	return n
}
