package parquet

import (
	"encoding/binary"
	"unsafe"

	"github.com/streamflow/streamflow/column"
)

// plain decodes count values of the plain encoding into rows at … of v, and returns the bytes after them. Strings become
// views over data, which must stay unchanged as long as v is in use.
func (n *node) plain(v *column.Vector, at, count int, data []byte) ([]byte, error) {
	switch v.Type.Kind.Storage() {
	case column.StorageBool:
		return plainBools(v.Bools[at:at+count], data)
	case column.StorageBytes:
		return n.plainBytes(v, at, count, data)
	case column.StorageDec:
		return n.plainDecimals(v.Dec[at:at+count], data)
	case column.StorageF32:
		return plainCopy(v.F32[at:at+count], data)
	case column.StorageF64:
		return plainCopy(v.F64[at:at+count], data)
	case column.StorageI64:
		return n.plainLongs(v.I64[at:at+count], data)
	case column.StorageI32:
		return plainCopy(v.I32[at:at+count], data)
	case column.StorageI16:
		return plainNarrow(v.I16[at:at+count], data)
	case column.StorageI8:
		return plainNarrow(v.I8[at:at+count], data)
	}
	return nil, errPage
}

// plainCopy moves little-endian values of the same width as a block.
func plainCopy[T int32 | int64 | float32 | float64](dst []T, data []byte) ([]byte, error) {
	size := len(dst) * int(unsafe.Sizeof(*new(T)))
	if len(data) < size {
		return nil, errPage
	}
	copy(unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(dst))), size), data)
	return data[size:], nil
}

func plainNarrow[T int8 | int16](dst []T, data []byte) ([]byte, error) {
	if len(data) < 4*len(dst) {
		return nil, errPage
	}
	for i := range dst {
		dst[i] = T(binary.LittleEndian.Uint32(data[4*i:]))
	}
	return data[4*len(dst):], nil
}

func plainBools(dst []bool, data []byte) ([]byte, error) {
	if len(data) < (len(dst)+7)/8 {
		return nil, errPage
	}
	for i := range dst {
		dst[i] = data[i>>3]>>(uint(i)&7)&1 != 0
	}
	return data[(len(dst)+7)/8:], nil
}

// plainLongs reads 64-bit values, or 32-bit unsigned or 96-bit ones that become 64-bit values.
func (n *node) plainLongs(dst []int64, data []byte) ([]byte, error) {
	switch {
	case n.unsigned && n.phys == physInt32:
		if len(data) < 4*len(dst) {
			return nil, errPage
		}
		for i := range dst {
			dst[i] = int64(binary.LittleEndian.Uint32(data[4*i:]))
		}
		return data[4*len(dst):], nil
	case n.phys == physInt96:
		if len(data) < 12*len(dst) {
			return nil, errPage
		}
		for i := range dst {
			dst[i] = int96Micros(data[12*i:])
		}
		return data[12*len(dst):], nil
	}
	rest, err := plainCopy(dst, data)
	if err == nil {
		n.toMicros(dst)
	}
	return rest, err
}

// toMicros turns timestamps of the file's unit into microseconds.
func (n *node) toMicros(dst []int64) {
	switch n.unit {
	case -1000:
		for i := range dst {
			dst[i] *= 1000
		}
	case 1000:
		for i, x := range dst {
			q := x / 1000
			if x%1000 < 0 {
				q--
			}
			dst[i] = q
		}
	}
}

const julianEpoch = 2440588 // Julian day number of 1970-01-01

// int96Micros reads the old timestamp form: nanoseconds of the day, then the Julian day number.
func int96Micros(b []byte) int64 {
	nanos, day := int64(binary.LittleEndian.Uint64(b)), int64(binary.LittleEndian.Uint32(b[8:]))
	return (day-julianEpoch)*86_400_000_000 + nanos/1000
}

func (n *node) plainDecimals(dst []column.Dec128, data []byte) ([]byte, error) {
	le := binary.LittleEndian
	for i := range dst {
		switch n.phys {
		case physInt32:
			if len(data) < 4 {
				return nil, errPage
			}
			dst[i], data = column.DecFromInt(int64(int32(le.Uint32(data)))), data[4:]
		case physInt64:
			if len(data) < 8 {
				return nil, errPage
			}
			dst[i], data = column.DecFromInt(int64(le.Uint64(data))), data[8:]
			if n.unsigned {
				dst[i].Hi = 0
			}
		case physFixed:
			if len(data) < n.length {
				return nil, errPage
			}
			dst[i], data = bigEndianDecimal(data[:n.length]), data[n.length:]
		default:
			b, rest, ok := cutBytes(data)
			if !ok {
				return nil, errPage
			}
			dst[i], data = bigEndianDecimal(b), rest
		}
	}
	return data, nil
}

// bigEndianDecimal reads a two's-complement integer; of more than 16 bytes the lowest 16 count.
func bigEndianDecimal(b []byte) column.Dec128 {
	if len(b) > 16 {
		b = b[len(b)-16:]
	}
	var full [16]byte
	if len(b) > 0 && b[0]&0x80 != 0 {
		for i := range full {
			full[i] = 0xFF
		}
	}
	copy(full[16-len(b):], b)
	return column.Dec128{Hi: int64(binary.BigEndian.Uint64(full[:])), Lo: binary.BigEndian.Uint64(full[8:])}
}

// cutBytes takes a byte array with its length before it.
func cutBytes(data []byte) (b, rest []byte, ok bool) {
	if len(data) < 4 {
		return nil, nil, false
	}
	n := uint64(binary.LittleEndian.Uint32(data))
	if n > uint64(len(data)-4) {
		return nil, nil, false
	}
	return data[4 : 4+n], data[4+n:], true
}

func (n *node) plainBytes(v *column.Vector, at, count int, data []byte) ([]byte, error) {
	buf, page := uint32(len(v.Bufs)), data
	v.Bufs = append(v.Bufs, page)
	views := v.Views[at : at+count]
	for i := range views {
		var b []byte
		if n.phys == physFixed {
			if len(data) < n.length {
				return nil, errPage
			}
			b, data = data[:n.length], data[n.length:]
		} else {
			var ok bool
			if b, data, ok = cutBytes(data); !ok {
				return nil, errPage
			}
		}
		views[i] = column.MakeView(b, buf, uint32(len(page)-len(data)-len(b)))
	}
	return data, nil
}
