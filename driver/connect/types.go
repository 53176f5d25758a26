package connect

import (
	"strings"

	"github.com/streamflow/streamflow/column"
	pb "github.com/streamflow/streamflow/driver/connect/proto/sparkpb"
	"github.com/streamflow/streamflow/internal/usererr"
)

// maxDepth bounds nesting of what clients send: types, expressions and relations. Deeper trees would exhaust the stack
// in rewriting.
const maxDepth = 1000

// typeToProto is t as Spark Connect sends it.
func typeToProto(t column.Type) *pb.DataType {
	switch t.Kind {
	case column.Bool:
		return &pb.DataType{Kind: &pb.DataType_Boolean_{Boolean: &pb.DataType_Boolean{}}}
	case column.Int8:
		return &pb.DataType{Kind: &pb.DataType_Byte_{Byte: &pb.DataType_Byte{}}}
	case column.Int16:
		return &pb.DataType{Kind: &pb.DataType_Short_{Short: &pb.DataType_Short{}}}
	case column.Int32:
		return &pb.DataType{Kind: &pb.DataType_Integer_{Integer: &pb.DataType_Integer{}}}
	case column.Int64:
		return &pb.DataType{Kind: &pb.DataType_Long_{Long: &pb.DataType_Long{}}}
	case column.Float32:
		return &pb.DataType{Kind: &pb.DataType_Float_{Float: &pb.DataType_Float{}}}
	case column.Float64:
		return &pb.DataType{Kind: &pb.DataType_Double_{Double: &pb.DataType_Double{}}}
	case column.Decimal:
		return &pb.DataType{Kind: &pb.DataType_Decimal_{Decimal: &pb.DataType_Decimal{
			Precision: ptr(int32(t.Precision)), Scale: ptr(int32(t.Scale))}}}
	case column.String:
		return &pb.DataType{Kind: &pb.DataType_String_{String_: &pb.DataType_String{Collation: "UTF8_BINARY"}}}
	case column.Binary:
		return &pb.DataType{Kind: &pb.DataType_Binary_{Binary: &pb.DataType_Binary{}}}
	case column.Date:
		return &pb.DataType{Kind: &pb.DataType_Date_{Date: &pb.DataType_Date{}}}
	case column.Timestamp:
		return &pb.DataType{Kind: &pb.DataType_Timestamp_{Timestamp: &pb.DataType_Timestamp{}}}
	case column.TimestampNTZ:
		return &pb.DataType{Kind: &pb.DataType_TimestampNtz{TimestampNtz: &pb.DataType_TimestampNTZ{}}}
	case column.IntervalYM:
		return &pb.DataType{Kind: &pb.DataType_YearMonthInterval_{YearMonthInterval: &pb.DataType_YearMonthInterval{
			StartField: ptr(firstField(t)), EndField: ptr(lastField(t))}}}
	case column.IntervalDT:
		return &pb.DataType{Kind: &pb.DataType_DayTimeInterval_{DayTimeInterval: &pb.DataType_DayTimeInterval{
			StartField: ptr(firstField(t)), EndField: ptr(lastField(t))}}}
	case column.Calendar:
		return &pb.DataType{Kind: &pb.DataType_CalendarInterval_{CalendarInterval: &pb.DataType_CalendarInterval{}}}
	case column.Variant:
		return &pb.DataType{Kind: &pb.DataType_Variant_{Variant: &pb.DataType_Variant{}}}
	case column.Time:
		return &pb.DataType{Kind: &pb.DataType_Time_{Time: &pb.DataType_Time{Precision: ptr(int32(t.Precision))}}}
	case column.List:
		return &pb.DataType{Kind: &pb.DataType_Array_{Array: &pb.DataType_Array{
			ElementType: typeToProto(t.Elem()), ContainsNull: t.Fields[0].Nullable}}}
	case column.Map:
		return &pb.DataType{Kind: &pb.DataType_Map_{Map: &pb.DataType_Map{KeyType: typeToProto(t.Fields[0].Type),
			ValueType: typeToProto(t.Fields[1].Type), ValueContainsNull: t.Fields[1].Nullable}}}
	case column.Struct:
		return &pb.DataType{Kind: &pb.DataType_Struct_{Struct: structToProto(t.Fields)}}
	}
	return &pb.DataType{Kind: &pb.DataType_Null{Null: &pb.DataType_NULL{}}}
}

func structToProto(fields []column.Field) *pb.DataType_Struct {
	s := &pb.DataType_Struct{}
	for _, f := range fields {
		s.Fields = append(s.Fields, &pb.DataType_StructField{Name: f.Name, DataType: typeToProto(f.Type), Nullable: f.Nullable})
	}
	return s
}

// schemaToProto is a schema as the struct type that Spark Connect sends it as.
func schemaToProto(s *column.Schema) *pb.DataType {
	return &pb.DataType{Kind: &pb.DataType_Struct_{Struct: structToProto(s.Fields)}}
}

// typeFromProto reads a type; types that we have no column for are refused by name.
func typeFromProto(t *pb.DataType) (column.Type, error) { return readType(t, 0) }

func readType(t *pb.DataType, depth int) (column.Type, error) {
	if depth > maxDepth {
		return column.Type{}, tooDeep()
	}
	switch k := t.GetKind().(type) {
	case *pb.DataType_Null:
		return column.Of(column.Null), nil
	case *pb.DataType_Boolean_:
		return column.Of(column.Bool), nil
	case *pb.DataType_Byte_:
		return column.Of(column.Int8), nil
	case *pb.DataType_Short_:
		return column.Of(column.Int16), nil
	case *pb.DataType_Integer_:
		return column.Of(column.Int32), nil
	case *pb.DataType_Long_:
		return column.Of(column.Int64), nil
	case *pb.DataType_Float_:
		return column.Of(column.Float32), nil
	case *pb.DataType_Double_:
		return column.Of(column.Float64), nil
	case *pb.DataType_Decimal_:
		return readDecimal(k.Decimal)
	case *pb.DataType_String_:
		if c := k.String_.GetCollation(); c != "" && !strings.EqualFold(c, "UTF8_BINARY") {
			return column.Type{}, unsupported("COLLATION", "The collation %s", c)
		}
		return column.Of(column.String), nil
	case *pb.DataType_Char_, *pb.DataType_VarChar_:
		return column.Of(column.String), nil
	case *pb.DataType_Binary_:
		return column.Of(column.Binary), nil
	case *pb.DataType_Date_:
		return column.Of(column.Date), nil
	case *pb.DataType_Timestamp_:
		return column.Of(column.Timestamp), nil
	case *pb.DataType_TimestampNtz:
		return column.Of(column.TimestampNTZ), nil
	case *pb.DataType_YearMonthInterval_:
		return readInterval(column.Year, k.YearMonthInterval.StartField, k.YearMonthInterval.EndField, column.Month)
	case *pb.DataType_DayTimeInterval_:
		return readInterval(column.Day, k.DayTimeInterval.StartField, k.DayTimeInterval.EndField, column.Second)
	case *pb.DataType_CalendarInterval_:
		return column.Of(column.Calendar), nil
	case *pb.DataType_Variant_:
		return column.Of(column.Variant), nil
	case *pb.DataType_Time_:
		return readTimeType(k.Time.Precision)
	case *pb.DataType_Array_:
		elem, err := readType(k.Array.GetElementType(), depth+1)
		return column.ListOf(elem, k.Array.GetContainsNull()), err
	case *pb.DataType_Map_:
		return readMap(k.Map, depth)
	case *pb.DataType_Struct_:
		fields, err := readFields(k.Struct, depth+1)
		return column.StructOf(fields...), err
	case *pb.DataType_Unparsed_:
		return parseType(k.Unparsed.GetDataTypeString())
	case *pb.DataType_Udt:
		if k.Udt.GetSqlType() != nil {
			return readType(k.Udt.GetSqlType(), depth+1)
		}
	case nil:
		return column.Type{}, notSet("spark.connect.DataType", "KIND_NOT_SET")
	}
	return column.Type{}, unsupported("DATA_TYPE", "The data type %s", kindName(t))
}

func readDecimal(d *pb.DataType_Decimal) (column.Type, error) {
	p, s := int32(10), int32(0)
	if d.Precision != nil {
		p = d.GetPrecision()
	}
	if d.Scale != nil {
		s = d.GetScale()
	}
	if p < 1 || p > 38 {
		return column.Type{}, usererr.New("DECIMAL_PRECISION_EXCEEDS_MAX_PRECISION", "22003", "Decimal precision %d exceeds max precision 38.", p)
	}
	if s < 0 || s > p {
		return column.Type{}, usererr.New("INVALID_PLAN_INPUT", "56K00", "The scale %d of a decimal must be between 0 and its precision %d.", s, p)
	}
	return column.DecimalOf(int(p), int(s)), nil
}

// readTimeType is time(precision), with six digits when none are given.
func readTimeType(precision *int32) (column.Type, error) {
	p := int32(column.MaxTimePrecision)
	if precision != nil {
		p = *precision
	}
	if p < 0 || p > column.MaxTimePrecision {
		return column.Type{}, usererr.New("UNSUPPORTED_TIME_PRECISION", "0A001", "The seconds precision %d of the TIME data type is out of the supported range [0, 6].", p)
	}
	return column.TimeOf(int(p)), nil
}

func readMap(m *pb.DataType_Map, depth int) (column.Type, error) {
	key, err := readType(m.GetKeyType(), depth+1)
	if err != nil {
		return key, err
	}
	value, err := readType(m.GetValueType(), depth+1)
	return column.MapOf(key, value, m.GetValueContainsNull()), err
}

func readFields(s *pb.DataType_Struct, depth int) ([]column.Field, error) {
	fields := make([]column.Field, 0, len(s.GetFields()))
	for _, f := range s.GetFields() {
		t, err := readType(f.GetDataType(), depth)
		if err != nil {
			return nil, err
		}
		fields = append(fields, column.Field{Name: f.GetName(), Type: t, Nullable: f.GetNullable()})
	}
	return fields, nil
}

// schemaFromProto reads a struct type as a schema; any other type is one column named value, as Spark does.
func schemaFromProto(t *pb.DataType) (*column.Schema, error) {
	typ, err := typeFromProto(t)
	if err != nil {
		return nil, err
	}
	if typ.Kind != column.Struct {
		return column.NewSchema(column.Field{Name: "value", Type: typ, Nullable: true}), nil
	}
	return column.NewSchema(typ.Fields...), nil
}

func kindName(t *pb.DataType) string {
	r := t.ProtoReflect()
	f := r.WhichOneof(r.Descriptor().Oneofs().ByName("kind"))
	if f == nil {
		return "unknown"
	}
	return string(f.Name())
}

func ptr[T any](v T) *T { return &v }

// firstField and lastField are an interval type's units as the protocol counts them: from the day, or from the year.
func firstField(t column.Type) int32 {
	from, _ := t.IntervalUnits()
	return int32(from - intervalBase(t))
}

func lastField(t column.Type) int32 {
	_, to := t.IntervalUnits()
	return int32(to - intervalBase(t))
}

func intervalBase(t column.Type) column.IntervalUnit {
	if t.Kind == column.IntervalYM {
		return column.Year
	}
	return column.Day
}

// readInterval is an interval type from units that count from base; where they are missing, it is the widest.
func readInterval(base column.IntervalUnit, first, last *int32, widest column.IntervalUnit) (column.Type, error) {
	from, to := base, widest
	if first != nil {
		from = base + column.IntervalUnit(*first)
	}
	if last != nil {
		to = base + column.IntervalUnit(*last)
	}
	t, ok := column.IntervalOf(from, to)
	if !ok {
		return t, invalidPlan("INTERVAL_TYPE", "There is no interval type from unit %d to unit %d.", from-base, to-base)
	}
	return t, nil
}
