package wasm

import (
	_ "embed"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
)

//go:embed testdata/functions.wasm
var functions []byte

var (
	bigint  = column.Of(column.Int64)
	integer = column.Of(column.Int32)
	double  = column.Of(column.Float64)
	boolean = column.Of(column.Bool)
	text    = column.Of(column.String)
)

func compile(t testing.TB, l Limits) *Module {
	t.Helper()
	m, err := Compile(functions, l)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = m.Close() })
	return m
}

func signature(name string, returns column.Type, args ...column.Type) Signature {
	s := Signature{Name: name, Returns: returns}
	for i, a := range args {
		s.Args = append(s.Args, column.Field{Name: string(rune('a' + i)), Type: a})
	}
	return s
}

func vector(t testing.TB, typ column.Type, values ...any) *column.Vector {
	t.Helper()
	b := column.NewBuilder(typ)
	for _, v := range values {
		if err := b.AppendValue(v); err != nil {
			t.Fatal(err)
		}
	}
	return b.Finish()
}

// run computes one batch: results boxed, failed rows, and the failure of the whole batch.
func run(t testing.TB, f expr.BatchFunc, cols ...*column.Vector) ([]any, map[int]string, error) {
	t.Helper()
	var errs expr.RowErrors
	v, err := f(cols, cols[0].N, &errs)
	if err != nil {
		return nil, nil, err
	}
	out := make([]any, v.N)
	for i := range out {
		out[i] = column.Value(v, i)
	}
	failed := map[int]string{}
	for i, r := range errs.Rows {
		failed[int(r)] = errs.Errs[i].Error()
	}
	return out, failed, nil
}

func batchOf(t testing.TB, m *Module, s Signature) expr.BatchFunc {
	t.Helper()
	u, err := m.Function(s)
	if err != nil {
		t.Fatal(err)
	}
	f, err := u.Make()
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestFunctions(t *testing.T) {
	m := compile(t, Limits{})
	long := strings.Repeat("x", 100_000)
	for _, c := range []struct {
		s    Signature
		cols []*column.Vector
		want []any
	}{
		{signature("add", bigint, bigint, bigint), []*column.Vector{vector(t, bigint, 1, -5), vector(t, bigint, 2, 3)}, []any{int64(3), int64(-2)}},
		{signature("half", double, double), []*column.Vector{vector(t, double, 1.0, -3.0)}, []any{0.5, -1.5}},
		{signature("even", boolean, integer), []*column.Vector{vector(t, integer, 1, 2, -4)}, []any{false, true, true}},
		{signature("even", integer, boolean), []*column.Vector{vector(t, boolean, true, false)}, []any{int64(0), int64(1)}},
		{signature("bytes", integer, text), []*column.Vector{vector(t, text, "abc", "", "héllo")}, []any{int64(3), int64(0), int64(6)}},
		{signature("tail", text, text), []*column.Vector{vector(t, text, "abc", "", "z", long)}, []any{"bc", nil, "", long[1:]}},
		{signature("tail", column.Of(column.Binary), column.Of(column.Binary)), []*column.Vector{vector(t, column.Of(column.Binary), []byte{1, 2})}, []any{[]byte{2}}},
		{signature("square", bigint, bigint), []*column.Vector{vector(t, bigint, 3, 0, -4)}, []any{int64(9), nil, int64(16)}},
		{signature("same", text, text), []*column.Vector{vector(t, text, "a", "", long)}, []any{"a", "", long}},
	} {
		f := batchOf(t, m, c.s)
		for range 2 { // the second batch finds the memory of the first free
			got, failed, err := run(t, f, c.cols...)
			if err != nil || len(failed) > 0 || !reflect.DeepEqual(got, c.want) {
				t.Errorf("%s: %v, failed %v, %v; want %v", c.s, got, failed, err, c.want)
			}
		}
	}
}

// A trap fails its row; the rows after it run in a new instance.
func TestTraps(t *testing.T) {
	m := compile(t, Limits{})
	got, failed, err := run(t, batchOf(t, m, signature("div", integer, integer, integer)), vector(t, integer, 6, 1, 8), vector(t, integer, 3, 0, 2))
	if err != nil || !reflect.DeepEqual(got, []any{int64(2), nil, int64(4)}) || !strings.Contains(failed[1], "integer divide by zero") || strings.Contains(failed[1], "\n") {
		t.Errorf("%v %v %v", got, failed, err)
	}
	_, failed, err = run(t, batchOf(t, m, signature("wild", text, integer)), vector(t, integer, 1))
	if err != nil || !strings.Contains(failed[0], "outside of its memory") {
		t.Errorf("%v %v", failed, err)
	}
	_, _, err = run(t, batchOf(t, m, signature("square", bigint, bigint)), vector(t, bigint, -1))
	if err == nil || !strings.Contains(err.Error(), "status 7") {
		t.Errorf("%v", err)
	}
	got, failed, err = run(t, batchOf(t, m, signature("even", column.Of(column.Int8), integer)), vector(t, integer, 2))
	if err != nil || got[0] != int64(1) {
		t.Errorf("%v %v %v", got, failed, err)
	}
}

func TestLimits(t *testing.T) {
	m := compile(t, Limits{Time: 30 * time.Millisecond, Memory: 1 << 20})
	f := batchOf(t, m, signature("forever", integer, integer))
	for range 2 {
		if _, _, err := run(t, f, vector(t, integer, 1, 2)); err == nil || !strings.Contains(err.Error(), "UDF_LIMIT_EXCEEDED") {
			t.Fatalf("time: %v", err)
		}
	}
	g := batchOf(t, m, signature("bytes", integer, text))
	if _, _, err := run(t, g, vector(t, text, strings.Repeat("x", 2<<20))); err == nil || !strings.Contains(err.Error(), "UDF_LIMIT_EXCEEDED") {
		t.Fatalf("memory: %v", err)
	}
	if got, _, err := run(t, g, vector(t, text, "small")); err != nil || got[0] != int64(5) {
		t.Errorf("after it: %v %v", got, err)
	}
}

func TestSignatures(t *testing.T) {
	m := compile(t, Limits{})
	var got []string
	for _, s := range m.Signatures() {
		got = append(got, s.String())
	}
	want := []string{"add(a BIGINT, b BIGINT) RETURNS BIGINT", "bytes(a INT, b INT) RETURNS INT", "div(a INT, b INT) RETURNS INT", "even(a INT) RETURNS INT",
		"forever(a INT) RETURNS INT", "half(a DOUBLE) RETURNS DOUBLE", "tail(a INT, b INT) RETURNS BIGINT", "wild(a INT) RETURNS BIGINT"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	for _, c := range []struct {
		s    Signature
		want string
	}{
		{signature("nothing", bigint), "exports neither nothing nor nothing_batch"},
		{signature("add", bigint, integer, bigint), "(i64, i64) -> i64, it should be (i32, i64) -> i64"},
		{signature("add", bigint, column.ListOf(bigint, true), bigint), "array<bigint>"},
		{signature("add", column.DecimalOf(10, 2), bigint, bigint), "decimal(10,2)"},
	} {
		if err := m.Check(c.s); err == nil || !strings.Contains(err.Error(), "INVALID_WASM_FUNCTION") || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.s, err)
		}
	}
	if _, err := Compile([]byte("no module"), Limits{}); err == nil || !strings.Contains(err.Error(), "INVALID_WASM_MODULE") {
		t.Errorf("%v", err)
	}
}

func BenchmarkByRows(b *testing.B)  { benchmark(b, signature("add", bigint, bigint, bigint)) }
func BenchmarkByBatch(b *testing.B) { benchmark(b, signature("square", bigint, bigint)) }

func benchmark(b *testing.B, s Signature) {
	f := batchOf(b, compile(b, Limits{}), s)
	v := new(column.Vector).Reset(bigint, column.BatchRows)
	cols := []*column.Vector{v, v}[:len(s.Args)]
	b.SetBytes(column.BatchRows)
	for b.Loop() {
		if _, err := f(cols, v.N, &expr.RowErrors{}); err != nil {
			b.Fatal(err)
		}
	}
}

// FuzzCompile looks for modules that make the host panic.
func FuzzCompile(f *testing.F) {
	f.Add(functions)
	f.Add([]byte("\x00asm\x01\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, code []byte) {
		m, err := Compile(code, Limits{Time: 20 * time.Millisecond, Memory: 1 << 20})
		if err != nil {
			return
		}
		defer m.Close()
		for _, s := range m.Signatures() {
			if u, err := m.Function(s); err == nil {
				fn, _ := u.Make()
				cols := make([]*column.Vector, len(s.Args))
				for i, a := range s.Args {
					cols[i] = new(column.Vector).Reset(a.Type, 1)
				}
				_, _ = fn(cols, 1, &expr.RowErrors{})
			}
		}
	})
}
