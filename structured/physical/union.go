package physical

import (
	"io"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/rdd"
)

// Union reads its inputs one after the other. Which input holds a partition is decided by the graph's bases, so at most
// one of them has rows, unless the whole plan runs in one partition.
type Union struct{ Out *column.Schema }

func (u *Union) Open(tc *rdd.TaskContext, in []rdd.Reader) (rdd.Reader, error) {
	var out column.Batch
	i := 0
	next := func() (*column.Batch, error) {
		for i < len(in) {
			b, err := in[i].Next()
			if err == io.EOF {
				i++
				continue
			}
			if err != nil {
				return b, err
			}
			out = column.Batch{Schema: u.Out, N: b.N, Cols: b.Cols}
			return &out, nil
		}
		return nil, io.EOF
	}
	return output(tc, in, next, nil), nil
}
