package column

import (
	"encoding/binary"
	"fmt"
)

// EncodeBatch appends the batch as one Arrow IPC record-batch message: the form in which batches travel between tasks and
// lie in columnar topics. The schema is not part of it (ArrowViewSchema gives it in Arrow's terms). All buffers begin at
// multiples of eight bytes from the start of the message, so that a reader can use them where they lie. Strings are
// written as views, each distinct dictionary entry's bytes once. See docs/format/batch-ipc.md.
func EncodeBatch(dst []byte, b *Batch) []byte {
	e := ipcEncoder{rows: b.N}
	for _, c := range b.Cols {
		e.column(c)
	}
	start := len(dst)
	dst = e.metadata(dst)
	body := len(dst)
	for _, s := range e.parts {
		dst = append(dst, s...)
		for (len(dst)-body)&7 != 0 {
			dst = append(dst, 0)
		}
	}
	if (len(dst)-start)&7 != 0 {
		panic(fmt.Sprintf("BUG: message of %d bytes is not aligned", len(dst)-start))
	}
	return dst
}

// ipcEncoder collects what the message's metadata lists: a node for each vector, its buffers, and for string vectors the
// number of data buffers.
type ipcEncoder struct {
	rows     int
	nodes    [][2]int64 // rows, nulls
	buffers  [][2]int64 // offset in the body, length
	variadic []int64
	parts    [][]byte // the body's buffers, in order
	size     int64    // of the body so far
}

func (e *ipcEncoder) buffer(b []byte) {
	e.buffers = append(e.buffers, [2]int64{e.size, int64(len(b))})
	if len(b) > 0 {
		e.parts = append(e.parts, b)
		e.size += int64(len(b)+7) &^ 7
	}
}

func (e *ipcEncoder) column(v *Vector) {
	n := v.N
	nulls := v.NullCount()
	e.nodes = append(e.nodes, [2]int64{int64(n), int64(nulls)})
	if v.Type.Kind == Null {
		return
	}
	if nulls == 0 {
		e.buffer(nil)
	} else {
		e.buffer(rawBytes(cleanTail(v.Valid, n)))
	}
	switch v.Type.Kind.Storage() {
	case StorageBool:
		e.buffer(rawBytes(PackBools(nil, v.Bools[:n])))
	case StorageI8:
		e.buffer(rawBytes(v.I8[:n]))
	case StorageI16:
		e.buffer(rawBytes(v.I16[:n]))
	case StorageI32:
		e.buffer(rawBytes(v.I32[:n]))
	case StorageI64:
		e.buffer(rawBytes(v.I64[:n]))
	case StorageF32:
		e.buffer(rawBytes(v.F32[:n]))
	case StorageF64:
		e.buffer(rawBytes(v.F64[:n]))
	case StorageDec:
		e.buffer(rawBytes(v.Dec[:n]))
	case StorageBytes:
		views, bufs := encodeStrings(v)
		e.buffer(rawBytes(views))
		for _, b := range bufs {
			e.buffer(b)
		}
		e.variadic = append(e.variadic, int64(len(bufs)))
	case StorageList:
		e.list(v)
	case StorageStruct:
		for _, k := range v.Kids {
			e.column(k.firstRows(n))
		}
	}
}

// cleanTail is a copy of a bitmap in which the bits past n are clear, so that equal batches are equal bytes.
func cleanTail(words []uint64, n int) []uint64 {
	words = clone(words[:(n+63)/64])
	words[len(words)-1] &= tailMask(n)
	return words
}

// firstRows is v cut to n rows.
func (v *Vector) firstRows(n int) *Vector {
	if v.N == n {
		return v
	}
	return v.Slice(0, n)
}

// list writes offsets that begin at zero and only the elements that they use. A map's entries are a struct of key and
// value, as Arrow has it.
func (e *ipcEncoder) list(v *Vector) {
	offs, from, to := v.elements()
	e.buffer(rawBytes(offs))
	if v.Type.Kind == Map {
		e.nodes = append(e.nodes, [2]int64{int64(to - from), 0})
		e.buffer(nil)
	}
	for _, k := range v.Kids {
		e.column(k.Slice(from, to))
	}
}

// encodeStrings is v's views over buffers that hold little more than they use: v's own when that is so.
func encodeStrings(v *Vector) ([]View, [][]byte) {
	if v.Codes == nil && v.Valid == nil && compact(v) {
		return v.Views[:v.N], v.Bufs
	}
	if v.Codes == nil {
		return compactViews(make([]View, 0, v.N), &Vector{Type: v.Type, N: v.N, Valid: v.Valid, Views: v.Views[:v.N], Bufs: v.Bufs})
	}
	views := make([]View, v.N)
	if v.Dict.N == 0 {
		return views, nil
	}
	used := make([]bool, v.Dict.N)
	for i, c := range v.Codes[:v.N] {
		used[c] = used[c] || v.IsValid(i)
	}
	trimmed := Vector{Type: v.Type, N: v.Dict.N, Views: clone(v.Dict.Views), Bufs: v.Dict.Bufs}
	for c, u := range used {
		if !u {
			trimmed.Views[c] = View{}
		}
	}
	dict, bufs := compactViews(make([]View, 0, v.Dict.N), &trimmed)
	for i, c := range v.Codes[:v.N] {
		if v.IsValid(i) {
			views[i] = dict[c]
		}
	}
	return views, bufs
}

// compact reports whether at least half of the buffers' bytes are used, each byte counted as often as it is.
func compact(v *Vector) bool {
	used, held := 0, 0
	for i := range v.Views[:v.N] {
		if n := int(v.Views[i].Len); n > InlineLen {
			used += n
		}
	}
	for _, b := range v.Bufs {
		held += len(b)
	}
	return held <= 2*used
}

// Places in the fixed head of the metadata, a flatbuffer laid out front to back, all counted from its start.
const (
	fbMessageVT = 4
	fbMessage   = 16
	fbBatchVT   = 40
	fbBatch     = 56
	fbVectors   = 80

	metadataV5        = 4
	headerRecordBatch = 3
)

// metadata appends the message up to its body: continuation mark, length, and the flatbuffer Message{RecordBatch}.
func (e *ipcEncoder) metadata(dst []byte) []byte {
	le := binary.LittleEndian
	size := fbVectors + 8 + 16*len(e.nodes) + 8 + 16*len(e.buffers) + 8 + 8*len(e.variadic)
	dst = le.AppendUint32(dst, 0xFFFFFFFF)
	dst = le.AppendUint32(dst, uint32(size))
	at := len(dst)
	dst = append(dst, make([]byte, size)...)
	fb := dst[at:]
	le.PutUint32(fb, fbMessage)
	put16 := func(at int, words ...uint16) {
		for i, w := range words {
			le.PutUint16(fb[at+2*i:], w)
		}
	}
	put16(fbMessageVT, 12, 20, 16, 18, 4, 8)
	le.PutUint32(fb[fbMessage:], fbMessage-fbMessageVT)
	le.PutUint32(fb[fbMessage+4:], fbBatch-(fbMessage+4))
	le.PutUint64(fb[fbMessage+8:], uint64(e.size))
	put16(fbMessage+16, metadataV5)
	fb[fbMessage+18] = headerRecordBatch

	put16(fbBatchVT, 14, 24, 8, 4, 16, 0, 20)
	le.PutUint32(fb[fbBatch:], fbBatch-fbBatchVT)
	le.PutUint64(fb[fbBatch+8:], uint64(e.rows))
	next := putPairs(fb, fbVectors, fbBatch+4, e.nodes)
	next = putPairs(fb, next, fbBatch+16, e.buffers)
	le.PutUint32(fb[fbBatch+20:], uint32(next+4-(fbBatch+20)))
	le.PutUint32(fb[next+4:], uint32(len(e.variadic)))
	for i, n := range e.variadic {
		le.PutUint64(fb[next+8+8*i:], uint64(n))
	}
	return dst
}

// putPairs writes a vector of two-word structs whose data is aligned to eight, and the reference to it at ref. It returns
// the place after it.
func putPairs(fb []byte, at, ref int, pairs [][2]int64) int {
	le := binary.LittleEndian
	le.PutUint32(fb[ref:], uint32(at+4-ref))
	le.PutUint32(fb[at+4:], uint32(len(pairs)))
	for i, p := range pairs {
		le.PutUint64(fb[at+8+16*i:], uint64(p[0]))
		le.PutUint64(fb[at+16+16*i:], uint64(p[1]))
	}
	return at + 8 + 16*len(pairs)
}
