package expr

import (
	"strings"
	"testing"
	"time"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/internal/usererr"
)

// show is the value of an expression as text, NULL for null, "error CODE" for an error.
func show(t testing.TB, e Expr, ctx *Context) string {
	t.Helper()
	l, err := EvalLiteralIn(ctx, e)
	if err != nil {
		return errText(err)
	}
	return literalString(t, l, ctx)
}

func errText(err error) string {
	if u, ok := usererr.As(err); ok {
		return "error " + u.Code
	}
	return "error " + err.Error()
}

func literalString(t testing.TB, l *Literal, ctx *Context) string {
	if l.Value == nil {
		return "NULL"
	}
	return string(appendText(nil, literalVector(l), 0, ctx.location()))
}

func evalText(t testing.TB, text string, ctx *Context) string {
	t.Helper()
	e, err := tryParse(text)
	if err != nil {
		return errText(err)
	}
	return show(t, e, ctx)
}

var testCtx = &Context{ANSI: true, Location: time.UTC, Now: 1767225600e6}

// TestExamples evaluates the example of every function of the table, which the docs print.
func TestExamples(t *testing.T) {
	for _, f := range Functions() {
		text, want, ok := strings.Cut(f.Example, " -> ")
		if !ok || f.Doc == "" || f.Usage == "" {
			t.Errorf("%s: example %q, doc %q, usage %q", f.Name, f.Example, f.Doc, f.Usage)
			continue
		}
		if strings.HasPrefix(want, "the ") { // depends on when and where
			continue
		}
		var got string
		if f.higher != nil { // the parser of these tests knows no lambdas: TestHigherOrderExamples of structured/physical
			continue
		}
		switch f.Kind {
		case WindowFunction: // needs an operator: TestWindowFunctionExamples of structured/physical
			continue
		case Aggregate:
			got = aggregateText(t, text)
		case Generator:
			got = generateText(t, text)
		default:
			got = evalText(t, text, testCtx)
		}
		if got != want {
			t.Errorf("%s: %s = %s, want %s", f.Name, text, got, want)
		}
	}
	if n := len(table); n < 150 {
		t.Errorf("the table has %d functions", n)
	}
}

// aggregateText evaluates "f(x) over 1, 2, NULL", once in one piece and once merged from two partial states.
func aggregateText(t *testing.T, text string) string {
	call, list, _ := strings.Cut(text, " over ")
	x := &Attr{ID: NewID(), Name: "x", Typ: column.Of(column.Int32), Null: true}
	e, err := tryParse(call, x)
	if err != nil {
		return errText(err)
	}
	b := column.NewBuilder(x.Typ)
	for _, v := range strings.Split(list, ", ") {
		l := parseExpr(t, v).(*Literal)
		if err := b.AppendValue(l.Value); err != nil {
			t.Fatal(err)
		}
	}
	batch := column.NewBatch(column.NewSchema(column.Field{Name: "x", Type: x.Typ, Nullable: true}), b.Len(), b.Finish())
	whole := runAgg(t, e, x, batch, false)
	if parts := runAgg(t, e, x, batch, true); parts != whole {
		return "whole " + whole + ", merged " + parts
	}
	return whole
}

// runAgg evaluates an aggregate, and what may stand around it.
func runAgg(t *testing.T, e Expr, x *Attr, b *column.Batch, split bool) string {
	t.Helper()
	var a *Agg
	Walk(e, func(x Expr) bool {
		if g, ok := x.(*Agg); ok {
			a = g
		}
		return a == nil
	})
	return around(t, e, a, runAggOnly(t, a, x, b, split))
}

// around is e with the aggregate's value in its place, as text.
func around(t *testing.T, e Expr, a *Agg, l *Literal) string {
	if l == nil {
		return "no value"
	}
	if e == Expr(a) {
		return literalString(t, l, testCtx)
	}
	return show(t, Transform(e, func(x Expr) Expr {
		if x == Expr(a) {
			return l
		}
		return x
	}), testCtx)
}

func runAggOnly(t *testing.T, a *Agg, x *Attr, b *column.Batch, split bool) *Literal {
	t.Helper()
	if split {
		total := newAcc(t, a)
		for i := 0; i < b.N; i++ {
			part := newAcc(t, a)
			updateAcc(t, part, a, x, column.TakeBatch(nil, b, []int32{int32(i)}))
			if err := total.Merge([]uint32{0}, part.State(), 1); err != nil {
				t.Fatal(err)
			}
		}
		return accValue(t, a, total)
	}
	acc := newAcc(t, a)
	updateAcc(t, acc, a, x, b)
	return accValue(t, a, acc)
}

func newAcc(t *testing.T, a *Agg) Accumulator {
	acc, err := NewAccumulator(a)
	if err != nil {
		t.Fatal(err)
	}
	acc.Resize(1)
	return acc
}

func updateAcc(t *testing.T, acc Accumulator, a *Agg, x *Attr, b *column.Batch) {
	var args []*column.Vector
	for _, e := range a.Children() {
		bound, err := Bind(e, []*Attr{x})
		if err != nil {
			t.Fatal(err)
		}
		p, err := Compile(bound)
		if err != nil {
			t.Fatal(err)
		}
		v, err := p.Eval(testCtx, b)
		if err != nil {
			t.Fatal(err)
		}
		args = append(args, v)
	}
	if err := acc.Update(make([]uint32, b.N), args, b.N); err != nil {
		t.Fatal(err)
	}
}

func accValue(t *testing.T, a *Agg, acc Accumulator) *Literal {
	for i, s := range acc.State() {
		if want := StateTypes(a)[i]; !s.Type.Equal(want) || s.N != 1 {
			t.Errorf("%s: state %d is %s with %d rows, want %s", a, i, s.Type, s.N, want)
		}
	}
	v, err := acc.Result()
	if err != nil {
		t.Error(err)
		return nil
	}
	if !v.Type.Equal(a.Typ) {
		t.Errorf("%s: result of type %s, want %s", a, v.Type, a.Typ)
	}
	return vectorLiteral(v, 0)
}

func generateText(t *testing.T, text string) string {
	e, err := tryParse(text)
	if err != nil {
		return errText(err)
	}
	g, err := CompileGenerate(e.(*Generate))
	if err != nil {
		t.Fatal(err)
	}
	rows, cols, err := g.Eval(testCtx, oneRow)
	if err != nil {
		return errText(err)
	}
	var out []string
	for i := range rows {
		var row []string
		for _, c := range cols {
			row = append(row, literalString(t, vectorLiteral(c, i), testCtx))
		}
		out = append(out, "("+strings.Join(row, ", ")+")")
	}
	if len(out) == 1 {
		return "row " + out[0]
	}
	return "rows " + strings.Join(out, ", ")
}
