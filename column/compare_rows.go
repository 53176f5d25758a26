package column

import (
	"bytes"
	"cmp"
)

// SortKey is one column to order by. Floats order NaN last; strings by their bytes; lists and structs element by element.
type SortKey struct {
	Col        int
	Desc       bool
	NullsFirst bool
}

// CompareRows orders row i of a against row j of b by the keys: negative, zero or positive.
func CompareRows(a *Batch, i int, b *Batch, j int, keys []SortKey) int {
	for _, k := range keys {
		if c := compareKey(a.Cols[k.Col], i, b.Cols[k.Col], j, k); c != 0 {
			return c
		}
	}
	return 0
}

func compareKey(x *Vector, i int, y *Vector, j int, k SortKey) int {
	xv, yv := x.IsValid(i), y.IsValid(j)
	if !xv || !yv {
		if xv == yv {
			return 0
		}
		if xv != k.NullsFirst {
			return -1
		}
		return 1
	}
	c := compareValues(x, i, y, j)
	if k.Desc {
		return -c
	}
	return c
}

// CompareValues orders two values of the same type that may be null; nulls come first.
func CompareValues(x *Vector, i int, y *Vector, j int) int {
	return compareKey(x, i, y, j, SortKey{NullsFirst: true})
}

func compareValues(x *Vector, i int, y *Vector, j int) int {
	if x.Const {
		i = 0
	}
	if y.Const {
		j = 0
	}
	switch x.Type.Kind.Storage() {
	case StorageBool:
		return boolInt(x.Bools[i]) - boolInt(y.Bools[j])
	case StorageI8:
		return cmp.Compare(x.I8[i], y.I8[j])
	case StorageI16:
		return cmp.Compare(x.I16[i], y.I16[j])
	case StorageI32:
		return cmp.Compare(x.I32[i], y.I32[j])
	case StorageI64:
		return cmp.Compare(x.I64[i], y.I64[j])
	case StorageF32:
		return CompareFloat(float64(x.F32[i]), float64(y.F32[j]))
	case StorageF64:
		return CompareFloat(x.F64[i], y.F64[j])
	case StorageDec:
		return x.Dec[i].Cmp(y.Dec[j])
	case StorageBytes:
		return bytes.Compare(x.Bytes(i), y.Bytes(j))
	case StorageList:
		return compareLists(x, i, y, j)
	case StorageStruct:
		for k := range x.Kids {
			if c := CompareValues(x.Kids[k], i, y.Kids[k], j); c != 0 {
				return c
			}
		}
	}
	return 0
}

func compareLists(x *Vector, i int, y *Vector, j int) int {
	xn, yn := int(x.Offs[i+1]-x.Offs[i]), int(y.Offs[j+1]-y.Offs[j])
	for e := range min(xn, yn) {
		for k := range x.Kids {
			if c := CompareValues(x.Kids[k], int(x.Offs[i])+e, y.Kids[k], int(y.Offs[j])+e); c != 0 {
				return c
			}
		}
	}
	return xn - yn
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// CompareFloat orders floats as Spark does: NaN equals NaN and is greater than every number; -0.0 equals 0.0.
func CompareFloat(a, b float64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	case a == b:
		return 0
	}
	return boolInt(a != a) - boolInt(b != b)
}
