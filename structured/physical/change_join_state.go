package physical

import (
	"bytes"
	"encoding/binary"
	"math/bits"

	"github.com/zeebo/xxh3"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/rdd"
)

// A ChangeJoin holds each distinct row of a side once, with its weight and the number of its partners. The rows of a key lie
// in one entry as long as they are few, and then in pieces by the hash of their bytes, so that any row of a frequent key is
// found as fast as one of a rare key. Pieces are added one at a time, as linear hashing has it (Litwin 1980): piece n takes
// over half of piece n - 2^⌊log2 n⌋.
//
//	bucket  0 left, 1 right     key  column.AppendKey(keys)                      value  04, rows
//	                                                                             or     05, pieces (uvarint), bytes of rows (uvarint)
//	                            key  column.AppendKey(keys), 03, piece (uvarint)  value  06, rows
//	row     weight (varint), partners (varint), length (uvarint), column.AppendRow(columns that are needed)
const (
	fewRows   = 4
	manyRows  = 5
	rowsPiece = 6
)

// heldTable is the state of a ChangeJoin.
type heldTable struct {
	state   rdd.State
	op      string
	expires bool // entries live for a time only

	name, value, row []byte
}

func (t *heldTable) damaged() error { return damagedRows(t.op, errPiece) }

// entry is what is held under a key: rows as they are encoded, and in how many pieces.
type heldEntry struct {
	rows   []byte // without a leading tag; only of a key with few rows
	pieces int    // 0: few rows
	bytes  int    // of all rows in pieces
}

func (t *heldTable) entry(bucket int64, kg int, key []byte) (e heldEntry, ok bool, err error) {
	v, ok, err := t.state.Get(bucket, kg, key)
	if err != nil || !ok {
		return e, false, err
	}
	switch {
	case len(v) > 0 && v[0] == fewRows:
		return heldEntry{rows: v[1:]}, true, nil
	case len(v) > 0 && v[0] == manyRows:
		pieces, w := binary.Uvarint(v[1:])
		if w <= 0 || pieces > 1<<31 {
			break
		}
		bytes, n := binary.Uvarint(v[1+w:])
		if n > 0 && bytes <= 1<<40 {
			return heldEntry{pieces: int(pieces), bytes: int(bytes)}, true, nil
		}
	}
	return e, false, t.damaged()
}

// piece returns the rows of a piece. Of expiring state it may be gone.
func (t *heldTable) piece(bucket int64, kg int, key []byte, n int) ([]byte, error) {
	t.name = appendPieceKey(t.name[:0], key, n)
	v, ok, err := t.state.Get(bucket, kg, t.name)
	switch {
	case err != nil:
		return nil, err
	case !ok && t.expires:
		return nil, nil
	case !ok || len(v) == 0 || v[0] != rowsPiece:
		return nil, t.damaged()
	}
	return v[1:], nil
}

func (t *heldTable) putPiece(bucket int64, kg int, key []byte, n int, rows []byte) error {
	t.name = appendPieceKey(t.name[:0], key, n)
	t.value = append(append(t.value[:0], rowsPiece), rows...)
	return t.state.Put(bucket, kg, t.name, t.value)
}

func (t *heldTable) putFew(bucket int64, kg int, key, rows []byte) error {
	if len(rows) == 0 {
		return t.state.Delete(bucket, kg, key)
	}
	t.value = append(append(t.value[:0], fewRows), rows...)
	return t.state.Put(bucket, kg, key, t.value)
}

func (t *heldTable) putMany(bucket int64, kg int, key []byte, e heldEntry) error {
	t.value = binary.AppendUvarint(append(t.value[:0], manyRows), uint64(e.pieces))
	t.value = binary.AppendUvarint(t.value, uint64(e.bytes))
	return t.state.Put(bucket, kg, key, t.value)
}

// heldRow is a row as it is held; next is where the one after it begins.
type heldRow struct {
	weight, partners int64
	row              []byte
	next             int
}

// rowAt reads the row at a place.
func rowAt(rows []byte, at int) (h heldRow, ok bool) {
	var w int
	if h.weight, w = binary.Varint(rows[at:]); w <= 0 {
		return h, false
	}
	at += w
	if h.partners, w = binary.Varint(rows[at:]); w <= 0 {
		return h, false
	}
	at += w
	n, w := binary.Uvarint(rows[at:])
	if at += w; w <= 0 || n > uint64(len(rows)-at) {
		return h, false
	}
	h.next = at + int(n)
	h.row = rows[at:h.next]
	return h, true
}

func appendHeld(dst []byte, weight, partners int64, row []byte) []byte {
	dst = binary.AppendVarint(binary.AppendVarint(dst, weight), partners)
	return append(binary.AppendUvarint(dst, uint64(len(row))), row...)
}

// fetch returns the rows that a side holds under keys; where only is given, under those for which it is true.
func (t *heldTable) fetch(side *heldSide, keys *keyed, only []bool) (*joinRows, error) {
	resetBuilders(side.builders)
	f := &heldFetch{t: t, out: &joinRows{side: side, b: side.none, keys: keys, refs: []heldRef{}}}
	for g := range keys.first {
		if keys.never[g] || only != nil && !only[g] {
			continue
		}
		if err := f.key(side.parity, g); err != nil {
			return nil, err
		}
	}
	out := f.out
	if n := len(out.refs); n > 0 {
		out.b = &column.Batch{Schema: side.schema, N: n, Cols: finishBuilders(side.builders)}
		side.builders = builders(side.schema.Fields) // the rows stay until the end of the batch
		out.more = make([]int64, n)
	}
	return out, nil
}

// heldFetch collects held rows.
type heldFetch struct {
	t   *heldTable
	out *joinRows
}

func (f *heldFetch) key(bucket int64, g int) error {
	keys := f.out.keys
	e, ok, err := f.t.entry(bucket, keys.kgs[g], keys.key(g))
	if err != nil || !ok {
		return err
	}
	if e.pieces == 0 {
		return f.rows(e.rows, heldRef{bucket: bucket, key: int32(g), piece: -1})
	}
	for n := range e.pieces {
		rows, err := f.t.piece(bucket, keys.kgs[g], keys.key(g), n)
		if err != nil {
			return err
		}
		if err := f.rows(rows, heldRef{bucket: bucket, key: int32(g), piece: int32(n)}); err != nil {
			return err
		}
	}
	return nil
}

func (f *heldFetch) rows(rows []byte, ref heldRef) error {
	for at := 0; at < len(rows); {
		h, ok := rowAt(rows, at)
		if !ok {
			return f.t.damaged()
		}
		if err := column.DecodeRow(h.row, f.out.side.builders); err != nil {
			return err
		}
		ref.at, at = int32(at), h.next
		f.out.refs = append(f.out.refs, ref)
		f.out.weights = append(f.out.weights, h.weight)
		f.out.counts = append(f.out.counts, h.partners)
	}
	return nil
}

// recount writes the numbers of partners that have changed.
func (t *heldTable) recount(h *joinRows) error {
	if !h.side.keeps {
		return nil
	}
	for i := 0; i < len(h.refs); {
		end, any := i, false
		for end < len(h.refs) && samePiece(h.refs[end], h.refs[i]) {
			any = any || h.more[end] != 0
			end++
		}
		if any {
			if err := t.rewrite(h, i, end); err != nil {
				return err
			}
		}
		i = end
	}
	return nil
}

// rewrite makes the piece of rows [from, to) of h anew.
func (t *heldTable) rewrite(h *joinRows, from, to int) error {
	ref := h.refs[from]
	key, kg := h.keys.key(int(ref.key)), h.keys.kgs[ref.key]
	e, ok, err := t.entry(ref.bucket, kg, key)
	if err != nil {
		return err
	}
	if !ok {
		return t.damaged()
	}
	rows := e.rows
	if e.pieces > 0 {
		if rows, err = t.piece(ref.bucket, kg, key, int(ref.piece)); err != nil {
			return err
		}
	}
	out := make([]byte, 0, len(rows)+2*(to-from))
	for i := from; i < to; i++ {
		r, ok := rowAt(rows, int(h.refs[i].at))
		if !ok {
			return t.damaged()
		}
		out = appendHeld(out, r.weight, h.counts[i]+h.more[i], r.row)
	}
	if e.pieces == 0 {
		return t.putFew(ref.bucket, kg, key, out)
	}
	e.bytes += len(out) - len(rows)
	if err := t.putPiece(ref.bucket, kg, key, int(ref.piece), out); err != nil {
		return err
	}
	return t.putMany(ref.bucket, kg, key, e)
}

// hold adds the new rows of a side to those held. Rows that can never have a partner are not.
func (t *heldTable) hold(rows *joinRows) error {
	keys, cols := rows.keys, rows.b.Cols
	for g := range keys.heads {
		if keys.never[g] {
			continue
		}
		for i := keys.heads[g]; i >= 0; i = keys.next[i] {
			t.row = column.AppendRow(t.row[:0], cols, int(i))
			if err := t.add(rows.side.parity, keys.kgs[g], keys.key(g), rows.weights[i], rows.counts[i]+rows.more[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

// add adds t.row to what is held under a key.
func (t *heldTable) add(bucket int64, kg int, key []byte, weight, partners int64) error {
	e, _, err := t.entry(bucket, kg, key)
	if err != nil {
		return err
	}
	if e.pieces == 0 {
		rows, ok := withRow(e.rows, t.row, weight, partners)
		switch {
		case !ok:
			return t.damaged()
		case len(rows) > pieceBytes:
			return t.split(bucket, kg, key, heldEntry{pieces: 1, bytes: len(rows)}, rows)
		}
		return t.putFew(bucket, kg, key, rows)
	}
	n := pieceOf(xxh3.Hash(t.row), e.pieces)
	old, err := t.piece(bucket, kg, key, n)
	if err != nil {
		return err
	}
	rows, ok := withRow(old, t.row, weight, partners)
	if !ok {
		return t.damaged()
	}
	e.bytes += len(rows) - len(old)
	if e.bytes <= 0 && !t.expires {
		return t.dropKey(bucket, kg, key, e.pieces)
	}
	if err := t.putPiece(bucket, kg, key, n, rows); err != nil {
		return err
	}
	if e.bytes > e.pieces*pieceBytes {
		from := e.pieces - 1<<(bits.Len(uint(e.pieces))-1)
		rows, err := t.piece(bucket, kg, key, from)
		if err != nil {
			return err
		}
		return t.split(bucket, kg, key, e, rows)
	}
	return t.putMany(bucket, kg, key, e)
}

// withRow are rows with one more: its weight is added to that of an equal one. Rows of weight 0 are gone.
func withRow(rows, row []byte, weight, partners int64) ([]byte, bool) {
	out := make([]byte, 0, len(rows)+len(row)+16)
	for at := 0; at < len(rows); {
		h, ok := rowAt(rows, at)
		if !ok {
			return nil, false
		}
		if !bytes.Equal(h.row, row) {
			at = h.next
			continue
		}
		out = append(out, rows[:at]...)
		if weight += h.weight; weight != 0 {
			out = appendHeld(out, weight, partners, row)
		}
		return append(out, rows[h.next:]...), true
	}
	return appendHeld(append(out, rows...), weight, partners, row), true
}

// pieceOf is the piece of n in which a row lies.
func pieceOf(hash uint64, n int) int {
	size := uint64(1) << bits.Len(uint(n-1)) // the least power of two that is not less than n
	at := hash & (size - 1)
	if at >= uint64(n) {
		at = hash & (size/2 - 1)
	}
	return int(at)
}

// split adds a piece. rows are those of the piece that it takes half of.
func (t *heldTable) split(bucket int64, kg int, key []byte, e heldEntry, rows []byte) error {
	from := e.pieces - 1<<(bits.Len(uint(e.pieces))-1)
	to := e.pieces
	e.pieces++
	var stay, move []byte
	for at := 0; at < len(rows); {
		h, ok := rowAt(rows, at)
		if !ok {
			return t.damaged()
		}
		if pieceOf(xxh3.Hash(h.row), e.pieces) == to {
			move = append(move, rows[at:h.next]...)
		} else {
			stay = append(stay, rows[at:h.next]...)
		}
		at = h.next
	}
	if err := t.putPiece(bucket, kg, key, from, stay); err != nil {
		return err
	}
	if err := t.putPiece(bucket, kg, key, to, move); err != nil {
		return err
	}
	return t.putMany(bucket, kg, key, e)
}

// dropKey removes a key of which no rows are left.
func (t *heldTable) dropKey(bucket int64, kg int, key []byte, pieces int) error {
	for n := range pieces {
		t.name = appendPieceKey(t.name[:0], key, n)
		if err := t.state.Delete(bucket, kg, t.name); err != nil {
			return err
		}
	}
	return t.state.Delete(bucket, kg, key)
}
