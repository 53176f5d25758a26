package parquet

import "github.com/streamflow/streamflow/column"

// lookUp writes the dictionary's values of the indices to rows at … of v.
func lookUp(v *column.Vector, at int, dict *column.Vector, idx []int32) {
	switch v.Type.Kind.Storage() {
	case column.StorageBool:
		pick(v.Bools[at:], dict.Bools, idx)
	case column.StorageI8:
		pick(v.I8[at:], dict.I8, idx)
	case column.StorageI16:
		pick(v.I16[at:], dict.I16, idx)
	case column.StorageI32:
		pick(v.I32[at:], dict.I32, idx)
	case column.StorageI64:
		pick(v.I64[at:], dict.I64, idx)
	case column.StorageF32:
		pick(v.F32[at:], dict.F32, idx)
	case column.StorageF64:
		pick(v.F64[at:], dict.F64, idx)
	case column.StorageDec:
		pick(v.Dec[at:], dict.Dec, idx)
	case column.StorageBytes:
		base := uint32(len(v.Bufs))
		v.Bufs = append(v.Bufs, dict.Bufs...)
		for i, x := range idx {
			v.Views[at+i] = dict.Views[x].Shifted(base)
		}
	}
}

func pick[T any](dst, dict []T, idx []int32) {
	dst = dst[:len(idx)]
	for i, x := range idx {
		dst[i] = dict[x]
	}
}

// spreadRows moves the first valid of k rows at at to the rows that the bitmap marks.
func spreadRows(v *column.Vector, at, k, valid int) {
	switch v.Type.Kind.Storage() {
	case column.StorageBool:
		spread(v.Bools[at:at+k], valid, v.Valid, at)
	case column.StorageI8:
		spread(v.I8[at:at+k], valid, v.Valid, at)
	case column.StorageI16:
		spread(v.I16[at:at+k], valid, v.Valid, at)
	case column.StorageI32:
		spread(v.I32[at:at+k], valid, v.Valid, at)
	case column.StorageI64:
		spread(v.I64[at:at+k], valid, v.Valid, at)
	case column.StorageF32:
		spread(v.F32[at:at+k], valid, v.Valid, at)
	case column.StorageF64:
		spread(v.F64[at:at+k], valid, v.Valid, at)
	case column.StorageDec:
		spread(v.Dec[at:at+k], valid, v.Valid, at)
	case column.StorageBytes:
		spread(v.Views[at:at+k], valid, v.Valid, at)
	}
}

// spread moves s[:valid] to the places whose bits (from bit at on) are set, from the back; other places get zero.
func spread[T any](s []T, valid int, bits []uint64, at int) {
	var zero T
	from := valid - 1
	for i := len(s) - 1; i >= 0; i-- {
		if bits[(at+i)>>6]>>(uint(at+i)&63)&1 != 0 {
			s[i] = s[from]
			from--
		} else {
			s[i] = zero
		}
	}
}
