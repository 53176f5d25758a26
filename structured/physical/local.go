package physical

import (
	"io"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/rdd"
)

// Local reads rows that travelled in the plan: each split is an encoded batch.
type Local struct {
	Out  *column.Schema // of the encoded batches
	Cols []int          // the columns produced
}

func (l *Local) Open(tc *rdd.TaskContext, in []rdd.Reader) (rdd.Reader, error) {
	splits := splitsOf(tc)
	var out *column.Batch
	next := func() (*column.Batch, error) {
		if len(splits) == 0 {
			return nil, io.EOF
		}
		b, err := column.DecodeBatch(l.Out, splits[0].Data, nil)
		if err != nil {
			return nil, err
		}
		splits = splits[1:]
		out = pick(out, b, l.Cols)
		return out, nil
	}
	return output(tc, in, next, nil), nil
}

// splitsOf are the splits of the operator being opened, in the task's partition.
func splitsOf(tc *rdd.TaskContext) []rdd.Split {
	if tc.Binding == nil {
		return nil
	}
	if s := tc.Binding.Splits[tc.Op]; tc.Partition < len(s) {
		return s[tc.Partition]
	}
	return nil
}

// localSplits cuts the batches of a plan into splits of at most column.BatchRows rows, in parts partitions.
func localSplits(batches []*column.Batch, parts int) [][]rdd.Split {
	out := make([][]rdd.Split, parts)
	var all []rdd.Split
	for _, b := range batches {
		for from := 0; from < b.N; from += column.BatchRows {
			to := min(from+column.BatchRows, b.N)
			data := column.EncodeBatch(nil, b.Slice(from, to))
			all = append(all, rdd.Split{Data: data, Bytes: int64(len(data)), Rows: int64(to - from)})
		}
	}
	for i := range out {
		out[i] = all[i*len(all)/parts : (i+1)*len(all)/parts]
	}
	return out
}
