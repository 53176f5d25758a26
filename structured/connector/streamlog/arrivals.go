package streamlog

import (
	"maps"
	"slices"
	"time"

	"github.com/streamflow/streamflow/logstore/record"
	"github.com/streamflow/streamflow/rdd"
	"github.com/streamflow/streamflow/structured/connector"
)

// recentMs is how old a record may be to count: reading the past is no latency.
const recentMs = 60_000

// arrivals counts the rows of a streaming batch by the time that their records were stamped with. All records of a log
// batch count as old as its first.
type arrivals struct {
	since int64 // older ones are not counted, milliseconds
	rows  map[int64]int64
}

func newArrivals(tc *rdd.TaskContext) arrivals {
	if tc.Binding.Query == "" {
		return arrivals{since: 1 << 62}
	}
	return arrivals{since: time.Now().UnixMilli() - recentMs}
}

func (a *arrivals) note(b record.Batch) {
	ms := b.BaseTimestamp()
	if ms < a.since {
		return
	}
	if a.rows == nil {
		a.rows = map[int64]int64{}
	}
	a.rows[ms] += int64(b.Count())
}

// report is the counts as connector.ArrivalsKey has them.
func (a *arrivals) report() []byte {
	var out []byte
	last := int64(0)
	for _, ms := range slices.Sorted(maps.Keys(a.rows)) {
		out = connector.AppendArrival(out, uint64(ms-last), uint64(a.rows[ms]))
		last = ms
	}
	return out
}
