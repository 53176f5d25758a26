package physical

import (
	"math"
	"sort"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
)

// isPick reports whether an aggregate is one row of its frame.
func isPick(g *expr.Agg) bool {
	return g.Filter == nil && (g.Fn == "first" || g.Fn == "last" || g.Fn == "any_value")
}

// ignoresNulls reports whether a function passes over the rows whose first operand is null; args are its operands over n rows.
func ignoresNulls(f *expr.Over, args []*column.Vector, n int) bool {
	at := 0
	switch fn := f.Fn.(type) {
	case *expr.Agg:
		if !isPick(fn) {
			return false
		}
		at = 1
	case *expr.Call:
		switch fn.Fn {
		case "nth_value":
			at = 2
		case "lag", "lead":
			at = 3
		}
	}
	return at > 0 && n > 0 && len(args) > at && args[at].Bools[0]
}

// rank is how many rows before a row count for function i.
func (l *largeOver) rank(i int, row int64) (int64, error) {
	valid := l.fns[i].valid
	if valid == nil || row <= 0 {
		return max(row, 0), nil
	}
	if row >= l.store.rows {
		return valid[len(valid)-1], nil
	}
	piece, at := l.store.of(row)
	if at == 0 {
		return valid[piece], nil
	}
	p, err := l.at(piece)
	if err != nil {
		return 0, err
	}
	return valid[piece] + int64(p.nulls[i].rank(at)), nil
}

// rowOf is the row of a rank.
func (l *largeOver) rowOf(i int, rank int64) (int64, error) {
	valid := l.fns[i].valid
	if valid == nil {
		return rank, nil
	}
	piece := sort.Search(len(valid)-1, func(k int) bool { return valid[k+1] > rank })
	p, err := l.at(piece)
	if err != nil {
		return 0, err
	}
	return l.store.start(piece) + int64(p.nulls[i].row(int(rank-valid[piece]))), nil
}

// away is the row that is by rows that count away from a row; outside of the partition when there is none.
func (l *largeOver) away(i int, row, by int64) (int64, error) {
	valid := l.fns[i].valid
	if valid == nil || by == 0 {
		return row + by, nil
	}
	r, err := l.rank(i, row)
	if err != nil {
		return 0, err
	}
	if by > 0 {
		next, err := l.rank(i, row+1)
		if err != nil {
			return 0, err
		}
		r = next + by - 1
	} else {
		r += by
	}
	switch {
	case r < 0:
		return -1, nil
	case r >= valid[len(valid)-1]:
		return math.MaxInt64, nil
	}
	return l.rowOf(i, r)
}
