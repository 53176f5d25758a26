package column

import (
	"bytes"
	"encoding/binary"
	"math"
	"slices"
)

// VariantBuilder writes one variant after another. Values are appended in the order in which they stand; an object or
// array is opened by Len, its members are appended, and EndArray or EndObject puts its frame before them.
type VariantBuilder struct {
	value []byte
	ids   map[string]int
	keys  []string
}

// VariantMember is a member of an object under construction: its key, and where its value begins.
type VariantMember struct {
	id, at int
}

// Reset begins another variant.
func (b *VariantBuilder) Reset() {
	b.value, b.keys = b.value[:0], b.keys[:0]
	clear(b.ids)
}

// Len is the number of bytes of values so far.
func (b *VariantBuilder) Len() int { return len(b.value) }

// Null, Bool, Int, Double, Float, Date, Timestamp, TimestampNTZ and Time append a value of that kind.
func (b *VariantBuilder) Null() { b.prim(primNull) }

func (b *VariantBuilder) prim(p int) { b.value = append(b.value, byte(p<<2)) }

// Bool appends true or false.
func (b *VariantBuilder) Bool(x bool) {
	if x {
		b.prim(primTrue)
	} else {
		b.prim(primFalse)
	}
}

// Int appends an integer in as few bytes as hold it.
func (b *VariantBuilder) Int(x int64) {
	le := binary.LittleEndian
	switch {
	case int64(int8(x)) == x:
		b.prim(primInt8)
		b.value = append(b.value, byte(x))
	case int64(int16(x)) == x:
		b.prim(primInt16)
		b.value = le.AppendUint16(b.value, uint16(x))
	case int64(int32(x)) == x:
		b.prim(primInt32)
		b.value = le.AppendUint32(b.value, uint32(x))
	default:
		b.long(primInt64, x)
	}
}

func (b *VariantBuilder) long(p int, x int64) {
	b.prim(p)
	b.value = binary.LittleEndian.AppendUint64(b.value, uint64(x))
}

// Double appends a double.
func (b *VariantBuilder) Double(x float64) { b.long(primDouble, int64(math.Float64bits(x))) }

// Float appends a float.
func (b *VariantBuilder) Float(x float32) { b.word(primFloat, math.Float32bits(x)) }

func (b *VariantBuilder) word(p int, x uint32) {
	b.prim(p)
	b.value = binary.LittleEndian.AppendUint32(b.value, x)
}

// Date appends days since 1970-01-01.
func (b *VariantBuilder) Date(days int32) { b.word(primDate, uint32(days)) }

// Timestamp appends an instant in microseconds.
func (b *VariantBuilder) Timestamp(us int64) { b.long(primTimestamp, us) }

// TimestampNTZ appends a wall-clock reading in microseconds.
func (b *VariantBuilder) TimestampNTZ(us int64) { b.long(primTimestampNTZ, us) }

// Time appends a time of day in microseconds.
func (b *VariantBuilder) Time(us int64) { b.long(primTime, us) }

// Decimal appends d / 10^scale, which has so many digits, in as few bytes as the digits need.
func (b *VariantBuilder) Decimal(d Dec128, digits, scale int) {
	le := binary.LittleEndian
	switch digits = max(digits, scale); {
	case digits <= 9:
		b.value = le.AppendUint32(append(b.value, primDecimal4<<2, byte(scale)), uint32(d.Lo))
	case digits <= 18:
		b.value = le.AppendUint64(append(b.value, primDecimal8<<2, byte(scale)), d.Lo)
	default:
		b.value = le.AppendUint64(append(b.value, primDecimal16<<2, byte(scale)), d.Lo)
		b.value = le.AppendUint64(b.value, uint64(d.Hi))
	}
}

// Text appends a string.
func (b *VariantBuilder) Text(s []byte) {
	if len(s) < 64 {
		b.value = append(append(b.value, byte(len(s)<<2|basicShortString)), s...)
		return
	}
	b.word(primString, uint32(len(s)))
	b.value = append(b.value, s...)
}

// Binary appends bytes.
func (b *VariantBuilder) Binary(s []byte) {
	b.word(primBinary, uint32(len(s)))
	b.value = append(b.value, s...)
}

// Key begins a member of an object: its value is appended next.
func (b *VariantBuilder) Key(key []byte) VariantMember {
	id, ok := b.ids[string(key)]
	if !ok {
		if b.ids == nil {
			b.ids = map[string]int{}
		}
		id = len(b.keys)
		b.keys = append(b.keys, string(key))
		b.ids[b.keys[id]] = id
	}
	return VariantMember{id, len(b.value)}
}

// EndArray makes an array of what was appended since start; at holds where each element begins.
func (b *VariantBuilder) EndArray(start int, at []int) {
	size := len(b.value) - start
	width := byteWidth(size)
	frame := []byte{byte((width - 1 | boolInt(len(at) > 255)<<2) << 2), byte(len(at))}
	if frame[0] |= basicArray; len(at) > 255 {
		frame = binary.LittleEndian.AppendUint32(frame[:1], uint32(len(at)))
	}
	for _, a := range at {
		frame = appendWidth(frame, a-start, width)
	}
	b.insert(start, appendWidth(frame, size, width))
}

// EndObject makes an object of what was appended since start. It returns the key that stands in it twice, nil when none
// does.
func (b *VariantBuilder) EndObject(start int, list []VariantMember) (twice []byte) {
	slices.SortStableFunc(list, func(x, y VariantMember) int { return bytes.Compare(bytesOf(b.keys[x.id]), bytesOf(b.keys[y.id])) })
	size, top := len(b.value)-start, 0
	for i, m := range list {
		if top = max(top, m.id); i > 0 && list[i-1].id == m.id {
			return []byte(b.keys[m.id])
		}
	}
	width, idWidth := byteWidth(size), byteWidth(top)
	frame := []byte{byte(((width - 1) | (idWidth-1)<<2 | boolInt(len(list) > 255)<<4) << 2), byte(len(list))}
	if frame[0] |= basicObject; len(list) > 255 {
		frame = binary.LittleEndian.AppendUint32(frame[:1], uint32(len(list)))
	}
	for _, m := range list {
		frame = appendWidth(frame, m.id, idWidth)
	}
	for _, m := range list {
		frame = appendWidth(frame, m.at-start, width)
	}
	b.insert(start, appendWidth(frame, size, width))
	return nil
}

// insert puts a frame before the members that begin at start.
func (b *VariantBuilder) insert(start int, frame []byte) {
	b.value = append(b.value, frame...)
	copy(b.value[start+len(frame):], b.value[start:len(b.value)-len(frame)])
	copy(b.value[start:], frame)
}

func byteWidth(n int) int {
	switch {
	case n < 1<<8:
		return 1
	case n < 1<<16:
		return 2
	case n < 1<<24:
		return 3
	}
	return 4
}

func appendWidth(dst []byte, n, width int) []byte {
	for range width {
		dst = append(dst, byte(n))
		n >>= 8
	}
	return dst
}

// Ref appends a value of another variant, whose keys get ids of this one. It must be Valid.
func (b *VariantBuilder) Ref(r VariantRef) {
	start, n := len(b.value), r.Len()
	switch r.Kind() {
	case VariantObject:
		list := make([]VariantMember, 0, n)
		for i := range n {
			key, v, _ := r.Member(i)
			list = append(list, b.Key(key))
			b.Ref(v)
		}
		b.EndObject(start, list)
	case VariantArray:
		at := make([]int, 0, n)
		for i := range n {
			v, _ := r.At(i)
			at = append(at, len(b.value))
			b.Ref(v)
		}
		b.EndArray(start, at)
	default:
		size, _ := r.Size()
		b.value = append(b.value, r.Value[:size]...)
	}
}

// Append appends the finished variant; false when metadata or value are larger than MaxVariant.
func (b *VariantBuilder) Append(dst []byte) ([]byte, bool) {
	size := 0
	for _, k := range b.keys {
		size += len(k)
	}
	if size >= MaxVariant || len(b.value) > MaxVariant {
		return dst, false
	}
	width := byteWidth(max(size, len(b.keys)))
	dst = append(dst, byte(1|(width-1)<<6))
	dst = appendWidth(dst, len(b.keys), width)
	at := 0
	for _, k := range b.keys {
		dst = appendWidth(dst, at, width)
		at += len(k)
	}
	dst = appendWidth(dst, at, width)
	for _, k := range b.keys {
		dst = append(dst, k...)
	}
	return append(dst, b.value...), true
}
