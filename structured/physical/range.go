package physical

import (
	"encoding/binary"
	"fmt"
	"io"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/rdd"
)

// Range makes the bigint column of a Range plan; a split is its first value and its number of rows.
type Range struct {
	Step int64
	Out  *column.Schema
}

func (r *Range) Open(tc *rdd.TaskContext, in []rdd.Reader) (rdd.Reader, error) {
	splits := splitsOf(tc)
	v := &column.Vector{Type: column.Of(column.Int64)}
	out := &column.Batch{Schema: r.Out, Cols: []*column.Vector{v}}
	var at, left int64
	next := func() (*column.Batch, error) {
		for left == 0 {
			if len(splits) == 0 {
				return nil, io.EOF
			}
			d := splits[0].Data
			if len(d) != 16 {
				return nil, fmt.Errorf("physical: range split of %d bytes, want 16", len(d))
			}
			at, left = int64(binary.BigEndian.Uint64(d)), int64(binary.BigEndian.Uint64(d[8:]))
			splits = splits[1:]
		}
		n := int(min(left, column.BatchRows))
		v.I64, v.N, out.N = resize(v.I64, n), n, n
		for i := range v.I64 {
			v.I64[i] = at
			at += r.Step
		}
		left -= int64(n)
		return out, nil
	}
	return output(tc, in, next, nil), nil
}

// rangeRows is the number of values from start to end (exclusive) by step.
func rangeRows(start, end, step int64) int64 {
	switch {
	case step > 0 && end > start:
		return int64((uint64(end)-uint64(start)-1)/uint64(step) + 1)
	case step < 0 && end < start:
		return int64((uint64(start)-uint64(end)-1)/uint64(-step) + 1)
	}
	return 0
}

// rangeSplits cuts a range into parts.
func rangeSplits(start, end, step int64, parts int) [][]rdd.Split {
	n := rangeRows(start, end, step)
	out := make([][]rdd.Split, parts)
	for i := range out {
		from, to := part(n, i, parts), part(n, i+1, parts)
		if from == to {
			continue
		}
		d := binary.BigEndian.AppendUint64(nil, uint64(start+from*step))
		d = binary.BigEndian.AppendUint64(d, uint64(to-from))
		out[i] = []rdd.Split{{Data: d, Rows: to - from, Bytes: 8 * (to - from)}}
	}
	return out
}

// part is n*i/parts without overflow.
func part(n int64, i, parts int) int64 {
	return n/int64(parts)*int64(i) + n%int64(parts)*int64(i)/int64(parts)
}
