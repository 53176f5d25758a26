package physical

import (
	"cmp"
	"math"
	"sort"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
)

// spans says for each row of a block where its partition and its peers (rows of an equal key of the order) begin and end.
type spans struct {
	b     *column.Batch
	order []column.SortKey

	partStart, partEnd []int32
	peerStart, peerEnd []int32
	dense              []int32 // how many different keys the partition has up to the row

	cache map[string]*frames
}

// frames are the rows [from[i], to[i]) that the function of row i sees.
type frames struct{ from, to []int32 }

func newSpans(b *column.Batch, partition, order []column.SortKey) *spans {
	n := b.N
	all := make([]int32, 5*n)
	s := &spans{b: b, order: order, cache: map[string]*frames{}, partStart: all[:n:n], partEnd: all[n : 2*n : 2*n],
		peerStart: all[2*n : 3*n : 3*n], peerEnd: all[3*n : 4*n : 4*n], dense: all[4*n:]}
	for i := range n {
		switch {
		case i == 0 || column.CompareRows(b, i-1, b, i, partition) != 0:
			s.partStart[i], s.peerStart[i], s.dense[i] = int32(i), int32(i), 1
		case column.CompareRows(b, i-1, b, i, order) != 0:
			s.partStart[i], s.peerStart[i], s.dense[i] = s.partStart[i-1], int32(i), s.dense[i-1]+1
		default:
			s.partStart[i], s.peerStart[i], s.dense[i] = s.partStart[i-1], s.peerStart[i-1], s.dense[i-1]
		}
	}
	for i := n - 1; i >= 0; i-- {
		s.partEnd[i], s.peerEnd[i] = int32(i+1), int32(i+1)
		if i+1 < n && s.partStart[i+1] == s.partStart[i] {
			s.partEnd[i] = s.partEnd[i+1]
		}
		if i+1 < n && s.peerStart[i+1] == s.peerStart[i] {
			s.peerEnd[i] = s.peerEnd[i+1]
		}
	}
	return s
}

// frames finds the rows that each row's frame holds.
func (s *spans) frames(f *expr.Frame) (*frames, error) {
	if fr := s.cache[f.String()]; fr != nil {
		return fr, nil
	}
	fr := &frames{from: make([]int32, s.b.N), to: make([]int32, s.b.N)}
	if f.Rows {
		s.rowFrames(f, fr)
	} else {
		s.rangeFrames(f, fr)
	}
	for i := range fr.to {
		fr.to[i] = max(fr.to[i], fr.from[i]) // a frame that lies outside of the partition is empty
	}
	s.cache[f.String()] = fr
	return fr, nil
}

func offsetOf(b expr.Bound) int64 {
	if b.Offset == nil {
		return 0
	}
	return min(b.Offset.(*expr.Literal).Value.(int64), math.MaxInt32)
}

func (s *spans) rowFrames(f *expr.Frame, fr *frames) {
	border := func(b expr.Bound, i int, unbounded []int32, plus int64) int32 {
		at := int64(i) + plus
		switch b.Kind {
		case expr.UnboundedPreceding, expr.UnboundedFollowing:
			return unbounded[i]
		case expr.Preceding:
			at -= offsetOf(b)
		case expr.Following:
			at += offsetOf(b)
		}
		return int32(min(max(at, int64(s.partStart[i])), int64(s.partEnd[i])))
	}
	for i := range fr.from {
		fr.from[i] = border(f.Start, i, s.partStart, 0)
		fr.to[i] = border(f.End, i, s.partEnd, 1)
	}
}

// rangeFrames measures distances in the key of the order. The row's peers are at distance 0; a row whose key is null has
// only its peers at any distance.
func (s *spans) rangeFrames(f *expr.Frame, fr *frames) {
	var keys *rangeKeys
	if f.Start.Offset != nil || f.End.Offset != nil {
		keys = newRangeKeys(s.b.Cols[s.order[0].Col], s.order[0].Desc)
	}
	for i := range fr.from {
		switch f.Start.Kind {
		case expr.UnboundedPreceding:
			fr.from[i] = s.partStart[i]
		case expr.CurrentRow:
			fr.from[i] = s.peerStart[i]
		default:
			fr.from[i] = s.rangeBorder(keys, f.Start, i, false)
		}
		switch f.End.Kind {
		case expr.UnboundedFollowing:
			fr.to[i] = s.partEnd[i]
		case expr.CurrentRow:
			fr.to[i] = s.peerEnd[i]
		default:
			fr.to[i] = s.rangeBorder(keys, f.End, i, true)
		}
	}
}

// rangeBorder is the first row at the distance of b or beyond; behind it, when after is set.
func (s *spans) rangeBorder(k *rangeKeys, b expr.Bound, i int, after bool) int32 {
	if !k.v.IsValid(i) {
		if after {
			return s.peerEnd[i]
		}
		return s.peerStart[i]
	}
	lo, hi := k.valued(int(s.partStart[i]), int(s.partEnd[i]), i)
	at := k.at(i, b)
	return int32(lo + sort.Search(hi-lo, func(j int) bool {
		c := k.against(lo+j, at)
		return c > 0 || c == 0 && !after
	}))
}

// rangeKeys is the key of the order as numbers that grow with the order.
type rangeKeys struct {
	v      *column.Vector
	ints   []int64
	floats []float64
}

const microsOfDay = 86_400_000_000

func newRangeKeys(v *column.Vector, desc bool) *rangeKeys {
	k := &rangeKeys{v: v}
	sign := int64(1)
	if desc {
		sign = -1
	}
	switch v.Type.Kind.Storage() {
	case column.StorageF32, column.StorageF64, column.StorageDec:
		k.floats = make([]float64, v.N)
		for i := range k.floats {
			k.floats[i] = float64(sign) * floatAt(v, i)
		}
	default:
		k.ints = make([]int64, v.N)
		for i := range k.ints {
			k.ints[i] = sign * intAt(v, i)
		}
	}
	return k
}

func floatAt(v *column.Vector, i int) float64 {
	switch v.Type.Kind.Storage() {
	case column.StorageF32:
		return float64(v.F32[i])
	case column.StorageF64:
		return v.F64[i]
	}
	d := v.Dec[i]
	return (float64(d.Hi)*(1<<64) + float64(d.Lo)) / math.Pow10(int(v.Type.Scale))
}

// intAt is an integer, a day or a time. Days are counted in microseconds when the frame's distance is.
func intAt(v *column.Vector, i int) int64 {
	switch v.Type.Kind.Storage() {
	case column.StorageI8:
		return int64(v.I8[i])
	case column.StorageI16:
		return int64(v.I16[i])
	case column.StorageI32:
		return int64(v.I32[i])
	}
	return v.I64[i]
}

// valued is the part of a partition [from, to) around row i whose keys are not null: nulls stand together at one end.
func (k *rangeKeys) valued(from, to, i int) (int, int) {
	if k.v.Valid == nil {
		return from, to
	}
	lo := from + sort.Search(i-from, func(j int) bool { return k.v.IsValid(from + j) })
	hi := i + sort.Search(to-i, func(j int) bool { return !k.v.IsValid(i + j) })
	return lo, hi
}

// rangeAt is a key of the order, and the unit in which keys are compared with it.
type rangeAt struct {
	float     float64
	int, unit int64
}

// at is the key at the distance of b from row i.
func (k *rangeKeys) at(i int, b expr.Bound) rangeAt {
	l := b.Offset.(*expr.Literal)
	if k.floats != nil {
		d := l.Value.(float64)
		if b.Kind == expr.Preceding {
			d = -d
		}
		return rangeAt{float: k.floats[i] + d}
	}
	d, unit := l.Value.(int64), int64(1)
	if k.v.Type.Kind == column.Date && l.Typ.Kind == column.IntervalDT {
		unit = microsOfDay
	}
	if b.Kind == expr.Preceding {
		d = -d
	}
	return rangeAt{int: saturated(k.ints[i]*unit, d), unit: unit}
}

// against orders the key of row j against another.
func (k *rangeKeys) against(j int, at rangeAt) int {
	if k.floats != nil {
		switch x := k.floats[j]; {
		case x < at.float:
			return -1
		case x > at.float || x != x && at.float == at.float:
			return 1
		}
		return 0
	}
	return cmp.Compare(k.ints[j]*at.unit, at.int)
}

// saturated is a+b, or the nearest int64.
func saturated(a, b int64) int64 {
	s := a + b
	switch {
	case b > 0 && s < a:
		return math.MaxInt64
	case b < 0 && s > a:
		return math.MinInt64
	}
	return s
}
