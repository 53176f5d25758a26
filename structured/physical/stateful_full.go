package physical

import (
	"math"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/structured/connector"
)

// full reports which of the batch's groups have all the rows that they can have; nil when groups do not end by their rows, or
// all of them are put out with each batch.
func (s *StatefulAggregate) full() []bool {
	if s.Full == 0 || s.Mode == connector.Complete {
		return nil
	}
	n := s.merged[0].State()[0].I64
	out := make([]bool, s.groups.n)
	for i := range out {
		out[i] = n[i] >= s.Full
	}
	return out
}

// emitFull puts out the batch's groups that are full.
func (r *statefulRun) emitFull(full []bool, emit func(*column.Batch)) error {
	var sel []int32
	for i, is := range full {
		if is {
			sel = append(sel, int32(i))
		}
	}
	if len(sel) == 0 {
		return nil
	}
	cols := append([]*column.Vector{}, r.s.groups.keyColumns()...)
	for _, a := range r.s.results() {
		v, err := a.Result()
		if err != nil {
			return err
		}
		cols = append(cols, v)
	}
	cols = append(cols, r.fresh...)
	out := column.TakeBatch(nil, &column.Batch{Schema: r.s.Out, N: r.s.groups.n, Cols: cols}, sel)
	emit(out.Clone())
	return nil
}

// closeAll puts out the groups that are not full when the input ends.
func (r *statefulRun) closeAll(emit func(*column.Batch)) error {
	if r.mark != math.MaxInt64 {
		return nil
	}
	if err := r.emitBucket(0, emit); err != nil {
		return err
	}
	return r.state.DropBucket(0)
}
