package udf

import (
	"fmt"
	"reflect"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/internal/usererr"
)

// Table1 registers a table function of one argument: fn calls emit for each row that the argument's row generates. A struct
// R gives a column for each exported field; any other R one column, named by columns[0] or "col".
func Table1[A, R any](name string, fn func(a A, emit func(R)) error, columns ...string) error {
	a := readerOf[A]()
	return table(name, []reflect.Type{reflect.TypeFor[A]()}, columns, func(v []*column.Vector, i int, emit func(R)) error { return fn(a(v[0], i), emit) })
}

// Table2 registers a table function of two arguments.
func Table2[A, B, R any](name string, fn func(a A, b B, emit func(R)) error, columns ...string) error {
	a, b := readerOf[A](), readerOf[B]()
	return table(name, []reflect.Type{reflect.TypeFor[A](), reflect.TypeFor[B]()}, columns,
		func(v []*column.Vector, i int, emit func(R)) error { return fn(a(v[0], i), b(v[1], i), emit) })
}

func table[R any](name string, in []reflect.Type, columns []string, row func([]*column.Vector, int, func(R)) error) error {
	u := expr.UserTable{User: expr.User{Name: name}}
	if _, err := arguments(&u.User, in); err != nil {
		return err
	}
	out := reflect.TypeFor[R]()
	fields, err := tableColumns(out, columns)
	if err != nil {
		return badType(name, "its rows", err)
	}
	u.Columns = fields
	strict := strictArgs(in)
	u.Make = func() (expr.TableFunc, error) {
		r := &tableRun[R]{name: name, row: row, strict: strict, single: len(fields) == 1 && !isRow(out)}
		for _, f := range fields {
			r.out = append(r.out, column.NewBuilder(f.Type))
		}
		return r.batch, nil
	}
	return expr.RegisterTable(u)
}

// isRow tells that a Go type becomes several columns.
func isRow(t reflect.Type) bool {
	typ, _, err := typeOf(t)
	return err == nil && typ.Kind == column.Struct && t.Kind() == reflect.Struct
}

func tableColumns(t reflect.Type, names []string) ([]column.Field, error) {
	var fields []column.Field
	if isRow(t) {
		var err error
		if fields, err = fieldsOf(t); err != nil {
			return nil, err
		}
	} else {
		typ, null, err := typeOf(t)
		if err != nil {
			return nil, err
		}
		fields = []column.Field{{Name: "col", Type: typ, Nullable: null}}
	}
	if len(names) > len(fields) {
		return nil, fmt.Errorf("%d names for %d columns", len(names), len(fields))
	}
	for i, n := range names {
		fields[i].Name = n
	}
	return fields, nil
}

// tableRun is one place where a table function stands.
type tableRun[R any] struct {
	name   string
	row    func([]*column.Vector, int, func(R)) error
	strict []int
	single bool
	rows   []int32
	out    []*column.Builder
	cols   []*column.Vector
}

func (t *tableRun[R]) batch(args []*column.Vector, n int) (rows []int32, cols []*column.Vector, err error) {
	t.rows = t.rows[:0]
	for _, b := range t.out {
		b.Reset()
	}
	at := 0
	defer func() {
		if p := recover(); p != nil {
			err = usererr.New("FAILED_EXECUTE_UDF", "39000", "%s failed: it panicked: %v.", t.name, p)
		}
	}()
	var failed error
	emit := func(x R) {
		t.rows = append(t.rows, int32(at))
		if err := t.put(x); err != nil {
			failed = err
		}
	}
	for ; at < n; at++ {
		if t.nullArg(args, at) {
			continue
		}
		if err := t.row(args, at, emit); err != nil {
			return nil, nil, err
		}
		if failed != nil {
			return nil, nil, failed
		}
	}
	t.cols = t.cols[:0]
	for _, b := range t.out {
		t.cols = append(t.cols, b.Finish())
	}
	return t.rows, t.cols, nil
}

func (t *tableRun[R]) put(x R) error {
	v := boxed(reflect.ValueOf(x))
	if t.single {
		return t.out[0].AppendValue(v)
	}
	for i, m := range v.([]any) {
		if err := t.out[i].AppendValue(m); err != nil {
			return err
		}
	}
	return nil
}

func (t *tableRun[R]) nullArg(args []*column.Vector, i int) bool {
	for _, a := range t.strict {
		if !args[a].IsValid(i) {
			return true
		}
	}
	return false
}
