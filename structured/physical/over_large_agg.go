package physical

import (
	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
)

// aggregate puts each row's frame together in order: the end of the piece in which it begins, whole pieces, the beginning of the
// piece in which it ends.
func (l *largeOver) aggregate(i int, g *expr.Agg, fr *largeFrames) (*column.Vector, error) {
	n := len(fr.from)
	if fr.whole(l.store.rows) {
		return l.wholePartition(i, g, n)
	}
	acc, err := expr.NewAccumulator(g)
	if err != nil {
		return nil, err
	}
	acc.Resize(n)
	parts := l.parts(fr)
	if err := l.mergeParts(acc, i, g, parts.left, parts.leftPiece); err != nil {
		return nil, err
	}
	if err := mergeLevels(acc, l.fns[i].tree, parts.middle); err != nil {
		return nil, err
	}
	if err := l.mergeParts(acc, i, g, parts.right, parts.rightPiece); err != nil {
		return nil, err
	}
	return acc.Result()
}

// wholePartition is the one result of a frame that is the partition, n times.
func (l *largeOver) wholePartition(i int, g *expr.Agg, n int) (*column.Vector, error) {
	fn := l.fns[i]
	if fn.all == nil {
		acc, err := expr.NewAccumulator(g)
		if err != nil {
			return nil, err
		}
		acc.Resize(1)
		if err := mergeLevels(acc, fn.tree, &frames{from: []int32{0}, to: []int32{int32(len(l.store.places))}}); err != nil {
			return nil, err
		}
		if fn.all, err = acc.Result(); err != nil {
			return nil, err
		}
	}
	return column.Take(nil, fn.all, make([]int32, n)), nil
}

// frameParts are frames cut at the borders of pieces. The middle counts pieces, the others rows of their piece.
type frameParts struct {
	left, middle, right   *frames
	leftPiece, rightPiece []int
}

func (l *largeOver) parts(fr *largeFrames) *frameParts {
	n := len(fr.from)
	empty := func() *frames { return &frames{from: make([]int32, n), to: make([]int32, n)} }
	p := &frameParts{left: empty(), middle: empty(), right: empty(), leftPiece: make([]int, n), rightPiece: make([]int, n)}
	for k := range n {
		from, to := fr.from[k], fr.to[k]
		if from >= to {
			continue
		}
		first, at := l.store.of(from)
		if at > 0 { // the piece is not whole
			end := min(to, l.store.start(first+1))
			p.leftPiece[k], p.left.from[k], p.left.to[k] = first, int32(at), int32(end-l.store.start(first))
			if end == to {
				continue
			}
			first++
		}
		last, at := l.store.of(to)
		if to == l.store.rows {
			last, at = len(l.store.places), 0
		}
		p.middle.from[k], p.middle.to[k] = int32(first), int32(last)
		p.rightPiece[k], p.right.to[k] = last, int32(at)
	}
	return p
}

// mergeParts merges parts of pieces, piece after piece.
func (l *largeOver) mergeParts(acc expr.Accumulator, i int, g *expr.Agg, parts *frames, pieces []int) error {
	for k := 0; k < len(pieces); {
		if parts.from[k] >= parts.to[k] {
			k++
			continue
		}
		piece, from := pieces[k], k
		for k < len(pieces) && (pieces[k] == piece || parts.from[k] >= parts.to[k]) {
			k++
		}
		p, err := l.at(piece)
		if err != nil {
			return err
		}
		if p.levels[i] == nil {
			if p.levels[i], err = buildLevels(g, p.args[i], p.b.N, int32(p.b.N)); err != nil {
				return err
			}
		}
		if err := mergeSome(acc, p.levels[i], parts, from, k); err != nil {
			return err
		}
	}
	return nil
}

// mergeSome is mergeLevels for rows from … to-1.
func mergeSome(acc expr.Accumulator, levels []level, fr *frames, from, to int) error {
	some := &frames{from: make([]int32, len(fr.from)), to: make([]int32, len(fr.to))}
	copy(some.from[from:to], fr.from[from:to])
	copy(some.to[from:to], fr.to[from:to])
	return mergeLevels(acc, levels, some)
}
