package physical

import (
	"io"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/rdd"
)

// TopK passes the first N rows of its partition by the keys, in order, after skipping Offset: a sort under a limit that
// keeps only what may still be among them.
type TopK struct {
	Keys      []column.SortKey
	N, Offset int64
	Out       *column.Schema
}

func (t *TopK) Open(tc *rdd.TaskContext, in []rdd.Reader) (rdd.Reader, error) {
	var out pieces
	read := false
	next := func() (*column.Batch, error) {
		if !read {
			read = true
			top := column.NewTopK(t.Out, t.Keys, int(t.N+t.Offset))
			if err := each(in[0], func(b *column.Batch) error { top.Add(b); return nil }); err != nil {
				return nil, err
			}
			first := top.Finish()
			out.set(first.Slice(min(int(t.Offset), first.N), first.N))
		}
		if b := out.next(); b != nil {
			return b, nil
		}
		return nil, io.EOF
	}
	return output(tc, in, next, nil), nil
}
