package connect

import (
	"math/big"
	"strconv"
	"strings"

	"github.com/streamflow/streamflow/column"
	pb "github.com/streamflow/streamflow/driver/connect/proto/sparkpb"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/internal/usererr"
)

// literalFromProto reads a constant.
func literalFromProto(l *pb.Expression_Literal) (*expr.Literal, error) { return readLiteral(l, 0) }

func readLiteral(l *pb.Expression_Literal, depth int) (*expr.Literal, error) {
	if depth > maxDepth {
		return nil, tooDeep()
	}
	switch v := l.GetLiteralType().(type) {
	case *pb.Expression_Literal_Null:
		t, err := typeFromProto(v.Null)
		return &expr.Literal{Typ: t}, err
	case *pb.Expression_Literal_Binary:
		return of(v.Binary, column.Binary), nil
	case *pb.Expression_Literal_Boolean:
		return of(v.Boolean, column.Bool), nil
	case *pb.Expression_Literal_Byte:
		return of(int64(int8(v.Byte)), column.Int8), nil
	case *pb.Expression_Literal_Short:
		return of(int64(int16(v.Short)), column.Int16), nil
	case *pb.Expression_Literal_Integer:
		return of(int64(v.Integer), column.Int32), nil
	case *pb.Expression_Literal_Long:
		return of(v.Long, column.Int64), nil
	case *pb.Expression_Literal_Float:
		return of(float64(v.Float), column.Float32), nil
	case *pb.Expression_Literal_Double:
		return of(v.Double, column.Float64), nil
	case *pb.Expression_Literal_Decimal_:
		return readDecimalLiteral(v.Decimal)
	case *pb.Expression_Literal_String_:
		return of(v.String_, column.String), nil
	case *pb.Expression_Literal_Date:
		return of(int64(v.Date), column.Date), nil
	case *pb.Expression_Literal_Timestamp:
		return of(v.Timestamp, column.Timestamp), nil
	case *pb.Expression_Literal_TimestampNtz:
		return of(v.TimestampNtz, column.TimestampNTZ), nil
	case *pb.Expression_Literal_YearMonthInterval:
		return of(int64(v.YearMonthInterval), column.IntervalYM), nil
	case *pb.Expression_Literal_DayTimeInterval:
		return of(v.DayTimeInterval, column.IntervalDT), nil
	case *pb.Expression_Literal_CalendarInterval_:
		c := v.CalendarInterval
		return of(column.CalendarInterval{Months: c.GetMonths(), Days: c.GetDays(), Micros: c.GetMicroseconds()}.Dec(), column.Calendar), nil
	case *pb.Expression_Literal_Time_:
		return readTimeLiteral(v.Time)
	case *pb.Expression_Literal_Array_:
		return readArrayLiteral(l, v.Array, depth)
	case *pb.Expression_Literal_Map_:
		return readMapLiteral(l, v.Map, depth)
	case *pb.Expression_Literal_Struct_:
		return readStructLiteral(l, v.Struct, depth)
	case *pb.Expression_Literal_SpecializedArray_:
		return readSpecialized(v.SpecializedArray)
	case nil:
		return nil, notSet("spark.connect.Expression.Literal", "LITERALTYPE_NOT_SET")
	}
	return nil, unsupported("LITERAL_TYPE", "A literal of type %s", oneofName(l, "literal_type"))
}

func of(v any, k column.Kind) *expr.Literal { return &expr.Literal{Value: v, Typ: column.Of(k)} }

// readTimeLiteral takes a time of day, of which the protocol counts nanoseconds and a column holds microseconds.
func readTimeLiteral(t *pb.Expression_Literal_Time) (*expr.Literal, error) {
	typ, err := readTimeType(t.Precision)
	if err != nil {
		return nil, err
	}
	us := t.GetNano() / 1000
	if us < 0 || us >= 86_400_000_000 {
		return nil, invalidPlan("TIME_LITERAL", "A time of day has %d nanoseconds.", t.GetNano())
	}
	return &expr.Literal{Value: column.TruncateTime(us, int(typ.Precision)), Typ: typ}, nil
}

func readArrayLiteral(l *pb.Expression_Literal, a *pb.Expression_Literal_Array, depth int) (*expr.Literal, error) {
	values, types, err := readElements(a.GetElements(), depth)
	if err != nil {
		return nil, err
	}
	t := column.ListOf(firstType(types), true)
	if dt := l.GetDataType(); dt.GetArray() != nil {
		t, err = typeFromProto(dt)
	} else if a.GetElementType() != nil {
		var elem column.Type
		elem, err = typeFromProto(a.GetElementType())
		t = column.ListOf(elem, true)
	}
	return &expr.Literal{Value: values, Typ: t}, err
}

func readMapLiteral(l *pb.Expression_Literal, m *pb.Expression_Literal_Map, depth int) (*expr.Literal, error) {
	keys, kt, err := readElements(m.GetKeys(), depth)
	if err != nil {
		return nil, err
	}
	values, vt, err := readElements(m.GetValues(), depth)
	if err != nil {
		return nil, err
	}
	if len(keys) != len(values) {
		return nil, invalidPlan("MAP_LITERAL", "A map literal has %d keys and %d values.", len(keys), len(values))
	}
	key, value := firstType(kt), firstType(vt)
	if dt := l.GetDataType(); dt.GetMap() != nil {
		t, err := typeFromProto(dt)
		return &expr.Literal{Value: [2][]any{keys, values}, Typ: t}, err
	}
	if m.GetKeyType() != nil {
		if key, err = typeFromProto(m.GetKeyType()); err != nil {
			return nil, err
		}
	}
	if m.GetValueType() != nil {
		if value, err = typeFromProto(m.GetValueType()); err != nil {
			return nil, err
		}
	}
	return &expr.Literal{Value: [2][]any{keys, values}, Typ: column.MapOf(key, value, true)}, nil
}

func readStructLiteral(l *pb.Expression_Literal, s *pb.Expression_Literal_Struct, depth int) (*expr.Literal, error) {
	values, types, err := readElements(s.GetElements(), depth)
	if err != nil {
		return nil, err
	}
	declared := l.GetDataType()
	if declared.GetStruct() == nil {
		declared = s.GetStructType()
	}
	if declared.GetStruct() != nil {
		t, err := typeFromProto(declared)
		if err == nil && len(t.Fields) != len(values) {
			err = invalidPlan("STRUCT_LITERAL", "A struct literal has %d fields and %d values.", len(t.Fields), len(values))
		}
		return &expr.Literal{Value: values, Typ: t}, err
	}
	fields := make([]column.Field, len(types))
	for i, t := range types {
		fields[i] = column.Field{Name: "col" + strconv.Itoa(i+1), Type: t, Nullable: true}
	}
	return &expr.Literal{Value: values, Typ: column.StructOf(fields...)}, nil
}

func readElements(list []*pb.Expression_Literal, depth int) ([]any, []column.Type, error) {
	values := make([]any, len(list))
	types := make([]column.Type, len(list))
	for i, e := range list {
		l, err := readLiteral(e, depth+1)
		if err != nil {
			return nil, nil, err
		}
		values[i], types[i] = l.Value, l.Typ
	}
	return values, types, nil
}

// firstType is the type of elements when none is declared: that of the first one which is not null.
func firstType(types []column.Type) column.Type {
	for _, t := range types {
		if t.Kind != column.Null {
			return t
		}
	}
	return column.Of(column.Null)
}

func readSpecialized(a *pb.Expression_Literal_SpecializedArray) (*expr.Literal, error) {
	var values []any
	kind := column.Null
	switch v := a.GetValueType().(type) {
	case *pb.Expression_Literal_SpecializedArray_Bools:
		values, kind = boxed(v.Bools.GetValues(), func(x bool) any { return x }), column.Bool
	case *pb.Expression_Literal_SpecializedArray_Ints:
		values, kind = boxed(v.Ints.GetValues(), func(x int32) any { return int64(x) }), column.Int32
	case *pb.Expression_Literal_SpecializedArray_Longs:
		values, kind = boxed(v.Longs.GetValues(), func(x int64) any { return x }), column.Int64
	case *pb.Expression_Literal_SpecializedArray_Floats:
		values, kind = boxed(v.Floats.GetValues(), func(x float32) any { return float64(x) }), column.Float32
	case *pb.Expression_Literal_SpecializedArray_Doubles:
		values, kind = boxed(v.Doubles.GetValues(), func(x float64) any { return x }), column.Float64
	case *pb.Expression_Literal_SpecializedArray_Strings:
		values, kind = boxed(v.Strings.GetValues(), func(x string) any { return x }), column.String
	default:
		return nil, notSet("spark.connect.Expression.Literal.SpecializedArray", "VALUETYPE_NOT_SET")
	}
	return &expr.Literal{Value: values, Typ: column.ListOf(column.Of(kind), false)}, nil
}

func boxed[T any](list []T, f func(T) any) []any {
	out := make([]any, len(list))
	for i, v := range list {
		out[i] = f(v)
	}
	return out
}

// readDecimalLiteral takes the digits as they stand; precision and scale, when given, must hold them.
func readDecimalLiteral(d *pb.Expression_Literal_Decimal) (*expr.Literal, error) {
	unscaled, scale, ok := parseDecimal(d.GetValue())
	if !ok {
		return nil, usererr.New("CAST_INVALID_INPUT", "22018", "The value %q is no decimal number.", d.GetValue())
	}
	if d.Scale != nil {
		want := int(d.GetScale())
		if want < scale || want > 38 {
			return nil, decimalTooWide(d.GetValue())
		}
		unscaled.Mul(unscaled, pow10(want-scale))
		scale = want
	}
	digits := max(len(new(big.Int).Abs(unscaled).String()), scale, 1)
	if d.Precision != nil {
		if int(d.GetPrecision()) < digits {
			return nil, decimalTooWide(d.GetValue())
		}
		digits = int(d.GetPrecision())
	}
	if digits > 38 {
		return nil, decimalTooWide(d.GetValue())
	}
	return &expr.Literal{Value: decFromBig(unscaled), Typ: column.DecimalOf(digits, scale)}, nil
}

func decimalTooWide(text string) *usererr.Error {
	return usererr.New("NUMERIC_VALUE_OUT_OF_RANGE", "22003", "The decimal %s does not fit its precision and scale.", text)
}

// parseDecimal splits "-12.50" or "1E+2" into an integer and the number of its digits after the point.
func parseDecimal(text string) (*big.Int, int, bool) {
	mantissa, exp := text, 0
	if i := strings.IndexAny(text, "eE"); i >= 0 {
		n, err := strconv.Atoi(strings.TrimPrefix(text[i+1:], "+"))
		if err != nil || n < -100 || n > 100 {
			return nil, 0, false
		}
		mantissa, exp = text[:i], n
	}
	whole, frac, _ := strings.Cut(mantissa, ".")
	digits := strings.TrimPrefix(whole, "+") + frac
	unscaled, ok := new(big.Int).SetString(digits, 10)
	if !ok || len(digits) > 100 || strings.ContainsAny(frac, "+-_") || strings.Contains(whole, "_") {
		return nil, 0, false
	}
	scale := len(frac) - exp
	if scale < 0 {
		return unscaled.Mul(unscaled, pow10(-scale)), 0, true
	}
	return unscaled, scale, true
}

func pow10(n int) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil) }

// decFromBig is b, of at most 38 digits, in 128 bits of two's complement.
func decFromBig(b *big.Int) column.Dec128 {
	lo := new(big.Int).And(b, new(big.Int).SetUint64(^uint64(0)))
	hi := new(big.Int).Rsh(b, 64)
	return column.Dec128{Lo: lo.Uint64(), Hi: hi.Int64()}
}

// literalToProto is a constant as Spark Connect sends it.
func literalToProto(l *expr.Literal) *pb.Expression_Literal { return writeLiteral(l.Value, l.Typ) }

func writeLiteral(v any, t column.Type) *pb.Expression_Literal {
	if v == nil {
		return &pb.Expression_Literal{LiteralType: &pb.Expression_Literal_Null{Null: typeToProto(t)}}
	}
	switch t.Kind {
	case column.Bool:
		return &pb.Expression_Literal{LiteralType: &pb.Expression_Literal_Boolean{Boolean: v.(bool)}}
	case column.Int8:
		return &pb.Expression_Literal{LiteralType: &pb.Expression_Literal_Byte{Byte: int32(v.(int64))}}
	case column.Int16:
		return &pb.Expression_Literal{LiteralType: &pb.Expression_Literal_Short{Short: int32(v.(int64))}}
	case column.Int32:
		return &pb.Expression_Literal{LiteralType: &pb.Expression_Literal_Integer{Integer: int32(v.(int64))}}
	case column.Int64:
		return &pb.Expression_Literal{LiteralType: &pb.Expression_Literal_Long{Long: v.(int64)}}
	case column.Float32:
		return &pb.Expression_Literal{LiteralType: &pb.Expression_Literal_Float{Float: float32(v.(float64))}}
	case column.Float64:
		return &pb.Expression_Literal{LiteralType: &pb.Expression_Literal_Double{Double: v.(float64)}}
	case column.Decimal:
		return &pb.Expression_Literal{LiteralType: &pb.Expression_Literal_Decimal_{Decimal: &pb.Expression_Literal_Decimal{
			Value: v.(column.Dec128).Text(int(t.Scale)), Precision: ptr(int32(t.Precision)), Scale: ptr(int32(t.Scale))}}}
	case column.String:
		return &pb.Expression_Literal{LiteralType: &pb.Expression_Literal_String_{String_: v.(string)}}
	case column.Binary:
		return &pb.Expression_Literal{LiteralType: &pb.Expression_Literal_Binary{Binary: v.([]byte)}}
	case column.Date:
		return &pb.Expression_Literal{LiteralType: &pb.Expression_Literal_Date{Date: int32(v.(int64))}}
	case column.Timestamp:
		return &pb.Expression_Literal{LiteralType: &pb.Expression_Literal_Timestamp{Timestamp: v.(int64)}}
	case column.TimestampNTZ:
		return &pb.Expression_Literal{LiteralType: &pb.Expression_Literal_TimestampNtz{TimestampNtz: v.(int64)}}
	case column.IntervalYM:
		return &pb.Expression_Literal{LiteralType: &pb.Expression_Literal_YearMonthInterval{YearMonthInterval: int32(v.(int64))}}
	case column.IntervalDT:
		return &pb.Expression_Literal{LiteralType: &pb.Expression_Literal_DayTimeInterval{DayTimeInterval: v.(int64)}}
	case column.Calendar:
		c := column.CalendarOf(v.(column.Dec128))
		return &pb.Expression_Literal{LiteralType: &pb.Expression_Literal_CalendarInterval_{CalendarInterval: &pb.Expression_Literal_CalendarInterval{
			Months: c.Months, Days: c.Days, Microseconds: c.Micros}}}
	case column.Time:
		return &pb.Expression_Literal{LiteralType: &pb.Expression_Literal_Time_{Time: &pb.Expression_Literal_Time{
			Nano: v.(int64) * 1000, Precision: ptr(int32(t.Precision))}}}
	case column.List:
		return &pb.Expression_Literal{DataType: typeToProto(t), LiteralType: &pb.Expression_Literal_Array_{Array: &pb.Expression_Literal_Array{
			ElementType: typeToProto(t.Elem()), Elements: writeElements(v.([]any), t.Elem())}}}
	case column.Map:
		kv := v.([2][]any)
		key, value := t.Fields[0].Type, t.Fields[1].Type
		return &pb.Expression_Literal{DataType: typeToProto(t), LiteralType: &pb.Expression_Literal_Map_{Map: &pb.Expression_Literal_Map{
			KeyType: typeToProto(key), ValueType: typeToProto(value), Keys: writeElements(kv[0], key), Values: writeElements(kv[1], value)}}}
	case column.Struct:
		s := &pb.Expression_Literal_Struct{StructType: typeToProto(t)}
		for i, x := range v.([]any) {
			s.Elements = append(s.Elements, writeLiteral(x, t.Fields[i].Type))
		}
		return &pb.Expression_Literal{DataType: typeToProto(t), LiteralType: &pb.Expression_Literal_Struct_{Struct: s}}
	}
	panic("BUG: literal of type " + t.String() + " has a value")
}

func writeElements(list []any, t column.Type) []*pb.Expression_Literal {
	out := make([]*pb.Expression_Literal, len(list))
	for i, v := range list {
		out[i] = writeLiteral(v, t)
	}
	return out
}
