package udf

import (
	"fmt"
	"reflect"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/internal/usererr"
)

// Option changes how a function is registered.
type Option func(*expr.User, *expr.UserFunction)

// Doc is the sentence that DESCRIBE FUNCTION shows.
func Doc(text string) Option { return func(u *expr.User, _ *expr.UserFunction) { u.Doc = text } }

// Args names the arguments, for usage lines and error messages.
func Args(names ...string) Option {
	return func(u *expr.User, _ *expr.UserFunction) {
		for i := range min(len(names), len(u.Args)) {
			u.Args[i].Name = names[i]
		}
	}
}

// Volatile marks a scalar function that gives another value each time, as random numbers do: it is called for each row,
// and neither folded nor shared.
func Volatile() Option { return func(_ *expr.User, f *expr.UserFunction) { f.Volatile = true } }

// Func0 registers a function of no arguments.
func Func0[R any](name string, fn func() R, opts ...Option) error {
	return Try0(name, func() (R, error) { return fn(), nil }, opts...)
}

// Func1 registers a function of one argument.
func Func1[A, R any](name string, fn func(A) R, opts ...Option) error {
	return Try1(name, func(a A) (R, error) { return fn(a), nil }, opts...)
}

// Func2 registers a function of two arguments.
func Func2[A, B, R any](name string, fn func(A, B) R, opts ...Option) error {
	return Try2(name, func(a A, b B) (R, error) { return fn(a, b), nil }, opts...)
}

// Func3 registers a function of three arguments.
func Func3[A, B, C, R any](name string, fn func(A, B, C) R, opts ...Option) error {
	return Try3(name, func(a A, b B, c C) (R, error) { return fn(a, b, c), nil }, opts...)
}

// Func4 registers a function of four arguments.
func Func4[A, B, C, D, R any](name string, fn func(A, B, C, D) R, opts ...Option) error {
	return Try4(name, func(a A, b B, c C, d D) (R, error) { return fn(a, b, c, d), nil }, opts...)
}

// Try0 registers a function of no arguments that may fail.
func Try0[R any](name string, fn func() (R, error), opts ...Option) error {
	return scalar(name, nil, opts, func() rowOf[R] { return func([]*column.Vector, int) (R, error) { return fn() } })
}

// Try1 registers a function of one argument that may fail.
func Try1[A, R any](name string, fn func(A) (R, error), opts ...Option) error {
	a := readerOf[A]()
	return scalar(name, []reflect.Type{reflect.TypeFor[A]()}, opts, func() rowOf[R] {
		return func(v []*column.Vector, i int) (R, error) { return fn(a(v[0], i)) }
	})
}

// Try2 registers a function of two arguments that may fail.
func Try2[A, B, R any](name string, fn func(A, B) (R, error), opts ...Option) error {
	a, b := readerOf[A](), readerOf[B]()
	return scalar(name, []reflect.Type{reflect.TypeFor[A](), reflect.TypeFor[B]()}, opts, func() rowOf[R] {
		return func(v []*column.Vector, i int) (R, error) { return fn(a(v[0], i), b(v[1], i)) }
	})
}

// Try3 registers a function of three arguments that may fail.
func Try3[A, B, C, R any](name string, fn func(A, B, C) (R, error), opts ...Option) error {
	a, b, c := readerOf[A](), readerOf[B](), readerOf[C]()
	return scalar(name, []reflect.Type{reflect.TypeFor[A](), reflect.TypeFor[B](), reflect.TypeFor[C]()}, opts, func() rowOf[R] {
		return func(v []*column.Vector, i int) (R, error) { return fn(a(v[0], i), b(v[1], i), c(v[2], i)) }
	})
}

// Try4 registers a function of four arguments that may fail.
func Try4[A, B, C, D, R any](name string, fn func(A, B, C, D) (R, error), opts ...Option) error {
	a, b, c, d := readerOf[A](), readerOf[B](), readerOf[C](), readerOf[D]()
	return scalar(name, []reflect.Type{reflect.TypeFor[A](), reflect.TypeFor[B](), reflect.TypeFor[C](), reflect.TypeFor[D]()}, opts, func() rowOf[R] {
		return func(v []*column.Vector, i int) (R, error) { return fn(a(v[0], i), b(v[1], i), c(v[2], i), d(v[3], i)) }
	})
}

// rowOf computes row i.
type rowOf[R any] func(args []*column.Vector, i int) (R, error)

// scalar registers a function that is computed row by row over batches.
func scalar[R any](name string, in []reflect.Type, opts []Option, row func() rowOf[R]) error {
	f := expr.UserFunction{User: expr.User{Name: name}}
	holdsNull, err := arguments(&f.User, in)
	if err != nil {
		return err
	}
	f.NullCall = holdsNull
	if f.Returns, _, err = typeOf(reflect.TypeFor[R]()); err != nil {
		return badType(name, "its result", err)
	}
	for _, o := range opts {
		o(&f.User, &f)
	}
	write, strict := writerOf[R](), strictArgs(in)
	if !f.NullCall {
		strict = nil // rows with nulls do not come here
	}
	f.Make = func() (expr.BatchFunc, error) {
		r := &rowRun[R]{row: row(), write: write, out: column.NewBuilder(f.Returns), strict: strict}
		return r.batch, nil
	}
	return expr.RegisterFunction(f)
}

// arguments gives u its arguments; holdsNull tells that some of them can hold a null.
func arguments(u *expr.User, in []reflect.Type) (holdsNull bool, err error) {
	for i, t := range in {
		typ, null, err := typeOf(t)
		if err != nil {
			return false, badType(u.Name, fmt.Sprintf("argument %d", i+1), err)
		}
		holdsNull = holdsNull || null
		u.Args = append(u.Args, column.Field{Name: fmt.Sprintf("arg%d", i+1), Type: typ, Nullable: null})
	}
	return holdsNull, nil
}

// strictArgs are the positions of arguments that cannot hold a null.
func strictArgs(in []reflect.Type) []int {
	var out []int
	for i, t := range in {
		if t.Kind() != reflect.Pointer {
			out = append(out, i)
		}
	}
	return out
}

func badType(name, what string, err error) error {
	return usererr.New("UNSUPPORTED_DATATYPE", "0A000", "The function %s cannot be registered: %s: %v.", name, what, err).
		WithFix("Use the Go types that the documentation of package udf lists.")
}

// rowRun is one place where a function stands.
type rowRun[R any] struct {
	row    rowOf[R]
	write  writer[R]
	out    *column.Builder
	strict []int
}

func (r *rowRun[R]) batch(args []*column.Vector, n int, errs *expr.RowErrors) (*column.Vector, error) {
	r.out.Reset()
	for i := 0; i < n; {
		i = r.rows(args, i, n, errs)
	}
	return r.out.Finish(), nil
}

// rows computes rows from i on, and returns where to go on: after n, or after a row in which the function panicked.
func (r *rowRun[R]) rows(args []*column.Vector, i, n int, errs *expr.RowErrors) (next int) {
	defer func() {
		if p := recover(); p != nil {
			r.fail(i, fmt.Errorf("it panicked: %v", p), errs)
			next = i + 1
		}
	}()
	for ; i < n; i++ {
		if r.nullArg(args, i) {
			r.out.AppendNull()
			continue
		}
		x, err := r.row(args, i)
		if err == nil {
			err = r.write(r.out, x)
		}
		if err != nil {
			r.fail(i, err, errs)
		}
	}
	return n
}

func (r *rowRun[R]) fail(i int, err error, errs *expr.RowErrors) {
	r.out.Truncate(i)
	r.out.AppendNull()
	errs.Rows, errs.Errs = append(errs.Rows, int32(i)), append(errs.Errs, err)
}

func (r *rowRun[R]) nullArg(args []*column.Vector, i int) bool {
	for _, a := range r.strict {
		if !args[a].IsValid(i) {
			return true
		}
	}
	return false
}
