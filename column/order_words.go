package column

// OrderWords writes a word for each of the n rows of a sort key's column to dst, which is reused: rows whose words differ are in
// the order of their words, ascending, whatever the key's direction and place of nulls. Rows of equal words may still differ.
// Unlike the words of SortIndices those of different batches compare with each other.
func OrderWords(dst []uint64, v *Vector, n int, key SortKey) []uint64 {
	dst = resize(dst, n)
	v = Expand(v, n)
	orderWords(dst, v)
	null := ^uint64(0)
	if key.NullsFirst {
		null = 0
	}
	for i, w := range dst {
		if key.Desc {
			w = ^w
		}
		w >>= 1 // leaves room for null
		if key.NullsFirst {
			w |= 1 << 63
		}
		dst[i] = w
	}
	if v.Type.Kind == Null || v.Valid != nil {
		for i := range dst {
			if !v.IsValid(i) {
				dst[i] = null
			}
		}
	}
	return dst
}

func orderWords(dst []uint64, v *Vector) {
	switch v.Type.Kind.Storage() {
	case StorageBool:
		for i := range dst {
			dst[i] = uint64(boolInt(v.Bools[i])) << 63
		}
	case StorageI8:
		orderInts(dst, v.I8)
	case StorageI16:
		orderInts(dst, v.I16)
	case StorageI32:
		orderInts(dst, v.I32)
	case StorageI64:
		for i := range dst {
			dst[i] = uint64(v.I64[i]) ^ 1<<63
		}
	case StorageF32:
		for i := range dst {
			dst[i] = floatOrder(float64(v.F32[i]))
		}
	case StorageF64:
		for i := range dst {
			dst[i] = floatOrder(v.F64[i])
		}
	case StorageDec:
		for i := range dst {
			dst[i] = decimalWord(v.Dec[i])
		}
	case StorageBytes:
		for i := range dst {
			dst[i] = 0
			if v.IsValid(i) {
				dst[i] = stringWord(v.Bytes(i))
			}
		}
	default:
		clear(dst)
	}
}

// orderInts puts narrow integers where the bit that is given up for nulls does not matter.
func orderInts[T Integer](dst []uint64, src []T) {
	for i := range dst {
		dst[i] = uint64(int64(src[i])+1<<32) << 24
	}
}

// decimalWord is the value where it fits into 64 bits, and the nearest one that does elsewhere.
func decimalWord(d Dec128) uint64 {
	switch {
	case d.Hi == int64(d.Lo)>>63:
		return d.Lo ^ 1<<63
	case d.Hi < 0:
		return 0
	}
	return ^uint64(0)
}
