package codec

import (
	"fmt"
	"reflect"
	"time"

	"github.com/streamflow/streamflow/column"
)

// Types whose fields are private or too many, with a form of their own.
var (
	batchType    = reflect.TypeFor[column.Batch]()
	timeType     = reflect.TypeFor[time.Time]()
	locationType = reflect.TypeFor[*time.Location]()
	vectorType   = reflect.TypeFor[column.Vector]()
)

func special(t reflect.Type) bool {
	return t == batchType || t == timeType || t == locationType || t == vectorType
}

func (e *encoder) special(v reflect.Value) bool {
	switch v.Type() {
	case batchType:
		e.batch(v.Addr().Interface().(*column.Batch))
	case vectorType:
		x := v.Addr().Interface().(*column.Vector)
		f := column.Field{Name: "v", Type: x.Type, Nullable: true}
		e.batch(column.NewBatch(column.NewSchema(f), x.N, x))
	case timeType:
		b, err := v.Interface().(time.Time).MarshalBinary()
		if err != nil {
			panic(fmt.Sprintf("BUG: codec: %v", err))
		}
		e.str(string(b))
	case locationType:
		name := "" // nil
		if !v.IsNil() {
			name = v.Interface().(*time.Location).String()
		}
		e.str(name)
	default:
		return false
	}
	return true
}

func (d *decoder) special(v reflect.Value) (bool, error) {
	switch v.Type() {
	case batchType:
		b, err := d.batch()
		if err == nil {
			v.Set(reflect.ValueOf(*b))
		}
		return true, err
	case vectorType:
		b, err := d.batch()
		if err == nil && len(b.Cols) != 1 {
			err = fmt.Errorf("a vector of %d columns", len(b.Cols))
		}
		if err == nil {
			v.Set(reflect.ValueOf(*b.Cols[0]))
		}
		return true, err
	case timeType:
		b, err := d.str()
		if err != nil {
			return true, err
		}
		var t time.Time
		if err := t.UnmarshalBinary(b); err != nil {
			return true, err
		}
		v.Set(reflect.ValueOf(t))
		return true, nil
	case locationType:
		name, err := d.str()
		if err != nil || len(name) == 0 {
			return true, err
		}
		loc, err := time.LoadLocation(string(name))
		if err == nil {
			v.Set(reflect.ValueOf(loc))
		}
		return true, err
	}
	return false, nil
}
