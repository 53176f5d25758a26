package physical

import "github.com/streamflow/streamflow/column"

// largeIndex is where peers begin in a partition on disk, and the key of the order at each piece.
type largeIndex struct {
	order  []column.SortKey
	pieces []pieceIndex
	last   *column.Batch // the last row so far
	count  int64
	dense  int64 // different keys so far
	peer   int64 // first peer of the last row
	keys   *column.Builder
	firsts *column.Vector // the first key of the order in the first row of each piece
	keysOf *rangeKeys     // of firsts, once they are needed
	nulls  [2]int64       // rows whose first key is null, at the beginning and at the end
}

// pieceIndex is what is kept of a piece.
type pieceIndex struct {
	peer  int64 // first peer of the row before the piece, and of its first rows if they are its peers
	dense int64 // different keys before the piece
	first int   // the first row of the piece that begins new peers, -1 when none does
	end   int64 // the end of the peers of the piece's last row
}

func (x *largeIndex) begin(order []column.SortKey) { x.order = order }

// add takes the next piece.
func (x *largeIndex) add(b *column.Batch) {
	p := pieceIndex{peer: x.peer, dense: x.dense, first: -1}
	for i := range b.N {
		var begins bool
		switch {
		case i > 0:
			begins = column.CompareRows(b, i-1, b, i, x.order) != 0
		case x.last != nil:
			begins = column.CompareRows(x.last, 0, b, 0, x.order) != 0
		default:
			begins = true
		}
		if begins {
			if p.first < 0 {
				p.first = i
			}
			x.dense++
			x.peer = x.count + int64(i)
		}
	}
	if len(x.order) > 0 {
		x.addKeys(b)
	}
	x.pieces = append(x.pieces, p)
	x.count += int64(b.N)
	x.last = b.Slice(b.N-1, b.N).Clone()
}

// addKeys keeps the first key of the piece, and counts the nulls, which stand together at one end.
func (x *largeIndex) addKeys(b *column.Batch) {
	v := b.Cols[x.order[0].Col]
	if x.keys == nil {
		x.keys = column.NewBuilder(v.Type)
	}
	x.keys.AppendFrom(v, 0)
	for i := range b.N {
		if v.IsValid(i) {
			continue
		}
		if x.nulls[0] == x.count+int64(i) {
			x.nulls[0]++
		} else {
			x.nulls[1]++
		}
	}
}

// end finds, from the last piece to the first, where the peers of each piece's last row end.
func (x *largeIndex) end(s *rowStore) {
	end := s.rows
	for k := len(x.pieces) - 1; k >= 0; k-- {
		x.pieces[k].end = end
		if first := x.pieces[k].first; first >= 0 {
			end = s.start(k) + int64(first)
		}
	}
	x.last = nil
	if x.keys != nil {
		x.firsts = x.keys.Finish()
	}
}

// largeRows are where the peers of a piece's rows begin and end, counted in rows of the partition.
type largeRows struct {
	start              int64 // the piece's first row
	all                int64 // rows of the partition
	peerStart, peerEnd []int64
	dense              []int64
}

// rows finds the peers of the rows of a piece, which begins at start.
func (x *largeIndex) rows(piece int, b *column.Batch, start int64) *largeRows {
	n, p := b.N, &x.pieces[piece]
	r := &largeRows{start: start, all: x.count, peerStart: make([]int64, n), peerEnd: make([]int64, n), dense: make([]int64, n)}
	peer, dense := p.peer, p.dense
	for i := range n {
		if p.first >= 0 && (i == p.first || i > p.first && column.CompareRows(b, i-1, b, i, x.order) != 0) {
			peer = r.start + int64(i)
			dense++
		}
		r.peerStart[i], r.dense[i] = peer, dense
	}
	end := p.end
	for i := n - 1; i >= 0; i-- {
		r.peerEnd[i] = end
		if r.peerStart[i] == r.start+int64(i) {
			end = r.peerStart[i]
		}
	}
	return r
}
