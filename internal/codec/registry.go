package codec

import (
	"fmt"
	"reflect"
	"slices"
	"sync"

	"github.com/streamflow/streamflow/column"
)

// registry maps names to types and back; it is written in init functions and read afterwards.
var registry = struct {
	sync.RWMutex
	byName map[string]reflect.Type
	byType map[reflect.Type]string
}{byName: map[string]reflect.Type{}, byType: map[reflect.Type]string{}}

// Register names the type of sample, usually a nil pointer to a struct: (*Filter)(nil). It panics when the name or the
// type is taken or the type cannot travel, all of which are mistakes in the program.
func Register(name string, sample any) {
	t := reflect.TypeOf(sample)
	if t == nil || name == "" {
		panic("BUG: codec.Register without a type or name")
	}
	if err := travels(t, map[reflect.Type]bool{}); err != nil {
		panic(fmt.Sprintf("BUG: codec.Register(%q): %v", name, err))
	}
	registry.Lock()
	defer registry.Unlock()
	if old, ok := registry.byName[name]; ok && old != t {
		panic(fmt.Sprintf("BUG: codec.Register(%q): the name belongs to %v", name, old))
	}
	if old, ok := registry.byType[t]; ok && old != name {
		panic(fmt.Sprintf("BUG: codec.Register(%q): %v is registered as %q", name, t, old))
	}
	registry.byName[name], registry.byType[t] = t, name
}

// Names returns all registered names in order; two processes that exchange values compare them first.
func Names() []string {
	registry.RLock()
	defer registry.RUnlock()
	names := make([]string, 0, len(registry.byName))
	for n := range registry.byName {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}

func nameOf(t reflect.Type) (string, bool) {
	registry.RLock()
	defer registry.RUnlock()
	n, ok := registry.byType[t]
	return n, ok
}

func typeOf(name string) (reflect.Type, bool) {
	registry.RLock()
	defer registry.RUnlock()
	t, ok := registry.byName[name]
	return t, ok
}

// CanEncode reports why values of type T cannot be encoded, nil when they can.
func CanEncode[T any]() error { return travels(reflect.TypeFor[T](), map[reflect.Type]bool{}) }

// travels reports why values of type t cannot be encoded, nil when they can. It finds at start-up what would otherwise
// fail at the first query that uses the type.
func travels(t reflect.Type, seen map[reflect.Type]bool) error {
	if seen[t] || special(t) {
		return nil
	}
	seen[t] = true
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice:
		return travels(t.Elem(), seen)
	case reflect.Array:
		if t.Len() == 0 {
			return fmt.Errorf("%v has no elements", t)
		}
		return travels(t.Elem(), seen)
	case reflect.Map:
		if err := travels(t.Key(), seen); err != nil {
			return err
		}
		return travels(t.Elem(), seen)
	case reflect.Struct:
		for _, i := range fieldsOf(t) {
			if err := travels(t.Field(i).Type, seen); err != nil {
				return fmt.Errorf("field %s: %w", t.Field(i).Name, err)
			}
		}
		return nil
	case reflect.Func, reflect.Chan, reflect.UnsafePointer, reflect.Uintptr, reflect.Complex64, reflect.Complex128:
		return fmt.Errorf("%v cannot travel", t)
	default:
		return nil
	}
}

// fieldCache remembers which fields of a struct travel.
var fieldCache sync.Map // reflect.Type -> []int

func fieldsOf(t reflect.Type) []int {
	if f, ok := fieldCache.Load(t); ok {
		return f.([]int)
	}
	var idx []int
	for i := range t.NumField() {
		if f := t.Field(i); f.IsExported() && f.Tag.Get("codec") != "-" {
			idx = append(idx, i)
		}
	}
	fieldCache.Store(t, idx)
	return idx
}

func init() {
	for name, sample := range map[string]any{
		"bool": false, "int": int(0), "int8": int8(0), "int16": int16(0), "int32": int32(0), "int64": int64(0),
		"uint": uint(0), "uint8": uint8(0), "uint16": uint16(0), "uint32": uint32(0), "uint64": uint64(0),
		"float32": float32(0), "float64": float64(0), "string": "", "bytes": []byte(nil),
		"list": []any(nil), "entries": [2][]any{}, "object": map[string]any(nil), "strings": []string(nil),
		"dec128": column.Dec128{}, "type": column.Type{}, "field": column.Field{}, "schema": (*column.Schema)(nil), "batch": (*column.Batch)(nil),
	} {
		Register(name, sample)
	}
}
