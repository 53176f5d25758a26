package column

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// Row encoding, the compact value form: one bit for each column (set: null) in whole bytes, then the values that are not
// null, in order.
//
//	bool            00 | 01
//	integers        zigzag varint
//	float, double   4 or 8 bytes, little-endian
//	decimal         16 bytes, little-endian
//	string          uvarint length, bytes
//	list, map       uvarint count, then for each element its values as a row encoding
//	struct          its members as a row encoding

// AppendRow appends the compact encoding of a row of the columns.
func AppendRow(dst []byte, cols []*Vector, row int) []byte {
	at := len(dst)
	for range (len(cols) + 7) / 8 {
		dst = append(dst, 0)
	}
	for i, c := range cols {
		if !c.IsValid(row) {
			dst[at+i/8] |= 1 << (i % 8)
			continue
		}
		dst = appendRowValue(dst, c, row)
	}
	return dst
}

func appendRowValue(dst []byte, v *Vector, i int) []byte {
	if v.Const {
		i = 0
	}
	le := binary.LittleEndian
	switch v.Type.Kind.Storage() {
	case StorageBool:
		return append(dst, byte(boolInt(v.Bools[i])))
	case StorageI8:
		return binary.AppendVarint(dst, int64(v.I8[i]))
	case StorageI16:
		return binary.AppendVarint(dst, int64(v.I16[i]))
	case StorageI32:
		return binary.AppendVarint(dst, int64(v.I32[i]))
	case StorageI64:
		return binary.AppendVarint(dst, v.I64[i])
	case StorageF32:
		return le.AppendUint32(dst, math.Float32bits(v.F32[i]))
	case StorageF64:
		return le.AppendUint64(dst, math.Float64bits(v.F64[i]))
	case StorageDec:
		return le.AppendUint64(le.AppendUint64(dst, v.Dec[i].Lo), uint64(v.Dec[i].Hi))
	case StorageBytes:
		b := v.Bytes(i)
		return append(binary.AppendUvarint(dst, uint64(len(b))), b...)
	case StorageList:
		dst = binary.AppendUvarint(dst, uint64(v.Offs[i+1]-v.Offs[i]))
		for j := v.Offs[i]; j < v.Offs[i+1]; j++ {
			dst = AppendRow(dst, v.Kids, int(j))
		}
	case StorageStruct:
		dst = AppendRow(dst, v.Kids, i)
	}
	return dst
}

// DecodeRow appends the row that b encodes to the builders, one for each column. On an error nothing is appended.
func DecodeRow(b []byte, to []*Builder) error {
	rest, err := ConsumeRow(b, to)
	if err == nil && len(rest) > 0 {
		truncateLast(to)
		return fmt.Errorf("column: %d bytes follow an encoded row", len(rest))
	}
	return err
}

// ConsumeRow is DecodeRow for a row that other bytes follow; it returns them.
func ConsumeRow(b []byte, to []*Builder) (rest []byte, err error) { return consumeRow(b, to, 0) }

func consumeRow(b []byte, to []*Builder, depth int) (_ []byte, err error) {
	nulls := b
	if len(b) < (len(to)+7)/8 {
		return nil, errShort
	}
	if depth > maxDepth {
		return nil, errors.New("column: an encoded row is nested too deeply")
	}
	b = b[(len(to)+7)/8:]
	for i, c := range to {
		if nulls[i/8]>>(i%8)&1 != 0 {
			c.AppendNull()
			continue
		}
		if b, err = consumeRowValue(b, c, depth); err != nil {
			rollBack(to, i)
			return nil, err
		}
	}
	return b, nil
}

func consumeRowValue(b []byte, to *Builder, depth int) ([]byte, error) {
	le := binary.LittleEndian
	storage := to.v.Type.Kind.Storage()
	if len(b) < rowWidth[storage] {
		return nil, errShort
	}
	switch storage {
	case StorageNone:
		return nil, errors.New("column: a void column holds a value")
	case StorageBool:
		to.AppendBool(b[0] != 0)
	case StorageI8, StorageI16, StorageI32, StorageI64:
		x, n := binary.Varint(b)
		if n <= 0 {
			return nil, errShort
		}
		if !fits(x, storage) {
			return nil, fmt.Errorf("column: %d does not fit into %s", x, to.v.Type)
		}
		to.AppendI64(x)
		return b[n:], nil
	case StorageF32:
		to.AppendF64(float64(math.Float32frombits(le.Uint32(b))))
	case StorageF64:
		to.AppendF64(math.Float64frombits(le.Uint64(b)))
	case StorageDec:
		to.AppendDec(Dec128{Lo: le.Uint64(b), Hi: int64(le.Uint64(b[8:]))})
	case StorageBytes:
		size, n := binary.Uvarint(b)
		if n <= 0 || size > uint64(len(b)-n) {
			return nil, errShort
		}
		to.AppendBytes(b[n : n+int(size)])
		return b[n+int(size):], nil
	case StorageList:
		return consumeRowList(b, to, depth)
	case StorageStruct:
		b, err := consumeRow(b, to.kidsForAppend(), depth+1)
		if err == nil {
			to.CloseRow()
		}
		return b, err
	}
	return b[rowWidth[storage]:], nil
}

var rowWidth = [...]int{StorageBool: 1, StorageF32: 4, StorageF64: 8, StorageDec: 16, StorageStruct: 0}

func fits(x int64, s Storage) bool {
	switch s {
	case StorageI8:
		return x == int64(int8(x))
	case StorageI16:
		return x == int64(int16(x))
	case StorageI32:
		return x == int64(int32(x))
	}
	return true
}

// kidsForAppend are the child builders, ready for a new row.
func (b *Builder) kidsForAppend() []*Builder {
	if b.done {
		b.fresh()
	}
	return b.kids
}

func consumeRowList(b []byte, to *Builder, depth int) ([]byte, error) {
	count, n := binary.Uvarint(b)
	// Each element takes a byte at least, so that a false count is found before it costs memory.
	if n <= 0 || count > uint64(len(b)-n) {
		return nil, errShort
	}
	b = b[n:]
	kids := to.kidsForAppend()
	for range count {
		var err error
		if b, err = consumeRow(b, kids, depth+1); err != nil {
			to.Truncate(to.Len())
			return nil, err
		}
	}
	to.CloseRow()
	return b, nil
}
