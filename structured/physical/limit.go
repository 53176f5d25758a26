package physical

import (
	"io"
	"math"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/rdd"
)

// Limit passes N rows after skipping Offset, in each partition; N < 0 is no limit.
type Limit struct{ N, Offset int64 }

func (l *Limit) Open(tc *rdd.TaskContext, in []rdd.Reader) (rdd.Reader, error) {
	w := window{skip: l.Offset, left: l.N}
	if l.N < 0 {
		w.left = math.MaxInt64
	}
	next := func() (*column.Batch, error) {
		for w.left > 0 {
			b, err := in[0].Next()
			if err != nil {
				return b, err
			}
			if out := w.cut(b); out.N > 0 {
				return out, nil
			}
		}
		return nil, io.EOF
	}
	return output(tc, in, next, nil), nil
}

// window is the run of rows that a limit still skips and passes.
type window struct{ skip, left int64 }

// cut is the part of b that passes.
func (w *window) cut(b *column.Batch) *column.Batch {
	from := min(w.skip, int64(b.N))
	n := min(w.left, int64(b.N)-from)
	w.skip -= from
	w.left -= n
	if n == int64(b.N) {
		return b
	}
	return b.Slice(int(from), int(from+n))
}
