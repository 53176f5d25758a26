package physical

import (
	"encoding/binary"
	"io"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/rdd"
)

// StreamLimit passes the first N rows of a streaming query. It runs in one partition and keeps the number of rows passed.
type StreamLimit struct{ N, Offset int64 }

var limitKey = []byte("rows")

func (l *StreamLimit) Open(tc *rdd.TaskContext, in []rdd.Reader) (rdd.Reader, error) {
	state, err := openState(tc)
	if err != nil {
		return nil, err
	}
	v, ok, err := state.Get(0, 0, limitKey)
	if err != nil {
		return nil, err
	}
	seen := int64(0)
	if ok {
		seen = int64(binary.BigEndian.Uint64(v))
	}
	w := window{skip: max(0, l.Offset-seen), left: min(l.N, max(0, l.Offset+l.N-seen))}
	before := w
	next := func() (*column.Batch, error) {
		for {
			b, err := in[0].Next()
			if err == io.EOF {
				passed := seen + (before.skip - w.skip) + (before.left - w.left)
				if passed != seen {
					err = state.Put(0, 0, limitKey, binary.BigEndian.AppendUint64(nil, uint64(passed)))
				}
				if err == nil || err == io.EOF {
					return nil, io.EOF
				}
			}
			if err != nil {
				return nil, err
			}
			if out := w.cut(b); out.N > 0 {
				return out, nil
			}
		}
	}
	return output(tc, in, next, nil), nil
}
