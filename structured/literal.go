package structured

import (
	"fmt"
	"math"
	"reflect"
	"time"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/internal/usererr"
)

// Lit is a constant of the Go value's type: an int that fits 32 bits is INT, else BIGINT; time.Time is TIMESTAMP,
// time.Duration, Months and CalendarInterval an interval, TimeOfDay a TIME, a slice an array. A Column is itself.
func Lit(v any) Column {
	switch v := v.(type) {
	case Column:
		return v
	case nil, bool, int, int32, int64, float32, float64, string, []byte:
		return Column{e: expr.Lit(v)}
	case int8:
		return literal(int64(v), column.Int8)
	case int16:
		return literal(int64(v), column.Int16)
	case uint8:
		return literal(int64(v), column.Int16)
	case uint16:
		return literal(int64(v), column.Int32)
	case uint32:
		return literal(int64(v), column.Int64)
	case uint:
		return unsigned(uint64(v))
	case uint64:
		return unsigned(v)
	case time.Time:
		return literal(v.UnixMicro(), column.Timestamp)
	case time.Duration:
		return literal(v.Microseconds(), column.IntervalDT)
	case Decimal:
		return v.literal()
	case TimeOfDay:
		return v.literal()
	case Months:
		return literal(int64(v), column.IntervalYM)
	case CalendarInterval:
		return literal(column.CalendarInterval(v).Dec(), column.Calendar)
	}
	if r := reflect.ValueOf(v); r.Kind() == reflect.Slice || r.Kind() == reflect.Array {
		args := make([]any, r.Len())
		for i := range args {
			args[i] = r.Index(i).Interface()
		}
		return Call("array", args...)
	}
	return Column{err: usererr.New("UNSUPPORTED_FEATURE.LITERAL_TYPE", "0A000", "The feature is not supported: Literal for '%v' of %T.", v, v).
		WithFix("Use a bool, number, string, []byte, time.Time, time.Duration or slice of these.")}
}

func literal(v any, k column.Kind) Column {
	return Column{e: &expr.Literal{Value: v, Typ: column.Of(k)}}
}

func unsigned(v uint64) Column {
	if v > math.MaxInt64 {
		return Column{err: invalidValue("literal", fmt.Sprint(v), "it does not fit BIGINT")}
	}
	return literal(int64(v), column.Int64)
}

// invalidValue is the error for an argument that cannot be.
func invalidValue(what, value, why string) *usererr.Error {
	return usererr.New("INVALID_PARAMETER_VALUE", "22023", "The value %q of %s is invalid: %s.", value, what, why).
		With("parameter", what).With("value", value)
}

// engineRow is a row of Go values as the engine's, by the schema.
func engineRow(schema *column.Schema, row []any) ([]any, error) {
	if len(row) != schema.Len() {
		return nil, invalidValue("row", fmt.Sprint(row), fmt.Sprintf("it has %d values for %d columns", len(row), schema.Len()))
	}
	out := make([]any, len(row))
	for i, f := range schema.Fields {
		v, err := engineValue(f.Type, row[i])
		if err != nil {
			return nil, err
		}
		if v == nil && !f.Nullable {
			return nil, usererr.New("NOT_NULL_ASSERT_VIOLATION", "42000", "NULL value appeared in the non-nullable column %s.", f.Name)
		}
		out[i] = v
	}
	return out, nil
}

// engineValue converts what the engine has another form for; the rest the column builder checks itself.
func engineValue(t column.Type, v any) (any, error) {
	switch v := v.(type) {
	case time.Time:
		if t.Kind == column.Date {
			return int64(math.Floor(float64(v.Unix()) / 86400)), nil
		}
		return v.UnixMicro(), nil
	case time.Duration:
		return v.Microseconds(), nil
	case TimeOfDay:
		return column.TruncateTime(time.Duration(v).Microseconds(), int(min(t.Precision, column.MaxTimePrecision))), nil
	case CalendarInterval:
		return column.CalendarInterval(v).Dec(), nil
	case Variant:
		return v.engine()
	case Row:
		return engineList(t, v.values)
	case Decimal:
		d, ok := v.rescaled(int(t.Precision), int(t.Scale))
		if !ok {
			return nil, invalidValue("decimal", v.String(), "it does not fit "+t.String())
		}
		return d, nil
	case []any:
		return engineList(t, v)
	case string:
		return engineText(t, v)
	}
	r := reflect.ValueOf(v)
	switch {
	case r.IsValid() && r.CanInt():
		return number(t, r.Int()), nil
	case r.IsValid() && r.CanUint():
		return number(t, int64(r.Uint())), nil
	case r.IsValid() && r.CanFloat():
		return r.Float(), nil
	}
	return v, nil
}

func number(t column.Type, n int64) any {
	switch t.Kind {
	case column.Float32, column.Float64:
		return float64(n)
	case column.Decimal:
		d, _ := NewDecimal(n, 0).rescaled(int(t.Precision), int(t.Scale))
		return d
	}
	return n
}

// engineText reads dates, times and decimals that are written as text.
func engineText(t column.Type, s string) (any, error) {
	switch t.Kind {
	case column.Date:
		d, ok := column.ParseDate(s)
		return orInvalid(int64(d), ok, t, s)
	case column.Timestamp, column.TimestampNTZ:
		us, ok := column.ParseTimestamp(s, time.UTC)
		return orInvalid(us, ok, t, s)
	case column.Time:
		us, ok := column.ParseTime(s)
		return orInvalid(column.TruncateTime(us, int(t.Precision)), ok, t, s)
	case column.Decimal:
		d, ok := column.ParseDecimal(s, int(t.Precision), int(t.Scale))
		return orInvalid(d, ok, t, s)
	}
	return s, nil
}

func orInvalid(v any, ok bool, t column.Type, s string) (any, error) {
	if !ok {
		return nil, invalidValue("value", s, "it is no "+t.String())
	}
	return v, nil
}

func engineList(t column.Type, list []any) (any, error) {
	out := make([]any, len(list))
	for i, v := range list {
		elem := column.Type{}
		switch {
		case t.Kind == column.List:
			elem = t.Elem()
		case t.Kind == column.Struct && i < len(t.Fields):
			elem = t.Fields[i].Type
		}
		x, err := engineValue(elem, v)
		if err != nil {
			return nil, err
		}
		out[i] = x
	}
	return out, nil
}
