package structured

import (
	"context"
	"fmt"
	"iter"
	"reflect"
	"strings"
	"time"
)

// Rows as structs. A member of a struct is filled from the column of its name, without regard to case, or of the name in its tag:
//
//	type Trip struct {
//		City string
//		Fare float64 `col:"fare_eur"`
//		Tip  *float64 // null is nil
//	}
//
// A tag "-" leaves a member alone. Members may be numbers, text, []byte, bool, time.Time, time.Duration, Decimal, slices, maps,
// structs, and pointers to these; a null that meets no pointer, slice or map is an error.

// CollectAs runs the query and returns its rows as values of T, a struct.
func CollectAs[T any](ctx context.Context, d *DataFrame) ([]T, error) {
	var out []T
	for v, err := range AllAs[T](ctx, d) {
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

// AllAs gives the rows as values of T one after the other, as All does.
func AllAs[T any](ctx context.Context, d *DataFrame) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for row, err := range d.All(ctx) {
			var v T
			if err == nil {
				err = fillStruct(reflect.ValueOf(&v).Elem(), row)
			}
			if !yield(v, err) || err != nil {
				return
			}
		}
	}
}

// As is a row as a value of T.
func As[T any](r Row) (T, error) {
	var v T
	err := fillStruct(reflect.ValueOf(&v).Elem(), r)
	return v, err
}

// columnOf is the name of the column that a member takes; "" for none.
func columnOf(f reflect.StructField) string {
	switch tag := f.Tag.Get("col"); {
	case !f.IsExported() || tag == "-":
		return ""
	case tag != "":
		return tag
	}
	return f.Name
}

func fillStruct(to reflect.Value, r Row) error {
	if to.Kind() != reflect.Struct {
		return invalidValue("type", to.Type().String(), "rows become structs")
	}
	for i := range to.NumField() {
		name := columnOf(to.Type().Field(i))
		if name == "" {
			continue
		}
		at := -1
		for c, f := range r.fields {
			if strings.EqualFold(f.Name, name) {
				at = c
			}
		}
		if at < 0 {
			return invalidValue("member", name, fmt.Sprintf("the row has no such column, only %s", strings.Join(r.Names(), ", ")))
		}
		if err := fillValue(to.Field(i), r.values[at], name); err != nil {
			return err
		}
	}
	return nil
}

var (
	timeType    = reflect.TypeFor[time.Time]()
	decimalType = reflect.TypeFor[Decimal]()
)

func fillValue(to reflect.Value, v any, name string) error {
	if v == nil {
		switch to.Kind() {
		case reflect.Pointer, reflect.Slice, reflect.Map, reflect.Interface:
			to.SetZero()
			return nil
		}
		return invalidValue("column", name, fmt.Sprintf("it is null, and %s cannot be: use a pointer", to.Type()))
	}
	if to.Kind() == reflect.Pointer {
		p := reflect.New(to.Type().Elem())
		to.Set(p)
		return fillValue(p.Elem(), v, name)
	}
	from := reflect.ValueOf(v)
	if from.Type().AssignableTo(to.Type()) {
		to.Set(from)
		return nil
	}
	switch x := v.(type) {
	case int64:
		if to.CanInt() && !to.OverflowInt(x) {
			to.SetInt(x)
			return nil
		}
		if to.CanUint() && x >= 0 && !to.OverflowUint(uint64(x)) {
			to.SetUint(uint64(x))
			return nil
		}
		if to.CanFloat() {
			to.SetFloat(float64(x))
			return nil
		}
	case []any:
		if to.Kind() == reflect.Slice {
			return fillSlice(to, x, name)
		}
	case []KeyValue:
		if to.Kind() == reflect.Map {
			return fillMap(to, x, name)
		}
	case Row:
		if to.Kind() == reflect.Struct && to.Type() != timeType && to.Type() != decimalType {
			return fillStruct(to, x)
		}
	case Months:
	default:
		if from.Kind() == to.Kind() && from.CanConvert(to.Type()) || from.CanFloat() && to.CanFloat() {
			to.Set(from.Convert(to.Type()))
			return nil
		}
	}
	return invalidValue("column", name, fmt.Sprintf("its value %v (%T) does not fit %s", v, v, to.Type()))
}

func fillSlice(to reflect.Value, list []any, name string) error {
	s := reflect.MakeSlice(to.Type(), len(list), len(list))
	for i, v := range list {
		if err := fillValue(s.Index(i), v, name); err != nil {
			return err
		}
	}
	to.Set(s)
	return nil
}

func fillMap(to reflect.Value, list []KeyValue, name string) error {
	m := reflect.MakeMapWithSize(to.Type(), len(list))
	for _, e := range list {
		k, v := reflect.New(to.Type().Key()).Elem(), reflect.New(to.Type().Elem()).Elem()
		if err := fillValue(k, e.Key, name); err != nil {
			return err
		}
		if err := fillValue(v, e.Value, name); err != nil {
			return err
		}
		m.SetMapIndex(k, v)
	}
	to.Set(m)
	return nil
}
