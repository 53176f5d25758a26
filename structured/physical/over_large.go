package physical

import (
	"io"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
)

// largeOver computes window functions over one partition that memory does not hold. A first pass writes its rows to a file in
// pieces and keeps a little of each piece; a second one puts out piece after piece, reading again those at which frames begin
// and end:
//
//	pass 1   rows ─▶ file; for each piece: where peers begin, the state of each aggregate, how many values are not null
//	pass 2   piece k: borders of frames ─▶ part of the first piece + states of whole pieces + part of the last piece
//
// Whole pieces are put together by a tree of their states, as rows are within a piece (over_agg.go).
type largeOver struct {
	o     *Over
	mem   *reservation
	store *rowStore
	index largeIndex
	fns   []*largeFn
	piece int // the next to be put out
	seen  recent[*largePiece]
}

// largePiece is a piece that was read again.
type largePiece struct {
	b      *column.Batch
	args   [][]*column.Vector // of each function
	levels [][]level          // of each function, once they are needed
	nulls  []*nonNull         // of each function that passes over nulls
	keys   *rangeKeys
}

// largeFn is what is kept of one function.
type largeFn struct {
	f      *expr.Over
	states expr.Accumulator // of each piece, for aggregates
	tree   []level
	all    *column.Vector // the result over the whole partition, once it is needed
	valid  []int64        // values that are not null before each piece, for functions that pass over nulls
}

// recentPieces is how many pieces are held: those at which the frames of a piece begin and end, and the piece.
const recentPieces = 6

// openLarge takes the partition that is held, and reads the rest of it; rows behind it are held instead.
func (r *overRun) openLarge() (*largeOver, error) {
	l := &largeOver{o: r.o, mem: r.mem, seen: recent[*largePiece]{limit: recentPieces}}
	for _, f := range r.o.Fns {
		fn := &largeFn{f: f}
		if g, ok := f.Fn.(*expr.Agg); ok && !isPick(g) {
			var err error
			if fn.states, err = expr.NewAccumulator(g); err != nil {
				return nil, err
			}
		}
		l.fns = append(l.fns, fn)
	}
	l.index.begin(r.o.Order)
	held := r.held
	r.held, r.rows, r.bytes = nil, 0, 0
	var err error
	if l.store, err = newRowStore(r.tc, held[0].Schema, held[0], l.add); err != nil {
		return nil, err
	}
	if err = l.fill(r, held); err == nil {
		err = l.finish()
	}
	if err != nil {
		l.close()
		return nil, err
	}
	count(r.tc, r.op, RowsLarge, l.store.rows)
	return l, nil
}

// fill writes the partition's rows: those that were held, then those that are still to be read.
func (l *largeOver) fill(r *overRun, held []*column.Batch) error {
	var last *column.Batch // one row of the partition
	for i, b := range held {
		if err := l.store.append(b); err != nil {
			return err
		}
		last, held[i] = b.Slice(b.N-1, b.N), nil
	}
	last = last.Clone()
	r.mem.release()
	for !r.ended {
		b, err := r.in.Next()
		if err == io.EOF {
			r.ended = true
			return nil
		}
		if err != nil {
			return err
		}
		cut := 0
		for cut < b.N && column.CompareRows(last, 0, b, cut, r.by) == 0 {
			cut++
		}
		if cut > 0 {
			if err := l.store.append(b.Slice(0, cut)); err != nil {
				return err
			}
		}
		if cut < b.N {
			if err := r.hold(b.Slice(cut, b.N).Clone()); err != nil && err != errRefused {
				return err
			}
			return nil
		}
	}
	return nil
}

// add takes what is kept of a piece.
func (l *largeOver) add(piece int, b *column.Batch) error {
	l.index.add(b)
	var kept int64
	for i, fn := range l.fns {
		args, err := l.o.args[i].eval(b)
		if err != nil {
			return err
		}
		if fn.states != nil {
			fn.states.Resize(piece + 1)
			gids := make([]uint32, b.N)
			for k := range gids {
				gids[k] = uint32(piece)
			}
			if err := fn.states.Update(gids, args, b.N); err != nil {
				return err
			}
			kept += 2 * fn.states.Bytes() // and the tree above it
		}
		if ignoresNulls(fn.f, args, b.N) {
			if fn.valid == nil {
				fn.valid = []int64{0}
			}
			n := int64(b.N)
			if nn := newNonNull(args[0], b.N); nn != nil {
				n = int64(len(nn.rows))
			}
			fn.valid = append(fn.valid, fn.valid[piece]+n)
		}
	}
	if !l.mem.to(kept + recentPieces*overPieceBytes) {
		return l.refused(kept)
	}
	return nil
}

// refused allows what any partition needs, and no more.
func (l *largeOver) refused(kept int64) error {
	if kept > overPieceBytes {
		return partitionTooLarge(int(l.store.rows))
	}
	return nil
}

func (l *largeOver) finish() error {
	if err := l.store.finish(); err != nil {
		return err
	}
	l.index.end(l.store)
	for _, fn := range l.fns {
		if fn.states == nil {
			continue
		}
		var err error
		if fn.tree, err = levelsAbove(fn.f.Fn.(*expr.Agg), fn.states.State(), len(l.store.places), 1<<30); err != nil {
			return err
		}
	}
	return nil
}

func (l *largeOver) close() {
	l.store.close()
	l.seen = recent[*largePiece]{limit: recentPieces}
	l.mem.release()
}

// next is the next piece with the functions' columns.
func (l *largeOver) next() (*column.Batch, error) {
	if l.piece == len(l.store.places) {
		return nil, io.EOF
	}
	p, err := l.at(l.piece)
	if err != nil {
		return nil, err
	}
	rows := l.index.rows(l.piece, p.b, l.store.start(l.piece))
	out := &column.Batch{Schema: l.o.Out, N: p.b.N, Cols: append([]*column.Vector{}, p.b.Cols...)}
	for i := range l.fns {
		v, err := l.function(i, p, rows)
		if err != nil {
			return nil, err
		}
		out.Cols = append(out.Cols, v)
	}
	l.piece++
	return out, nil
}

// at is a piece with the operands of all functions.
func (l *largeOver) at(piece int) (*largePiece, error) {
	return l.seen.get(piece, func(int) (*largePiece, error) {
		b, err := l.store.read(piece)
		if err != nil {
			return nil, err
		}
		p := &largePiece{b: b, args: make([][]*column.Vector, len(l.fns)), levels: make([][]level, len(l.fns)), nulls: make([]*nonNull, len(l.fns))}
		for i := range l.fns {
			args, err := l.o.args[i].eval(b)
			if err != nil {
				return nil, err
			}
			for _, a := range args {
				p.args[i] = append(p.args[i], column.Expand(a, b.N).Clone())
			}
			if ignoresNulls(l.fns[i].f, args, b.N) {
				p.nulls[i] = newNonNull(p.args[i][0], b.N)
			}
		}
		return p, nil
	})
}
