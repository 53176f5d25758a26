package exprlang

import (
	"encoding/json"
	"fmt"
	"math/big"
	"reflect"
	"time"

	"github.com/streamflow/streamflow/column"
)

// toGo is a boxed value of a column as expr-lang programs expect it; see zero.
func toGo(v any, t column.Type) any {
	switch x := v.(type) {
	case nil:
		return nil
	case int64:
		switch t.Kind {
		case column.Date:
			return time.Unix(x*86400, 0).UTC()
		case column.Timestamp, column.TimestampNTZ:
			return time.UnixMicro(x).UTC()
		case column.IntervalDT:
			return time.Duration(x) * time.Microsecond
		}
		return int(x)
	case column.Dec128:
		f, _ := new(big.Rat).SetFrac(x.Big(), new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(t.Scale)), nil)).Float64()
		return f
	case []any:
		if t.Kind == column.Struct {
			out := make(map[string]any, len(x))
			for i, f := range t.Fields {
				out[f.Name] = toGo(x[i], f.Type)
			}
			return out
		}
		return list(x, t.Elem())
	case [2][]any:
		out := make(map[string]any, len(x[0]))
		for i, key := range x[0] {
			out[fmt.Sprint(key)] = toGo(x[1][i], t.Fields[1].Type)
		}
		return out
	}
	return v
}

// list is a slice of the element's Go type; with nulls in it, of any.
func list(x []any, elem column.Type) any {
	out := reflect.MakeSlice(reflect.SliceOf(reflect.TypeOf(zero(elem))), len(x), len(x))
	for i, e := range x {
		v := toGo(e, elem)
		if v == nil || reflect.TypeOf(v) != out.Type().Elem() {
			mixed := make([]any, len(x))
			for j := range x {
				mixed[j] = toGo(x[j], elem)
			}
			return mixed
		}
		out.Index(i).Set(reflect.ValueOf(v))
	}
	return out.Interface()
}

// fromGo is what a program gave as a boxed value of the type that was promised.
func fromGo(v any, t column.Type) any {
	switch x := v.(type) {
	case nil:
		return nil
	case time.Time:
		if t.Kind == column.Timestamp {
			return x.UnixMicro()
		}
	case time.Duration:
		if t.Kind == column.IntervalDT {
			return x.Microseconds()
		}
	case bool, string:
		if t.Kind != column.String {
			return v
		}
	}
	r := reflect.ValueOf(v)
	switch {
	case t.Kind == column.Int64 && r.CanInt():
		return r.Int()
	case t.Kind == column.Int64 && r.CanUint():
		return int64(r.Uint())
	case t.Kind == column.Float64 && r.CanFloat():
		return r.Float()
	case t.Kind == column.Float64 && r.CanInt():
		return float64(r.Int())
	case t.Kind == column.List && r.Kind() == reflect.Slice:
		out := make([]any, r.Len())
		for i := range out {
			out[i] = fromGo(r.Index(i).Interface(), t.Elem())
		}
		return out
	case t.Kind == column.String:
		return text(v)
	}
	return v
}

// text is a value without a type of its own: strings as they are, the rest as JSON.
func text(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(b)
}
