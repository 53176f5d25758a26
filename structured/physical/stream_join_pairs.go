package physical

import (
	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/structured/logical"
)

// join puts out the pairs of left and right rows, and notes which rows have a partner. The table is made of the smaller side.
func (r *streamJoinRun) join(left, right *joinRows) error {
	if left.b.N == 0 || right.b.N == 0 {
		return nil
	}
	build, probe := right, left
	if left.b.N < right.b.N {
		build, probe = left, right
	}
	table := column.NewJoinTable(build.b, build.side.keys)
	table.NullSafe = r.s.NullSafe
	p := table.NewProbe()
	keys := make([]*column.Vector, len(probe.side.keys))
	for from := 0; from < probe.b.N; from += column.BatchRows {
		n := min(column.BatchRows, probe.b.N-from)
		for i, k := range probe.side.keys {
			keys[i] = probe.b.Cols[k].Slice(from, from+n)
		}
		p.Start(keys, n)
		for {
			r.rows, r.mate = p.Next(r.rows, r.mate, column.BatchRows)
			if len(r.rows) == 0 {
				break
			}
			if from > 0 {
				for i := range r.rows {
					r.rows[i] += int32(from)
				}
			}
			l, m := r.rows, r.mate
			if build == left {
				l, m = m, l
			}
			if err := r.paired(left, l, right, m); err != nil {
				return err
			}
		}
	}
	return nil
}

// paired takes pairs with equal keys: row lrows[i] of left beside row rrows[i] of right.
func (r *streamJoinRun) paired(left *joinRows, lrows []int32, right *joinRows, rrows []int32) error {
	if r.s.filter != nil {
		n, err := r.satisfy(left, lrows, right, rrows)
		if err != nil || n == 0 {
			return err
		}
		lrows, rrows = lrows[:n], rrows[:n]
	}
	left.match(lrows)
	right.match(rrows)
	if !r.s.half() {
		r.emit(r.gather(left, lrows, right, rrows))
	}
	return nil
}

// match notes that rows have a partner.
func (j *joinRows) match(rows []int32) {
	if j.matched == nil {
		return
	}
	for _, i := range rows {
		j.matched[i] = true
	}
}

// satisfy moves the pairs for which the condition is true to the front, and returns how many they are.
func (r *streamJoinRun) satisfy(left *joinRows, lrows []int32, right *joinRows, rrows []int32) (int, error) {
	r.gatherCond(left, lrows, right, rrows)
	r.errs.Reset()
	sel, err := r.s.filter.Select(&r.ctx, r.pairs, r.sel[:0])
	if err != nil {
		return 0, err
	}
	r.sel = sel
	if r.errs.Len() > 0 {
		if err := setAside(r.dead, r.pairs, &r.errs); err != nil {
			return 0, err
		}
		r.sel = without(r.sel, r.errs.Rows)
	}
	for i, row := range r.sel {
		lrows[i], rrows[i] = lrows[row], rrows[row]
	}
	return len(r.sel), nil
}

// gatherCond fills r.pairs with the columns that the condition reads.
func (r *streamJoinRun) gatherCond(left *joinRows, lrows []int32, right *joinRows, rrows []int32) {
	s := r.s
	n := len(s.Left.In.Fields)
	if r.pairs == nil {
		r.pairs = &column.Batch{Schema: &column.Schema{}, Cols: make([]*column.Vector, len(s.CondCols))}
		for _, c := range s.CondCols {
			f := s.Left.In.Fields[min(c, n-1)]
			if c >= n {
				f = s.Right.In.Fields[c-n]
			}
			r.pairs.Schema.Fields = append(r.pairs.Schema.Fields, f)
		}
	}
	r.pairs.N = len(lrows)
	for i, c := range s.CondCols {
		from, rows, col := left, lrows, c
		if c >= n {
			from, rows, col = right, rrows, c-n
		}
		r.pairs.Cols[i] = column.Take(r.pairs.Cols[i], from.b.Cols[from.side.place[col]], rows)
	}
}

// gather makes output rows, which own their memory; -1 stands for nulls.
func (r *streamJoinRun) gather(left *joinRows, lrows []int32, right *joinRows, rrows []int32) *column.Batch {
	out := &column.Batch{Schema: r.s.Out, N: max(len(lrows), len(rrows)), Cols: make([]*column.Vector, 0, len(r.s.Out.Fields))}
	for _, c := range r.s.left.out {
		out.Cols = append(out.Cols, column.Take(nil, left.b.Cols[c], lrows))
	}
	for _, c := range r.s.right.out {
		out.Cols = append(out.Cols, column.Take(nil, right.b.Cols[c], rrows))
	}
	return out
}

// putOut puts out rows of one side alone: beside nulls where the output has columns of the other.
func (r *streamJoinRun) putOut(rows *joinRows, which []int32) {
	for len(which) > 0 {
		n := min(len(which), column.BatchRows)
		some := which[:n]
		which = which[n:]
		left, lrows, right, rrows := rows, some, &joinRows{side: r.s.right, b: r.s.right.none}, absent(nil, n)
		if rows.side == r.s.right {
			left, lrows, right, rrows = &joinRows{side: r.s.left, b: r.s.left.none}, rrows, rows, some
		}
		r.emit(r.gather(left, lrows, right, rrows))
	}
}

// lonely reports whether rows of the side that have no partner are put out.
func (r *streamJoinRun) lonely(side *heldSide) bool {
	return side.keeps && r.s.Kind != logical.LeftSemi
}
