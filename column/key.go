package column

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// Key encoding: comparing two keys byte by byte orders the rows as CompareValues does column by column, nulls first.
//
//	null            00
//	value           01, then
//	  bool          00 | 01
//	  integers      1, 2, 4 or 8 bytes, big-endian, sign bit flipped
//	  floats        8 bytes (4 for float), big-endian, order-preserving, one NaN, one zero
//	  decimal       16 bytes, big-endian, sign bit flipped
//	  string        bytes with 00 written as 00 FF, then 00 00
//	  list, map     each element as 02 and its values, then 00
//	  struct        its members
const (
	keyNull  = 0
	keyValue = 1
	keyElem  = 2
)

// AppendKey appends the order-preserving, self-delimiting encoding of a row of the columns.
func AppendKey(dst []byte, cols []*Vector, row int) []byte {
	for _, c := range cols {
		dst = appendKey(dst, c, row)
	}
	return dst
}

func appendKey(dst []byte, v *Vector, i int) []byte {
	if !v.IsValid(i) {
		return append(dst, keyNull)
	}
	if v.Const {
		i = 0
	}
	dst = append(dst, keyValue)
	be := binary.BigEndian
	switch v.Type.Kind.Storage() {
	case StorageBool:
		return append(dst, byte(boolInt(v.Bools[i])))
	case StorageI8:
		return append(dst, byte(v.I8[i])^0x80)
	case StorageI16:
		return be.AppendUint16(dst, uint16(v.I16[i])^1<<15)
	case StorageI32:
		return be.AppendUint32(dst, uint32(v.I32[i])^1<<31)
	case StorageI64:
		return be.AppendUint64(dst, uint64(v.I64[i])^1<<63)
	case StorageF32:
		return be.AppendUint32(dst, float32Order(v.F32[i]))
	case StorageF64:
		return be.AppendUint64(dst, floatOrder(v.F64[i]))
	case StorageDec:
		return be.AppendUint64(be.AppendUint64(dst, uint64(v.Dec[i].Hi)^1<<63), v.Dec[i].Lo)
	case StorageBytes:
		return appendKeyBytes(dst, v.Bytes(i))
	case StorageList:
		for j := v.Offs[i]; j < v.Offs[i+1]; j++ {
			dst = append(dst, keyElem)
			for _, k := range v.Kids {
				dst = appendKey(dst, k, int(j))
			}
		}
		return append(dst, 0)
	case StorageStruct:
		for _, k := range v.Kids {
			dst = appendKey(dst, k, i)
		}
	}
	return dst
}

func appendKeyBytes(dst, s []byte) []byte {
	from := 0
	for i, c := range s {
		if c == 0 {
			dst = append(append(dst, s[from:i+1]...), 0xFF)
			from = i + 1
		}
	}
	return append(append(dst, s[from:]...), 0, 0)
}

func float32Order(x float32) uint32 {
	if x == 0 {
		return 1 << 31
	}
	b := math.Float32bits(x)
	if x != x {
		b = 0x7FC00000
	}
	if b>>31 != 0 {
		return ^b
	}
	return b | 1<<31
}

var errShort = errors.New("column: encoded row ends early")

// DecodeKey appends the row that b encodes to the builders, one for each column. On an error nothing is appended.
func DecodeKey(b []byte, to []*Builder) error {
	rest, err := ConsumeKey(b, to)
	if err == nil && len(rest) > 0 {
		truncateLast(to)
		return fmt.Errorf("column: %d bytes follow an encoded key", len(rest))
	}
	return err
}

// ConsumeKey is DecodeKey for a key that other bytes follow; it returns them.
func ConsumeKey(b []byte, to []*Builder) (rest []byte, err error) {
	for i, c := range to {
		if b, err = consumeKey(b, c, 0); err != nil {
			rollBack(to, i)
			return nil, err
		}
	}
	return b, nil
}

// rollBack drops what a failed row left in the builders: a row of the first i, and half a row of the i-th.
func rollBack(to []*Builder, i int) {
	truncateLast(to[:i])
	to[i].Truncate(to[i].Len())
}

func truncateLast(to []*Builder) {
	for _, c := range to {
		c.Truncate(c.Len() - 1)
	}
}

// maxDepth bounds the nesting that decoders follow; types nest far less.
const maxDepth = 64

func consumeKey(b []byte, to *Builder, depth int) ([]byte, error) {
	if len(b) == 0 {
		return nil, errShort
	}
	if b[0] == keyNull {
		to.AppendNull()
		return b[1:], nil
	}
	if b[0] != keyValue || depth > maxDepth {
		return nil, fmt.Errorf("column: byte %#x begins no key value", b[0])
	}
	b = b[1:]
	be := binary.BigEndian
	storage := to.v.Type.Kind.Storage()
	if n := keyWidth[storage]; len(b) < n {
		return nil, errShort
	}
	switch storage {
	case StorageNone:
		return nil, errors.New("column: a void column holds a value")
	case StorageBool:
		to.AppendBool(b[0] != 0)
	case StorageI8:
		to.AppendI64(int64(int8(b[0] ^ 0x80)))
	case StorageI16:
		to.AppendI64(int64(int16(be.Uint16(b) ^ 1<<15)))
	case StorageI32:
		to.AppendI64(int64(int32(be.Uint32(b) ^ 1<<31)))
	case StorageI64:
		to.AppendI64(int64(be.Uint64(b) ^ 1<<63))
	case StorageF32:
		x := be.Uint32(b)
		if x>>31 != 0 {
			x ^= 1 << 31
		} else {
			x = ^x
		}
		to.AppendF64(float64(math.Float32frombits(x)))
	case StorageF64:
		x := be.Uint64(b)
		if x>>63 != 0 {
			x ^= 1 << 63
		} else {
			x = ^x
		}
		to.AppendF64(math.Float64frombits(x))
	case StorageDec:
		to.AppendDec(Dec128{Hi: int64(be.Uint64(b) ^ 1<<63), Lo: be.Uint64(b[8:])})
	case StorageBytes:
		return consumeKeyBytes(b, to)
	case StorageList:
		return consumeKeyList(b, to, depth)
	case StorageStruct:
		return consumeKeyStruct(b, to, depth)
	}
	return b[keyWidth[storage]:], nil
}

var keyWidth = [...]int{StorageBool: 1, StorageI8: 1, StorageI16: 2, StorageI32: 4, StorageI64: 8, StorageF32: 4, StorageF64: 8,
	StorageDec: 16, StorageStruct: 0}

func consumeKeyBytes(b []byte, to *Builder) ([]byte, error) {
	var s []byte
	from := 0
	for i := 0; i+1 < len(b); i++ {
		if b[i] != 0 {
			continue
		}
		if b[i+1] == 0 {
			if s == nil {
				to.AppendBytes(b[from:i])
			} else {
				to.AppendBytes(append(s, b[from:i]...))
			}
			return b[i+2:], nil
		}
		if b[i+1] != 0xFF {
			return nil, fmt.Errorf("column: byte %#x follows a zero in a key", b[i+1])
		}
		s = append(s, b[from:i+1]...)
		i++
		from = i + 1
	}
	return nil, errShort
}

func consumeKeyList(b []byte, to *Builder, depth int) (_ []byte, err error) {
	for {
		if len(b) == 0 {
			return nil, errShort
		}
		tag := b[0]
		b = b[1:]
		switch tag {
		case 0:
			to.CloseRow()
			return b, nil
		case keyElem:
			for k := range to.kids {
				if b, err = consumeKey(b, to.Kid(k), depth+1); err != nil {
					return nil, err
				}
			}
		default:
			return nil, fmt.Errorf("column: byte %#x begins no list element", tag)
		}
	}
}

func consumeKeyStruct(b []byte, to *Builder, depth int) (_ []byte, err error) {
	for k := range to.kids {
		if b, err = consumeKey(b, to.Kid(k), depth+1); err != nil {
			return nil, err
		}
	}
	to.CloseRow()
	return b, nil
}
