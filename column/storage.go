package column

import "unsafe"

// Storage names the slice of a Vector that holds a kind's values.
type Storage uint8

const (
	StorageNone   Storage = iota // Null: no values
	StorageBool                  // Bools
	StorageI8                    // I8
	StorageI16                   // I16
	StorageI32                   // I32
	StorageI64                   // I64
	StorageF32                   // F32
	StorageF64                   // F64
	StorageDec                   // Dec
	StorageBytes                 // Views+Bufs or Codes+Dict
	StorageList                  // Offs+Kids
	StorageStruct                // Kids
)

var storages = [...]Storage{Null: StorageNone, Bool: StorageBool, Int8: StorageI8, Int16: StorageI16, Int32: StorageI32,
	Int64: StorageI64, Float32: StorageF32, Float64: StorageF64, Decimal: StorageDec, String: StorageBytes, Binary: StorageBytes,
	Date: StorageI32, Timestamp: StorageI64, TimestampNTZ: StorageI64, IntervalYM: StorageI32, IntervalDT: StorageI64,
	List: StorageList, Struct: StorageStruct, Map: StorageList, Variant: StorageBytes, Calendar: StorageDec, Time: StorageI64}

// Storage is where values of the kind live in a Vector.
func (k Kind) Storage() Storage { return storages[k] }

// Number is the element types that generic kernels range over; each gets its own compiled loop.
type Number interface {
	int8 | int16 | int32 | int64 | float32 | float64
}

// Integer is the integer part of Number.
type Integer interface {
	int8 | int16 | int32 | int64
}

// Values is the slice of v that holds elements of type T.
func Values[T Number](v *Vector) []T {
	var zero T
	switch any(zero).(type) {
	case int8:
		return *(*[]T)(unsafe.Pointer(&v.I8))
	case int16:
		return *(*[]T)(unsafe.Pointer(&v.I16))
	case int32:
		return *(*[]T)(unsafe.Pointer(&v.I32))
	case int64:
		return *(*[]T)(unsafe.Pointer(&v.I64))
	case float32:
		return *(*[]T)(unsafe.Pointer(&v.F32))
	default:
		return *(*[]T)(unsafe.Pointer(&v.F64))
	}
}

// resize returns s with length n, its capacity reused when it suffices. The content is unspecified.
func resize[T any](s []T, n int) []T {
	if cap(s) >= n {
		return s[:n]
	}
	return make([]T, n, n+n/4)
}

// NewVector returns a vector of n zero values with no nulls.
func NewVector(t Type, n int) *Vector {
	v := (&Vector{}).Reset(t, n)
	clearRows(v)
	return v
}

// Nulls returns a vector of n nulls.
func Nulls(t Type, n int) *Vector {
	v := NewVector(t, n)
	if t.Kind != Null {
		v.Valid = make([]uint64, (n+63)/64)
	}
	return v
}

func clearRows(v *Vector) {
	clear(v.Bools)
	clear(v.I8)
	clear(v.I16)
	clear(v.I32)
	clear(v.I64)
	clear(v.F32)
	clear(v.F64)
	clear(v.Dec)
	clear(v.Views)
	clear(v.Offs)
	for _, k := range v.Kids {
		clearRows(k)
	}
}

// Reset makes v a vector of n rows of type t with no nulls, reusing its memory. The values are unspecified, except that
// lists are empty and strings are too. It returns v.
func (v *Vector) Reset(t Type, n int) *Vector {
	v.Type, v.N, v.Const = t, n, false
	v.dropValid()
	v.Codes, v.Dict = nil, nil
	switch t.Kind.Storage() {
	case StorageBool:
		v.Bools = resize(v.Bools, n)
	case StorageI8:
		v.I8 = resize(v.I8, n)
	case StorageI16:
		v.I16 = resize(v.I16, n)
	case StorageI32:
		v.I32 = resize(v.I32, n)
	case StorageI64:
		v.I64 = resize(v.I64, n)
	case StorageF32:
		v.F32 = resize(v.F32, n)
	case StorageF64:
		v.F64 = resize(v.F64, n)
	case StorageDec:
		v.Dec = resize(v.Dec, n)
	case StorageBytes:
		v.Views, v.Bufs = resize(v.Views, n), v.Bufs[:0:0]
		clear(v.Views)
	case StorageList:
		v.Offs = resize(v.Offs, n+1)
		clear(v.Offs)
		v.resetKids(t, 0)
	case StorageStruct:
		v.resetKids(t, n)
	}
	return v
}

func (v *Vector) resetKids(t Type, n int) {
	for len(v.Kids) < len(t.Fields) {
		v.Kids = append(v.Kids, &Vector{})
	}
	v.Kids = v.Kids[:len(t.Fields)]
	for i, f := range t.Fields {
		v.Kids[i].Reset(f.Type, n)
	}
}

// dropValid makes every row valid, keeping the bitmap's memory for later.
func (v *Vector) dropValid() {
	if v.Valid != nil {
		v.spare, v.Valid = v.Valid, nil
	}
}

// MakeValid gives v a bitmap of its own with every row set, reusing earlier memory, and returns it.
func (v *Vector) MakeValid() []uint64 {
	v.dropValid()
	v.Valid, v.spare = AllValid(v.spare, v.N), nil
	return v.Valid
}
