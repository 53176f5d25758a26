package executor

import (
	"time"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/rdd"
)

// timed measures what an operator takes of its task: the calls of its reader, less what those spend in the operators
// below it. A task is one goroutine, so the calls nest; the clock is read twice for a batch.
type timed struct {
	t  *task
	n  int // in task.times
	in rdd.Reader
}

// timing starts to measure what an operator does from here on, and returns the place in task.times that it goes to.
func (t *task) timing(op string) int {
	for i := range t.times {
		if t.times[i].Op == op {
			return i
		}
	}
	t.times = append(t.times, rdd.OpTime{Op: op})
	return len(t.times) - 1
}

// measure runs work and adds what it took, less what was measured inside it, to an operator's time.
func (t *task) measure(n int, work func()) {
	outer, began := t.inside, time.Now()
	t.inside = 0
	work()
	took := time.Since(began)
	t.times[n].Nanos += int64(took - t.inside)
	t.inside = outer + took
}

func (r *timed) Next() (b *column.Batch, err error) {
	r.t.measure(r.n, func() { b, err = r.in.Next() })
	if b != nil {
		r.t.times[r.n].Rows += int64(b.N)
		r.t.times[r.n].Batches++
	}
	return b, err
}

func (r *timed) Close() error { return r.in.Close() }
