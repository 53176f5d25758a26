package column

import (
	"fmt"
	"runtime"
	"unsafe"
)

// DecodeBatch reads a message that EncodeBatch wrote for the schema. The columns share data wherever the layouts allow
// (all but booleans), so data must stay unchanged as long as the batch is in use. reuse, when not nil, is an earlier
// result whose structs are used again. Damaged data gives an error, never a batch that reads out of bounds.
func DecodeBatch(schema *Schema, data []byte, reuse *Batch) (*Batch, error) {
	return decodeBatch(schema, data, reuse, false)
}

// DecodeBatchPrefix is DecodeBatch for a message that may have been written before the schema gained its last columns:
// nullable columns that the message lacks at the end are null.
func DecodeBatchPrefix(schema *Schema, data []byte, reuse *Batch) (*Batch, error) {
	return decodeBatch(schema, data, reuse, true)
}

func decodeBatch(schema *Schema, data []byte, reuse *Batch, prefix bool) (*Batch, error) {
	m, err := parseMessage(data)
	if err != nil {
		return nil, err
	}
	if m.rows < 0 || m.rows > 1<<31-1 {
		return nil, fmt.Errorf("column: a record batch of %d rows", m.rows)
	}
	d := ipcDecoder{ipcMessage: m}
	d.align()
	b := reuse
	if b == nil || len(b.Cols) != schema.Len() {
		b = &Batch{Cols: make([]*Vector, schema.Len())}
	}
	b.Schema, b.N, b.Objects = schema, int(m.rows), nil
	for i, f := range schema.Fields {
		if prefix && f.Nullable && d.node == d.nodes.n && i > 0 {
			b.Cols[i] = Nulls(f.Type, b.N)
			continue
		}
		b.Cols[i] = d.column(b.Cols[i], f.Type, int(m.rows), 0)
		if d.err != nil {
			return nil, fmt.Errorf("column: field %q: %w", f.Name, d.err)
		}
	}
	if d.node != d.nodes.n || d.buf != d.buffers.n {
		return nil, fmt.Errorf("column: a record batch of other columns than %s", schema)
	}
	return b, nil
}

// ipcDecoder walks over a message's nodes and buffers in the order of the columns.
type ipcDecoder struct {
	ipcMessage
	node, buf, vari int
	err             error
}

// unalignedLoads: these processors read 64-bit words at any address.
const unalignedLoads = runtime.GOARCH == "amd64" || runtime.GOARCH == "arm64"

// align copies the body when its address is odd and the processor minds.
func (d *ipcDecoder) align() {
	if unalignedLoads || len(d.body) == 0 || uintptr(unsafe.Pointer(unsafe.SliceData(d.body)))&7 == 0 {
		return
	}
	words := make([]uint64, (len(d.body)+7)/8)
	d.body = rawBytes(words)[:copy(rawBytes(words), d.body)]
}

func (d *ipcDecoder) fail(format string, args ...any) {
	if d.err == nil {
		d.err = fmt.Errorf(format, args...)
	}
}

// next is the next buffer, of at least need bytes.
func (d *ipcDecoder) next(need int64) []byte {
	if d.buf >= d.buffers.n {
		d.fail("a buffer is missing")
		return nil
	}
	off, n := d.buffers.word(2*d.buf), d.buffers.word(2*d.buf+1)
	d.buf++
	if off < 0 || n < 0 || off > int64(len(d.body)) || n > int64(len(d.body))-off || n < need {
		d.fail("buffer %d (%d bytes at %d) is out of bounds or shorter than %d", d.buf-1, n, off, need)
		return nil
	}
	// The padding up to the next multiple of eight belongs to the buffer: bitmaps are read in words.
	end := min((off+n+7)&^7, int64(len(d.body)))
	return d.body[off : off+n : end]
}

func aliased[T any](d *ipcDecoder, n int) []T {
	b := d.next(int64(n) * int64(unsafe.Sizeof(*new(T))))
	if d.err != nil || n == 0 {
		return nil
	}
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(b))), n)
}

// words reads a bitmap of n bits, where it lies when it is padded to whole words.
func (d *ipcDecoder) words(n int) []uint64 {
	b := d.next(int64(n+7) / 8)
	if d.err != nil {
		return nil
	}
	if need := (n + 63) / 64 * 8; cap(b) >= need {
		return unsafe.Slice((*uint64)(unsafe.Pointer(unsafe.SliceData(b))), need/8)
	}
	out := make([]uint64, (n+63)/64)
	copy(rawBytes(out), b)
	return out
}

func (d *ipcDecoder) column(v *Vector, t Type, n, depth int) *Vector {
	if v == nil {
		v = &Vector{}
	}
	bools, kids := v.Bools, v.Kids
	*v = Vector{Type: t, N: n}
	if !d.takeNode(n) || t.Kind == Null {
		return v
	}
	if d.nodes.word(2*d.node-1) == 0 {
		d.next(0)
	} else {
		v.Valid = d.words(n)
	}
	switch t.Kind.Storage() {
	case StorageBool:
		v.Bools = unpackBools(bools, d.words(n), n)
	case StorageI8:
		v.I8 = aliased[int8](d, n)
	case StorageI16:
		v.I16 = aliased[int16](d, n)
	case StorageI32:
		v.I32 = aliased[int32](d, n)
	case StorageI64:
		v.I64 = aliased[int64](d, n)
	case StorageF32:
		v.F32 = aliased[float32](d, n)
	case StorageF64:
		v.F64 = aliased[float64](d, n)
	case StorageDec:
		v.Dec = aliased[Dec128](d, n)
	case StorageBytes:
		d.strings(v, n)
	case StorageList:
		d.list(v, t, n, kids, depth)
	case StorageStruct:
		d.kids(v, t, n, kids, depth)
	}
	return v
}

// takeNode checks that the next vector has n rows.
func (d *ipcDecoder) takeNode(n int) bool {
	if d.err != nil {
		return false
	}
	if d.node >= d.nodes.n || d.nodes.word(2*d.node) != int64(n) {
		d.fail("the column does not have %d rows", n)
		return false
	}
	d.node++
	return true
}

func unpackBools(dst []bool, words []uint64, n int) []bool {
	if len(words)*64 < n { // the buffer was refused
		return dst[:0]
	}
	dst = resize(dst, n)
	for i := range dst {
		dst[i] = words[i>>6]>>(uint(i)&63)&1 != 0
	}
	return dst
}

func (d *ipcDecoder) strings(v *Vector, n int) {
	v.Views = aliased[View](d, n)
	if d.vari >= d.variadic.n {
		d.fail("the number of string buffers is missing")
		return
	}
	count := d.variadic.word(d.vari)
	d.vari++
	if count < 0 || count > int64(d.buffers.n-d.buf) {
		d.fail("%d string buffers", count)
		return
	}
	for range count {
		v.Bufs = append(v.Bufs, d.next(0))
	}
	if d.err == nil && !checkViews(v) {
		d.fail("a string lies outside of its buffers")
	}
}

// checkViews reports whether every long view lies inside its buffer.
func checkViews(v *Vector) bool {
	for i := range v.Views {
		w := &v.Views[i]
		if w.Len > InlineLen {
			if int(w.buf) >= len(v.Bufs) || uint64(w.off)+uint64(w.Len) > uint64(len(v.Bufs[w.buf])) {
				return false
			}
		}
	}
	return true
}

func (d *ipcDecoder) list(v *Vector, t Type, n int, kids []*Vector, depth int) {
	v.Offs = aliased[int32](d, n+1)
	if d.err != nil {
		return
	}
	last := v.Offs[0]
	for _, o := range v.Offs {
		if o < last {
			d.fail("list offsets go down")
			return
		}
		last = o
	}
	if v.Offs[0] < 0 {
		d.fail("a list offset is negative")
		return
	}
	elems := int(last)
	if t.Kind == Map {
		if !d.takeNode(elems) {
			return
		}
		d.next(0)
	}
	d.kids(v, t, elems, kids, depth)
}

func (d *ipcDecoder) kids(v *Vector, t Type, n int, kids []*Vector, depth int) {
	if depth > maxDepth {
		d.fail("the type is nested too deeply")
		return
	}
	if len(kids) != len(t.Fields) {
		kids = make([]*Vector, len(t.Fields))
	}
	for i, f := range t.Fields {
		kids[i] = d.column(kids[i], f.Type, n, depth+1)
	}
	v.Kids = kids
}
