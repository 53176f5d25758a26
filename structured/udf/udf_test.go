package udf_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/structured/udf"
)

// must fails the test when a registration fails.
func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// eval computes a call of a function over columns of one batch, and returns its rows boxed and the rows that failed.
func eval(t *testing.T, name string, cols ...*column.Vector) ([]any, map[int]string) {
	t.Helper()
	args := make([]expr.Expr, len(cols))
	for i, c := range cols {
		args[i] = &expr.Column{Index: i, Name: "c", Typ: c.Type, Null: true}
	}
	e, err := expr.ResolveCall(&expr.UnresolvedCall{Name: name, Args: args})
	must(t, err)
	p, err := expr.Compile(e)
	must(t, err)
	var failed expr.RowErrors
	n := cols[0].N
	v, err := p.Eval(&expr.Context{ANSI: true, Rows: &failed}, &column.Batch{N: n, Cols: cols})
	must(t, err)
	out := make([]any, n)
	for i := range out {
		out[i] = column.Value(v, i)
	}
	errs := map[int]string{}
	for i, r := range failed.Rows {
		errs[int(r)] = failed.Errs[i].Error()
	}
	return out, errs
}

// vector builds a column of boxed values.
func vector(t *testing.T, typ column.Type, values ...any) *column.Vector {
	t.Helper()
	b := column.NewBuilder(typ)
	for _, v := range values {
		must(t, b.AppendValue(v))
	}
	return b.Finish()
}

var (
	bigint = column.Of(column.Int64)
	double = column.Of(column.Float64)
	text   = column.Of(column.String)
)

func TestRowFunctions(t *testing.T) {
	type point struct {
		X, Y int32
		Name string `sql:"label"`
	}
	must(t, udf.Func2("u_add", func(a, b int64) int64 { return a + b }))
	must(t, udf.Func1("u_len", func(s string) int { return len(s) }))
	must(t, udf.Func1("u_orzero", func(x *float64) float64 {
		if x == nil {
			return 0
		}
		return *x
	}))
	must(t, udf.Func1("u_sum", func(l []int64) (s int64) {
		for _, x := range l {
			s += x
		}
		return s
	}))
	must(t, udf.Func1("u_point", func(x int32) point { return point{x, -x, "p"} }))
	must(t, udf.Func1("u_next", func(x time.Time) time.Time { return x.Add(time.Second) }))
	must(t, udf.Func1("u_counts", func(s string) map[string]int64 {
		m := map[string]int64{}
		for _, w := range strings.Fields(s) {
			m[w]++
		}
		return m
	}))
	must(t, udf.Func1("u_none", func(s string) *string { return nil }))
	for _, c := range []struct {
		fn   string
		cols []*column.Vector
		want []any
	}{
		{"u_add", []*column.Vector{vector(t, bigint, 1, nil, 3), vector(t, bigint, 10, 20, 30)}, []any{int64(11), nil, int64(33)}},
		{"U_ADD", []*column.Vector{vector(t, column.Of(column.Int32), 1), vector(t, bigint, 2)}, []any{int64(3)}}, // cast
		{"u_len", []*column.Vector{vector(t, text, "abc", "", nil, strings.Repeat("x", 100))}, []any{int64(3), int64(0), nil, int64(100)}},
		{"u_orzero", []*column.Vector{vector(t, double, 1.5, nil)}, []any{1.5, 0.0}},
		{"u_sum", []*column.Vector{vector(t, column.ListOf(bigint, false), []any{1, 2}, nil, []any{})}, []any{int64(3), nil, int64(0)}},
		{"u_point", []*column.Vector{vector(t, column.Of(column.Int32), 7)}, []any{[]any{int64(7), int64(-7), "p"}}},
		{"u_next", []*column.Vector{vector(t, column.Of(column.Timestamp), 5)}, []any{int64(1_000_005)}},
		{"u_counts", []*column.Vector{vector(t, text, "b a b")}, []any{[2][]any{{"a", "b"}, {int64(1), int64(2)}}}},
		{"u_none", []*column.Vector{vector(t, text, "x")}, []any{nil}},
	} {
		got, failed := eval(t, c.fn, c.cols...)
		if !reflect.DeepEqual(got, c.want) || len(failed) > 0 {
			t.Errorf("%s: %v, failed %v, want %v", c.fn, got, failed, c.want)
		}
	}
	e, err := expr.ResolveCall(&expr.UnresolvedCall{Name: "u_point", Args: []expr.Expr{expr.Lit(1)}})
	must(t, err)
	if got := e.DataType().String(); got != "struct<x:int,y:int,label:string>" {
		t.Errorf("type of u_point: %s", got)
	}
}

// A row that fails or panics is one failed row; the rows around it have their results.
func TestFailingRows(t *testing.T) {
	must(t, udf.Try1("u_fails", func(x int64) (int64, error) {
		switch x {
		case 2:
			return 0, errors.New("two is refused")
		case 3:
			panic("three")
		}
		return -x, nil
	}))
	got, failed := eval(t, "u_fails", vector(t, bigint, 1, 2, 3, nil, 4))
	if want := []any{int64(-1), nil, nil, nil, int64(-4)}; !reflect.DeepEqual(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if len(failed) != 2 || !strings.Contains(failed[1], "FAILED_EXECUTE_UDF") || !strings.Contains(failed[1], "two is refused") || !strings.Contains(failed[2], "panicked: three") {
		t.Errorf("%v", failed)
	}
}

func TestVectorFunction(t *testing.T) {
	calls := 0
	args := []column.Field{{Name: "x", Type: bigint}}
	must(t, udf.Vector("u_double", args, bigint, func() (expr.BatchFunc, error) {
		return func(args []*column.Vector, n int, _ *expr.RowErrors) (*column.Vector, error) {
			calls++
			out := new(column.Vector).Reset(bigint, n)
			for i, x := range args[0].I64[:n] {
				out.I64[i] = 2 * x
			}
			return out, nil
		}, nil
	}))
	got, _ := eval(t, "u_double", vector(t, bigint, 1, nil, 3))
	if want := []any{int64(2), nil, int64(6)}; !reflect.DeepEqual(got, want) || calls != 1 {
		t.Errorf("%v in %d calls", got, calls)
	}
	must(t, udf.Vector("u_wrong", args, bigint, func() (expr.BatchFunc, error) {
		return func([]*column.Vector, int, *expr.RowErrors) (*column.Vector, error) { return vector(t, text, "x"), nil }, nil
	}))
	if _, failed := eval(t, "u_wrong", vector(t, bigint, 1)); !strings.Contains(failed[0], "1 rows of string for 1 rows of bigint") {
		t.Errorf("%v", failed)
	}
}

// geoMean is the geometric mean of positive numbers.
type geoMean struct{}

type product struct {
	Log float64
	N   int64
}

func (geoMean) Zero() product { return product{} }
func (geoMean) Reduce(b product, x float64) (product, error) {
	if x <= 0 {
		return b, errors.New("not positive")
	}
	return product{b.Log + x, b.N + 1}, nil
}
func (geoMean) Merge(a, b product) (product, error) { return product{a.Log + b.Log, a.N + b.N}, nil }
func (geoMean) Finish(b product) (*float64, error) {
	if b.N == 0 {
		return nil, nil
	}
	mean := b.Log / float64(b.N)
	return &mean, nil
}

// An aggregate gives the same through partial states as at once.
func TestAggregateFunction(t *testing.T) {
	must(t, udf.Agg1("u_mean", geoMean{}, udf.Args("x"), udf.Doc("The mean of positive numbers.")))
	e, err := expr.ResolveCall(&expr.UnresolvedCall{Name: "u_mean", Args: []expr.Expr{&expr.Column{Index: 0, Typ: double, Null: true}}})
	must(t, err)
	agg := e.(*expr.Agg)
	partial := func(gids []uint32, values ...any) expr.Accumulator {
		acc, err := expr.NewAccumulator(agg)
		must(t, err)
		acc.Resize(3)
		must(t, acc.Update(gids, []*column.Vector{vector(t, double, values...)}, len(values)))
		return acc
	}
	a, b := partial([]uint32{0, 1, 0}, 1.0, 2.0, 3.0), partial([]uint32{0, 1}, 5.0, nil)
	must(t, a.Merge([]uint32{0, 1, 2}, b.State(), 3))
	v, err := a.Result()
	must(t, err)
	got := []any{column.Value(v, 0), column.Value(v, 1), column.Value(v, 2)}
	if want := []any{3.0, 2.0, nil}; !reflect.DeepEqual(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	err = a.Update([]uint32{0}, []*column.Vector{vector(t, double, -1.0)}, 1)
	if err == nil || !strings.Contains(err.Error(), "u_mean failed: not positive") {
		t.Errorf("%v", err)
	}
	if f, ok := expr.Lookup("u_mean"); !ok || f.Usage != "u_mean(x)" || f.Doc != "The mean of positive numbers." || f.Group != expr.UserGroup {
		t.Errorf("%+v", f)
	}
}

func TestTableFunction(t *testing.T) {
	type word struct {
		Word string
		At   int
	}
	must(t, udf.Table1("u_words", func(s string, emit func(word)) error {
		for i, w := range strings.Fields(s) {
			emit(word{w, i})
		}
		return nil
	}))
	e, err := expr.ResolveCall(&expr.UnresolvedCall{Name: "u_words", Args: []expr.Expr{&expr.Column{Index: 0, Typ: text, Null: true}}})
	must(t, err)
	g, err := expr.CompileGenerate(e.(*expr.Generate))
	must(t, err)
	rows, cols, err := g.Eval(&expr.Context{}, &column.Batch{N: 3, Cols: []*column.Vector{vector(t, text, "a b", nil, "c")}})
	must(t, err)
	if !reflect.DeepEqual(rows, []int32{0, 0, 2}) || cols[0].Str(2) != "c" || cols[1].I64[1] != 1 {
		t.Errorf("%v %v", rows, cols)
	}
}

func TestRefusals(t *testing.T) {
	for name, err := range map[string]error{
		"UNSUPPORTED_DATATYPE":   udf.Func1("u_chan", func(chan int) int { return 0 }),
		"ROUTINE_ALREADY_EXISTS": udf.Func1("Upper", func(s string) string { return s }),
		"INVALID_ROUTINE_NAME":   udf.Func1("", func(s string) string { return s }),
	} {
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	must(t, udf.Func1("u_gone", func(s string) string { return s }))
	if _, err := expr.ResolveCall(&expr.UnresolvedCall{Name: "u_gone", Args: []expr.Expr{expr.Lit(1), expr.Lit(2)}}); err == nil || !strings.Contains(err.Error(), "WRONG_NUM_ARGS") {
		t.Errorf("%v", err)
	}
	if !expr.Unregister("U_GONE") || expr.Unregister("u_gone") {
		t.Error("unregister")
	}
	if _, err := expr.ResolveCall(&expr.UnresolvedCall{Name: "u_gone", Args: []expr.Expr{expr.Lit("")}}); err == nil || !strings.Contains(err.Error(), "UNRESOLVED_ROUTINE") {
		t.Errorf("%v", err)
	}
}

func BenchmarkFunc2(b *testing.B) {
	if err := udf.Func2("u_bench", func(x, y int64) int64 { return x*31 + y }); err != nil {
		b.Fatal(err)
	}
	n := column.BatchRows
	v := new(column.Vector).Reset(bigint, n)
	col := &expr.Column{Index: 0, Typ: bigint}
	e, err := expr.ResolveCall(&expr.UnresolvedCall{Name: "u_bench", Args: []expr.Expr{col, col}})
	if err != nil {
		b.Fatal(err)
	}
	p, err := expr.Compile(e)
	if err != nil {
		b.Fatal(err)
	}
	batch := &column.Batch{N: n, Cols: []*column.Vector{v}}
	b.SetBytes(int64(n))
	for b.Loop() {
		if _, err := p.Eval(&expr.Context{}, batch); err != nil {
			b.Fatal(err)
		}
	}
}
