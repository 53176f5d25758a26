package column

import "fmt"

// Builder makes a vector row by row. Finish hands out what was built; Reset reuses that memory for the next vector, so
// call it only when the finished vector is no longer needed. Appending after Finish without Reset starts a new vector in
// fresh memory and leaves the finished one alone.
type Builder struct {
	v    Vector
	buf  []byte // the buffer being filled with long strings, the last of v.Bufs
	kids []*Builder
	done bool
}

// NewBuilder returns a builder of vectors of type t.
func NewBuilder(t Type) *Builder {
	b := &Builder{}
	b.init(t)
	return b
}

func (b *Builder) init(t Type) {
	b.v = Vector{Type: t}
	b.buf, b.done = nil, false
	if b.kids == nil {
		for _, f := range t.Fields {
			b.kids = append(b.kids, NewBuilder(f.Type))
		}
	}
	if t.Kind.Storage() == StorageList {
		b.v.Offs = append(b.v.Offs, 0)
	}
}

// Type is the type of the vectors built.
func (b *Builder) Type() Type { return b.v.Type }

// Len is the number of rows appended since the last Finish or Reset.
func (b *Builder) Len() int {
	if b.done {
		return 0
	}
	return b.v.N
}

// Finish returns the vector built so far; see Builder for how long it lives.
func (b *Builder) Finish() *Vector {
	if b.done {
		b.fresh()
	}
	b.done = true
	b.sealBuf()
	if len(b.kids) > 0 {
		b.v.Kids = make([]*Vector, len(b.kids))
		for i, k := range b.kids {
			b.v.Kids[i] = k.Finish()
		}
	}
	out := b.v
	out.spare = nil
	return &out
}

// fresh starts a new vector without touching the memory of the finished one.
func (b *Builder) fresh() {
	for _, k := range b.kids {
		if k.done {
			k.fresh()
		}
	}
	b.init(b.v.Type)
}

// Reset empties the builder and keeps its memory, that of the finished vector too.
func (b *Builder) Reset() {
	v := &b.v
	v.N = 0
	v.dropValid()
	v.Bools, v.I8, v.I16, v.I32, v.I64 = v.Bools[:0], v.I8[:0], v.I16[:0], v.I32[:0], v.I64[:0]
	v.F32, v.F64, v.Dec, v.Views = v.F32[:0], v.F64[:0], v.Dec[:0], v.Views[:0]
	if b.buf != nil {
		b.buf = b.buf[:0]
		v.Bufs = append(v.Bufs[:0:0], b.buf)
	} else {
		v.Bufs = nil
	}
	if v.Type.Kind.Storage() == StorageList {
		v.Offs = append(v.Offs[:0], 0)
	}
	v.Kids, b.done = nil, false
	for _, k := range b.kids {
		k.Reset()
	}
}

// added accounts for a valid row whose value has been appended.
func (b *Builder) added() {
	if b.v.Valid != nil {
		b.setBit(true)
	}
	b.v.N++
}

func (b *Builder) setBit(valid bool) {
	w := b.v.N >> 6
	if w == len(b.v.Valid) {
		b.v.Valid = append(b.v.Valid, 0)
	}
	if valid {
		b.v.Valid[w] |= 1 << (uint(b.v.N) & 63)
	} else {
		b.v.Valid[w] &^= 1 << (uint(b.v.N) & 63)
	}
}

// AppendNull appends a null row.
func (b *Builder) AppendNull() {
	if b.done {
		b.fresh()
	}
	v := &b.v
	if v.Valid == nil && v.Type.Kind != Null {
		v.Valid = AllValid(v.spare, v.N)
		v.spare = nil
	}
	switch v.Type.Kind.Storage() {
	case StorageNone:
		v.N++
		return
	case StorageBool:
		v.Bools = append(v.Bools, false)
	case StorageI8:
		v.I8 = append(v.I8, 0)
	case StorageI16:
		v.I16 = append(v.I16, 0)
	case StorageI32:
		v.I32 = append(v.I32, 0)
	case StorageI64:
		v.I64 = append(v.I64, 0)
	case StorageF32:
		v.F32 = append(v.F32, 0)
	case StorageF64:
		v.F64 = append(v.F64, 0)
	case StorageDec:
		v.Dec = append(v.Dec, Dec128{})
	case StorageBytes:
		v.Views = append(v.Views, View{})
	case StorageList:
		v.Offs = append(v.Offs, v.Offs[len(v.Offs)-1])
	case StorageStruct:
		for _, k := range b.kids {
			k.AppendNull()
		}
	}
	b.setBit(false)
	v.N++
}

// AppendBool appends to a boolean column.
func (b *Builder) AppendBool(x bool) {
	if b.done {
		b.fresh()
	}
	b.v.Bools = append(b.v.Bools, x)
	b.added()
}

// AppendI64 appends to a column of any integer, date, timestamp or interval type; the value must fit.
func (b *Builder) AppendI64(x int64) {
	if b.done {
		b.fresh()
	}
	switch b.v.Type.Kind.Storage() {
	case StorageI64:
		b.v.I64 = append(b.v.I64, x)
	case StorageI32:
		b.v.I32 = append(b.v.I32, int32(x))
	case StorageI16:
		b.v.I16 = append(b.v.I16, int16(x))
	case StorageI8:
		b.v.I8 = append(b.v.I8, int8(x))
	default:
		panic("BUG: AppendI64 on a " + b.v.Type.String() + " column")
	}
	b.added()
}

// AppendF64 appends to a float or double column.
func (b *Builder) AppendF64(x float64) {
	if b.done {
		b.fresh()
	}
	if b.v.Type.Kind == Float32 {
		b.v.F32 = append(b.v.F32, float32(x))
	} else {
		b.v.F64 = append(b.v.F64, x)
	}
	b.added()
}

// AppendDec appends to a decimal column.
func (b *Builder) AppendDec(x Dec128) {
	if b.done {
		b.fresh()
	}
	b.v.Dec = append(b.v.Dec, x)
	b.added()
}

// AppendString appends to a string or binary column, copying the bytes.
func (b *Builder) AppendString(s string) { b.AppendBytes(bytesOf(s)) }

// AppendBytes appends to a string or binary column, copying the bytes.
func (b *Builder) AppendBytes(s []byte) {
	if b.done {
		b.fresh()
	}
	if len(s) <= InlineLen {
		b.v.Views = append(b.v.Views, MakeView(s, 0, 0))
	} else {
		buf, off := b.store(s)
		b.v.Views = append(b.v.Views, MakeView(s, buf, off))
	}
	b.added()
}

const (
	minBuf = 4 << 10
	maxBuf = 4 << 20
)

// store copies a long string into the current buffer and returns where.
func (b *Builder) store(s []byte) (buf, off uint32) {
	if cap(b.buf)-len(b.buf) < len(s) || len(b.v.Bufs) == 0 {
		b.sealBuf()
		b.buf = make([]byte, 0, max(len(s), min(max(2*cap(b.buf), minBuf), maxBuf)))
		b.v.Bufs = append(b.v.Bufs, b.buf)
	}
	off = uint32(len(b.buf))
	b.buf = append(b.buf, s...)
	return uint32(len(b.v.Bufs) - 1), off
}

// sealBuf writes the current buffer's length back into Bufs.
func (b *Builder) sealBuf() {
	if n := len(b.v.Bufs); n > 0 {
		b.v.Bufs[n-1] = b.buf
	}
}

// AppendFrom appends row i of v, which has the builder's type.
func (b *Builder) AppendFrom(v *Vector, i int) {
	if !v.IsValid(i) {
		b.AppendNull()
		return
	}
	if b.done {
		b.fresh()
	}
	if v.Const {
		i = 0
	}
	w := &b.v
	switch w.Type.Kind.Storage() {
	case StorageBool:
		w.Bools = append(w.Bools, v.Bools[i])
	case StorageI8:
		w.I8 = append(w.I8, v.I8[i])
	case StorageI16:
		w.I16 = append(w.I16, v.I16[i])
	case StorageI32:
		w.I32 = append(w.I32, v.I32[i])
	case StorageI64:
		w.I64 = append(w.I64, v.I64[i])
	case StorageF32:
		w.F32 = append(w.F32, v.F32[i])
	case StorageF64:
		w.F64 = append(w.F64, v.F64[i])
	case StorageDec:
		w.Dec = append(w.Dec, v.Dec[i])
	case StorageBytes:
		b.AppendBytes(v.Bytes(i))
		return
	case StorageList:
		for j := v.Offs[i]; j < v.Offs[i+1]; j++ {
			for k, kid := range b.kids {
				kid.AppendFrom(v.Kids[k], int(j))
			}
		}
		w.Offs = append(w.Offs, int32(b.kids[0].Len()))
	case StorageStruct:
		for k, kid := range b.kids {
			kid.AppendFrom(v.Kids[k], i)
		}
	}
	b.added()
}

// Kid is the builder of child i of a nested type. Append the children of a row first, then call CloseRow.
func (b *Builder) Kid(i int) *Builder {
	if b.done {
		b.fresh()
	}
	return b.kids[i]
}

// CloseRow ends a list, map or struct row whose children have been appended through Kid.
func (b *Builder) CloseRow() {
	if b.done {
		b.fresh()
	}
	if b.v.Type.Kind.Storage() == StorageList {
		b.v.Offs = append(b.v.Offs, int32(b.kids[0].Len()))
	}
	b.added()
}

// AppendValue appends a boxed value of the Go types that Value returns; int, int32 and float32 are taken too.
func (b *Builder) AppendValue(x any) error {
	switch x := x.(type) {
	case nil:
		b.AppendNull()
	case bool:
		if b.v.Type.Kind != Bool {
			return b.mismatch(x)
		}
		b.AppendBool(x)
	case int64:
		return b.appendInt(x)
	case int:
		return b.appendInt(int64(x))
	case int32:
		return b.appendInt(int64(x))
	case float64:
		return b.appendFloat(x)
	case float32:
		return b.appendFloat(float64(x))
	case Dec128:
		if b.v.Type.Kind.Storage() != StorageDec {
			return b.mismatch(x)
		}
		b.AppendDec(x)
	case string:
		return b.appendText(x, bytesOf(x))
	case []byte:
		return b.appendText(x, x)
	case []any:
		return b.appendList(x)
	case [2][]any:
		return b.appendMap(x)
	default:
		return b.mismatch(x)
	}
	return nil
}

func (b *Builder) mismatch(x any) error {
	return fmt.Errorf("column: a %T is no value of type %s", x, b.v.Type)
}

func (b *Builder) appendInt(x int64) error {
	switch b.v.Type.Kind.Storage() {
	case StorageI8, StorageI16, StorageI32, StorageI64:
		b.AppendI64(x)
		return nil
	case StorageF32, StorageF64:
		b.AppendF64(float64(x))
		return nil
	}
	return b.mismatch(x)
}

func (b *Builder) appendFloat(x float64) error {
	if !b.v.Type.IsFloat() {
		return b.mismatch(x)
	}
	b.AppendF64(x)
	return nil
}

func (b *Builder) appendText(x any, s []byte) error {
	if b.v.Type.Kind.Storage() != StorageBytes {
		return b.mismatch(x)
	}
	b.AppendBytes(s)
	return nil
}

func (b *Builder) appendList(x []any) error {
	n := b.Len()
	err := b.appendKids(x)
	if err != nil {
		b.Truncate(n)
		return err
	}
	b.CloseRow()
	return nil
}

func (b *Builder) appendKids(x []any) error {
	switch {
	case b.v.Type.Kind == List:
		for _, e := range x {
			if err := b.Kid(0).AppendValue(e); err != nil {
				return err
			}
		}
	case b.v.Type.Kind == Struct && len(x) == len(b.kids):
		for i, e := range x {
			if err := b.Kid(i).AppendValue(e); err != nil {
				return err
			}
		}
	default:
		return b.mismatch(x)
	}
	return nil
}

func (b *Builder) appendMap(x [2][]any) error {
	if b.v.Type.Kind != Map || len(x[0]) != len(x[1]) {
		return b.mismatch(x)
	}
	n := b.Len()
	for i := range x[0] {
		for k := range 2 {
			if err := b.Kid(k).AppendValue(x[k][i]); err != nil {
				b.Truncate(n)
				return err
			}
		}
	}
	b.CloseRow()
	return nil
}

// Truncate drops the rows after the first n, and children appended for a row that was not closed.
func (b *Builder) Truncate(n int) {
	if b.done {
		b.fresh()
	}
	v := &b.v
	v.N = n
	if v.Valid != nil {
		v.Valid = v.Valid[:(n+63)/64]
	}
	switch v.Type.Kind.Storage() {
	case StorageBool:
		v.Bools = v.Bools[:n]
	case StorageI8:
		v.I8 = v.I8[:n]
	case StorageI16:
		v.I16 = v.I16[:n]
	case StorageI32:
		v.I32 = v.I32[:n]
	case StorageI64:
		v.I64 = v.I64[:n]
	case StorageF32:
		v.F32 = v.F32[:n]
	case StorageF64:
		v.F64 = v.F64[:n]
	case StorageDec:
		v.Dec = v.Dec[:n]
	case StorageBytes:
		v.Views = v.Views[:n]
	case StorageList:
		v.Offs = v.Offs[:n+1]
		for _, k := range b.kids {
			k.Truncate(int(v.Offs[n]))
		}
	case StorageStruct:
		for _, k := range b.kids {
			k.Truncate(n)
		}
	}
}
