package column

import (
	"fmt"
	"unsafe"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
)

// FromArrow is the record as a batch. Values are shared with the record where the layouts agree, so a record of memory
// that is not the garbage collector's must outlive the batch.
func FromArrow(rec arrow.Record) (*Batch, error) {
	schema, err := SchemaFromArrow(rec.Schema())
	if err != nil {
		return nil, err
	}
	b := &Batch{Schema: schema, N: int(rec.NumRows()), Cols: make([]*Vector, schema.Len())}
	for i, f := range schema.Fields {
		if b.Cols[i], err = fromArrow(rec.Column(i), f.Type); err != nil {
			return nil, fmt.Errorf("column: field %q: %w", f.Name, err)
		}
	}
	return b, nil
}

func fromArrow(a arrow.Array, t Type) (*Vector, error) {
	v := &Vector{Type: t, N: a.Len()}
	v.Valid = arrowValid(a)
	switch a := a.(type) {
	case *array.Null:
	case *array.Boolean:
		v.Bools = make([]bool, v.N)
		for i := range v.Bools {
			v.Bools[i] = a.Value(i)
		}
	case *array.Int8:
		v.I8 = a.Int8Values()
	case *array.Int16:
		v.I16 = a.Int16Values()
	case *array.Int32:
		v.I32 = a.Int32Values()
	case *array.Int64:
		v.I64 = a.Int64Values()
	case *array.Uint8:
		v.I16 = convert[uint8, int16](a.Uint8Values())
	case *array.Uint16:
		v.I32 = convert[uint16, int32](a.Uint16Values())
	case *array.Uint32:
		v.I64 = convert[uint32, int64](a.Uint32Values())
	case *array.Uint64:
		v.Dec = make([]Dec128, v.N)
		for i, x := range a.Uint64Values() {
			v.Dec[i] = Dec128{Lo: x}
		}
	case *array.Float16:
		v.F32 = make([]float32, v.N)
		for i := range v.F32 {
			v.F32[i] = a.Value(i).Float32()
		}
	case *array.Float32:
		v.F32 = a.Float32Values()
	case *array.Float64:
		v.F64 = a.Float64Values()
	case *array.Decimal128:
		x := a.Values()
		v.Dec = unsafe.Slice((*Dec128)(unsafe.Pointer(unsafe.SliceData(x))), len(x))
	case *array.Date32:
		v.I32 = castSlice[int32](a.Date32Values())
	case *array.Date64:
		v.I32 = make([]int32, v.N)
		for i, ms := range a.Date64Values() {
			days, _ := SplitMicros(int64(ms) * 1000)
			v.I32[i] = int32(days)
		}
	case *array.Timestamp:
		v.I64 = toMicros(castSlice[int64](a.TimestampValues()), a.DataType().(*arrow.TimestampType).Unit)
	case *array.Duration:
		v.I64 = toMicros(castSlice[int64](a.DurationValues()), a.DataType().(*arrow.DurationType).Unit)
	case *array.Time32:
		v.I64 = timesOfDay(castSlice[int32](a.Time32Values()), a.DataType().(*arrow.Time32Type).Unit)
	case *array.Time64:
		v.I64 = toMicros(castSlice[int64](a.Time64Values()), a.DataType().(*arrow.Time64Type).Unit)
	case *array.MonthDayNanoInterval:
		v.Dec = calendarFromArrow(a.MonthDayNanoIntervalValues())
	case *array.MonthInterval:
		v.I32 = castSlice[int32](a.MonthIntervalValues())
	case *array.String, *array.Binary:
		fillViews(v, a)
	case *array.LargeString, *array.LargeBinary, *array.StringView, *array.BinaryView, *array.FixedSizeBinary:
		return copyStrings(a, t)
	case *array.Map:
		return listFromArrow(v, t, a.Offsets()[:a.Len()+1], a.Keys(), a.Items())
	case *array.List:
		return listFromArrow(v, t, a.Offsets()[:a.Len()+1], a.ListValues())
	case array.ListLike:
		return longListFromArrow(v, t, a)
	case *array.Struct:
		if t.Kind == Variant {
			return variantFromArrow(a)
		}
		for i := range t.Fields {
			kid, err := fromArrow(a.Field(i), t.Fields[i].Type)
			if err != nil {
				return nil, err
			}
			v.Kids = append(v.Kids, kid)
		}
	case *array.Dictionary:
		return dictFromArrow(v, t, a)
	case array.ExtensionArray:
		return fromArrow(a.Storage(), t)
	default:
		return nil, fmt.Errorf("arrow type %s has no counterpart", a.DataType())
	}
	return v, nil
}

// arrowValid is the array's validity as words; nil when nothing is null.
func arrowValid(a arrow.Array) []uint64 {
	if a.NullN() == 0 || a.DataType().ID() == arrow.NULL {
		return nil
	}
	words := make([]uint64, (a.Len()+63)/64)
	copy(rawBytes(words), a.NullBitmapBytes()[:min(len(a.NullBitmapBytes()), len(words)*8)])
	if off := a.Data().Offset(); off != 0 {
		clear(words)
		for i := range a.Len() {
			if a.IsValid(i) {
				words[i>>6] |= 1 << (uint(i) & 63)
			}
		}
	}
	return words
}

func castSlice[T, S any](s []S) []T {
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(s))), len(s))
}

func convert[S uint8 | uint16 | uint32, T Integer](s []S) []T {
	out := make([]T, len(s))
	for i, x := range s {
		out[i] = T(x)
	}
	return out
}

func toMicros(s []int64, unit arrow.TimeUnit) []int64 {
	if unit == arrow.Microsecond {
		return s
	}
	out := make([]int64, len(s))
	for i, x := range s {
		switch unit {
		case arrow.Second:
			out[i] = x * 1_000_000
		case arrow.Millisecond:
			out[i] = x * 1000
		default:
			out[i] = int64(floorDiv(int(x), 1000))
		}
	}
	return out
}

// fillViews makes views over the values of an Arrow string or binary column, whose data is kept as the one buffer.
func fillViews(v *Vector, a arrow.Array) {
	v.Views = make([]View, v.N)
	if v.N == 0 {
		return
	}
	buffers, from := a.Data().Buffers(), a.Data().Offset()
	offs := arrow.Int32Traits.CastFromBytes(buffers[1].Bytes())[from : from+v.N+1]
	data := []byte{}
	if buffers[2] != nil {
		data = buffers[2].Bytes()
	}
	v.Bufs = [][]byte{data}
	for i := range v.Views {
		v.Views[i] = MakeView(data[offs[i]:offs[i+1]], 0, uint32(offs[i]))
	}
}

func copyStrings(a arrow.Array, t Type) (*Vector, error) {
	b := NewBuilder(t)
	for i := range a.Len() {
		if a.IsNull(i) {
			b.AppendNull()
			continue
		}
		switch a := a.(type) {
		case *array.LargeString:
			b.AppendString(a.Value(i))
		case *array.LargeBinary:
			b.AppendBytes(a.Value(i))
		case *array.StringView:
			b.AppendString(a.Value(i))
		case *array.BinaryView:
			b.AppendBytes(a.Value(i))
		case *array.FixedSizeBinary:
			b.AppendBytes(a.Value(i))
		}
	}
	return b.Finish(), nil
}

func listFromArrow(v *Vector, t Type, offs []int32, kids ...arrow.Array) (*Vector, error) {
	v.Offs = offs
	for i, k := range kids {
		kid, err := fromArrow(k, t.Fields[i].Type)
		if err != nil {
			return nil, err
		}
		v.Kids = append(v.Kids, kid)
	}
	return v, nil
}

func longListFromArrow(v *Vector, t Type, a array.ListLike) (*Vector, error) {
	elems, err := fromArrow(a.ListValues(), t.Fields[0].Type)
	if err != nil {
		return nil, err
	}
	var sel []int32
	v.Offs = append(make([]int32, 0, a.Len()+1), 0)
	for i := range a.Len() {
		if a.IsValid(i) {
			from, to := a.ValueOffsets(i)
			for j := from; j < to; j++ {
				sel = append(sel, int32(j))
			}
		}
		v.Offs = append(v.Offs, int32(len(sel)))
	}
	v.Kids = []*Vector{Take(nil, elems, sel)}
	return v, nil
}

func dictFromArrow(v *Vector, t Type, a *array.Dictionary) (*Vector, error) {
	dict, err := fromArrow(a.Dictionary(), t)
	if err != nil {
		return nil, err
	}
	codes := make([]int32, a.Len())
	for i := range codes {
		codes[i] = -1
		if a.IsValid(i) {
			codes[i] = int32(a.GetValueIndex(i))
		}
	}
	if t.Kind.Storage() != StorageBytes || dict.Valid != nil || dict.N == 0 {
		return Take(nil, dict, codes), nil
	}
	for i := range codes {
		codes[i] = max(codes[i], 0)
	}
	v.Codes, v.Dict = codes, dict
	return v, nil
}
