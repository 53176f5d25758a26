package physical

import (
	"github.com/streamflow/streamflow/column"
)

// emitChanged puts out what the batch made of its groups: their results, or the differences to those that they had.
func (r *statefulRun) emitChanged(emit func(*column.Batch)) error {
	s := r.s
	out := &column.Batch{Schema: s.Out, N: s.groups.n, Cols: s.groups.keyColumns()}
	if !s.Changes {
		return r.emitResults(out, r.fresh, emit)
	}
	for _, a := range s.results() {
		v, err := a.Result()
		if err != nil {
			return err
		}
		out.Cols = append(out.Cols, v)
	}
	out.Cols = append(out.Cols, r.fresh...)
	before := append(append([]*column.Vector{}, out.Cols[:len(s.Keys)]...), r.old...)
	d := differences{upserts: s.Upserts, keys: len(s.Keys), held: r.held()}
	if b := d.of(s.Out, before, s.stored, out.Cols, s.gone(), out.N); b != nil {
		emit(b)
	}
	return nil
}

// held reports which groups have no result yet, because the watermark has not come to their time before this batch. Nil
// when all have one.
func (r *statefulRun) held() []bool {
	s := r.s
	if !s.Hold || s.Window < 0 {
		return nil
	}
	keys := s.groups.keyColumns()
	out := make([]bool, s.groups.n)
	for i := range out {
		out[i] = s.bucketOf(keys, i)-s.Late > r.last
	}
	return out
}

// emitOnTime puts out the first results of groups to whose time the watermark has come.
func (r *statefulRun) emitOnTime(emit func(*column.Batch)) error {
	buckets, err := r.state.Buckets(satAdd(r.mark, r.s.Late))
	if err != nil {
		return err
	}
	for _, b := range buckets {
		if b-r.s.Late > r.last {
			if err := r.emitBucket(b, emit); err != nil {
				return err
			}
		}
	}
	return nil
}

// inserted is the weight of n rows that are new.
func inserted(n int) *column.Vector {
	v := column.NewVector(bigint, n)
	for i := range v.I64 {
		v.I64[i] = 1
	}
	return v
}

// differences makes changes of rows before and after a batch.
type differences struct {
	upserts bool
	keys    int // leading columns that are equal before and after
	held    []bool

	sel     []int32
	weights []int64
}

// of compares row i of before, where had says that there was one, with row i of after, where not gone; it returns nil when
// there is no difference. The rows are those of schema without its last column, the weight.
func (d *differences) of(schema *column.Schema, before []*column.Vector, had []bool, after []*column.Vector, gone []bool, n int) *column.Batch {
	d.sel, d.weights = d.sel[:0], d.weights[:0]
	for i := range n {
		if d.held != nil && d.held[i] {
			continue
		}
		is := gone == nil || !gone[i]
		if had[i] && is && equalAt(before[d.keys:], after[d.keys:], i) {
			continue
		}
		if had[i] && (!is || !d.upserts) {
			d.add(int32(i), -1)
		}
		if is {
			d.add(int32(n+i), 1)
		}
	}
	if len(d.sel) == 0 {
		return nil
	}
	inner := &column.Schema{Fields: schema.Fields[:len(schema.Fields)-1]}
	both := column.Concat(inner, []*column.Batch{{Schema: inner, N: n, Cols: before}, {Schema: inner, N: n, Cols: after}})
	out := column.TakeBatch(nil, both, d.sel)
	weights := &column.Vector{Type: bigint, N: len(d.weights), I64: append([]int64{}, d.weights...)}
	return &column.Batch{Schema: schema, N: out.N, Cols: append(out.Cols, weights)}
}

func (d *differences) add(row int32, weight int64) {
	d.sel, d.weights = append(d.sel, row), append(d.weights, weight)
}

func equalAt(a, b []*column.Vector, i int) bool {
	for c := range a {
		if column.CompareValues(a[c], i, b[c], i) != 0 {
			return false
		}
	}
	return true
}
