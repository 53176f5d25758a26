package physical

import (
	"io"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/rdd"
)

// Tail passes the last N rows of its partition.
type Tail struct{ N int64 }

func (t *Tail) Open(tc *rdd.TaskContext, in []rdd.Reader) (rdd.Reader, error) {
	var kept []*column.Batch
	var rows int64
	read := false
	next := func() (*column.Batch, error) {
		if !read {
			read = true
			err := each(in[0], func(b *column.Batch) error {
				kept = append(kept, b.Clone())
				rows += int64(b.N)
				for len(kept) > 0 && rows-int64(kept[0].N) >= t.N {
					rows -= int64(kept[0].N)
					kept = kept[1:]
				}
				return nil
			})
			if err != nil {
				return nil, err
			}
			if extra := rows - t.N; extra > 0 && len(kept) > 0 {
				kept[0] = kept[0].Slice(int(extra), kept[0].N)
			}
		}
		if len(kept) == 0 || t.N == 0 {
			return nil, io.EOF
		}
		b := kept[0]
		kept = kept[1:]
		return b, nil
	}
	return output(tc, in, next, nil), nil
}
