package column

import (
	"fmt"

	"github.com/apache/arrow/go/v17/arrow"
)

// ArrowSchema is the schema in Arrow's terms. tz is the time zone that instants are labelled with.
func ArrowSchema(s *Schema, tz string) *arrow.Schema {
	return arrow.NewSchema(arrowFields(s.Fields, tz, false), nil)
}

// ArrowViewSchema is ArrowSchema with view types for strings and binary: the schema of the record batches that
// EncodeBatch writes.
func ArrowViewSchema(s *Schema, tz string) *arrow.Schema {
	return arrow.NewSchema(arrowFields(s.Fields, tz, true), nil)
}

func arrowFields(fields []Field, tz string, views bool) []arrow.Field {
	out := make([]arrow.Field, len(fields))
	for i, f := range fields {
		out[i] = arrow.Field{Name: f.Name, Type: arrowType(f.Type, tz, views), Nullable: f.Nullable || f.Type.Kind == Null}
	}
	return out
}

// ArrowType is the type in Arrow's terms.
func ArrowType(t Type, tz string) arrow.DataType { return arrowType(t, tz, false) }

var arrowTypes = map[Kind]arrow.DataType{
	Null: arrow.Null, Bool: arrow.FixedWidthTypes.Boolean, Int8: arrow.PrimitiveTypes.Int8, Int16: arrow.PrimitiveTypes.Int16,
	Int32: arrow.PrimitiveTypes.Int32, Int64: arrow.PrimitiveTypes.Int64, Float32: arrow.PrimitiveTypes.Float32,
	Float64: arrow.PrimitiveTypes.Float64, String: arrow.BinaryTypes.String, Binary: arrow.BinaryTypes.Binary,
	Date: arrow.FixedWidthTypes.Date32, TimestampNTZ: &arrow.TimestampType{Unit: arrow.Microsecond},
	IntervalYM: arrow.FixedWidthTypes.MonthInterval, IntervalDT: arrow.FixedWidthTypes.Duration_us,
	Calendar: arrow.FixedWidthTypes.MonthDayNanoInterval, Time: arrow.FixedWidthTypes.Time64ns,
}

func arrowType(t Type, tz string, views bool) arrow.DataType {
	switch t.Kind {
	case Decimal:
		return &arrow.Decimal128Type{Precision: int32(t.Precision), Scale: int32(t.Scale)}
	case Timestamp:
		return &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: tz}
	case List:
		return arrow.ListOfField(arrowFields(t.Fields, tz, views)[0])
	case Map:
		kv := arrowFields(t.Fields, tz, views)
		m := arrow.MapOf(kv[0].Type, kv[1].Type)
		m.SetItemNullable(kv[1].Nullable)
		return m
	case Struct:
		return arrow.StructOf(arrowFields(t.Fields, tz, views)...)
	case String:
		if views {
			return arrow.BinaryTypes.StringView
		}
	case Variant:
		if !views {
			return variantArrow
		}
		return arrow.BinaryTypes.BinaryView
	case Calendar:
		if views {
			return &arrow.Decimal128Type{Precision: MaxPrecision} // the bits; Arrow's own form has other ones
		}
	case Time:
		if views {
			return arrow.FixedWidthTypes.Time64us
		}
	case Binary:
		if views {
			return arrow.BinaryTypes.BinaryView
		}
	}
	return arrowTypes[t.Kind]
}

// SchemaFromArrow is the schema of Arrow data in Spark's types. Unsigned integers become the next wider signed type,
// dictionaries their value type. It fails for types that have no counterpart, such as unions.
func SchemaFromArrow(s *arrow.Schema) (*Schema, error) {
	fields, err := fieldsFromArrow(s.Fields())
	if err != nil {
		return nil, err
	}
	return &Schema{Fields: fields}, nil
}

func fieldsFromArrow(fields []arrow.Field) ([]Field, error) {
	out := make([]Field, len(fields))
	for i, f := range fields {
		t, err := TypeFromArrow(f.Type)
		if err != nil {
			return nil, fmt.Errorf("column: field %q: %w", f.Name, err)
		}
		out[i] = Field{Name: f.Name, Type: t, Nullable: f.Nullable}
	}
	return out, nil
}

// TypeFromArrow is the type of Arrow values in Spark's types.
func TypeFromArrow(t arrow.DataType) (Type, error) {
	switch t := t.(type) {
	case *arrow.Decimal128Type:
		if t.Scale < 0 || t.Scale > t.Precision || t.Precision > MaxPrecision {
			return Type{}, fmt.Errorf("arrow type %s is out of the range of decimal", t)
		}
		return DecimalOf(int(t.Precision), int(t.Scale)), nil
	case *arrow.TimestampType:
		if t.TimeZone == "" {
			return Of(TimestampNTZ), nil
		}
		return Of(Timestamp), nil
	case *arrow.MapType:
		fields, err := fieldsFromArrow([]arrow.Field{t.KeyField(), t.ItemField()})
		if err != nil {
			return Type{}, err
		}
		return MapOf(fields[0].Type, fields[1].Type, fields[1].Nullable), nil
	case *arrow.StructType:
		if isVariantArrow(t) {
			return Of(Variant), nil
		}
		fields, err := fieldsFromArrow(t.Fields())
		return StructOf(fields...), err
	case *arrow.DictionaryType:
		return TypeFromArrow(t.ValueType)
	case arrow.ExtensionType:
		return TypeFromArrow(t.StorageType())
	case arrow.ListLikeType:
		fields, err := fieldsFromArrow([]arrow.Field{t.ElemField()})
		if err != nil {
			return Type{}, err
		}
		return ListOf(fields[0].Type, fields[0].Nullable), nil
	}
	if k, ok := kindsFromArrow[t.ID()]; ok {
		switch {
		case t.ID() == arrow.UINT64:
			return DecimalOf(20, 0), nil
		case k == Time:
			return TimeOf(MaxTimePrecision), nil
		}
		return Of(k), nil
	}
	return Type{}, fmt.Errorf("arrow type %s has no counterpart", t)
}

var kindsFromArrow = map[arrow.Type]Kind{
	arrow.NULL: Null, arrow.BOOL: Bool, arrow.INT8: Int8, arrow.UINT8: Int16, arrow.INT16: Int16, arrow.UINT16: Int32,
	arrow.INT32: Int32, arrow.UINT32: Int64, arrow.INT64: Int64, arrow.UINT64: Decimal, arrow.FLOAT16: Float32,
	arrow.FLOAT32: Float32, arrow.FLOAT64: Float64, arrow.STRING: String, arrow.LARGE_STRING: String, arrow.STRING_VIEW: String,
	arrow.BINARY: Binary, arrow.LARGE_BINARY: Binary, arrow.BINARY_VIEW: Binary, arrow.FIXED_SIZE_BINARY: Binary,
	arrow.DATE32: Date, arrow.DATE64: Date, arrow.DURATION: IntervalDT, arrow.INTERVAL_MONTHS: IntervalYM,
	arrow.INTERVAL_MONTH_DAY_NANO: Calendar, arrow.TIME64: Time, arrow.TIME32: Time,
}
