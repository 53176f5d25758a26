package expr

import (
	"unsafe"

	"github.com/streamflow/streamflow/column"
)

type integer interface{ int8 | int16 | int32 | int64 }
type float interface{ float32 | float64 }
type number interface{ integer | float }

// slice returns the storage of v as []T; T must be the element type of v's storage.
func slice[T any](v *column.Vector) []T {
	switch v.Type.Kind.Storage() {
	case column.StorageBool:
		return *(*[]T)(unsafe.Pointer(&v.Bools))
	case column.StorageI8:
		return *(*[]T)(unsafe.Pointer(&v.I8))
	case column.StorageI16:
		return *(*[]T)(unsafe.Pointer(&v.I16))
	case column.StorageI32:
		return *(*[]T)(unsafe.Pointer(&v.I32))
	case column.StorageI64:
		return *(*[]T)(unsafe.Pointer(&v.I64))
	case column.StorageF32:
		return *(*[]T)(unsafe.Pointer(&v.F32))
	case column.StorageF64:
		return *(*[]T)(unsafe.Pointer(&v.F64))
	case column.StorageDec:
		return *(*[]T)(unsafe.Pointer(&v.Dec))
	}
	panic("BUG: slice of a " + v.Type.String() + " column")
}
