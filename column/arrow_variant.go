package column

import (
	"fmt"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
)

// variantArrow is a variant in Arrow's terms, as Spark sends it: a struct of value and metadata, the second of which is
// marked.
var variantArrow = arrow.StructOf(
	arrow.Field{Name: "value", Type: arrow.BinaryTypes.Binary},
	arrow.Field{Name: "metadata", Type: arrow.BinaryTypes.Binary, Metadata: arrow.NewMetadata([]string{"variant"}, []string{"true"})})

// isVariantArrow reports whether a struct is Spark's form of a variant.
func isVariantArrow(t *arrow.StructType) bool {
	if t.NumFields() != 2 || t.Field(0).Name != "value" || t.Field(1).Name != "metadata" {
		return false
	}
	mark, ok := t.Field(1).Metadata.GetValue("variant")
	return ok && mark == "true"
}

func variantToArrow(v *Vector, valid *memory.Buffer, nulls int) arrow.ArrayData {
	value, meta := NewBuilder(Of(Binary)), NewBuilder(Of(Binary))
	for i := range v.N {
		var r VariantRef
		if v.IsValid(i) {
			r = v.Variant(i)
		}
		value.AppendBytes(r.Value)
		meta.AppendBytes(r.Meta)
	}
	kids := []arrow.ArrayData{toArrowData(value.Finish(), arrow.BinaryTypes.Binary), toArrowData(meta.Finish(), arrow.BinaryTypes.Binary)}
	return array.NewData(variantArrow, v.N, []*memory.Buffer{valid}, kids, nulls, 0)
}

func variantFromArrow(a *array.Struct) (*Vector, error) {
	value, err := fromArrow(a.Field(0), Of(Binary))
	if err != nil {
		return nil, err
	}
	meta, err := fromArrow(a.Field(1), Of(Binary))
	if err != nil {
		return nil, err
	}
	b := NewBuilder(Of(Variant))
	var buf []byte
	for i := range a.Len() {
		if a.IsNull(i) || !value.IsValid(i) || !meta.IsValid(i) {
			b.AppendNull()
			continue
		}
		buf = append(append(buf[:0], meta.Bytes(i)...), value.Bytes(i)...)
		if len(meta.Bytes(i)) != metadataLen(buf) || !SplitVariant(buf).Valid() {
			return nil, fmt.Errorf("row %d is no variant", i)
		}
		b.AppendBytes(buf)
	}
	return b.Finish(), nil
}

// monthDayNanos are calendar intervals as Arrow has them.
func monthDayNanos(list []Dec128) []arrow.MonthDayNanoInterval {
	out := make([]arrow.MonthDayNanoInterval, len(list))
	for i, d := range list {
		c := CalendarOf(d)
		out[i] = arrow.MonthDayNanoInterval{Months: c.Months, Days: c.Days, Nanoseconds: c.Micros * 1000}
	}
	return out
}

func calendarFromArrow(list []arrow.MonthDayNanoInterval) []Dec128 {
	out := make([]Dec128, len(list))
	for i, x := range list {
		out[i] = CalendarInterval{x.Months, x.Days, int64(floorDiv(int(x.Nanoseconds), 1000))}.Dec()
	}
	return out
}

// timesOfDay are times in seconds or milliseconds as microseconds.
func timesOfDay(list []int32, unit arrow.TimeUnit) []int64 {
	out := make([]int64, len(list))
	for i, x := range list {
		out[i] = int64(x)
	}
	return toMicros(out, unit)
}

// toNanos are microseconds as the nanoseconds that Spark sends times of day in.
func toNanos(us []int64) []int64 {
	out := make([]int64, len(us))
	for i, x := range us {
		out[i] = x * 1000
	}
	return out
}
