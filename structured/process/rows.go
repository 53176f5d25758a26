package process

import (
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/streamflow/streamflow/column"
)

// Fields are the columns that stand for a Go type: of a struct its exported fields, of another type one named name.
func fieldsOf(t reflect.Type, name string) ([]column.Field, error) {
	if _, plain := plainType(t); plain || t.Kind() != reflect.Struct {
		typ, null, err := typeOf(t)
		return []column.Field{{Name: name, Type: typ, Nullable: null}}, err
	}
	var out []column.Field
	for _, f := range reflect.VisibleFields(t) {
		if !f.IsExported() || f.Anonymous {
			continue
		}
		typ, null, err := typeOf(f.Type)
		if err != nil {
			return nil, fmt.Errorf("field %s: %w", f.Name, err)
		}
		out = append(out, column.Field{Name: nameOf(f), Type: typ, Nullable: null})
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("%s has no exported fields", t)
	}
	return out, nil
}

// nameOf is a field's column: its tag, or its name in lower case with _ between words.
func nameOf(f reflect.StructField) string {
	if tag := f.Tag.Get("sql"); tag != "" {
		return tag
	}
	var b strings.Builder
	for i, r := range f.Name {
		upper := r >= 'A' && r <= 'Z'
		if upper && i > 0 && (f.Name[i-1] < 'A' || f.Name[i-1] > 'Z') {
			b.WriteByte('_')
		}
		b.WriteString(strings.ToLower(string(r)))
	}
	return b.String()
}

var scalars = map[reflect.Kind]column.Kind{
	reflect.Bool: column.Bool, reflect.Int8: column.Int8, reflect.Int16: column.Int16, reflect.Int32: column.Int32,
	reflect.Int64: column.Int64, reflect.Int: column.Int64, reflect.Float32: column.Float32, reflect.Float64: column.Float64,
	reflect.String: column.String,
}

// plainType is the SQL type of a Go type that is no composite.
func plainType(t reflect.Type) (column.Type, bool) {
	switch t {
	case reflect.TypeFor[time.Time]():
		return column.Of(column.Timestamp), true
	case reflect.TypeFor[time.Duration]():
		return column.Of(column.IntervalDT), true
	case reflect.TypeFor[[]byte]():
		return column.Of(column.Binary), true
	}
	k, ok := scalars[t.Kind()]
	return column.Of(k), ok
}

// typeOf is the SQL type of a Go type, and whether it can hold a null.
func typeOf(t reflect.Type) (column.Type, bool, error) {
	if t.Kind() == reflect.Pointer {
		typ, _, err := typeOf(t.Elem())
		return typ, true, err
	}
	if typ, ok := plainType(t); ok {
		return typ, false, nil
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
		fields, err := fieldsOf(t, "")
		return column.StructOf(fields...), false, err
	}
	return column.Type{}, false, fmt.Errorf("there is no SQL type for Go's %s", t)
}

// columnsOf are the parts of a Go value that its columns hold.
func columnsOf(t reflect.Type) [][]int {
	if _, plain := plainType(t); plain || t.Kind() != reflect.Struct {
		return [][]int{nil}
	}
	var out [][]int
	for _, f := range reflect.VisibleFields(t) {
		if f.IsExported() && !f.Anonymous {
			out = append(out, f.Index)
		}
	}
	return out
}

// rowReader makes values of T from rows.
type rowReader[T any] struct{ parts [][]int }

func newRowReader[T any]() *rowReader[T] { return &rowReader[T]{columnsOf(reflect.TypeFor[T]())} }

// read is row i of cols.
func (r *rowReader[T]) read(cols []*column.Vector, i int) (out T) {
	v := reflect.ValueOf(&out).Elem()
	for k, part := range r.parts {
		to := v
		if part != nil {
			to = v.FieldByIndex(part)
		}
		setFrom(to, cols[k], i)
	}
	return out
}

// setFrom stores row i of a vector; null leaves the zero value.
func setFrom(to reflect.Value, v *column.Vector, i int) {
	if !v.IsValid(i) {
		return
	}
	if v.Const {
		i = 0
	}
	switch to.Kind() {
	case reflect.String:
		if v.Type.Kind == column.String {
			to.SetString(string(v.Bytes(i)))
			return
		}
	case reflect.Int64, reflect.Int:
		if v.Type.Kind == column.Int64 {
			to.SetInt(v.I64[i])
			return
		}
	case reflect.Float64:
		if v.Type.Kind == column.Float64 {
			to.SetFloat(v.F64[i])
			return
		}
	case reflect.Struct:
		if t, ok := to.Addr().Interface().(*time.Time); ok {
			*t = time.UnixMicro(v.I64[i]).UTC()
			return
		}
	}
	set(to, column.Value(v, i))
}

// set stores a boxed value (column.Value).
func set(to reflect.Value, x any) {
	if x == nil {
		return
	}
	t := to.Type()
	switch {
	case t.Kind() == reflect.Pointer:
		to.Set(reflect.New(t.Elem()))
		set(to.Elem(), x)
		return
	case t == reflect.TypeFor[time.Time]():
		to.Set(reflect.ValueOf(time.UnixMicro(x.(int64)).UTC()))
		return
	case t == reflect.TypeFor[time.Duration]():
		to.SetInt(x.(int64) * int64(time.Microsecond))
		return
	}
	switch x := x.(type) {
	case int64:
		to.SetInt(x)
	case float64:
		to.SetFloat(x)
	case [2][]any:
		to.Set(reflect.MakeMapWithSize(t, len(x[0])))
		for i := range x[0] {
			k, v := reflect.New(t.Key()).Elem(), reflect.New(t.Elem()).Elem()
			set(k, x[0][i])
			set(v, x[1][i])
			to.SetMapIndex(k, v)
		}
	case []any:
		setList(to, x)
	case []byte:
		to.SetBytes(x)
	default: // bool, string
		to.Set(reflect.ValueOf(x).Convert(t))
	}
}

func setList(to reflect.Value, x []any) {
	if to.Kind() == reflect.Slice {
		to.Set(reflect.MakeSlice(to.Type(), len(x), len(x)))
		for i, e := range x {
			set(to.Index(i), e)
		}
		return
	}
	for i, part := range columnsOf(to.Type()) {
		set(to.FieldByIndex(part), x[i])
	}
}

// rowWriter appends values of T to columns.
type rowWriter[T any] struct{ parts [][]int }

func newRowWriter[T any]() *rowWriter[T] { return &rowWriter[T]{columnsOf(reflect.TypeFor[T]())} }

func (w *rowWriter[T]) write(cols []*column.Builder, x T) error {
	v := reflect.ValueOf(&x).Elem()
	for k, part := range w.parts {
		from := v
		if part != nil {
			from = v.FieldByIndex(part)
		}
		if err := appendTo(cols[k], from); err != nil {
			return err
		}
	}
	return nil
}

// appendTo appends a Go value; the usual types go without a box.
func appendTo(b *column.Builder, v reflect.Value) error {
	switch v.Kind() {
	case reflect.String:
		b.AppendString(v.String())
		return nil
	case reflect.Int64:
		if v.Type() != reflect.TypeFor[time.Duration]() {
			b.AppendI64(v.Int())
			return nil
		}
	case reflect.Float64:
		b.AppendF64(v.Float())
		return nil
	case reflect.Struct:
		if t, ok := v.Addr().Interface().(*time.Time); ok {
			b.AppendI64(t.UnixMicro())
			return nil
		}
	}
	return b.AppendValue(boxed(v))
}

// boxed is a Go value as column.Builder.AppendValue takes it.
func boxed(v reflect.Value) any {
	switch x := v.Interface().(type) {
	case time.Time:
		return x.UnixMicro()
	case time.Duration:
		return x.Microseconds()
	case []byte:
		return x
	}
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return nil
		}
		return boxed(v.Elem())
	case reflect.Bool:
		return v.Bool()
	case reflect.String:
		return v.String()
	case reflect.Float32, reflect.Float64:
		return v.Float()
	case reflect.Slice:
		out := make([]any, v.Len())
		for i := range out {
			out[i] = boxed(v.Index(i))
		}
		return out
	case reflect.Map:
		var out [2][]any
		for it := v.MapRange(); it.Next(); {
			out[0], out[1] = append(out[0], boxed(it.Key())), append(out[1], boxed(it.Value()))
		}
		return out
	case reflect.Struct:
		var out []any
		for _, part := range columnsOf(v.Type()) {
			out = append(out, boxed(v.FieldByIndex(part)))
		}
		return out
	}
	return v.Int()
}

// fieldsFor are the columns of T.
func fieldsFor[T any]() ([]column.Field, error) { return fieldsOf(reflect.TypeFor[T](), "value") }
