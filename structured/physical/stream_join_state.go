package physical

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/rdd"
)

// Rows of a side are held in buckets by bound, and in a bucket by key, in the order in which they came. A key's rows lie in
// pieces, so that one more row of a frequent key costs no more than one of a rare key:
//
//	bucket  bound (µs, rounded up) * 2 + side        key  column.AppendKey(keys)      value  01, number of further pieces, rows
//	                                                 key  … , 03, piece (uvarint)     value  02, rows
//	row     head (01: had a partner), length (uvarint), column.AppendRow(columns that are needed)
const (
	firstPiece  = 1
	nextPiece   = 2
	pieceKey    = 3
	pieceBytes  = 1 << 10
	headMatched = 1
)

// heldSide is what a StreamJoin keeps resident for one of its sides.
type heldSide struct {
	spec   *JoinSide
	parity int64
	keeps  bool // whether a row has a partner matters
	cols   []int
	place  []int // where a column of the input is among cols
	schema *column.Schema
	keys   []int // in cols, as all below
	part   []int
	out    []int
	until  int
	time   int

	picked   *column.Batch
	builders []*column.Builder
	none     *column.Batch // without rows
}

func newHeldSide(spec *JoinSide, parity int64, cond []int, keeps bool) *heldSide {
	h := &heldSide{spec: spec, parity: parity, keeps: keeps, place: make([]int, len(spec.In.Fields)), schema: &column.Schema{}}
	need := make([]bool, len(spec.In.Fields))
	for _, list := range [][]int{spec.Keys, spec.Part, spec.Out, cond} {
		for _, c := range list {
			need[c] = true
		}
	}
	for _, c := range []int{spec.Until, spec.Time} {
		if c >= 0 {
			need[c] = true
		}
	}
	for c, n := range need {
		if n {
			h.place[c] = len(h.cols)
			h.cols = append(h.cols, c)
			h.schema.Fields = append(h.schema.Fields, spec.In.Fields[c])
		}
	}
	h.keys, h.part, h.out = remap(spec.Keys, h.place), remap(spec.Part, h.place), remap(spec.Out, h.place)
	h.until, h.time = placeOf(h.place, spec.Until), placeOf(h.place, spec.Time)
	h.builders = builders(h.schema.Fields)
	h.none = column.Concat(h.schema, nil)
	return h
}

func placeOf(place []int, c int) int {
	if c < 0 {
		return -1
	}
	return place[c]
}

// boundOf is until when row i may find partners; ok is false when it never can.
func (h *heldSide) boundOf(b *column.Batch, i int) (until int64, ok bool) {
	if h.until < 0 {
		return never, true
	}
	v := b.Cols[h.until]
	if !v.IsValid(i) {
		return 0, false
	}
	return clampTime(addTimes(v.I64[i], h.spec.UntilAdd)), true
}

func addTimes(a, b int64) int64 {
	s := a + b
	if (a^s)&(b^s) < 0 {
		if a < 0 {
			return math.MinInt64
		}
		return math.MaxInt64
	}
	return s
}

func clampTime(t int64) int64 { return min(max(t, -never), never) }

// bucketOf is the bucket of rows with a bound. Rounding keeps buckets few; it only makes rows stay a little longer.
func (h *heldSide) bucketOf(until, mark int64) int64 {
	g := h.spec.Grain
	if until >= never {
		return never<<1 | h.parity
	}
	if g < 0 {
		g = minGrain << 10
		if mark > -never && until-mark > 8*g {
			g = powerBelow((until - mark) / 8)
		}
	}
	if g > 0 {
		until = min((until+g-1)&^(g-1), never-1)
	}
	return until<<1 | h.parity
}

// buckets are those that hold anything now.
func (r *streamJoinRun) buckets() ([]int64, error) { return r.state.Buckets(math.MaxInt64) }

// keyed are the distinct keys of some rows. Keys that cannot have a partner, because of a null, have no place.
type keyed struct {
	gids  []uint32
	first []int32 // of each key: its first row
	heads []int32 // and its chain of rows
	next  []int32
	kgs   []int
	bytes []byte // of all keys
	ends  []uint32
	never []bool // the key has a null
}

func (k *keyed) key(g int) []byte {
	from := uint32(0)
	if g > 0 {
		from = k.ends[g-1]
	}
	return k.bytes[from:k.ends[g]:k.ends[g]]
}

// keysOf groups rows by key.
func keysOf(rows *joinRows, nullSafe []bool) *keyed {
	h, b := rows.side, rows.b
	k := &keyed{}
	if b.N == 0 {
		return k
	}
	k.group(b, h)
	keys := columnsOf(b, h.keys)
	hashes := k.partHashes(b, h)
	for g, row := range k.first {
		k.bytes = column.AppendKey(k.bytes, keys, int(row))
		k.ends = append(k.ends, uint32(len(k.bytes)))
		k.kgs = append(k.kgs, rdd.KeyGroup(hashes[g]))
		k.never = append(k.never, nullKey(keys, nullSafe, int(row)))
	}
	return k
}

func columnsOf(b *column.Batch, at []int) []*column.Vector {
	out := make([]*column.Vector, len(at))
	for i, c := range at {
		out[i] = b.Cols[c]
	}
	return out
}

// nullKey reports whether a null among the keys keeps the row from ever finding a partner.
func nullKey(keys []*column.Vector, nullSafe []bool, row int) bool {
	for i, k := range keys {
		if !nullSafe[i] && !k.IsValid(row) {
			return true
		}
	}
	return false
}

// group numbers the distinct keys and chains the rows of each.
func (k *keyed) group(b *column.Batch, h *heldSide) {
	k.gids = make([]uint32, b.N)
	if len(h.keys) > 0 {
		types := make([]column.Type, len(h.keys))
		for i, c := range h.keys {
			types[i] = h.schema.Fields[c].Type
		}
		t := column.NewGroupTable(types)
		part := make([]*column.Vector, len(h.keys))
		var hashes []uint64
		for from := 0; from < b.N; from += column.BatchRows {
			n := min(column.BatchRows, b.N-from)
			for i, c := range h.keys {
				part[i] = b.Cols[c].Slice(from, from+n)
			}
			hashes = column.Hash(hashes, part, n)
			t.Insert(k.gids[from:from+n:from+n], part, hashes, n)
		}
	}
	k.next = make([]int32, b.N)
	var last []int32
	for i, g := range k.gids {
		k.next[i] = -1
		if int(g) == len(k.first) {
			k.first, k.heads, last = append(k.first, int32(i)), append(k.heads, int32(i)), append(last, int32(i))
			continue
		}
		k.next[last[g]] = int32(i)
		last[g] = int32(i)
	}
}

// partHashes are the hashes by which the first row of each key came to this partition.
func (k *keyed) partHashes(b *column.Batch, h *heldSide) []uint64 {
	if len(h.part) == 0 {
		return make([]uint64, len(k.first))
	}
	cols := make([]*column.Vector, len(h.part))
	for i, c := range h.part {
		cols[i] = column.Take(nil, b.Cols[c], k.first)
	}
	return column.Hash(nil, cols, len(k.first))
}

// heldRef says where a held row is.
type heldRef struct {
	bucket int64
	key    int32 // among the keys by which it was fetched
	piece  int32
	at     int32 // of its head in the piece; -1: it has had a partner before
}

// fetch returns the rows that a side holds under the keys of the other side's new rows.
func (r *streamJoinRun) fetch(side *heldSide, live []int64, probe *joinRows, keys *keyed) (*joinRows, error) {
	out := &joinRows{side: side, b: side.none, keys: keys}
	lo, hi := r.reach(probe)
	resetBuilders(side.builders)
	f := &fetching{r: r, side: side, out: out, keys: keys}
	for _, b := range live {
		if b&1 != side.parity || b < lo || b > hi {
			continue
		}
		for g := range keys.first {
			if keys.never[g] {
				continue
			}
			if err := f.key(b, g); err != nil {
				return nil, r.damaged(err)
			}
		}
	}
	if f.n > 0 {
		out.b = &column.Batch{Schema: side.schema, N: f.n, Cols: finishBuilders(side.builders)}
		// The builders make others: the rows stay until the end of the batch.
		side.builders = builders(side.schema.Fields)
	}
	if side.keeps {
		out.matched = make([]bool, f.n)
	}
	return out, nil
}

// reach are the buckets in which partners of the rows can be.
func (r *streamJoinRun) reach(probe *joinRows) (lo, hi int64) {
	h, b := probe.side, probe.b
	lo, hi = math.MinInt64, math.MaxInt64
	if b.N == 0 {
		return hi, lo
	}
	if h.time >= 0 {
		if t, _, ok := extent(b.Cols[h.time]); ok {
			lo = clampTime(addTimes(t, h.spec.TimeAdd)) << 1
		}
	}
	if h.spec.Near && h.until >= 0 {
		if _, t, ok := extent(b.Cols[h.until]); ok {
			other := r.s.left
			if h == r.s.left {
				other = r.s.right
			}
			most := clampTime(addTimes(addTimes(t, h.spec.UntilAdd), h.spec.Reach))
			hi = other.bucketOf(most, r.mark) | 1
		}
	}
	return lo, hi
}

// extent is the least and the greatest value of a column that has no nulls.
func extent(v *column.Vector) (least, most int64, ok bool) {
	if v.Valid != nil || v.Const {
		return 0, 0, false
	}
	least, most = math.MaxInt64, math.MinInt64
	for _, x := range v.I64[:v.N] {
		least, most = min(least, x), max(most, x)
	}
	return least, most, true
}

// fetching collects held rows.
type fetching struct {
	r    *streamJoinRun
	side *heldSide
	out  *joinRows
	keys *keyed
	n    int
	name []byte
}

// key collects the rows of one key in one bucket.
func (f *fetching) key(bucket int64, g int) error {
	v, ok, err := f.r.state.Get(bucket, f.keys.kgs[g], f.keys.key(g))
	if err != nil || !ok {
		return err
	}
	more, err := furtherPieces(v)
	if err != nil {
		return err
	}
	if err := f.piece(v, heldRef{bucket: bucket, key: int32(g)}); err != nil {
		return err
	}
	for i := 1; i <= more; i++ {
		f.name = appendPieceKey(f.name[:0], f.keys.key(g), i)
		v, ok, err := f.r.state.Get(bucket, f.keys.kgs[g], f.name)
		if err != nil {
			return err
		}
		if !ok && f.r.expires {
			continue
		}
		if !ok {
			return errPiece
		}
		if err := f.piece(v, heldRef{bucket: bucket, key: int32(g), piece: int32(i)}); err != nil {
			return err
		}
	}
	return nil
}

func (f *fetching) piece(v []byte, ref heldRef) error {
	return eachHeld(v, func(head byte, row []byte, at int) error {
		if f.r.s.half() && f.side.keeps && head&headMatched != 0 {
			return nil // its fate is decided
		}
		if err := column.DecodeRow(row, f.side.builders); err != nil {
			return err
		}
		f.n++
		if f.side.keeps {
			ref.at = int32(at)
			if head&headMatched != 0 {
				ref.at = -1
			}
			f.out.refs = append(f.out.refs, ref)
		}
		return nil
	})
}

var errPiece = errors.New("piece of held rows is damaged")

// furtherPieces is how many pieces follow a key's first.
func furtherPieces(v []byte) (int, error) {
	if len(v) == 0 || v[0] != firstPiece {
		return 0, errPiece
	}
	n, w := binary.Uvarint(v[1:])
	if w <= 0 || n > math.MaxInt32 {
		return 0, errPiece
	}
	return int(n), nil
}

func appendPieceKey(dst, key []byte, piece int) []byte {
	return binary.AppendUvarint(append(append(dst, key...), pieceKey), uint64(piece))
}

// eachHeld visits the rows of a piece.
func eachHeld(v []byte, visit func(head byte, row []byte, at int) error) error {
	at := 1
	switch {
	case len(v) > 0 && v[0] == firstPiece:
		_, w := binary.Uvarint(v[1:])
		if w <= 0 {
			return errPiece
		}
		at += w
	case len(v) == 0 || v[0] != nextPiece:
		return errPiece
	}
	for at < len(v) {
		n, w := binary.Uvarint(v[at+1:])
		if w <= 0 || n > uint64(len(v)-at-1-w) {
			return errPiece
		}
		from := at + 1 + w
		if err := visit(v[at], v[from:from+int(n)], at); err != nil {
			return err
		}
		at = from + int(n)
	}
	return nil
}

func (r *streamJoinRun) damaged(err error) error { return damagedRows(r.op, err) }

func damagedRows(op string, err error) error {
	return fmt.Errorf("physical: %s: rows held: %w", op, err)
}

// noteMatches marks the held rows that have found their first partner.
func (r *streamJoinRun) noteMatches(h *joinRows) error {
	var value, name []byte
	keys := h.keys
	for i := 0; i < len(h.refs); {
		ref, end, any := h.refs[i], i, false
		for end < len(h.refs) && samePiece(h.refs[end], ref) {
			any = any || h.news(end)
			end++
		}
		if any {
			name = append(name[:0], keys.key(int(ref.key))...)
			if ref.piece > 0 {
				name = appendPieceKey(name[:0], keys.key(int(ref.key)), int(ref.piece))
			}
			v, ok, err := r.state.Get(ref.bucket, keys.kgs[ref.key], name)
			if err != nil {
				return err
			}
			if !ok {
				return r.damaged(errPiece)
			}
			value = append(value[:0], v...)
			for ; i < end; i++ {
				if h.news(i) {
					value[h.refs[i].at] |= headMatched
				}
			}
			if err := r.state.Put(ref.bucket, keys.kgs[ref.key], name, value); err != nil {
				return err
			}
		}
		i = end
	}
	return nil
}

// news reports whether held row i has found its first partner now.
func (j *joinRows) news(i int) bool { return j.matched[i] && j.refs[i].at >= 0 }

func samePiece(a, b heldRef) bool {
	return a.bucket == b.bucket && a.key == b.key && a.piece == b.piece
}

// hold puts the new rows of a side into state, but for those that can have no partner any more. What the join owes such rows
// is put out at once.
func (r *streamJoinRun) hold(rows *joinRows, keys *keyed) error {
	h := rows.side
	w := &holding{state: r.state, op: r.op, expires: r.expires, h: h, cols: rows.b.Cols}
	var alone []int32
	for g := range keys.heads {
		for i := keys.heads[g]; i >= 0; i = keys.next[i] {
			until, ok := h.boundOf(rows.b, int(i))
			matched := h.keeps && rows.matched[i]
			if !ok || keys.never[g] || r.passed(until) {
				if !matched && r.lonely(h) {
					alone = append(alone, i)
				}
				continue
			}
			if matched && r.s.half() {
				continue // it was put out (semi), or never will be (anti)
			}
			if err := w.add(h.bucketOf(until, r.mark), keys, g, int(i), matched); err != nil {
				return err
			}
		}
		if err := w.flush(keys, g); err != nil {
			return err
		}
	}
	slices.Sort(alone)
	r.putOut(rows, alone)
	return nil
}

// holding appends rows to pieces.
type holding struct {
	state   rdd.State
	op      string
	expires bool // entries of the state live for a time only
	h       *heldSide
	cols    []*column.Vector
	bucket  int64
	rows    []byte // encoded rows of one key, all of one bucket
	one     []byte
	value   []byte
	name    []byte
}

func (w *holding) add(bucket int64, keys *keyed, g, row int, matched bool) error {
	if len(w.rows) > 0 && (bucket != w.bucket || len(w.rows) >= pieceBytes) {
		if err := w.flush(keys, g); err != nil {
			return err
		}
	}
	w.bucket = bucket
	w.one = column.AppendRow(w.one[:0], w.cols, row)
	head := byte(0)
	if matched {
		head = headMatched
	}
	w.rows = append(binary.AppendUvarint(append(w.rows, head), uint64(len(w.one))), w.one...)
	return nil
}

// flush appends the rows gathered to the last piece of their key, or to a new one.
func (w *holding) flush(keys *keyed, g int) error {
	if len(w.rows) == 0 {
		return nil
	}
	defer func() { w.rows = w.rows[:0] }()
	key, kg, st := keys.key(g), keys.kgs[g], w.state
	v, ok, err := st.Get(w.bucket, kg, key)
	if err != nil {
		return err
	}
	if !ok {
		w.value = append(w.value[:0], firstPiece, 0)
		return st.Put(w.bucket, kg, key, append(w.value, w.rows...))
	}
	more, err := furtherPieces(v)
	if err != nil {
		return damagedRows(w.op, err)
	}
	if more == 0 && len(v)+len(w.rows) <= pieceBytes {
		w.value = append(append(w.value[:0], v...), w.rows...)
		return st.Put(w.bucket, kg, key, w.value)
	}
	if more > 0 && w.expires {
		// The first piece says how many there are: it lives as long as the last.
		w.value = append(w.value[:0], v...)
		if err := st.Put(w.bucket, kg, key, w.value); err != nil {
			return err
		}
	}
	if more > 0 {
		w.name = appendPieceKey(w.name[:0], key, more)
		last, ok, err := st.Get(w.bucket, kg, w.name)
		if err != nil {
			return err
		}
		if !ok && !w.expires {
			return damagedRows(w.op, errPiece)
		}
		if ok && len(last)+len(w.rows) <= pieceBytes {
			w.value = append(append(w.value[:0], last...), w.rows...)
			return st.Put(w.bucket, kg, w.name, w.value)
		}
	}
	return w.newPiece(key, kg, more+1)
}

// newPiece begins a piece and notes in the first that it is there.
func (w *holding) newPiece(key []byte, kg, piece int) error {
	st := w.state
	v, _, err := st.Get(w.bucket, kg, key)
	if err != nil {
		return err
	}
	_, n := binary.Uvarint(v[1:])
	w.value = binary.AppendUvarint(append(w.value[:0], firstPiece), uint64(piece))
	w.value = append(w.value, v[1+n:]...)
	if err := st.Put(w.bucket, kg, key, w.value); err != nil {
		return err
	}
	w.name = appendPieceKey(w.name[:0], key, piece)
	w.value = append(append(w.value[:0], nextPiece), w.rows...)
	return st.Put(w.bucket, kg, w.name, w.value)
}
