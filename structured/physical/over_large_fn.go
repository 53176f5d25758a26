package physical

import (
	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
)

// function computes function i for the rows of piece p.
func (l *largeOver) function(i int, p *largePiece, rows *largeRows) (*column.Vector, error) {
	f := l.fns[i].f
	switch fn := f.Fn.(type) {
	case *expr.Call:
		return l.rowFunction(i, fn.Fn, p, rows)
	case *expr.Agg:
		fr, err := l.frames(f.Frame, p, rows)
		if err != nil {
			return nil, err
		}
		if isPick(fn) {
			return l.pick(i, fr, func(_ int, n int64) int64 {
				if fn.Fn == "last" {
					return n - 1
				}
				return 0
			})
		}
		return l.aggregate(i, fn, fr)
	}
	panic("BUG: a window function is neither aggregate nor call: " + f.String())
}

func (l *largeOver) rowFunction(i int, name string, p *largePiece, rows *largeRows) (*column.Vector, error) {
	n, args := p.b.N, p.args[i]
	whole := func(at func(i int) int64) (*column.Vector, error) {
		v := column.NewVector(integer, n)
		for k := range v.I32 {
			v.I32[k] = int32(at(k))
		}
		return v, nil
	}
	share := func(at func(i int) float64) (*column.Vector, error) {
		v := column.NewVector(column.Of(column.Float64), n)
		for k := range v.F64 {
			v.F64[k] = at(k)
		}
		return v, nil
	}
	switch name {
	case "row_number":
		return whole(func(k int) int64 { return rows.start + int64(k) + 1 })
	case "rank":
		return whole(func(k int) int64 { return rows.peerStart[k] + 1 })
	case "dense_rank":
		return whole(func(k int) int64 { return rows.dense[k] })
	case "percent_rank":
		return share(func(k int) float64 {
			if rows.all == 1 {
				return 0
			}
			return float64(rows.peerStart[k]) / float64(rows.all-1)
		})
	case "cume_dist":
		return share(func(k int) float64 { return float64(rows.peerEnd[k]) / float64(rows.all) })
	case "ntile":
		if err := checkTiles(args, n); err != nil {
			return nil, err
		}
		return whole(func(k int) int64 {
			parts := int64(1)
			if len(args) > 0 {
				parts = int64(args[0].I32[k])
			}
			return tileOf(rows.start+int64(k), rows.all, parts)
		})
	case "lag":
		return l.shifted(i, p, rows, -1)
	case "lead":
		return l.shifted(i, p, rows, 1)
	case "nth_value":
		fr, err := l.frames(l.fns[i].f.Frame, p, rows)
		if err != nil {
			return nil, err
		}
		if err := checkNth(args, n); err != nil {
			return nil, err
		}
		return l.pick(i, fr, func(k int, _ int64) int64 { return int64(args[1].I32[k]) - 1 })
	}
	panic("BUG: unknown window function " + name)
}

// shifted is lag (direction -1) and lead (1).
func (l *largeOver) shifted(i int, p *largePiece, rows *largeRows, direction int64) (*column.Vector, error) {
	args := p.args[i]
	at := make([]int64, p.b.N)
	var missing []int32 // rows whose place is outside of the partition
	for k := range at {
		off := int64(1)
		if len(args) > 1 {
			off = int64(args[1].I32[k])
		}
		at[k] = -1
		if len(args) > 1 && !args[1].IsValid(k) {
			continue
		}
		to, err := l.away(i, rows.start+int64(k), direction*off)
		if err != nil {
			return nil, err
		}
		if to < 0 || to >= rows.all {
			missing = append(missing, int32(k))
			continue
		}
		at[k] = to
	}
	out, err := l.fetch(i, at)
	if err != nil || len(missing) == 0 || len(args) < 3 {
		return out, err
	}
	return overlaid(out, args[2], missing), nil
}

// pick takes for each row the value at a place of its frame, counted from 0 among the rows that count.
func (l *largeOver) pick(i int, fr *largeFrames, which func(row int, n int64) int64) (*column.Vector, error) {
	at := make([]int64, len(fr.from))
	for k := range at {
		from, err := l.rank(i, fr.from[k])
		if err != nil {
			return nil, err
		}
		to, err := l.rank(i, fr.to[k])
		if err != nil {
			return nil, err
		}
		at[k] = -1
		if w := which(k, to-from); w >= 0 && w < to-from {
			if at[k], err = l.rowOf(i, from+w); err != nil {
				return nil, err
			}
		}
	}
	return l.fetch(i, at)
}

// fetch is the function's first operand at the rows of the partition, null where that is -1.
func (l *largeOver) fetch(i int, rows []int64) (*column.Vector, error) {
	b := column.NewBuilder(l.fns[i].f.Fn.Children()[0].DataType())
	var p *largePiece
	last := -1
	for _, r := range rows {
		if r < 0 {
			b.AppendNull()
			continue
		}
		piece, at := l.store.of(r)
		if piece != last {
			var err error
			if p, err = l.at(piece); err != nil {
				return nil, err
			}
			last = piece
		}
		b.AppendFrom(p.args[i][0], at)
	}
	return b.Finish(), nil
}
