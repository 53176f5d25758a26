package column

import (
	"unsafe"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
)

// ToArrow is the batch as an Arrow record of ArrowSchema. Fixed-width columns share the batch's memory, so the record
// lives as long as the batch; strings are copied into Arrow's offset layout.
func ToArrow(b *Batch, tz string) arrow.Record {
	schema := ArrowSchema(b.Schema, tz)
	cols := make([]arrow.Array, len(b.Cols))
	for i, c := range b.Cols {
		cols[i] = array.MakeFromData(toArrowData(c, schema.Field(i).Type))
	}
	return array.NewRecord(schema, cols, int64(b.N))
}

// rawBytes is the memory of a slice of fixed-width values.
func rawBytes[T any](s []T) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(s))), len(s)*int(unsafe.Sizeof(*new(T))))
}

func arrowBuffer[T any](s []T) *memory.Buffer { return memory.NewBufferBytes(rawBytes(s)) }

func toArrowData(v *Vector, t arrow.DataType) arrow.ArrayData {
	n := v.N
	var valid *memory.Buffer
	if v.Valid != nil && v.Type.Kind != Null {
		valid = arrowBuffer(v.Valid[:(n+63)/64])
	}
	nulls := v.NullCount()
	fixed := func(values *memory.Buffer) arrow.ArrayData {
		return array.NewData(t, n, []*memory.Buffer{valid, values}, nil, nulls, 0)
	}
	switch v.Type.Kind {
	case Variant:
		return variantToArrow(v, valid, nulls)
	case Time:
		return fixed(arrowBuffer(toNanos(v.I64[:n])))
	case Calendar:
		return fixed(arrowBuffer(monthDayNanos(v.Dec[:n])))
	}
	switch v.Type.Kind.Storage() {
	case StorageBool:
		return fixed(arrowBuffer(PackBools(nil, v.Bools[:n])))
	case StorageI8:
		return fixed(arrowBuffer(v.I8[:n]))
	case StorageI16:
		return fixed(arrowBuffer(v.I16[:n]))
	case StorageI32:
		return fixed(arrowBuffer(v.I32[:n]))
	case StorageI64:
		return fixed(arrowBuffer(v.I64[:n]))
	case StorageF32:
		return fixed(arrowBuffer(v.F32[:n]))
	case StorageF64:
		return fixed(arrowBuffer(v.F64[:n]))
	case StorageDec:
		return fixed(arrowBuffer(v.Dec[:n]))
	case StorageBytes:
		offs, data := offsetStrings(v)
		return array.NewData(t, n, []*memory.Buffer{valid, arrowBuffer(offs), arrowBuffer(data)}, nil, nulls, 0)
	case StorageList:
		return listToArrow(v, t, valid, nulls)
	case StorageStruct:
		kids := make([]arrow.ArrayData, len(v.Kids))
		for i, k := range v.Kids {
			kids[i] = toArrowData(k, t.(*arrow.StructType).Field(i).Type)
		}
		return array.NewData(t, n, []*memory.Buffer{valid}, kids, nulls, 0)
	default:
		return array.NewData(t, n, []*memory.Buffer{nil}, nil, n, 0)
	}
}

// elements are the list offsets counted from zero, and the span of the children that the rows use.
func (v *Vector) elements() (offs []int32, from, to int) {
	base := v.Offs[0]
	offs = v.Offs[:v.N+1]
	if base != 0 {
		offs = make([]int32, v.N+1)
		for i := range offs {
			offs[i] = v.Offs[i] - base
		}
	}
	return offs, int(base), int(v.Offs[v.N])
}

func listToArrow(v *Vector, t arrow.DataType, valid *memory.Buffer, nulls int) arrow.ArrayData {
	offs, from, to := v.elements()
	buffers := []*memory.Buffer{valid, arrowBuffer(offs)}
	if v.Type.Kind == List {
		elem := toArrowData(v.Kids[0].Slice(from, to), t.(*arrow.ListType).Elem())
		return array.NewData(t, v.N, buffers, []arrow.ArrayData{elem}, nulls, 0)
	}
	m := t.(*arrow.MapType)
	kids := []arrow.ArrayData{toArrowData(v.Kids[0].Slice(from, to), m.KeyType()), toArrowData(v.Kids[1].Slice(from, to), m.ItemType())}
	entries := array.NewData(m.Elem(), to-from, []*memory.Buffer{nil}, kids, 0, 0)
	return array.NewData(t, v.N, buffers, []arrow.ArrayData{entries}, nulls, 0)
}

// offsetStrings is a string column in Arrow's classic layout: row i is data[offs[i]:offs[i+1]]. Null rows are empty.
func offsetStrings(v *Vector) (offs []int32, data []byte) {
	offs = make([]int32, v.N+1)
	total := 0
	for i := range v.N {
		if v.IsValid(i) {
			total += len(v.Bytes(i))
		}
		offs[i+1] = int32(total)
	}
	data = make([]byte, 0, total)
	for i := range v.N {
		if v.IsValid(i) {
			data = append(data, v.Bytes(i)...)
		}
	}
	return offs, data
}
