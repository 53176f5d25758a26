package physical

import (
	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/structured/logical"
)

// pairing finds pairs of rows of two sides.
type pairing struct {
	left, right *heldSide
	nullSafe    []bool
	filter      *expr.Filter // of the pairs, nil for all
	condCols    []int        // what it reads
	onPairs     func(left *joinRows, lrows []int32, right *joinRows, rrows []int32)

	ctx  expr.Context
	errs expr.RowErrors
	dead *aside

	rows, mate, sel []int32
	pairs           *column.Batch
}

// joinRows are rows of one side that are joined: new ones, or ones that were held.
type joinRows struct {
	side    *heldSide
	b       *column.Batch
	matched []bool    // has a partner; nil when nobody asks
	refs    []heldRef // where each row is held
	keys    *keyed    // by which held rows were found

	weights []int64 // how often each row is there; nil for once
	counts  []int64 // of partners before these rows were joined with new ones
	more    []int64 // partners found since
}

// join finds the pairs of left and right rows. The table is made of the smaller side.
func (r *pairing) join(left, right *joinRows) error {
	if left.b.N == 0 || right.b.N == 0 {
		return nil
	}
	build, probe := right, left
	if left.b.N < right.b.N {
		build, probe = left, right
	}
	table := column.NewJoinTable(build.b, build.side.keys)
	table.NullSafe = r.nullSafe
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
func (r *pairing) paired(left *joinRows, lrows []int32, right *joinRows, rrows []int32) error {
	if r.filter != nil {
		n, err := r.satisfy(left, lrows, right, rrows)
		if err != nil || n == 0 {
			return err
		}
		lrows, rrows = lrows[:n], rrows[:n]
	}
	r.onPairs(left, lrows, right, rrows)
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
func (r *pairing) satisfy(left *joinRows, lrows []int32, right *joinRows, rrows []int32) (int, error) {
	r.gatherCond(left, lrows, right, rrows)
	r.errs.Reset()
	sel, err := r.filter.Select(&r.ctx, r.pairs, r.sel[:0])
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
func (r *pairing) gatherCond(left *joinRows, lrows []int32, right *joinRows, rrows []int32) {
	n := len(r.left.spec.In.Fields)
	if r.pairs == nil {
		r.pairs = &column.Batch{Schema: &column.Schema{}, Cols: make([]*column.Vector, len(r.condCols))}
		for _, c := range r.condCols {
			f := r.left.spec.In.Fields[min(c, n-1)]
			if c >= n {
				f = r.right.spec.In.Fields[c-n]
			}
			r.pairs.Schema.Fields = append(r.pairs.Schema.Fields, f)
		}
	}
	r.pairs.N = len(lrows)
	for i, c := range r.condCols {
		from, rows, col := left, lrows, c
		if c >= n {
			from, rows, col = right, rrows, c-n
		}
		r.pairs.Cols[i] = column.Take(r.pairs.Cols[i], from.b.Cols[from.side.place[col]], rows)
	}
}

// gather makes output rows, which own their memory; -1 stands for nulls.
func (r *pairing) gather(out *column.Schema, left *joinRows, lrows []int32, right *joinRows, rrows []int32) *column.Batch {
	b := &column.Batch{Schema: out, N: max(len(lrows), len(rrows)), Cols: make([]*column.Vector, 0, len(out.Fields))}
	for _, c := range r.left.out {
		b.Cols = append(b.Cols, column.Take(nil, left.b.Cols[c], lrows))
	}
	for _, c := range r.right.out {
		b.Cols = append(b.Cols, column.Take(nil, right.b.Cols[c], rrows))
	}
	return b
}

// alone makes output rows of one side: beside nulls where the output has columns of the other.
func (r *pairing) alone(out *column.Schema, rows *joinRows, which []int32) *column.Batch {
	none := absent(nil, len(which))
	if rows.side == r.right {
		return r.gather(out, &joinRows{side: r.left, b: r.left.none}, none, rows, which)
	}
	return r.gather(out, rows, which, &joinRows{side: r.right, b: r.right.none}, none)
}

// met notes which rows have a partner, and puts the pairs out.
func (r *streamJoinRun) met(left *joinRows, lrows []int32, right *joinRows, rrows []int32) {
	left.match(lrows)
	right.match(rrows)
	if !r.s.half() {
		r.emit(r.gather(r.s.Out, left, lrows, right, rrows))
	}
}

// putOut puts out rows of one side alone.
func (r *streamJoinRun) putOut(rows *joinRows, which []int32) {
	for len(which) > 0 {
		n := min(len(which), column.BatchRows)
		r.emit(r.alone(r.s.Out, rows, which[:n]))
		which = which[n:]
	}
}

// lonely reports whether rows of the side that have no partner are put out.
func (r *streamJoinRun) lonely(side *heldSide) bool {
	return side.keeps && r.s.Kind != logical.LeftSemi
}
