package codec

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"reflect"
	"slices"
)

// version is the first byte of every encoding.
const version = 1

// maxDepth bounds the nesting of values: one level for each pointer, interface, struct, slice or map on the way down.
const maxDepth = 20_000

// Encode returns the bytes of v, whose type must be registered. It panics for a type that is not: the program forgot to
// register it.
func Encode(v any) []byte {
	e := encoder{buf: []byte{version}}
	e.iface(reflect.ValueOf(v), 0)
	return e.buf
}

// EncodeAs returns the bytes of a value whose type both sides know; neither it nor its name need be registered.
func EncodeAs[T any](v T) []byte {
	e := encoder{buf: []byte{version}}
	e.value(reflect.ValueOf(&v).Elem(), 0)
	return e.buf
}

type encoder struct{ buf []byte }

func (e *encoder) uvarint(n uint64) { e.buf = binary.AppendUvarint(e.buf, n) }

func (e *encoder) str(s string) {
	e.uvarint(uint64(len(s)))
	e.buf = append(e.buf, s...)
}

func (e *encoder) iface(v reflect.Value, depth int) {
	if !v.IsValid() {
		e.str("")
		return
	}
	name, ok := nameOf(v.Type())
	if !ok {
		panic(fmt.Sprintf("BUG: codec.Encode of %v, which is not registered", v.Type()))
	}
	e.str(name)
	e.value(v, depth+1)
}

func (e *encoder) value(v reflect.Value, depth int) {
	if depth > maxDepth {
		panic(fmt.Sprintf("BUG: codec.Encode of a value nested deeper than %d levels (a cycle?)", maxDepth))
	}
	if e.special(v) {
		return
	}
	switch v.Kind() {
	case reflect.Bool:
		if v.Bool() {
			e.buf = append(e.buf, 1)
		} else {
			e.buf = append(e.buf, 0)
		}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		e.buf = binary.AppendVarint(e.buf, v.Int())
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		e.uvarint(v.Uint())
	case reflect.Float32:
		e.buf = binary.LittleEndian.AppendUint32(e.buf, math.Float32bits(float32(v.Float())))
	case reflect.Float64:
		e.buf = binary.LittleEndian.AppendUint64(e.buf, math.Float64bits(v.Float()))
	case reflect.String:
		e.str(v.String())
	case reflect.Pointer:
		if v.IsNil() {
			e.buf = append(e.buf, 0)
			return
		}
		e.buf = append(e.buf, 1)
		e.value(v.Elem(), depth+1)
	case reflect.Interface:
		e.iface(v.Elem(), depth)
	case reflect.Slice:
		e.slice(v, depth)
	case reflect.Array:
		for i := range v.Len() {
			e.value(v.Index(i), depth+1)
		}
	case reflect.Map:
		e.mapping(v, depth)
	case reflect.Struct:
		e.structure(v, depth)
	default:
		panic(fmt.Sprintf("BUG: codec.Encode of a %v", v.Type()))
	}
}

func (e *encoder) slice(v reflect.Value, depth int) {
	if v.IsNil() {
		e.uvarint(0)
		return
	}
	e.uvarint(uint64(v.Len()) + 1)
	if v.Type().Elem().Kind() == reflect.Uint8 {
		e.buf = append(e.buf, v.Bytes()...)
		return
	}
	for i := range v.Len() {
		e.value(v.Index(i), depth+1)
	}
}

func (e *encoder) mapping(v reflect.Value, depth int) {
	if v.IsNil() {
		e.uvarint(0)
		return
	}
	e.uvarint(uint64(v.Len()) + 1)
	type pair struct{ key, val []byte }
	pairs := make([]pair, 0, v.Len())
	for it := v.MapRange(); it.Next(); {
		var k, x encoder
		k.value(it.Key(), depth+1)
		x.value(it.Value(), depth+1)
		pairs = append(pairs, pair{k.buf, x.buf})
	}
	slices.SortFunc(pairs, func(a, b pair) int { return bytes.Compare(a.key, b.key) })
	for _, p := range pairs {
		e.buf = append(append(e.buf, p.key...), p.val...)
	}
}

// structure writes the fields behind their length. The length takes one byte more often than not; when it needs more,
// the fields move up.
func (e *encoder) structure(v reflect.Value, depth int) {
	at := len(e.buf)
	e.buf = append(e.buf, 0)
	for _, i := range fieldsOf(v.Type()) {
		e.value(v.Field(i), depth+1)
	}
	n := uint64(len(e.buf) - at - 1)
	if n < 0x80 {
		e.buf[at] = byte(n)
		return
	}
	var head [binary.MaxVarintLen64]byte
	w := binary.PutUvarint(head[:], n)
	e.buf = slices.Insert(e.buf, at, head[:w-1]...)
	copy(e.buf[at:], head[:w])
}
