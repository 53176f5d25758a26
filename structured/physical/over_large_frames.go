package physical

import (
	"sort"

	"github.com/streamflow/streamflow/expr"
)

// largeFrames are the rows [from[i], to[i]) of the partition that the function of row i of a piece sees.
type largeFrames struct{ from, to []int64 }

// whole reports whether each frame is the whole partition.
func (f *largeFrames) whole(rows int64) bool {
	for i := range f.from {
		if f.from[i] != 0 || f.to[i] != rows {
			return false
		}
	}
	return true
}

// frames finds the rows that the frame of each row of a piece holds.
func (l *largeOver) frames(f *expr.Frame, p *largePiece, rows *largeRows) (*largeFrames, error) {
	n := p.b.N
	fr := &largeFrames{from: make([]int64, n), to: make([]int64, n)}
	for i := range n {
		var err error
		if fr.from[i], err = l.border(f, f.Start, p, rows, i, false); err != nil {
			return nil, err
		}
		if fr.to[i], err = l.border(f, f.End, p, rows, i, true); err != nil {
			return nil, err
		}
		fr.to[i] = max(fr.to[i], fr.from[i])
	}
	return fr, nil
}

// border is the first row of a frame, or the one behind its last when after is set.
func (l *largeOver) border(f *expr.Frame, b expr.Bound, p *largePiece, rows *largeRows, i int, after bool) (int64, error) {
	switch {
	case b.Kind == expr.UnboundedPreceding:
		return 0, nil
	case b.Kind == expr.UnboundedFollowing:
		return rows.all, nil
	case f.Rows:
		at := rows.start + int64(i)
		if after {
			at++
		}
		switch b.Kind {
		case expr.Preceding:
			at -= offsetOf(b)
		case expr.Following:
			at += offsetOf(b)
		}
		return min(max(at, 0), rows.all), nil
	case b.Kind != expr.CurrentRow:
		return l.rangeBorder(b, p, rows, i, after)
	case after:
		return rows.peerEnd[i], nil
	}
	return rows.peerStart[i], nil
}

// rangeBorder is the first row at the distance of b from row i, or beyond; behind it, when after is set.
func (l *largeOver) rangeBorder(b expr.Bound, p *largePiece, rows *largeRows, i int, after bool) (int64, error) {
	order := l.index.order[0]
	keysOf := func(p *largePiece) *rangeKeys {
		if p.keys == nil {
			p.keys = newRangeKeys(p.b.Cols[order.Col], order.Desc)
		}
		return p.keys
	}
	k := keysOf(p)
	if !k.v.IsValid(i) {
		if after {
			return rows.peerEnd[i], nil
		}
		return rows.peerStart[i], nil
	}
	beyond := func(c int) bool { return c > 0 || c == 0 && !after }
	at := k.at(i, b)
	lo, hi := l.index.nulls[0], rows.all-l.index.nulls[1]
	if l.index.keysOf == nil {
		l.index.keysOf = newRangeKeys(l.index.firsts, order.Desc)
	}
	first := l.index.keysOf
	// The last piece whose first row is not yet beyond: the border lies in it, or at its end.
	from, _ := l.store.of(lo)
	to, _ := l.store.of(hi - 1)
	piece := from + sort.Search(to-from, func(j int) bool { return beyond(first.against(from+j+1, at)) })
	q, err := l.at(piece)
	if err != nil {
		return 0, err
	}
	start := l.store.start(piece)
	in, end := max(lo-start, 0), min(hi, l.store.start(piece+1))-start
	keys := keysOf(q)
	return start + in + int64(sort.Search(int(end-in), func(j int) bool { return beyond(keys.against(int(in)+j, at)) })), nil
}
