package codec

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"reflect"
)

// Decode returns the value that Encode wrote.
func Decode(data []byte) (any, error) {
	d, err := open(data)
	if err != nil {
		return nil, err
	}
	var v any
	if err := d.value(reflect.ValueOf(&v).Elem(), 0); err != nil {
		return nil, d.wrap(err)
	}
	return v, d.end()
}

// DecodeAs returns the value that EncodeAs wrote.
func DecodeAs[T any](data []byte) (T, error) {
	var v T
	d, err := open(data)
	if err != nil {
		return v, err
	}
	if err := d.value(reflect.ValueOf(&v).Elem(), 0); err != nil {
		return v, d.wrap(err)
	}
	return v, d.end()
}

var (
	errShort   = errors.New("ends too early")
	errVarint  = errors.New("bad varint")
	errRange   = errors.New("number out of range")
	errMapSort = errors.New("map keys out of order")
)

// decoder reads data from pos; 0 <= pos <= limit <= len(data). limit is the end of the innermost struct.
type decoder struct {
	data       []byte
	pos, limit int
}

func open(data []byte) (*decoder, error) {
	if len(data) == 0 {
		return nil, errors.New("codec: empty")
	}
	if data[0] != version {
		return nil, fmt.Errorf("codec: version %d, this release reads version %d", data[0], version)
	}
	return &decoder{data: data, pos: 1, limit: len(data)}, nil
}

func (d *decoder) wrap(err error) error { return fmt.Errorf("codec: at byte %d: %w", d.pos, err) }

func (d *decoder) end() error {
	if d.pos != len(d.data) {
		return d.wrap(fmt.Errorf("%d bytes left over", len(d.data)-d.pos))
	}
	return nil
}

func (d *decoder) take(n uint64) ([]byte, error) {
	if n > uint64(d.limit-d.pos) {
		return nil, errShort
	}
	b := d.data[d.pos : d.pos+int(n)]
	d.pos += int(n)
	return b, nil
}

func (d *decoder) uvarint() (uint64, error) {
	n, w := binary.Uvarint(d.data[d.pos:d.limit])
	if w <= 0 {
		return 0, errVarint
	}
	d.pos += w
	return n, nil
}

func (d *decoder) varint() (int64, error) {
	n, w := binary.Varint(d.data[d.pos:d.limit])
	if w <= 0 {
		return 0, errVarint
	}
	d.pos += w
	return n, nil
}

func (d *decoder) str() ([]byte, error) {
	n, err := d.uvarint()
	if err != nil {
		return nil, err
	}
	return d.take(n)
}

// length reads the length of a slice or map; -1 is nil. An element takes a byte at least.
func (d *decoder) length() (int, error) {
	n, err := d.uvarint()
	if err != nil {
		return 0, err
	}
	if n > uint64(d.limit-d.pos)+1 {
		return 0, errShort
	}
	return int(n) - 1, nil
}

func (d *decoder) flag() (bool, error) {
	b, err := d.take(1)
	if err != nil {
		return false, err
	}
	if b[0] > 1 {
		return false, fmt.Errorf("flag is %d", b[0])
	}
	return b[0] == 1, nil
}

func (d *decoder) value(v reflect.Value, depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("nested deeper than %d levels", maxDepth)
	}
	if done, err := d.special(v); done {
		return err
	}
	switch v.Kind() {
	case reflect.Bool:
		b, err := d.flag()
		v.SetBool(b)
		return err
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		n, err := d.varint()
		if err == nil && v.OverflowInt(n) {
			err = errRange
		}
		v.SetInt(n)
		return err
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		n, err := d.uvarint()
		if err == nil && v.OverflowUint(n) {
			err = errRange
		}
		v.SetUint(n)
		return err
	case reflect.Float32:
		b, err := d.take(4)
		if err == nil {
			v.SetFloat(float64(math.Float32frombits(binary.LittleEndian.Uint32(b))))
		}
		return err
	case reflect.Float64:
		b, err := d.take(8)
		if err == nil {
			v.SetFloat(math.Float64frombits(binary.LittleEndian.Uint64(b)))
		}
		return err
	case reflect.String:
		b, err := d.str()
		v.SetString(string(b))
		return err
	case reflect.Pointer:
		return d.pointer(v, depth)
	case reflect.Interface:
		return d.iface(v, depth)
	case reflect.Slice:
		return d.slice(v, depth)
	case reflect.Array:
		return d.elements(v, depth)
	case reflect.Map:
		return d.mapping(v, depth)
	case reflect.Struct:
		return d.structure(v, depth)
	default:
		return fmt.Errorf("%v cannot be decoded", v.Type())
	}
}

func (d *decoder) elements(v reflect.Value, depth int) error {
	for i := range v.Len() {
		if err := d.value(v.Index(i), depth+1); err != nil {
			return err
		}
	}
	return nil
}

func (d *decoder) pointer(v reflect.Value, depth int) error {
	set, err := d.flag()
	if err != nil || !set {
		return err
	}
	p := reflect.New(v.Type().Elem())
	v.Set(p)
	return d.value(p.Elem(), depth+1)
}

func (d *decoder) iface(v reflect.Value, depth int) error {
	name, err := d.str()
	if err != nil || len(name) == 0 {
		return err
	}
	t, ok := typeOf(string(name))
	if !ok {
		return fmt.Errorf("no type is registered as %q", name)
	}
	if !t.AssignableTo(v.Type()) {
		return fmt.Errorf("%q (%v) is no %v", name, t, v.Type())
	}
	x := reflect.New(t).Elem()
	if err := d.value(x, depth+1); err != nil {
		return err
	}
	v.Set(x)
	return nil
}

// slice grows as elements arrive, so that a false length allocates nothing.
func (d *decoder) slice(v reflect.Value, depth int) error {
	n, err := d.length()
	if err != nil || n < 0 {
		return err
	}
	if v.Type().Elem().Kind() == reflect.Uint8 {
		b, err := d.take(uint64(n))
		if err == nil {
			v.SetBytes(bytes.Clone(b))
			if n == 0 {
				v.Set(reflect.MakeSlice(v.Type(), 0, 0))
			}
		}
		return err
	}
	v.Set(reflect.MakeSlice(v.Type(), 0, min(n, 16)))
	for i := range n {
		if i == v.Cap() {
			v.Grow(1)
		}
		v.SetLen(i + 1)
		if err := d.value(v.Index(i), depth+1); err != nil {
			return err
		}
	}
	return nil
}

func (d *decoder) mapping(v reflect.Value, depth int) error {
	n, err := d.length()
	if err != nil || n < 0 {
		return err
	}
	t := v.Type()
	m := reflect.MakeMap(t)
	v.Set(m)
	var last []byte
	for i := range n {
		key, val := reflect.New(t.Key()).Elem(), reflect.New(t.Elem()).Elem()
		from := d.pos
		if err := d.value(key, depth+1); err != nil {
			return err
		}
		if enc := d.data[from:d.pos]; i > 0 && bytes.Compare(last, enc) >= 0 {
			return errMapSort
		} else {
			last = enc
		}
		if !key.Comparable() {
			return fmt.Errorf("a %v is no map key", key.Type())
		}
		if err := d.value(val, depth+1); err != nil {
			return err
		}
		m.SetMapIndex(key, val)
	}
	return nil
}

func (d *decoder) structure(v reflect.Value, depth int) error {
	n, err := d.uvarint()
	if err != nil {
		return err
	}
	if n > uint64(d.limit-d.pos) {
		return errShort
	}
	outer := d.limit
	d.limit = d.pos + int(n)
	for _, i := range fieldsOf(v.Type()) {
		if d.pos == d.limit {
			break // written before this field existed
		}
		if err := d.value(v.Field(i), depth+1); err != nil {
			return fmt.Errorf("%s.%s: %w", v.Type().Name(), v.Type().Field(i).Name, err)
		}
	}
	if d.pos != d.limit {
		return fmt.Errorf("%s has more fields than this release knows", v.Type())
	}
	d.limit = outer
	return nil
}
