package codec

import (
	"errors"
	"fmt"
	"reflect"

	"github.com/streamflow/streamflow/column"
)

var schemaType = reflect.TypeFor[*column.Schema]()

// batch writes a batch as its schema and the form of shuffle files.
func (e *encoder) batch(b *column.Batch) {
	if b.Objects != nil {
		panic(fmt.Sprintf("BUG: codec.Encode of a batch of Go values (%T)", b.Objects))
	}
	if b.Schema == nil { // the zero batch
		e.buf = append(e.buf, 0)
		return
	}
	e.value(reflect.ValueOf(b.Schema), 0)
	data := column.EncodeBatch(nil, b)
	e.uvarint(uint64(len(data)))
	e.buf = append(e.buf, data...)
}

func (d *decoder) batch() (*column.Batch, error) {
	schema := reflect.New(schemaType).Elem()
	if err := d.value(schema, 0); err != nil {
		return nil, err
	}
	s := schema.Interface().(*column.Schema)
	if s == nil {
		return &column.Batch{}, nil
	}
	if err := checkTypes(s.Fields, 0); err != nil {
		return nil, err
	}
	data, err := d.str()
	if err != nil {
		return nil, err
	}
	// The batch may keep referring to its bytes, which must be aligned and its own.
	return column.DecodeBatch(s, append([]byte(nil), data...), nil)
}

// checkTypes refuses types that no vector can have.
func checkTypes(fields []column.Field, depth int) error {
	if depth > 64 {
		return errors.New("type nested too deeply")
	}
	for _, f := range fields {
		want := -1
		switch f.Type.Kind {
		case column.List:
			want = 1
		case column.Map:
			want = 2
		case column.Struct:
			want = len(f.Type.Fields)
		default:
			want = 0
		}
		if f.Type.Kind > column.Time || len(f.Type.Fields) != want {
			return fmt.Errorf("a %d type with %d members", f.Type.Kind, len(f.Type.Fields))
		}
		if err := checkTypes(f.Type.Fields, depth+1); err != nil {
			return err
		}
	}
	return nil
}
