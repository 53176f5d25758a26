package column

import (
	"encoding/binary"
	"math"
)

// A variant is a value of a type of its own, after Parquet's specification of variant (VariantEncoding.md), which Spark's
// VARIANT has too. A row of a Variant column is its metadata, the dictionary of the keys of objects, and behind it the
// value. See docs/format/variant.md.

// VariantKind tells what a variant holds. The integers of all widths are one kind.
type VariantKind uint8

const (
	VariantBad VariantKind = iota // the bytes are no variant
	VariantNull
	VariantBool
	VariantInt
	VariantDouble
	VariantDecimal
	VariantDate
	VariantTimestamp
	VariantTimestampNTZ
	VariantFloat
	VariantBinary
	VariantString
	VariantTime
	VariantUUID
	VariantObject
	VariantArray
)

// The two low bits of a value's first byte.
const (
	basicPrimitive = iota
	basicShortString
	basicObject
	basicArray
)

// The type of a primitive, the six high bits of its first byte.
const (
	primNull = iota
	primTrue
	primFalse
	primInt8
	primInt16
	primInt32
	primInt64
	primDouble
	primDecimal4
	primDecimal8
	primDecimal16
	primDate
	primTimestamp
	primTimestampNTZ
	primFloat
	primBinary
	primString
	primTime
	primTimestampNanos
	primTimestampNTZNanos
	primUUID
)

// primitives tells the kind of each primitive type and the bytes of its value; -1: a length of four bytes comes first.
var primitives = [...]struct {
	kind VariantKind
	size int
}{primNull: {VariantNull, 0}, primTrue: {VariantBool, 0}, primFalse: {VariantBool, 0}, primInt8: {VariantInt, 1}, primInt16: {VariantInt, 2},
	primInt32: {VariantInt, 4}, primInt64: {VariantInt, 8}, primDouble: {VariantDouble, 8}, primDecimal4: {VariantDecimal, 5},
	primDecimal8: {VariantDecimal, 9}, primDecimal16: {VariantDecimal, 17}, primDate: {VariantDate, 4}, primTimestamp: {VariantTimestamp, 8},
	primTimestampNTZ: {VariantTimestampNTZ, 8}, primFloat: {VariantFloat, 4}, primBinary: {VariantBinary, -1}, primString: {VariantString, -1},
	primTime: {VariantTime, 8}, primTimestampNanos: {VariantTimestamp, 8}, primTimestampNTZNanos: {VariantTimestampNTZ, 8}, primUUID: {VariantUUID, 16}}

// MaxVariant is the most bytes that a variant's metadata or value has, as in Spark.
const MaxVariant = 1 << 24

// VariantRef is a value within a variant. It refers to the variant's bytes. Every method checks what it reads, so that
// bytes from anywhere can be looked at.
type VariantRef struct {
	Meta  []byte // the dictionary of keys
	Value []byte // begins at the value's first byte; more may follow
}

// Variant is row i of a Variant column.
func (v *Vector) Variant(i int) VariantRef { return SplitVariant(v.Bytes(i)) }

// SplitVariant separates the metadata of a variant's bytes from the value. What is no variant gives one of VariantBad.
func SplitVariant(b []byte) VariantRef {
	n := metadataLen(b)
	if n == 0 {
		return VariantRef{}
	}
	return VariantRef{b[:n:n], b[n:]}
}

// metadataLen is the length of the metadata at the start of b, 0 when there is none.
func metadataLen(b []byte) int {
	size, offs, ok := dictionary(b)
	if !ok {
		return 0
	}
	width := int(b[0]>>6) + 1
	end := offs + (size+1)*width
	last := littleEndian(b[end-width:], width)
	if last > len(b)-end {
		return 0
	}
	return end + last
}

// dictionary gives the number of keys and where their offsets begin.
func dictionary(b []byte) (size, offs int, ok bool) {
	if len(b) < 3 || b[0]&15 != 1 {
		return 0, 0, false
	}
	width := int(b[0]>>6) + 1
	if len(b) < 1+width {
		return 0, 0, false
	}
	size = littleEndian(b[1:], width)
	offs = 1 + width
	return size, offs, size < MaxVariant && (size+1)*width <= len(b)-offs
}

// littleEndian is an unsigned integer of width bytes, 1 to 4; b is long enough.
func littleEndian(b []byte, width int) int {
	n := 0
	for i := width - 1; i >= 0; i-- {
		n = n<<8 | int(b[i])
	}
	return n
}

// key is the dictionary's entry id.
func (r VariantRef) key(id int) ([]byte, bool) {
	size, offs, ok := dictionary(r.Meta)
	if !ok || id >= size {
		return nil, false
	}
	width := int(r.Meta[0]>>6) + 1
	from := littleEndian(r.Meta[offs+id*width:], width)
	to := littleEndian(r.Meta[offs+(id+1)*width:], width)
	text := r.Meta[offs+(size+1)*width:]
	if from > to || to > len(text) {
		return nil, false
	}
	return text[from:to], true
}

// Kind tells what the value is.
func (r VariantRef) Kind() VariantKind {
	if len(r.Value) == 0 {
		return VariantBad
	}
	switch h := r.Value[0]; h & 3 {
	case basicShortString:
		return r.whole(VariantString, 1+int(h>>2))
	case basicObject:
		return VariantObject
	case basicArray:
		return VariantArray
	}
	p := int(r.Value[0] >> 2)
	if p >= len(primitives) {
		return VariantBad
	}
	if size := primitives[p].size; size >= 0 {
		return r.whole(primitives[p].kind, 1+size)
	}
	if len(r.Value) < 5 {
		return VariantBad
	}
	return r.whole(primitives[p].kind, 5+int(binary.LittleEndian.Uint32(r.Value[1:])))
}

// whole is k when size bytes of the value are there.
func (r VariantRef) whole(k VariantKind, size int) VariantKind {
	if size > len(r.Value) {
		return VariantBad
	}
	return k
}

// IsNull reports whether the value is the null of JSON.
func (r VariantRef) IsNull() bool { return len(r.Value) > 0 && r.Value[0] == primNull }

// Bool is the value of kind VariantBool.
func (r VariantRef) Bool() bool { return r.Value[0]>>2 == primTrue }

// Int is the value of kind VariantInt, VariantDate (days), or VariantTimestamp, VariantTimestampNTZ and VariantTime (microseconds).
func (r VariantRef) Int() int64 {
	le, v := binary.LittleEndian, r.Value[1:]
	switch p := r.Value[0] >> 2; p {
	case primInt8:
		return int64(int8(v[0]))
	case primInt16:
		return int64(int16(le.Uint16(v)))
	case primInt32, primDate:
		return int64(int32(le.Uint32(v)))
	case primTimestampNanos, primTimestampNTZNanos:
		return int64(floorDiv(int(le.Uint64(v)), 1000))
	default:
		return int64(le.Uint64(v))
	}
}

// Float is the value of kind VariantDouble or VariantFloat.
func (r VariantRef) Float() float64 {
	if r.Value[0]>>2 == primFloat {
		return float64(math.Float32frombits(binary.LittleEndian.Uint32(r.Value[1:])))
	}
	return math.Float64frombits(binary.LittleEndian.Uint64(r.Value[1:]))
}

// Decimal is the value of kind VariantDecimal without zeros at the end, its digits and how many of them stand behind the
// point; false when there are more than 38.
func (r VariantRef) Decimal() (d Dec128, precision, scale int, ok bool) {
	le := binary.LittleEndian
	scale = int(r.Value[1])
	switch v := r.Value[2:]; r.Value[0] >> 2 {
	case primDecimal4:
		d = DecFromInt(int64(int32(le.Uint32(v))))
	case primDecimal8:
		d = DecFromInt(int64(le.Uint64(v)))
	default:
		d = Dec128{Lo: le.Uint64(v), Hi: int64(le.Uint64(v[8:]))}
	}
	d, precision, scale = stripZeros(d, scale)
	return d, max(precision, scale), scale, precision <= MaxPrecision && scale <= MaxPrecision
}

// stripZeros drops digits 0 from behind the point and counts the digits that are left.
func stripZeros(d Dec128, scale int) (Dec128, int, int) {
	if d == (Dec128{}) {
		return d, 1, 0
	}
	text := d.Big().String()
	digits := len(text)
	if text[0] == '-' {
		digits--
	}
	cut := 0
	for cut < scale && cut < digits-1 && text[len(text)-1-cut] == '0' {
		cut++
	}
	if cut > 0 {
		d, _ = DecFromBig(roundQuotient(d.Big(), cut), MaxPrecision)
	}
	return d, digits - cut, scale - cut
}

// Bytes are the bytes of kind VariantString, VariantBinary or VariantUUID.
func (r VariantRef) Bytes() []byte {
	h := r.Value[0]
	switch {
	case h&3 == basicShortString:
		return r.Value[1 : 1+h>>2]
	case h>>2 == primUUID:
		return r.Value[1:17]
	}
	n := binary.LittleEndian.Uint32(r.Value[1:])
	return r.Value[5 : 5+n]
}
