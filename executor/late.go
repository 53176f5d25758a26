package executor

import (
	"context"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/rdd"
)

// guardedLate is guarded for a leaf that can leave columns unread.
type guardedLate struct {
	*guarded
	in rdd.LateReader
}

// Late implements the question of rdd.Late.
func (g *guarded) Late() (rdd.LateReader, bool) {
	in, ok := rdd.Late(g.in)
	return &guardedLate{g, in}, ok
}

func (g *guardedLate) NextFirst(first []int) (*column.Batch, error) {
	if g.ctx.Err() != nil {
		return nil, context.Cause(g.ctx)
	}
	return g.in.NextFirst(first)
}

func (g *guardedLate) Rest(sel []int32) (*column.Batch, error) { return g.in.Rest(sel) }

// timedLate is timed for a leaf that can leave columns unread.
type timedLate struct {
	*timed
	in rdd.LateReader
}

// Late implements the question of rdd.Late.
func (r *timed) Late() (rdd.LateReader, bool) {
	in, ok := rdd.Late(r.in)
	return &timedLate{r, in}, ok
}

func (r *timedLate) NextFirst(first []int) (b *column.Batch, err error) {
	r.t.measure(r.n, func() { b, err = r.in.NextFirst(first) })
	if b != nil {
		r.t.times[r.n].Rows += int64(b.N)
		r.t.times[r.n].Batches++
	}
	return b, err
}

func (r *timedLate) Rest(sel []int32) (b *column.Batch, err error) {
	r.t.measure(r.n, func() { b, err = r.in.Rest(sel) })
	return b, err
}
