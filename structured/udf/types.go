package udf

import (
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/streamflow/streamflow/column"
)

// reader gives the rows of a vector as values of a Go type.
type reader[T any] func(v *column.Vector, i int) T

// writer appends values of a Go type to a vector under construction.
type writer[T any] func(b *column.Builder, x T) error

// typeOf is the SQL type that stands for a Go type, and whether it can hold a null.
func typeOf(t reflect.Type) (column.Type, bool, error) {
	if t.Kind() == reflect.Pointer {
		typ, _, err := typeOf(t.Elem())
		return typ, true, err
	}
	switch t {
	case reflect.TypeFor[time.Time]():
		return column.Of(column.Timestamp), false, nil
	case reflect.TypeFor[time.Duration]():
		return column.Of(column.IntervalDT), false, nil
	case reflect.TypeFor[[]byte]():
		return column.Of(column.Binary), false, nil
	}
	if k, ok := scalars[t.Kind()]; ok {
		return column.Of(k), false, nil
	}
	switch t.Kind() {
	case reflect.Slice:
		elem, null, err := typeOf(t.Elem())
		return column.ListOf(elem, null), false, err
	case reflect.Map:
		key, _, err := typeOf(t.Key())
		if err != nil {
			return key, false, err
		}
		value, null, err := typeOf(t.Elem())
		return column.MapOf(key, value, null), false, err
	case reflect.Struct:
		typ, err := structType(t)
		return typ, false, err
	}
	return column.Type{}, false, fmt.Errorf("there is no SQL type for Go's %s", t)
}

var scalars = map[reflect.Kind]column.Kind{
	reflect.Bool: column.Bool, reflect.Int8: column.Int8, reflect.Int16: column.Int16, reflect.Int32: column.Int32,
	reflect.Int64: column.Int64, reflect.Int: column.Int64, reflect.Float32: column.Float32, reflect.Float64: column.Float64,
	reflect.String: column.String,
}

func structType(t reflect.Type) (column.Type, error) {
	fields, err := fieldsOf(t)
	return column.StructOf(fields...), err
}

// fieldsOf are the exported fields of a Go struct as columns.
func fieldsOf(t reflect.Type) ([]column.Field, error) {
	var out []column.Field
	for _, f := range reflect.VisibleFields(t) {
		if !f.IsExported() || f.Anonymous {
			continue
		}
		typ, null, err := typeOf(f.Type)
		if err != nil {
			return nil, fmt.Errorf("field %s: %w", f.Name, err)
		}
		name := strings.ToLower(f.Name)
		if tag := f.Tag.Get("sql"); tag != "" {
			name = tag
		}
		out = append(out, column.Field{Name: name, Type: typ, Nullable: null})
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("%s has no exported fields", t)
	}
	return out, nil
}

// readerOf is the way to read Go's T from vectors of typeOf(T). The types that hot functions take have a path of their own;
// the rest goes by reflection.
func readerOf[T any]() reader[T] {
	var zero T
	var f any
	switch any(zero).(type) {
	case bool:
		f = reader[bool](func(v *column.Vector, i int) bool { return v.Bools[i] })
	case int32:
		f = reader[int32](func(v *column.Vector, i int) int32 { return v.I32[i] })
	case int64:
		f = reader[int64](func(v *column.Vector, i int) int64 { return v.I64[i] })
	case int:
		f = reader[int](func(v *column.Vector, i int) int { return int(v.I64[i]) })
	case float32:
		f = reader[float32](func(v *column.Vector, i int) float32 { return v.F32[i] })
	case float64:
		f = reader[float64](func(v *column.Vector, i int) float64 { return v.F64[i] })
	case string:
		f = reader[string](func(v *column.Vector, i int) string { return string(v.Bytes(i)) })
	case []byte:
		f = reader[[]byte](func(v *column.Vector, i int) []byte { return append([]byte{}, v.Bytes(i)...) })
	case time.Time:
		f = reader[time.Time](func(v *column.Vector, i int) time.Time { return time.UnixMicro(v.I64[i]).UTC() })
	default:
		t := reflect.TypeFor[T]()
		return func(v *column.Vector, i int) T {
			var out T
			set(reflect.ValueOf(&out).Elem(), t, column.Value(v, i))
			return out
		}
	}
	return f.(reader[T])
}

// writerOf is the way to append Go's T to vectors of typeOf(T).
func writerOf[T any]() writer[T] {
	var zero T
	var f any
	switch any(zero).(type) {
	case bool:
		f = writer[bool](func(b *column.Builder, x bool) error { b.AppendBool(x); return nil })
	case int32:
		f = writer[int32](func(b *column.Builder, x int32) error { b.AppendI64(int64(x)); return nil })
	case int64:
		f = writer[int64](func(b *column.Builder, x int64) error { b.AppendI64(x); return nil })
	case int:
		f = writer[int](func(b *column.Builder, x int) error { b.AppendI64(int64(x)); return nil })
	case float64:
		f = writer[float64](func(b *column.Builder, x float64) error { b.AppendF64(x); return nil })
	case string:
		f = writer[string](func(b *column.Builder, x string) error { b.AppendString(x); return nil })
	default:
		return func(b *column.Builder, x T) error { return b.AppendValue(boxed(reflect.ValueOf(x))) }
	}
	return f.(writer[T])
}

// set stores a boxed value (see column.Value) in a Go variable; null leaves its zero value.
func set(to reflect.Value, t reflect.Type, x any) {
	if x == nil {
		return
	}
	if t.Kind() == reflect.Pointer {
		to.Set(reflect.New(t.Elem()))
		set(to.Elem(), t.Elem(), x)
		return
	}
	switch x := x.(type) {
	case int64:
		setInt(to, t, x)
	case float64:
		to.SetFloat(x)
	case [2][]any:
		to.Set(reflect.MakeMapWithSize(t, len(x[0])))
		for i := range x[0] {
			k, v := reflect.New(t.Key()).Elem(), reflect.New(t.Elem()).Elem()
			set(k, t.Key(), x[0][i])
			set(v, t.Elem(), x[1][i])
			to.SetMapIndex(k, v)
		}
	case []any:
		setList(to, t, x)
	case []byte:
		to.SetBytes(x)
	default: // bool, string
		to.Set(reflect.ValueOf(x).Convert(t))
	}
}

func setInt(to reflect.Value, t reflect.Type, x int64) {
	if t == reflect.TypeFor[time.Time]() {
		to.Set(reflect.ValueOf(time.UnixMicro(x).UTC()))
		return
	}
	if t == reflect.TypeFor[time.Duration]() {
		x *= int64(time.Microsecond)
	}
	to.SetInt(x)
}

func setList(to reflect.Value, t reflect.Type, x []any) {
	if t.Kind() == reflect.Slice {
		to.Set(reflect.MakeSlice(t, len(x), len(x)))
		for i, e := range x {
			set(to.Index(i), t.Elem(), e)
		}
		return
	}
	i := 0
	for _, f := range reflect.VisibleFields(t) {
		if f.IsExported() && !f.Anonymous {
			set(to.FieldByIndex(f.Index), f.Type, x[i])
			i++
		}
	}
}

// boxed is a Go value as column.Builder.AppendValue takes it.
func boxed(v reflect.Value) any {
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return nil
		}
		return boxed(v.Elem())
	}
	switch x := v.Interface().(type) {
	case time.Time:
		return x.UnixMicro()
	case time.Duration:
		return x.Microseconds()
	case []byte:
		return x
	}
	switch {
	case v.CanInt():
		return v.Int()
	case v.CanFloat():
		return v.Float()
	}
	switch v.Kind() {
	case reflect.Bool:
		return v.Bool()
	case reflect.String:
		return v.String()
	case reflect.Slice:
		out := make([]any, v.Len())
		for i := range out {
			out[i] = boxed(v.Index(i))
		}
		return out
	case reflect.Map:
		return boxedMap(v)
	}
	var out []any
	for _, f := range reflect.VisibleFields(v.Type()) {
		if f.IsExported() && !f.Anonymous {
			out = append(out, boxed(v.FieldByIndex(f.Index)))
		}
	}
	return out
}
