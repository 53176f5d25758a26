package physical

import (
	"io"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/rdd"
)

// Names of the exact counters that operators keep.
const (
	RowsIn   = "rows.in"
	RowsOut  = "rows.out"
	RowsLate = "rows.late"
	RowsDead = "rows.dead"
	// RowsLarge are rows of a window function's partition that did not fit in memory.
	RowsLarge = "rows.large"
)

// reader is an operator's output: next yields batches, in are the inputs that it closes.
type reader struct {
	tc   *rdd.TaskContext
	op   string
	next func() (*column.Batch, error)
	end  func() // releases what the operator holds; may be nil
	in   []rdd.Reader
	rows int64
	done bool
}

// output wraps an operator's next function: it counts rows out, checks for cancellation and closes inputs.
func output(tc *rdd.TaskContext, in []rdd.Reader, next func() (*column.Batch, error), end func()) rdd.Reader {
	return &reader{tc: tc, op: tc.Op, next: next, end: end, in: in}
}

func (r *reader) Next() (*column.Batch, error) { return r.take(r.next) }

// take is Next by one of several ways to the next batch.
func (r *reader) take(next func() (*column.Batch, error)) (*column.Batch, error) {
	if r.done {
		return nil, io.EOF
	}
	if err := r.tc.Context.Err(); err != nil {
		return nil, err
	}
	b, err := next()
	if err != nil {
		if err == io.EOF {
			r.finish()
		}
		return nil, err
	}
	r.rows += int64(b.N)
	return b, nil
}

// finish reports the count once, at the end or when the reader is closed early.
func (r *reader) finish() {
	if r.done {
		return
	}
	r.done = true
	count(r.tc, r.op, RowsOut, r.rows)
	if r.end != nil {
		r.end()
	}
}

func (r *reader) Close() error {
	r.finish()
	var first error
	for _, in := range r.in {
		if err := in.Close(); err != nil && first == nil {
			first = err
		}
	}
	r.in = nil
	return first
}

// count adds to a counter of the operator; zero counts are not sent.
func count(tc *rdd.TaskContext, op, name string, n int64) {
	if n != 0 && tc.Count != nil {
		tc.Count(op, name, n)
	}
}

// each calls f with every batch of in.
func each(in rdd.Reader, f func(*column.Batch) error) error {
	for {
		b, err := in.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if b.N == 0 {
			continue
		}
		if err := f(b); err != nil {
			return err
		}
	}
}

// empty is a reader without rows.
type empty struct{}

func (empty) Next() (*column.Batch, error) { return nil, io.EOF }
func (empty) Close() error                 { return nil }
