package udf

import (
	"fmt"
	"reflect"
	"sort"
)

// boxedMap is a Go map as two lists, in the order of the keys' text: a map has no order, but results must be the same each time.
func boxedMap(v reflect.Value) [2][]any {
	keys := v.MapKeys()
	sort.Slice(keys, func(i, j int) bool { return less(keys[i], keys[j]) })
	var out [2][]any
	for _, k := range keys {
		out[0] = append(out[0], boxed(k))
		out[1] = append(out[1], boxed(v.MapIndex(k)))
	}
	return out
}

func less(a, b reflect.Value) bool {
	switch {
	case a.CanInt():
		return a.Int() < b.Int()
	case a.CanFloat():
		return a.Float() < b.Float()
	}
	return fmt.Sprint(a.Interface()) < fmt.Sprint(b.Interface())
}
