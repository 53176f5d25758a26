package udf

import (
	"fmt"
	"reflect"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/internal/codec"
)

// Aggregator is an aggregate function over values of type A, as Spark's typed Aggregator: a buffer B for each group, that
// is begun, fed, merged with buffers of the same group from other tasks, and finished. B travels between tasks and into the
// state of streaming queries by its exported fields; a struct may gain fields at its end between releases.
type Aggregator[A, B, R any] interface {
	Zero() B
	Reduce(b B, a A) (B, error)
	Merge(a, b B) (B, error)
	Finish(b B) (R, error)
}

// Agg1 registers an aggregate function of one argument. An R that is a pointer gives null as nil.
func Agg1[A, B, R any](name string, g Aggregator[A, B, R], opts ...Option) error {
	u := expr.UserAggregate{User: expr.User{Name: name}, State: []column.Type{column.Of(column.Binary)}}
	in := []reflect.Type{reflect.TypeFor[A]()}
	if _, err := arguments(&u.User, in); err != nil {
		return err
	}
	var err error
	if u.Returns, _, err = typeOf(reflect.TypeFor[R]()); err != nil {
		return badType(name, "its result", err)
	}
	if err := codec.CanEncode[B](); err != nil {
		return badType(name, "its buffer", err)
	}
	for _, o := range opts {
		o(&u.User, &expr.UserFunction{})
	}
	read, write, strict := readerOf[A](), writerOf[R](), len(strictArgs(in)) > 0
	u.Make = func() expr.Accumulator {
		return &aggRun[A, B, R]{name: name, g: g, read: read, write: write, strict: strict,
			out: column.NewBuilder(u.Returns), states: column.NewBuilder(u.State[0])}
	}
	return expr.RegisterAggregate(u)
}

// aggRun holds the buffers of many groups.
type aggRun[A, B, R any] struct {
	name   string
	g      Aggregator[A, B, R]
	read   reader[A]
	write  writer[R]
	strict bool // the function cannot see nulls
	bufs   []B
	out    *column.Builder
	states *column.Builder
}

func (r *aggRun[A, B, R]) Resize(groups int) {
	for len(r.bufs) < groups {
		r.bufs = append(r.bufs, r.g.Zero())
	}
}

func (r *aggRun[A, B, R]) Update(gids []uint32, args []*column.Vector, n int) (err error) {
	defer r.caught(&err)
	v := args[0]
	if v.Const {
		v = column.Expand(v, n)
	}
	for i := 0; i < n; i++ {
		if r.strict && !v.IsValid(i) {
			continue
		}
		b := &r.bufs[gids[i]]
		if *b, err = r.g.Reduce(*b, r.read(v, i)); err != nil {
			return r.failed(err)
		}
	}
	return nil
}

func (r *aggRun[A, B, R]) Merge(gids []uint32, state []*column.Vector, n int) (err error) {
	defer r.caught(&err)
	for i := 0; i < n; i++ {
		if !state[0].IsValid(i) {
			continue
		}
		other, err := codec.DecodeAs[B](state[0].Bytes(i))
		if err != nil {
			return fmt.Errorf("udf: %s: partial state: %w", r.name, err)
		}
		b := &r.bufs[gids[i]]
		if *b, err = r.g.Merge(*b, other); err != nil {
			return r.failed(err)
		}
	}
	return nil
}

func (r *aggRun[A, B, R]) State() []*column.Vector {
	r.states.Reset()
	for i := range r.bufs {
		r.states.AppendBytes(codec.EncodeAs(r.bufs[i]))
	}
	return []*column.Vector{r.states.Finish()}
}

func (r *aggRun[A, B, R]) Result() (v *column.Vector, err error) {
	defer r.caught(&err)
	r.out.Reset()
	for i := range r.bufs {
		x, err := r.g.Finish(r.bufs[i])
		if err == nil {
			err = r.write(r.out, x)
		}
		if err != nil {
			return nil, r.failed(err)
		}
	}
	return r.out.Finish(), nil
}

func (r *aggRun[A, B, R]) Reset() { r.bufs = r.bufs[:0] }

// Bytes is the memory of the buffers themselves; what they point to is not known.
func (r *aggRun[A, B, R]) Bytes() int64 {
	return int64(cap(r.bufs)) * int64(reflect.TypeFor[B]().Size())
}

func (r *aggRun[A, B, R]) caught(err *error) {
	if p := recover(); p != nil {
		*err = r.failed(fmt.Errorf("it panicked: %v", p))
	}
}

func (r *aggRun[A, B, R]) failed(err error) error { return expr.FunctionFailed(r.name, err) }
