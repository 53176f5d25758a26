package physical

import (
	"io"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/rdd"
)

// Expand passes each batch once for every set of columns in Sets, with the other columns of Varying null and the set's
// number in a last column. Aggregates over different distinct arguments are computed from it in one pass: each set's rows
// are made distinct apart from the others.
type Expand struct {
	Varying []int   // columns that are not in every set
	Sets    [][]int // which of Varying each set keeps
	Out     *column.Schema

	nulls []*column.Vector
	tag   column.Vector
	out   column.Batch
}

func (e *Expand) Open(tc *rdd.TaskContext, in []rdd.Reader) (rdd.Reader, error) {
	var b *column.Batch
	set := len(e.Sets)
	next := func() (*column.Batch, error) {
		if set == len(e.Sets) {
			var err error
			if b, err = in[0].Next(); err != nil {
				return nil, err
			}
			set = 0
		}
		out := e.apply(b, set)
		set++
		return out, nil
	}
	if len(e.Sets) == 0 {
		next = func() (*column.Batch, error) { return nil, io.EOF }
	}
	return output(tc, in, next, nil), nil
}

func (e *Expand) apply(b *column.Batch, set int) *column.Batch {
	e.out = column.Batch{Schema: e.Out, N: b.N, Cols: append(e.out.Cols[:0], b.Cols...)}
	keep := map[int]bool{}
	for _, c := range e.Sets[set] {
		keep[c] = true
	}
	for len(e.nulls) < len(e.Varying) {
		e.nulls = append(e.nulls, nil)
	}
	for i, c := range e.Varying {
		if keep[c] {
			continue
		}
		if e.nulls[i] == nil || e.nulls[i].N != b.N {
			e.nulls[i] = nullVector(e.Out.Fields[c].Type, b.N)
		}
		e.out.Cols[c] = e.nulls[i]
	}
	e.tag.Type, e.tag.N = column.Of(column.Int32), b.N
	e.tag.I32 = resize(e.tag.I32, b.N)
	for i := range e.tag.I32 {
		e.tag.I32[i] = int32(set)
	}
	e.out.Cols = append(e.out.Cols, &e.tag)
	return &e.out
}

// nullVector is n nulls of a type.
func nullVector(t column.Type, n int) *column.Vector {
	v := column.NewVector(t, n)
	return column.Take(nil, v, absent(nil, n))
}
