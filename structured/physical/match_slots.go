package physical

import (
	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/structured/pattern"
)

// matchPoint is where slots are read: after the rows of a path, and for a condition at one more row that would be a variable.
type matchPoint struct {
	path   int32
	row    int32 // the row that is asked about, -1 when none is
	v      int   // what it would be
	whole  int32 // the path of the whole match, for FINAL
	number int64 // of the match
	ask    int   // the request
}

// slotReader reads slots as columns.
type slotReader struct {
	tracks []pattern.Track
	track  []int // by slot the track that holds its row, -1 for none
	points []matchPoint
	rows   []int32
	taken  []*column.Vector   // by slot
	args   [][]*column.Vector // by slot the operands of an aggregate, over the block
}

// prepare finds the rows that are worth being tracked: the first or last of some variables.
func (r *slotReader) prepare(k *matcher) {
	slots := k.m.Slots
	r.track, r.taken, r.args = make([]int, len(slots)), make([]*column.Vector, len(slots)), make([][]*column.Vector, len(slots))
	for i := range slots {
		s := &slots[i]
		r.track[i] = -1
		if s.Kind != ColumnSlot || s.Offset > 0 || s.Vars == nil && !s.First {
			continue
		}
		r.track[i] = len(r.tracks)
		r.tracks = append(r.tracks, pattern.Track{First: s.First, Vars: s.Vars})
	}
}

// takeArgs computes the operands of an aggregate over the block.
func (r *slotReader) takeArgs(k *matcher, slot int) error {
	if k.m.Slots[slot].Kind != AggregateSlot {
		return nil
	}
	args, err := k.args[slot].eval(k.b)
	if err != nil {
		return err
	}
	r.args[slot] = args
	fresh := 0
	for i, row := range k.args[slot].rows.Rows { // ascending, as the partitions are
		for fresh < len(k.parts) && row >= k.parts[fresh].m.End {
			fresh++
		}
		if row < k.parts[fresh].m.Next {
			continue // said when the row came
		}
		if err := k.refuse(row, k.args[slot].rows.Errs[i]); err != nil {
			return err
		}
	}
	return nil
}

// shifted is the column of a slot that depends on the row alone.
func (r *slotReader) shifted(k *matcher, s *MatchSlot) *column.Vector {
	v := k.b.Cols[s.Col]
	if s.Shift == 0 {
		return v
	}
	r.rows = resize(r.rows, k.b.N)
	for i := range r.rows {
		r.rows[i] = k.within(int32(i), int32(i+s.Shift))
	}
	return column.Take(nil, v, r.rows)
}

// within is a row if it lies in the partition of another, -1 otherwise.
func (k *matcher) within(of, row int32) int32 {
	if row < k.lo[of] || row >= k.hi[of] {
		return -1
	}
	return row
}

// rowOf is the row that a slot speaks of, -1 for none.
func (r *slotReader) rowOf(k *matcher, slot int, p *matchPoint) int32 {
	s := &k.m.Slots[slot]
	path, extra := p.path, p.row
	if s.Final {
		path, extra = p.whole, -1
	}
	row := r.logical(k, slot, s, path, extra, p.v)
	if row < 0 || s.Shift == 0 {
		return row
	}
	return k.within(row, row+int32(s.Shift))
}

// logical is the row before the shift.
func (r *slotReader) logical(k *matcher, slot int, s *MatchSlot, path, extra int32, v int) int32 {
	counts := extra >= 0 && (s.Vars == nil || s.Vars[v])
	if !s.First && s.Offset == 0 && counts {
		return extra
	}
	if s.Vars == nil && !s.First && s.Offset == 0 && path != pattern.None {
		return k.search.Paths.Row(path)
	}
	t := r.track[slot]
	if t < 0 {
		return k.search.Paths.Nth(k.search.Prog, path, s.Vars, s.First, s.Offset, extra, v)
	}
	row := k.search.Paths.Tracked(path, t)
	if row < 0 && counts {
		return extra
	}
	return row
}

// batch has a column for each of the slots, a row for each point. sum gives the columns of aggregates.
func (r *slotReader) batch(k *matcher, slots []int, points []matchPoint, sum func(slot int) (*column.Vector, error)) (*column.Batch, error) {
	b := &column.Batch{N: len(points), Schema: &column.Schema{}}
	for _, slot := range slots {
		var v *column.Vector
		var err error
		switch s := &k.m.Slots[slot]; s.Kind {
		case ColumnSlot:
			r.rows = resize(r.rows, len(points))
			for i := range points {
				r.rows[i] = r.rowOf(k, slot, &points[i])
			}
			v = column.Take(r.taken[slot], k.b.Cols[s.Col], r.rows)
			r.taken[slot] = v
		case AggregateSlot:
			v, err = sum(slot)
		case ClassifierSlot:
			v = r.classifiers(k, slot, points)
		case NumberSlot:
			v = matchNumbers(points)
		}
		if err != nil {
			return nil, err
		}
		b.Cols = append(b.Cols, v)
	}
	return b, nil
}

func matchNumbers(points []matchPoint) *column.Vector {
	b := column.NewBuilder(bigint)
	for i := range points {
		b.AppendI64(points[i].number)
	}
	return b.Finish()
}

func (r *slotReader) classifiers(k *matcher, slot int, points []matchPoint) *column.Vector {
	b := column.NewBuilder(column.Of(column.String))
	for i := range points {
		p := &points[i]
		row := r.rowOf(k, slot, p)
		switch v := r.variableOf(k, row, p); {
		case row < 0 || v < 0:
			b.AppendNull()
		default:
			b.AppendString(k.search.Prog.Vars[v])
		}
	}
	return b.Finish()
}

// variableOf is the variable that a row of the match is, -1 when it is none.
func (r *slotReader) variableOf(k *matcher, row int32, p *matchPoint) int {
	if row == p.row {
		return p.v
	}
	paths := &k.search.Paths
	path := p.path
	if p.whole != pattern.None {
		path = p.whole
	}
	for ; path != pattern.None && paths.Row(path) >= row; path = paths.Prev(path) {
		if paths.Row(path) == row {
			return k.search.Prog.Positions[paths.Position(path)].Var
		}
	}
	return -1
}
