package expr

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/streamflow/streamflow/column"
)

// world is a batch of every type with nulls and extreme values, its strings plain and dictionary-coded.
type world struct {
	attrs []*Attr
	plain *column.Batch
	dict  *column.Batch
}

const worldRows = 70 // more than one validity word

func newWorld(t testing.TB, r *rand.Rand) *world {
	schema, err := column.ParseDDL("b BOOLEAN, y TINYINT, i INT, l BIGINT, f FLOAT, d DOUBLE, m DECIMAL(10,2), s STRING, u STRING, x BINARY, a DATE, t TIMESTAMP, li ARRAY<INT>, ls ARRAY<STRING>, st STRUCT<p: INT, q: STRING>, mp MAP<STRING, INT>")
	if err != nil {
		t.Fatal(err)
	}
	w := &world{}
	b := column.NewBatchBuilder(schema)
	for row := 0; row < worldRows; row++ {
		for c, f := range schema.Fields {
			if err := b.Cols[c].AppendValue(randomValue(r, f.Type, true)); err != nil {
				t.Fatal(err)
			}
		}
	}
	w.plain = b.Finish()
	dict := *w.plain
	dict.Cols = append([]*column.Vector{}, w.plain.Cols...)
	for c, f := range schema.Fields {
		w.attrs = append(w.attrs, &Attr{ID: NewID(), Name: f.Name, Typ: f.Type, Null: true})
		if f.Type.Kind == column.String {
			dict.Cols[c] = dictionary(w.plain.Cols[c])
		}
	}
	w.dict = &dict
	return w
}

// dictionary codes a string vector.
func dictionary(v *column.Vector) *column.Vector {
	b := column.NewBuilder(v.Type)
	seen := map[string]int32{}
	out := &column.Vector{Type: v.Type, N: v.N, Valid: v.Valid, Codes: make([]int32, v.N)}
	for i := range out.Codes {
		s := ""
		if v.IsValid(i) {
			s = v.Str(i)
		}
		code, ok := seen[s]
		if !ok {
			code = int32(len(seen))
			seen[strings.Clone(s)] = code
			b.AppendString(s)
		}
		out.Codes[i] = code
	}
	out.Dict = b.Finish()
	return out
}

var texts = []string{"", "a", "ab", "ABC", "äöü", "12", "-7", "1.5", "2026-03-15", "2026-03-15 13:45:07", "a,b,c", "%", "a_c", "long enough to leave the view", `{"a":1}`, "[1,2]", "day", "UTC", "yyyy", "true", " x "}

func randomValue(r *rand.Rand, t column.Type, nulls bool) any {
	if nulls && r.IntN(6) == 0 {
		return nil
	}
	ints := []int64{0, 1, -1, 2, 3, 7, 100, -128, 127, int64(r.IntN(1000))}
	v := ints[r.IntN(len(ints))]
	switch t.Kind {
	case column.Bool:
		return r.IntN(2) == 0
	case column.Int8:
		return v % 128
	case column.Int32:
		return []int64{v, 1<<31 - 1, -1 << 31}[min(r.IntN(8), 2)%3]
	case column.Int64:
		return []int64{v, 1<<63 - 1, -1 << 63}[min(r.IntN(8), 2)%3]
	case column.Float32, column.Float64:
		return float64(v) / 4
	case column.Decimal:
		return column.Dec128(decFromInt(v * 25))
	case column.String:
		return texts[r.IntN(len(texts))]
	case column.Binary:
		return []byte(texts[r.IntN(len(texts))])
	case column.Date:
		return int64(r.IntN(40000) - 5000)
	case column.Timestamp:
		return (r.Int64N(4e9) - 1e9) * 1e6
	case column.List:
		out := make([]any, r.IntN(4))
		for i := range out {
			out[i] = randomValue(r, t.Elem(), true)
		}
		return out
	case column.Struct:
		return []any{randomValue(r, t.Fields[0].Type, true), randomValue(r, t.Fields[1].Type, true)}
	case column.Map:
		return [2][]any{{"a", "k"}, {randomValue(r, t.Fields[1].Type, true), int64(5)}}
	}
	panic("BUG: no random " + t.String())
}

// steady is the part of the table whose results depend on the row alone.
func steady() []*Function {
	var out []*Function
	for _, f := range Functions() {
		skip := map[string]bool{"session_window": true, "count_window": true, "repeat": true, "space": true, "lpad": true, "rpad": true, "sequence": true, "array_repeat": true, "array_insert": true}
		if (f.Kind == Scalar || f.Kind == Windowing) && f.flags&volatile == 0 && !skip[f.Name] {
			out = append(out, f)
		}
	}
	return out
}

// tree makes a random expression of the table's functions; it may end in a leaf early.
func (w *world) tree(r *rand.Rand, fns []*Function, depth int) Expr {
	if depth == 0 || r.IntN(5) == 0 {
		a := w.attrs[r.IntN(len(w.attrs))]
		if r.IntN(4) == 0 && !a.Typ.IsNested() {
			return &Literal{randomValue(r, a.Typ, r.IntN(4) == 0), a.Typ}
		}
		return a
	}
	for range 50 {
		f := fns[r.IntN(len(fns))]
		lo, hi := arity(f.in)
		n := lo
		if hi < 0 {
			hi = lo + 2
		}
		n += r.IntN(hi - lo + 1)
		args := make([]Expr, n)
		for i := range args {
			args[i] = w.arg(r, fns, at(f.in, i), depth-1)
		}
		if e, err := ResolveCall(&UnresolvedCall{Name: f.Name, Args: args}); err == nil {
			return e
		}
	}
	return Lit(1)
}

// arg tries to hit the parameter's class.
func (w *world) arg(r *rand.Rand, fns []*Function, p param, depth int) Expr {
	var e Expr
	for range 20 {
		e = w.tree(r, fns, depth)
		if _, ok := p.fit(e); ok {
			return e
		}
		depth = 0
	}
	return e
}

// outcomeText is a row's result as text: NULL, a value, or an error's code.
func outcomes(t testing.TB, e Expr, attrs []*Attr, b *column.Batch, ctx Context) ([]string, string) {
	bound, err := Bind(e, attrs)
	if err != nil {
		t.Fatal(err)
	}
	p, err := Compile(bound)
	if err != nil {
		t.Fatalf("%s: %v", e, err)
	}
	return runProgram(t, e, p, b, ctx), p.describe()
}

func runProgram(t testing.TB, e Expr, p *Program, b *column.Batch, ctx Context) []string {
	ctx.Rows = &RowErrors{}
	v, err := p.Eval(&ctx, b)
	if err != nil {
		t.Fatalf("%s: %v", e, err)
	}
	if v.Const || v.N != b.N || !v.Type.Equal(e.DataType()) {
		t.Fatalf("%s: result const %v, %d rows of %d, type %s for %s", e, v.Const, v.N, b.N, v.Type, e.DataType())
	}
	out := make([]string, b.N)
	for i := range out {
		switch {
		case !v.IsValid(i):
			out[i] = "NULL"
		default:
			out[i] = string(appendText(nil, v, i, ctx.location()))
		}
	}
	for i, row := range ctx.Rows.Rows {
		out[row] = errText(ctx.Rows.Errs[i])
	}
	return out
}

// checkTree evaluates e as a batch, over dictionaries, row by row and (for some rows) folded as constants: four ways
// through the machine that must agree.
func checkTree(t testing.TB, w *world, e Expr, ctx Context, seed uint64) {
	t.Helper()
	whole, desc := outcomes(t, e, w.attrs, w.plain, ctx)
	fail := func(how string, i int, got string) {
		t.Helper()
		row := make([]string, len(w.attrs))
		for c := range row {
			row[c] = fmt.Sprintf("%s=%v", w.attrs[c].Name, column.Value(w.plain.Cols[c], i))
		}
		t.Fatalf("seed %d: %s\nrow %d of the batch gives %q, %s gives %q\n%s\n%s", seed, e, i, whole[i], how, got, strings.Join(row, " "), desc)
	}
	coded, _ := outcomes(t, e, w.attrs, w.dict, ctx)
	for i := range whole {
		if coded[i] != whole[i] {
			fail("over dictionaries it", i, coded[i])
		}
	}
	bound, _ := Bind(e, w.attrs)
	single, err := Compile(bound)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < w.plain.N; i += 7 {
		one := column.TakeBatch(nil, w.plain, []int32{int32(i)})
		if got := runProgram(t, e, single, one, ctx); got[0] != whole[i] {
			fail("alone it", i, got[0])
		}
		constant := Transform(e, func(x Expr) Expr {
			for c, a := range w.attrs {
				if x == Expr(a) {
					return &Literal{column.Value(w.plain.Cols[c], i), a.Typ}
				}
			}
			return x
		})
		if got := show(t, constant, &ctx); got != whole[i] {
			fail("as a constant it", i, got)
		}
	}
}

func TestRandomTrees(t *testing.T) {
	n := 2000
	if testing.Short() {
		n = 300
	}
	fns := steady()
	for i := 0; i < n; i++ {
		checkSeed(t, fns, uint64(i))
	}
}

func checkSeed(t testing.TB, fns []*Function, seed uint64) {
	r := rand.New(rand.NewPCG(seed, 1))
	w := newWorld(t, r)
	e := w.tree(r, fns, 3)
	if e.DataType().Kind == column.Null {
		return
	}
	checkTree(t, w, e, Context{ANSI: seed%3 != 0, Location: time.UTC, Now: 1767225600e6}, seed)
}

// FuzzEval is TestRandomTrees driven by the fuzzer.
func FuzzEval(f *testing.F) {
	fns := steady()
	for i := uint64(1 << 40); i < 1<<40+20; i++ {
		f.Add(i)
	}
	f.Fuzz(func(t *testing.T, seed uint64) { checkSeed(t, fns, seed) })
}
