package process

import (
	"fmt"
	"reflect"

	"github.com/streamflow/streamflow/column"
)

// Input is one more input of a function, besides the rows of its keys.
type Input func(d *Definition) error

// rowHook handles row i of the columns of such an input.
type rowHook func(cols []*column.Vector, i int) error

// InitialFunction is a Function that takes state up from rows that were there before: see WithInitial.
type InitialFunction[K comparable, I any] interface {
	// Initial is called for each row of the initial table, before the first row of its key. It fills state and may set timers.
	Initial(c *Context[K], row I) error
}

// WithInitial says that the function is an InitialFunction. Its rows come from INITIAL TABLE t PARTITION BY key; they are read
// when a query begins, not when it goes on. A time to live of state that they fill counts from the key's first row or timer.
func WithInitial[K comparable, I any]() Input {
	return func(d *Definition) (err error) {
		d.Initial, err = fieldsOf(reflect.TypeFor[I](), "value")
		d.initial = func(f, ctx any) (rowHook, error) {
			fn, ok := f.(InitialFunction[K, I])
			if !ok {
				return nil, fmt.Errorf("%T has no method Initial(*process.Context[%s], %s) error", f, reflect.TypeFor[K](), reflect.TypeFor[I]())
			}
			in := newRowReader[I]()
			return func(cols []*column.Vector, i int) error { return fn.Initial(ctx.(*Context[K]), in.read(cols, i)) }, nil
		}
		return err
	}
}

// BroadcastFunction is a Function with a second input, all rows of which are there for all keys: see WithBroadcast.
type BroadcastFunction[B any] interface {
	// Broadcast is called with a row of the broadcast table and changes broadcast state, nothing else. It is called in each task,
	// and may be called more than once for a row, so it must do the same each time.
	Broadcast(row B) error
}

// WithBroadcast says that the function is a BroadcastFunction. Its rows come from BROADCAST TABLE t ORDER BY time. With an order,
// which the keyed rows have then, too, a row or timer of time t sees what the broadcast rows up to t left, t included.
func WithBroadcast[B any]() Input {
	return func(d *Definition) (err error) {
		d.Broadcast, err = fieldsOf(reflect.TypeFor[B](), "value")
		d.broadcast = func(f any) (rowHook, error) {
			fn, ok := f.(BroadcastFunction[B])
			if !ok {
				return nil, fmt.Errorf("%T has no method Broadcast(%s) error", f, reflect.TypeFor[B]())
			}
			in := newRowReader[B]()
			return func(cols []*column.Vector, i int) error { return fn.Broadcast(in.read(cols, i)) }, nil
		}
		return err
	}
}

// check makes a function once, so that one without the methods that its inputs need is a mistake at its registration.
func (d *Definition) check(f any, ctx any) error {
	if d.initial != nil {
		if _, err := d.initial(f, ctx); err != nil {
			return err
		}
	}
	if d.broadcast != nil {
		if _, err := d.broadcast(f); err != nil {
			return err
		}
	}
	return nil
}
