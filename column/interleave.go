package column

// Interleave makes the batch whose row i is row rows[i] of batch src[i] of from, for merging sorted runs. The batches have the
// schema. out is reused; its strings share the memory of from.
func Interleave(out *Batch, schema *Schema, from []*Batch, src, rows []int32) *Batch {
	if out == nil || len(out.Cols) != len(schema.Fields) {
		out = &Batch{Cols: make([]*Vector, len(schema.Fields))}
		for i := range out.Cols {
			out.Cols[i] = &Vector{}
		}
	}
	out.Schema, out.N = schema, len(rows)
	cols := make([]*Vector, len(from))
	for c, f := range schema.Fields {
		for k, b := range from {
			cols[k] = nil
			if b != nil {
				cols[k] = b.Cols[c]
			}
		}
		out.Cols[c] = interleave(out.Cols[c], f.Type, cols, src, rows)
	}
	return out
}

func interleave(dst *Vector, t Type, from []*Vector, src, rows []int32) *Vector {
	storage := t.Kind.Storage()
	if storage == StorageList || storage == StorageStruct {
		b := NewBuilder(t)
		for i, s := range src {
			b.AppendFrom(from[s], int(rows[i]))
		}
		return b.Finish()
	}
	dst = dst.Reset(t, len(rows))
	switch storage {
	case StorageBool:
		interleaveValues(dst.Bools, from, src, rows, func(v *Vector) []bool { return v.Bools })
	case StorageI8:
		interleaveValues(dst.I8, from, src, rows, func(v *Vector) []int8 { return v.I8 })
	case StorageI16:
		interleaveValues(dst.I16, from, src, rows, func(v *Vector) []int16 { return v.I16 })
	case StorageI32:
		interleaveValues(dst.I32, from, src, rows, func(v *Vector) []int32 { return v.I32 })
	case StorageI64:
		interleaveValues(dst.I64, from, src, rows, func(v *Vector) []int64 { return v.I64 })
	case StorageF32:
		interleaveValues(dst.F32, from, src, rows, func(v *Vector) []float32 { return v.F32 })
	case StorageF64:
		interleaveValues(dst.F64, from, src, rows, func(v *Vector) []float64 { return v.F64 })
	case StorageDec:
		interleaveValues(dst.Dec, from, src, rows, func(v *Vector) []Dec128 { return v.Dec })
	case StorageBytes:
		interleaveViews(dst, from, src, rows)
	}
	interleaveValid(dst, from, src, rows)
	return dst
}

func interleaveValues[T any](dst []T, from []*Vector, src, rows []int32, of func(*Vector) []T) {
	values := make([][]T, len(from))
	for k, v := range from {
		if v != nil {
			values[k] = of(v)
		}
	}
	rows = rows[:len(dst)]
	for i, s := range src[:len(dst)] {
		dst[i] = values[s][rows[i]]
	}
}

// interleaveViews puts the buffers of all sources side by side.
func interleaveViews(dst *Vector, from []*Vector, src, rows []int32) {
	views, base := make([][]View, len(from)), make([]uint32, len(from))
	dst.Bufs = nil
	for k, v := range from {
		if v == nil {
			continue
		}
		v = Plain(v)
		views[k], base[k] = v.Views, uint32(len(dst.Bufs))
		dst.Bufs = append(dst.Bufs, v.Bufs...)
	}
	for i, s := range src {
		dst.Views[i] = views[s][rows[i]].Shifted(base[s])
	}
}

func interleaveValid(dst *Vector, from []*Vector, src, rows []int32) {
	nulls := false
	for _, v := range from {
		nulls = nulls || v != nil && v.Valid != nil
	}
	if !nulls || dst.Type.Kind == Null {
		return
	}
	dst.MakeValid()
	for i, s := range src {
		if v := from[s].Valid; v != nil && !bit(v, int(rows[i])) {
			dst.SetNull(i)
		}
	}
}
