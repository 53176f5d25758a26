package column

// Value is row i boxed, by kind: nil for null; bool; int64 for every integer, date, time, timestamp and interval; float64;
// Dec128 (also of a calendar interval); string; []byte (also of a variant); []any for lists and structs; [2][]any (keys, values) for maps. Strings and bytes are copies.
func Value(v *Vector, i int) any {
	if !v.IsValid(i) {
		return nil
	}
	if v.Const {
		i = 0
	}
	switch v.Type.Kind.Storage() {
	case StorageBool:
		return v.Bools[i]
	case StorageI8:
		return int64(v.I8[i])
	case StorageI16:
		return int64(v.I16[i])
	case StorageI32:
		return int64(v.I32[i])
	case StorageI64:
		return v.I64[i]
	case StorageF32:
		return float64(v.F32[i])
	case StorageF64:
		return v.F64[i]
	case StorageDec:
		return v.Dec[i]
	case StorageBytes:
		if v.Type.Kind == String {
			return string(v.Bytes(i))
		}
		return append([]byte{}, v.Bytes(i)...)
	case StorageList:
		if v.Type.Kind == Map {
			return [2][]any{values(v.Kids[0], v.Offs[i], v.Offs[i+1]), values(v.Kids[1], v.Offs[i], v.Offs[i+1])}
		}
		return values(v.Kids[0], v.Offs[i], v.Offs[i+1])
	default:
		row := make([]any, len(v.Kids))
		for k, kid := range v.Kids {
			row[k] = Value(kid, i)
		}
		return row
	}
}

func values(v *Vector, from, to int32) []any {
	out := make([]any, 0, to-from)
	for i := from; i < to; i++ {
		out = append(out, Value(v, int(i)))
	}
	return out
}

// Row is row i of the batch, boxed; see Value.
func (b *Batch) Row(i int) []any {
	row := make([]any, len(b.Cols))
	for c, v := range b.Cols {
		row[c] = Value(v, i)
	}
	return row
}
