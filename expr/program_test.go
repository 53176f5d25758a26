package expr

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/internal/codec"
	"github.com/streamflow/streamflow/internal/usererr"
)

// table3 is x INT, s STRING, n rows cycling through the values.
func small(t testing.TB, ddl string, rows ...[]any) ([]*Attr, *column.Batch) {
	t.Helper()
	schema, err := column.ParseDDL(ddl)
	if err != nil {
		t.Fatal(err)
	}
	b := column.NewBatchBuilder(schema)
	for _, r := range rows {
		for c, v := range r {
			if err := b.Cols[c].AppendValue(v); err != nil {
				t.Fatal(err)
			}
		}
	}
	var attrs []*Attr
	for _, f := range schema.Fields {
		attrs = append(attrs, &Attr{ID: NewID(), Name: f.Name, Typ: f.Type, Null: f.Nullable})
	}
	return attrs, b.Finish()
}

func compile(t testing.TB, text string, attrs []*Attr) *Program {
	t.Helper()
	bound, err := Bind(parseExpr(t, text, attrs...), attrs)
	if err != nil {
		t.Fatal(err)
	}
	p, err := Compile(bound)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestGuardedRowsDoNotFail(t *testing.T) {
	attrs, b := small(t, "x INT, s STRING", []any{int64(0), "a"}, []any{int64(4), "7"}, []any{nil, "8"})
	for _, c := range []struct{ text, want string }{
		{"x <> 0 and 1 / x > 0.1", "[false true NULL]"},
		{"x = 0 or 1 / x > 0.1", "[true true NULL]"},
		{"when(x <> 0, 100 div x, -1)", "[-1 25 -1]"},
		{"if(x = 0, 0, cast(s as int))", "[0 7 8]"}, // dear enough to run on the rows that need it
		{"x = 0 or cast(s as int) > 7", "[true false true]"},
		{"coalesce(x, cast(s as int))", "[0 4 8]"},
		{"if(x = 4, 'four', 'other')", "[other four other]"},
	} {
		v, err := compile(t, c.text, attrs).Eval(testCtx, b)
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		if got := fmt.Sprint(column3(v)); got != c.want {
			t.Errorf("%s = %s, want %s", c.text, got, c.want)
		}
	}
}

func column3(v *column.Vector) []any {
	out := make([]any, v.N)
	for i := range out {
		out[i] = "NULL"
		if v.IsValid(i) {
			out[i] = column.Value(v, i)
		}
	}
	return out
}

func TestRowErrors(t *testing.T) {
	attrs, b := small(t, "x INT, s STRING", []any{int64(0), "a"}, []any{int64(4), "7"}, []any{int64(2), "b"})
	p := compile(t, "100 / x + cast(s as int)", attrs)
	if _, err := p.Eval(testCtx, b); err == nil || !strings.Contains(err.Error(), "DIVIDE_BY_ZERO") {
		t.Errorf("the first failing row ends the batch: %v", err)
	}
	ctx := *testCtx
	ctx.Rows = &RowErrors{}
	v, err := p.Eval(&ctx, b)
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(column3(v)); got != "[NULL 32 NULL]" {
		t.Errorf("results %s", got)
	}
	if !slices.Equal(ctx.Rows.Rows, []int32{0, 2}) {
		t.Errorf("failed rows %v", ctx.Rows.Rows)
	}
	if u, _ := usererr.As(ctx.Rows.Errs[1]); u == nil || u.Code != "CAST_INVALID_INPUT" {
		t.Errorf("reason %v", ctx.Rows.Errs[1])
	}
}

func TestEqualSubexpressionsAreOneInstruction(t *testing.T) {
	attrs, _ := small(t, "x INT, s STRING", []any{int64(0), "a"})
	p := compile(t, "(x + 1) * (x + 1) + length(concat(s, 'a')) + length(concat(s, 'a'))", attrs)
	counts := map[string]int{}
	for i := range p.instrs {
		if p.instrs[i].fn != nil {
			counts[p.instrs[i].fn.Name]++
		}
	}
	if counts["concat"] != 1 || counts["length"] != 1 || counts["+"] != 3 {
		t.Errorf("instructions\n%s", p.describe())
	}
	p = compile(t, "rand() + rand()", attrs)
	if n := strings.Count(p.describe(), "call rand"); n != 2 {
		t.Errorf("rand is shared:\n%s", p.describe())
	}
}

func TestFilter(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	w := newWorld(t, r)
	for _, text := range []string{"i > 2", "2 < i", "i = 1 and l <> 1", "s = 'ab'", "s >= 'a' and length(s) > 1", "s like 'a%'", "s in ('a', 'ab', NULL)", "d = 0.25D", "d > -1D and f <> 0D", "m > 0.5", "b", "not b", "b = true",
		"t > TIMESTAMP'1980-01-01 00:00:00'", "a <= DATE'1990-01-01' and i is not null", "i <> 0 and 100 / i > 1", "i is null or i < 5", "NULL", "true", "false", "s = 'long enough to leave the view'", "s <> u and upper(s) > 'A' and i > 0", "x = unhex('6162')", "y >= 3", "y < 3", "f <= 1D", "l != 7"} {
		e := parseExpr(t, text, w.attrs...)
		e, _ = param{class: 'b'}.fit(e)
		bound, err := Bind(e, w.attrs)
		if err != nil {
			t.Fatal(err)
		}
		f, err := CompileFilter(bound)
		if err != nil {
			t.Fatal(err)
		}
		want := wantRows(t, bound, w.plain)
		for name, b := range map[string]*column.Batch{"plain": w.plain, "dictionary": w.dict} {
			got, err := f.Select(testCtx, b, nil)
			if err != nil {
				t.Fatalf("%s: %v", text, err)
			}
			if !slices.Equal(got, want) {
				t.Errorf("%s over %s: rows %v, want %v", text, name, got, want)
			}
		}
	}
}

func wantRows(t *testing.T, bound Expr, b *column.Batch) []int32 {
	p, err := Compile(bound)
	if err != nil {
		t.Fatal(err)
	}
	v, err := p.Eval(testCtx, b)
	if err != nil {
		t.Fatal(err)
	}
	want := []int32{}
	for i := 0; i < v.N; i++ {
		if v.IsValid(i) && v.Bools[i] {
			want = append(want, int32(i))
		}
	}
	return want
}

func TestFilterFailures(t *testing.T) {
	attrs, b := small(t, "x INT, s STRING", []any{int64(1), "a"}, []any{int64(2), "7"}, []any{int64(3), "b"})
	bound, _ := Bind(parseExpr(t, "x > 1 and cast(s as int) > 1", attrs...), attrs)
	f, err := CompileFilter(bound)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Select(testCtx, b, nil); err == nil {
		t.Error("row 2 fails")
	}
	ctx := *testCtx
	ctx.Rows = &RowErrors{}
	got, err := f.Select(&ctx, b, nil)
	if err != nil || !slices.Equal(got, []int32{1}) || !slices.Equal(ctx.Rows.Rows, []int32{2}) {
		t.Errorf("rows %v, failed %v, %v: row 0 was dropped before it could fail", got, ctx.Rows.Rows, err)
	}
}

func TestEmptyBatch(t *testing.T) {
	attrs, b := small(t, "x INT, s STRING")
	for _, text := range []string{"x + 1", "upper(s)", "if(x > 1, s, 'a')", "1 + 1", "s like '%'", "array(x)", "struct(x, s)", "x in (1, 2)", "coalesce(s, 'a')"} {
		v, err := compile(t, text, attrs).Eval(testCtx, b)
		if err != nil || v.N != 0 {
			t.Errorf("%s: %d rows, %v", text, v.N, err)
		}
	}
}

func TestFold(t *testing.T) {
	x := &Attr{ID: 1, Name: "x", Typ: column.Of(column.Int32)}
	for _, c := range []struct{ text, want string }{
		{"1 + 2", "3"}, {"x + (1 + 2)", "(x#1 + 3)"}, {"1 / 0", "(1 / 0)"}, {"cast('2026-01-01' as timestamp)", "CAST('2026-01-01' AS TIMESTAMP)"},
		{"cast('2026-01-01' as date)", "DATE '2026-01-01'"}, {"current_timestamp()", "current_timestamp()"}, {"rand(1)", "rand(1)"}, {"true and x > 1", "(x#1 > 1)"}, {"false and x > 1", "false"}, {"x > 1 and true", "(x#1 > 1)"},
		{"if(1 > 2, x, 5)", "5"}, {"upper('a')", "'A'"},
	} {
		if got := Transform(parseExpr(t, c.text, x), Fold).String(); got != c.want {
			t.Errorf("%s folds to %s, want %s", c.text, got, c.want)
		}
	}
	tokyo, err := time.LoadLocation("Asia/Tokyo")
	if err != nil {
		t.Skip(err)
	}
	in := FoldIn(&Context{Location: tokyo, ANSI: true}, parseExpr(t, "cast('2026-01-01' as timestamp)"))
	if got := in.String(); got != "TIMESTAMP '2025-12-31 15:00:00'" {
		t.Errorf("folded in Tokyo: %s", got)
	}
}

// A date plus months is the same everywhere; a moment plus months is not.
func TestFoldMonths(t *testing.T) {
	month := &Literal{Value: int64(1), Typ: column.Of(column.IntervalYM)}
	for _, c := range []struct {
		op   string
		at   Expr
		want string
	}{
		{"+", &Literal{Value: int64(30), Typ: column.Of(column.Date)}, "DATE '1970-02-28'"},
		{"-", &Literal{Value: int64(30), Typ: column.Of(column.Date)}, "DATE '1969-12-31'"},
		{"+", &Literal{Value: int64(0), Typ: column.Of(column.Timestamp)}, "add_interval(TIMESTAMP '1970-01-01 00:00:00', INTERVAL '0-1' YEAR TO MONTH)"},
	} {
		e, err := addInterval(c.op, c.at, month)
		if err != nil {
			t.Fatal(err)
		}
		if got := Transform(e, Fold).String(); got != c.want {
			t.Errorf("%s %s month folds to %s, want %s", c.at, c.op, got, c.want)
		}
	}
}

func TestGenerators(t *testing.T) {
	attrs, b := small(t, "l ARRAY<INT>, j STRING", []any{[]any{int64(1), nil}, `{"a":1}`}, []any{nil, "x"}, []any{[]any{}, `{"a":"y"}`})
	for _, c := range []struct{ text, rows, cols string }{
		{"explode(l)", "[0 0]", "[1 NULL]"}, {"explode_outer(l)", "[0 0 1 2]", "[1 NULL NULL NULL]"}, {"posexplode_outer(l)", "[0 0 1 2]", "[0 1 NULL NULL] [1 NULL NULL NULL]"},
		{"json_tuple(j, 'a')", "[0 1 2]", "[1 NULL y]"}, {"stack(2, size(l), 7)", "[0 0 1 1 2 2]", "[2 7 NULL 7 0 7]"},
	} {
		bound, err := Bind(parseExpr(t, c.text, attrs...), attrs)
		if err != nil {
			t.Fatal(err)
		}
		g, err := CompileGenerate(bound.(*Generate))
		if err != nil {
			t.Fatal(err)
		}
		rows, cols, err := g.Eval(testCtx, b)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, v := range cols {
			got = append(got, fmt.Sprint(column3(v)))
		}
		if fmt.Sprint(rows) != c.rows || strings.Join(got, " ") != c.cols {
			t.Errorf("%s: rows %v %s, want %s %s", c.text, rows, strings.Join(got, " "), c.rows, c.cols)
		}
	}
}

func TestTreesTravel(t *testing.T) {
	x := &Attr{ID: 1, Name: "x", Typ: column.Of(column.Int32)}
	for _, text := range []string{"x + 1.5", "when(x > 1, 'a', NULL)", "cast(x as array<string>)", "array(1, 2)", "x in (1, 2)"} {
		e, err := tryParse(text, x)
		if err != nil {
			continue
		}
		back, err := codec.Decode(codec.Encode(e))
		if err != nil {
			t.Fatal(err)
		}
		if got := back.(Expr); got.String() != e.String() || !got.DataType().Equal(e.DataType()) {
			t.Errorf("%s came back as %s", e, got)
		}
	}
}
