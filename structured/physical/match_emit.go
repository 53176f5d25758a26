package physical

import (
	"fmt"
	"slices"
	"strings"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/structured/pattern"
)

// RowsTimeout counts the matches that WITHIN ended before they were complete.
const RowsTimeout = "rows.timeout"

// emit puts out what the search has found in the block: matches partition by partition, and timeouts to the side.
func (k *matcher) emit(emit func(*column.Batch)) error {
	found := k.search.Found
	slices.SortStableFunc(found, func(a, b pattern.Found) int { return int(a.Machine.From) - int(b.Machine.From) })
	var rows, ended []matchPoint
	flush := func() error {
		if len(rows) == 0 {
			return nil
		}
		defer func() { rows = rows[:0] }()
		return k.put(rows, emit)
	}
	var nodes []int32
	for _, f := range found {
		p := matchPoint{path: f.Path, row: -1, whole: f.Path, number: f.Number}
		switch {
		case f.TimedOut:
			ended = append(ended, p)
		case !k.m.AllRows:
			rows = append(rows, p)
		default:
			nodes = k.search.Paths.Nodes(nodes[:0], f.Path)
			for _, n := range nodes {
				p.path = n
				rows = append(rows, p)
			}
		}
		if len(rows) >= column.BatchRows {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	if err := flush(); err != nil {
		return err
	}
	if k.m.Timeouts && len(ended) > 0 {
		if err := k.timeouts(ended); err != nil {
			return err
		}
	}
	return k.dead.flush()
}

// measures are the values of the measures at points, and the points without those for which they could not be computed.
func (k *matcher) measures(points []matchPoint) ([]*column.Vector, []matchPoint, error) {
	b, err := k.slots.batch(k, k.m.Measures.Slots, points, func(slot int) (*column.Vector, error) { return k.sumOver(slot, points) })
	if err != nil {
		return nil, nil, err
	}
	vals, err := k.values.eval(b)
	if err != nil {
		return nil, nil, err
	}
	bad := k.values.rows.Rows
	if len(bad) == 0 {
		return vals, points, nil
	}
	for i, at := range bad {
		k.dead.add(k.b, int(k.search.Paths.Row(points[at].path)), fmt.Sprintf("MEASURES: %v", k.values.rows.Errs[i]))
	}
	sel := without(seq(nil, len(points)), bad)
	out := make([]*column.Vector, len(vals))
	for i, v := range vals {
		out[i] = column.Take(nil, v, sel)
	}
	kept := make([]matchPoint, len(sel))
	for i, at := range sel {
		kept[i] = points[at]
	}
	return out, kept, nil
}

// put puts out a row for each point that is not excluded.
func (k *matcher) put(points []matchPoint, emit func(*column.Batch)) error {
	vals, points, err := k.measures(points)
	if err != nil {
		return err
	}
	rows := make([]int32, 0, len(points))
	var sel []int32
	for i, p := range points {
		if k.m.AllRows && k.search.Prog.Positions[k.search.Paths.Position(p.path)].Excluded {
			continue
		}
		sel, rows = append(sel, int32(i)), append(rows, k.search.Paths.Row(p.path))
	}
	if len(rows) == 0 {
		return nil
	}
	out := &column.Batch{Schema: k.m.Out, N: len(rows)}
	for _, c := range k.m.Lead {
		out.Cols = append(out.Cols, column.Take(nil, k.b.Cols[c], rows))
	}
	for _, v := range vals {
		out.Cols = append(out.Cols, column.Take(nil, v, sel))
	}
	for _, c := range k.m.Tail {
		out.Cols = append(out.Cols, column.Take(nil, k.b.Cols[c], rows))
	}
	emit(out)
	return nil
}

// sumOver is an aggregate over the rows up to each point, or over the whole match. Points of one match follow each other, row
// by row, so a running aggregate goes on from point to point.
func (k *matcher) sumOver(slot int, points []matchPoint) (*column.Vector, error) {
	s := &k.m.Slots[slot]
	acc, err := expr.NewAccumulator(s.Agg)
	if err != nil {
		return nil, err
	}
	if !k.m.AllRows || s.Final {
		return k.sumWhole(slot, acc, points)
	}
	out := column.NewBuilder(s.Typ)
	group := []uint32{0}
	for i := range points {
		p := &points[i]
		if i == 0 || points[i-1].whole != p.whole {
			acc.Reset()
			acc.Resize(1)
		}
		if k.counts(slot, k.search.Prog.Positions[k.search.Paths.Position(p.path)].Var) {
			if err := k.addRows(slot, acc, []int32{k.search.Paths.Row(p.path)}, group); err != nil {
				return nil, err
			}
		}
		v, err := acc.Result()
		if err != nil {
			return nil, err
		}
		out.AppendFrom(v, 0)
	}
	return out.Finish(), nil
}

func (k *matcher) sumWhole(slot int, acc expr.Accumulator, points []matchPoint) (*column.Vector, error) {
	var paths, at []int32
	for i := range points {
		if i == 0 || points[i-1].whole != points[i].whole {
			paths = append(paths, points[i].whole)
		}
		at = append(at, int32(len(paths)-1))
	}
	acc.Resize(len(paths))
	if err := (&slotSum{slot: slot}).addPaths(k, acc, paths); err != nil {
		return nil, err
	}
	v, err := acc.Result()
	if err != nil {
		return nil, err
	}
	return column.Take(nil, v, at), nil
}

// timeouts sets the attempts that WITHIN ended aside: the partition, the measures over what had been matched, and the offset
// of its last row.
func (k *matcher) timeouts(points []matchPoint) error {
	vals, points, err := k.measures(points)
	if err != nil {
		return err
	}
	rows := make([]int32, len(points))
	for i, p := range points {
		rows[i] = k.search.Paths.Row(p.path)
	}
	b := &column.Batch{Schema: timeoutSchema(k.m, k.b.Schema), N: len(points)}
	for _, c := range k.m.Keys {
		b.Cols = append(b.Cols, column.Take(nil, k.b.Cols[c], rows))
	}
	b.Cols = append(b.Cols, vals...)
	if k.m.From.Offset >= 0 {
		b.Cols = append(b.Cols, column.Take(nil, k.b.Cols[k.m.From.Offset], rows))
	}
	for i, p := range points {
		k.late.add(b, i, k.timeoutReason(p.path))
	}
	return k.late.flush()
}

func timeoutSchema(m *Match, in *column.Schema) *column.Schema {
	s := &column.Schema{}
	for _, c := range m.Keys {
		s.Fields = append(s.Fields, in.Fields[c])
	}
	first := len(m.Lead)
	s.Fields = append(s.Fields, m.Out.Fields[first:first+len(m.Measures.List)]...)
	if m.From.Offset >= 0 {
		s.Fields = append(s.Fields, in.Fields[m.From.Offset])
	}
	return s
}

// timeoutProvenance is where rows of timeoutSchema are from.
func timeoutProvenance(m *Match) Provenance {
	n := len(m.Keys) + len(m.Measures.List)
	from := Provenance{Offset: -1, Visible: n}
	if m.From.Offset >= 0 {
		from.Offset = n
	}
	return from
}

// timeoutReason says what had been matched, and when it was over.
func (k *matcher) timeoutReason(path int32) string {
	var b strings.Builder
	b.WriteString("timeout: after")
	nodes := k.search.Paths.Nodes(nil, path)
	for i := 0; i < len(nodes); {
		v := k.search.Prog.Positions[k.search.Paths.Position(nodes[i])].Var
		from := i
		for i++; i < len(nodes) && k.search.Prog.Positions[k.search.Paths.Position(nodes[i])].Var == v; i++ {
		}
		b.WriteString(" " + k.search.Prog.Vars[v])
		if i-from > 1 {
			fmt.Fprintf(&b, "{%d}", i-from)
		}
	}
	end := satAdd(k.search.Times[k.search.Paths.Row(nodes[0])], k.search.Within)
	return b.String() + ", nothing completed the match before " + column.FormatTimestamp(end, k.late.location())
}
