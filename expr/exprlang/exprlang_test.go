package exprlang

import (
	"strings"
	"testing"
	"time"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/internal/usererr"
)

// fixture is two rows, the second with nulls wherever it may be.
var fixture = func() (f struct {
	attrs []*expr.Attr
	batch *column.Batch
}) {
	schema, err := column.ParseDDL("amount INT, price DOUBLE, country STRING, name STRING, ts TIMESTAMP, tags ARRAY<STRING>, nums ARRAY<INT>, device STRUCT<kind: STRING, port: INT>, props MAP<STRING, INT>, cost DECIMAL(10,2), ok BOOLEAN")
	if err != nil {
		panic(err)
	}
	ts, _ := column.ParseTimestamp("2026-03-15 13:45:07", time.UTC)
	rows := [][]any{
		{int64(12), 2.5, "DE", "  Ünal ", ts, []any{"a", "b"}, []any{int64(1), int64(5)}, []any{"pump", int64(80)}, [2][]any{{"x"}, {int64(7)}}, column.Dec128{Lo: 1050}, true},
		{int64(3), nil, "FR", nil, nil, nil, nil, nil, nil, nil, false},
	}
	b := column.NewBatchBuilder(schema)
	for _, r := range rows {
		for i, v := range r {
			if err := b.Cols[i].AppendValue(v); err != nil {
				panic(err)
			}
		}
	}
	f.batch = b.Finish()
	for _, fd := range schema.Fields {
		f.attrs = append(f.attrs, &expr.Attr{ID: expr.NewID(), Name: fd.Name, Typ: fd.Type, Null: true})
	}
	return f
}()

func eval(t testing.TB, text string) string {
	t.Helper()
	e, err := Parse(text, fixture.attrs)
	if err != nil {
		return "error " + err.Error()
	}
	return evalExpr(t, e)
}

func evalExpr(t testing.TB, e expr.Expr) string {
	t.Helper()
	text, err := expr.ResolveCast(&expr.Cast{Child: e, To: column.Of(column.String)})
	if err != nil {
		t.Fatal(err)
	}
	bound, err := expr.Bind(text, fixture.attrs)
	if err != nil {
		t.Fatal(err)
	}
	p, err := expr.Compile(bound)
	if err != nil {
		t.Fatal(err)
	}
	ctx := &expr.Context{ANSI: true, Rows: &expr.RowErrors{}}
	v, err := p.Eval(ctx, fixture.batch)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for i := 0; i < v.N; i++ {
		switch {
		case ctx.Rows.Has(int32(i)):
			u, _ := usererr.As(ctx.Rows.Errs[0])
			out = append(out, u.Code)
		case !v.IsValid(i):
			out = append(out, "null")
		default:
			out = append(out, v.Str(i))
		}
	}
	return strings.Join(out, " | ")
}

func TestParse(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{`amount > 10 && country == "DE"`, "true | false"},
		{`amount > 10 and not (country == "DE")`, "false | false"},
		{`country != "DE" or ok`, "true | true"},
		{`amount + 1`, "13 | 4"},
		{`amount * 1000000000`, "12000000000 | 3000000000"},
		{`amount * 9000000000000000000`, "ARITHMETIC_OVERFLOW | ARITHMETIC_OVERFLOW"},
		{`7 / 2`, "3.5 | 3.5"},
		{`amount / 0`, "DIVIDE_BY_ZERO | DIVIDE_BY_ZERO"},
		{`amount % 5`, "2 | 3"},
		{`-amount`, "-12 | -3"},
		{`2 ** 3`, "8.0 | 8.0"},
		{`price + 1`, "3.5 | null"},
		{`price ?? 0.5`, "2.5 | 0.5"},
		{`price == nil`, "false | true"},
		{`nil != price`, "true | false"},
		{`name == nil ? "none" : trim(name)`, "Ünal | none"},
		{`if amount > 5 {"big"} else {"small"}`, "big | small"},
		{`country in ["DE", "AT"]`, "true | false"},
		{`country not in ["DE"]`, "false | true"},
		{`amount in 1..5`, "false | true"},
		{`"b" in tags`, "true | null"},
		{`"x" in props`, "true | null"},
		{`"kind" in device`, "true | true"},
		{`name contains "na"`, "true | null"},
		{`country startsWith "D"`, "true | false"},
		{`country endsWith "R"`, "false | true"},
		{`country matches "^[A-E]"`, "true | false"},
		{`not (country matches "^D")`, "false | true"},
		{`device.kind`, "pump | null"},
		{`device?.port + 1`, "81 | null"},
		{`device["kind"]`, "pump | null"},
		{`props.x`, "7 | null"},
		{`tags[0] + "!"`, "a! | null"},
		{`tags[-1]`, "b | null"},
		{`tags[5]`, "INVALID_ARRAY_INDEX | null"},
		{`nums[0:1]`, "[1] | null"},
		{`country[1:]`, "E | R"},
		{`len(name)`, "7 | null"},
		{`len(tags)`, "2 | null"},
		{`upper(trim(name))`, "ÜNAL | null"},
		{`name | trim() | lower()`, "ünal | null"},
		{`country | trimPrefix("D")`, "E | FR"},
		{`trimSuffix(country, "R")`, "DE | F"},
		{`split("a.b", ".")`, "[a, b] | [a, b]"},
		{`join(tags, "-")`, "a-b | null"},
		{`replace(country, "D", "X")`, "XE | FR"},
		{`indexOf(country, "E")`, "1 | -1"},
		{`max(amount, 5)`, "12 | 5"},
		{`min(nums)`, "1 | null"},
		{`abs(-amount)`, "12 | 3"},
		{`ceil(2.1) + round(2.5) + floor(2.9)`, "8.0 | 8.0"},
		{`int("42") + int(price)`, "44 | null"},
		{`float(amount)`, "12.0 | 3.0"},
		{`string(amount) + country`, "12DE | 3FR"},
		{`toJSON(device)`, `{"kind":"pump","port":80} | null`},
		{`fromBase64(toBase64(country))`, "DE | FR"},
		{`ts.Year() * 100 + ts.Month()`, "202603 | null"},
		{`ts + duration("1h30m")`, "2026-03-15 15:15:07 | null"},
		{`date("2026-01-01") < ts`, "true | null"},
		{`let d = amount * 2; d + d`, "48 | 12"},
		{`date_format(ts, "yyyy")`, "2026 | null"},
		{`ts | date_format("MM")`, "03 | null"},
		{`first(nums) + last(nums)`, "6 | null"},
		{`{kind: country, n: amount}.n`, "12 | 3"},
		{`cost * 2`, "21.00 | null"},
		{`bitand(amount, 4)`, "4 | 0"},
		{`[1, 2, 3]`, "[1, 2, 3] | [1, 2, 3]"},
		{`1..3`, "[1, 2, 3] | [1, 2, 3]"},
		{`AMOUNT`, "12 | 3"},
		{`$env["amount"]`, "12 | 3"},
		{`true && price > 1 || false`, "true | null"},
		// on the virtual machine
		{`len(filter(nums ?? [], # > 3))`, "1 | 0"},
		{`any(tags, # == "b") && amount > 1`, "true | EXPRLANG_FAILED"},
		{`map(1..3, # * amount)`, "[12, 24, 36] | [3, 6, 9]"},
		{`sum([amount, 1])`, "13 | 4"},
		{`let n = amount; count(1..n, # % 2 == 0)`, "6 | 1"},
		{`type(country)`, "string | string"},
	} {
		if got := eval(t, c.text); got != c.want {
			t.Errorf("%s = %s, want %s", c.text, got, c.want)
		}
	}
}

func TestVirtualMachineIsVisible(t *testing.T) {
	e, err := Parse(`len(filter(nums, # > 3)) > 0 and amount > 1`, fixture.attrs)
	if err != nil {
		t.Fatal(err)
	}
	calls := 0
	expr.Walk(e, func(x expr.Expr) bool {
		if c, ok := x.(*expr.Call); ok && c.Fn == "exprlang" {
			calls++
			if got, want := c.String(), `exprlang('filter(nums, # > 3)', 'nums', `+fixture.attrs[6].String()+`)`; got != want {
				t.Errorf("the call is %s, want %s", got, want)
			}
		}
		return true
	})
	if calls != 1 {
		t.Errorf("%d calls of the virtual machine in %s, want 1", calls, e)
	}
	if e, _ := Parse(`amount > 1 and upper(country) == "DE"`, fixture.attrs); strings.Contains(e.String(), "exprlang") {
		t.Errorf("%s runs on the virtual machine", e)
	}
}

func TestErrors(t *testing.T) {
	for _, c := range []struct {
		text, code string
		line, col  int
		fix        string
	}{
		{"amount >", "PARSE_SYNTAX_ERROR", 1, 8, ""},
		{"amount > 1 &&\n  contry == 'DE'", "UNRESOLVED_COLUMN.WITH_SUGGESTION", 2, 3, "Did you mean `country`"},
		{"any(tags, # == nme)", "UNRESOLVED_COLUMN.WITH_SUGGESTION", 1, 16, "name"},
		{"uper(country)", "UNRESOLVED_ROUTINE", 1, 1, "upper"},
		{"amount + country", "DATATYPE_MISMATCH.BINARY_OP_WRONG_TYPE", 1, 8, "Convert"},
		{"amount && true", "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE", 1, 8, ""},
		{"device.knd", "FIELD_NOT_FOUND", 1, 8, ""},
		{"let amount = 1; amount", "INVALID_EXPRLANG.VARIABLE", 1, 5, ""},
		{"filter(amount, # > 1)", "INVALID_EXPRLANG", 1, 1, ""},
		{"explode(tags)", "INVALID_EXPRLANG.FUNCTION_KIND", 1, 1, ""},
		{"duration('x')", "INVALID_INTERVAL_FORMAT", 1, 1, "Write"},
		{strings.Repeat("(", 1000) + "1" + strings.Repeat(")", 1000), "PARSE_SYNTAX_ERROR", 0, 0, ""},
	} {
		_, err := Parse(c.text, fixture.attrs)
		u, ok := usererr.As(err)
		if !ok {
			t.Errorf("%s: error %v", c.text, err)
			continue
		}
		if u.Code != c.code || u.Line != c.line || u.Col != c.col || !strings.Contains(u.Fix, c.fix) {
			t.Errorf("%s: %s at %d:%d, fix %q; want %s at %d:%d, %q", c.text, u.Code, u.Line, u.Col, u.Fix, c.code, c.line, c.col, c.fix)
		}
	}
}

func TestParseSelect(t *testing.T) {
	list, err := ParseSelect(`{c: upper(country), "twice": amount * 2, up: date_trunc("HOUR", ts)}`, fixture.attrs)
	if err != nil {
		t.Fatal(err)
	}
	_, err = ParseSelect(`{a: 1, a: 2}`, fixture.attrs)
	if u, ok := usererr.As(err); !ok || u.Code != "COLUMN_ALREADY_EXISTS" {
		t.Errorf("a repeated name: %v", err)
	}
	var got []string
	for _, e := range list {
		got = append(got, e.(*expr.Alias).Name+"="+evalExpr(t, e.(*expr.Alias).Child))
	}
	want := "c=DE | FR; twice=24 | 6; up=2026-03-15 13:00:00 | null"
	if s := strings.Join(got, "; "); s != want {
		t.Errorf("got %s, want %s", s, want)
	}
	one, err := ParseSelect("amount", fixture.attrs)
	if err != nil || one[0].(*expr.Alias).Name != "amount" {
		t.Errorf("a single column: %v %v", one, err)
	}
}

// FuzzParse checks that no text makes the parser or the evaluation panic.
func FuzzParse(f *testing.F) {
	for _, s := range []string{`amount > 10 && country == "DE"`, `let d = amount * 2; d + d`, `filter(nums, # > 3)`, `{a: 1, b: tags[0]}`, `name | trim() | lower()`, `1..3`, `nums[1:]`, `device?.port ?? 1`, `map(tags, {# + "x"})`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 200 || strings.Contains(text, "..") || strings.Contains(text, "repeat") {
			return // huge ranges only cost time
		}
		if e, err := Parse(text, fixture.attrs); err == nil {
			if expr.CanCast(e.DataType(), column.Of(column.String)) {
				evalExpr(t, e)
			}
		}
	})
}

func BenchmarkFilter(b *testing.B) {
	e, err := Parse(`amount > 10 && country == "DE"`, fixture.attrs)
	if err != nil {
		b.Fatal(err)
	}
	bound, err := expr.Bind(e, fixture.attrs)
	if err != nil {
		b.Fatal(err)
	}
	f, err := expr.CompileFilter(bound)
	if err != nil {
		b.Fatal(err)
	}
	rows := make([]int32, column.BatchRows)
	for i := range rows {
		rows[i] = int32(i * 7919 % 2)
	}
	batch := column.TakeBatch(nil, fixture.batch, rows)
	ctx := &expr.Context{ANSI: true}
	var sel []int32
	b.ResetTimer()
	for b.Loop() {
		if sel, err = f.Select(ctx, batch, sel); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(batch.N)*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mrows/s")
}

func TestSelectShorthand(t *testing.T) {
	for _, c := range [][2]string{
		{"{id, cents: price * 100}", "{id: id, cents: price * 100}"},
		{"{ a , b }", "{ a : a, b : b}"},
		{`{x: f(a, b), y: "c, d", z}`, `{x: f(a, b), y: "c, d", z: z}`},
		{`{x: 'it\'s, a', y}`, `{x: 'it\'s, a', y: y}`},
		{"{a: 1}", "{a: 1}"}, {"amount", "amount"}, {"{a: {b: 1}}", "{a: {b: 1}}"}, {"{", "{"}, {"{'}", "{'}"},
	} {
		if got := longhand(c[0]); got != c[1] {
			t.Errorf("%s: got %s, want %s", c[0], got, c[1])
		}
	}
	list, err := ParseSelect("{country, twice: amount * 2}", fixture.attrs)
	if err != nil || len(list) != 2 || list[0].(*expr.Alias).Name != "country" || list[1].(*expr.Alias).Name != "twice" {
		t.Errorf("%v, %v", list, err)
	}
}
