package column

import (
	"encoding/binary"
	"unsafe"
)

// Vector is one column of N rows. Exactly the storage that its type's Kind names is set; the value of a null row is
// unspecified but readable. See the package comment for the layout.
type Vector struct {
	Type  Type
	N     int
	Valid []uint64 // bit i%64 of word i/64 is set when row i is not null; nil means no row is null

	Bools []bool
	I8    []int8
	I16   []int16
	I32   []int32
	I64   []int64
	F32   []float32
	F64   []float64
	Dec   []Dec128

	Views []View   // strings and binary; each view points into Bufs or holds up to 12 bytes itself
	Bufs  [][]byte // immutable once referred to

	Codes []int32 // dictionary-coded strings: row i is Dict row Codes[i]; Views is nil then
	Dict  *Vector

	Offs []int32 // lists and maps: row i is Kids[..][Offs[i]:Offs[i+1]]
	Kids []*Vector

	// Const marks a vector that stores one row standing for N equal ones. It lives only inside expression evaluation;
	// a Batch never holds one.
	Const bool

	fixed     *fixedDict // of a dictionary that never changes
	spare     []uint64   // a bitmap's memory while Valid is nil
	codeSpare []int32    // Codes of an earlier use
}

// Dec128 is a signed 128-bit integer, the unscaled value of a decimal: Hi*2^64 + Lo.
type Dec128 struct {
	Lo uint64
	Hi int64
}

// View is a string or byte string of Len bytes. Up to 12 bytes are stored in place (prefix, then rest); longer ones keep
// their first four bytes in prefix and lie at Bufs[buf][off:off+Len].
//
//	 0      4        8        12       16
//	┌──────┬────────┬────────┬────────┐
//	│ len  │ bytes in place, up to 12 │   len <= 12
//	├──────┼────────┼────────┼────────┤
//	│ len  │ prefix │ buf    │ off    │   len > 12
//	└──────┴────────┴────────┴────────┘
type View struct {
	Len    uint32
	prefix [4]byte
	buf    uint32
	off    uint32
}

// InlineLen is the longest string that a View stores in place.
const InlineLen = 12

// MakeView returns the view of b, which must already lie at bufs[buf][off:] when it is longer than InlineLen.
func MakeView(b []byte, buf, off uint32) View {
	v := View{Len: uint32(len(b))}
	le := binary.LittleEndian
	switch n := len(b); {
	case n > InlineLen:
		le.PutUint32(v.prefix[:], le.Uint32(b))
		v.buf, v.off = buf, off
	case n >= 8:
		// Two overlapping loads; what the first has already is shifted out of the second.
		le.PutUint32(v.prefix[:], le.Uint32(b))
		rest := le.Uint64(b[n-8:]) >> (8 * uint(12-n))
		v.buf, v.off = uint32(rest), uint32(rest>>32)
	case n >= 4:
		le.PutUint32(v.prefix[:], le.Uint32(b))
		v.buf = uint32(uint64(le.Uint32(b[n-4:])) >> (8 * uint(8-n)))
	case n > 0:
		word := uint32(b[0]) | uint32(b[n>>1])<<(8*uint(n>>1)) | uint32(b[n-1])<<(8*uint(n-1))
		le.PutUint32(v.prefix[:], word)
	}
	return v
}

// IsValid reports whether row i is not null.
func (v *Vector) IsValid(i int) bool {
	if v.Type.Kind == Null {
		return false
	}
	if v.Const {
		i = 0
	}
	return v.Valid == nil || v.Valid[uint(i)>>6]>>(uint(i)&63)&1 != 0
}

// Bytes returns the bytes of row i of a string or binary vector without copying; they must not be changed and live as
// long as the vector does.
func (v *Vector) Bytes(i int) []byte {
	if v.Const {
		i = 0
	}
	if v.Codes != nil {
		return v.Dict.Bytes(int(v.Codes[i]))
	}
	w := &v.Views[i]
	if w.Len <= InlineLen {
		return unsafe.Slice((*byte)(unsafe.Pointer(&w.prefix)), w.Len)
	}
	return v.Bufs[w.buf][w.off : w.off+w.Len : w.off+w.Len]
}

// Str returns row i of a string vector as a string that shares the vector's memory: clone it to keep it.
func (v *Vector) Str(i int) string {
	b := v.Bytes(i)
	return unsafe.String(unsafe.SliceData(b), len(b))
}

// SetNull marks row i null, making the bitmap when there is none.
func (v *Vector) SetNull(i int) {
	if v.Valid == nil {
		v.Valid = AllValid(nil, v.N)
	}
	v.Valid[uint(i)>>6] &^= 1 << (uint(i) & 63)
}

// AllValid returns words for n rows with every bit set, reusing dst when it is large enough. Bits past n are set too.
func AllValid(dst []uint64, n int) []uint64 {
	words := (n + 63) / 64
	if cap(dst) < words {
		dst = make([]uint64, words)
	}
	dst = dst[:words]
	for i := range dst {
		dst[i] = ^uint64(0)
	}
	return dst
}
