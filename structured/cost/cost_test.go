package cost

import (
	"math"
	"testing"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/structured/logical"
	"github.com/streamflow/streamflow/structured/stats"
)

// table is a table of which something is known.
type table struct {
	name   string
	schema *column.Schema
	stats  *stats.Table
}

func (t *table) Name() string               { return t.name }
func (t *table) Schema() *column.Schema     { return t.schema }
func (t *table) Hidden() int                { return 0 }
func (t *table) Provider() string           { return "parquet" }
func (t *table) Options() map[string]string { return nil }
func (t *table) Statistics() *stats.Table   { return t.stats }

// scan reads all of a table; rows < 0 means that nothing is known of it.
func scan(t testing.TB, name, cols string, rows int64, known map[string]stats.Column) *logical.Scan {
	t.Helper()
	s, err := column.ParseDDL(cols)
	if err != nil {
		t.Fatal(err)
	}
	tab := &table{name: name, schema: s}
	if rows >= 0 {
		tab.stats = &stats.Table{Rows: rows, Columns: known}
	}
	out := &logical.Scan{Table: tab}
	for i, f := range s.Fields {
		out.Columns = append(out.Columns, i)
		out.Attrs = append(out.Attrs, &expr.Attr{ID: expr.NewID(), Name: f.Name, Typ: f.Type, Null: f.Nullable})
	}
	return out
}

func call(t testing.TB, fn string, args ...expr.Expr) expr.Expr {
	t.Helper()
	e, err := expr.ResolveCall(&expr.UnresolvedCall{Name: fn, Args: args})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func number(n int64) expr.Expr { return &expr.Literal{Value: n, Typ: column.Of(column.Int32)} }
func text(s string) expr.Expr  { return &expr.Literal{Value: s, Typ: column.Of(column.String)} }

func near(got, want float64) bool { return math.Abs(got-want) <= 0.02*want+0.5 }

// TestFilter holds what conditions leave of 1000 rows.
func TestFilter(t *testing.T) {
	s := scan(t, "t", "k INT, r INT, s STRING, n INT", 1000, map[string]stats.Column{
		"k": {Distinct: 1000, Low: 1, High: 1000, Ranged: true},
		"r": {Distinct: 10, Low: 0, High: 100, Ranged: true},
		"s": {Distinct: 4},
		"n": {Distinct: 5, Nulls: 400},
	})
	k, r, str, n := s.Attrs[0], s.Attrs[1], s.Attrs[2], s.Attrs[3]
	and := func(a, b expr.Expr) expr.Expr { return call(t, "and", a, b) }
	for _, c := range []struct {
		name string
		cond expr.Expr
		want float64
	}{
		{"a key", call(t, "=", k, number(7)), 1},
		{"outside the bounds", call(t, "=", k, number(2000)), 1},
		{"one of ten values", call(t, "=", r, number(7)), 100},
		{"the other nine", call(t, "!=", r, number(7)), 900},
		{"a quarter of the range", call(t, "<", r, number(25)), 250},
		{"the constant on the left", call(t, ">", number(25), r), 250},
		{"a range of two conditions", and(call(t, ">=", r, number(25)), call(t, "<", r, number(75))), 500},
		{"either of two", call(t, "or", call(t, "=", str, text("a")), call(t, "=", str, text("b"))), 437},
		{"a list", call(t, "in", str, text("a"), text("b")), 500},
		{"nulls", call(t, "isnull", n), 400},
		{"no nulls", call(t, "isnotnull", n), 600},
		{"a value where some are null", call(t, "=", n, number(1)), 120},
		{"a prefix", call(t, "like", str, text("ab%")), 1000 * sharePrefix},
		{"a word", call(t, "like", str, text("%ab%")), 1000 * shareLike},
		{"columns", call(t, "<", k, r), 1000 * shareCompare},
	} {
		f := &logical.Filter{Cond: c.cond, Child: s}
		if got := NewEstimator().Of(f).Rows; !near(got, c.want) {
			t.Errorf("%s: %s leaves about %.1f rows, want %.1f", c.name, c.cond, got, c.want)
		}
	}
}

// star is a fact table with two dimensions, one of them with a filter.
func star(t testing.TB) (fact, dim, tiny *logical.Scan) {
	fact = scan(t, "fact", "d INT, e INT", 1_000_000, map[string]stats.Column{
		"d": {Distinct: 1000, Low: 1, High: 1000, Ranged: true}, "e": {Distinct: 50, Low: 1, High: 50, Ranged: true}})
	dim = scan(t, "dim", "d INT, name STRING", 1000, map[string]stats.Column{
		"d": {Distinct: 1000, Low: 1, High: 1000, Ranged: true}, "name": {Distinct: 100}})
	tiny = scan(t, "tiny", "e INT", 50, map[string]stats.Column{"e": {Distinct: 50, Low: 1, High: 50, Ranged: true}})
	return fact, dim, tiny
}

func join(kind logical.JoinKind, l, r logical.Plan, cond expr.Expr) logical.Plan {
	return &logical.Join{Kind: kind, Left: l, Right: r, Cond: cond}
}

// TestJoinRows holds the sizes of joins.
func TestJoinRows(t *testing.T) {
	fact, dim, tiny := star(t)
	onD := call(t, "=", fact.Attrs[0], dim.Attrs[0])
	some := &logical.Filter{Cond: call(t, "=", dim.Attrs[1], text("x")), Child: dim}
	group := &logical.Aggregate{Keys: []expr.Expr{fact.Attrs[0], fact.Attrs[1]}, List: []expr.Expr{fact.Attrs[0], fact.Attrs[1]}, Child: fact}
	for _, c := range []struct {
		name string
		plan logical.Plan
		want float64
	}{
		{"a key to its foreign key", join(logical.Inner, fact, dim, onD), 1_000_000},
		{"a hundredth of the keys", join(logical.Inner, fact, some, onD), 10_000},
		{"kept whole", join(logical.LeftOuter, fact, some, onD), 1_000_000},
		{"those with a partner", join(logical.LeftSemi, fact, some, onD), 10_000},
		{"those without", join(logical.LeftAnti, fact, some, onD), 990_000},
		{"no condition", join(logical.Cross, dim, tiny, nil), 50_000},
		{"groups", group, 50_000},
		{"a filter's share of groups", &logical.Limit{N: 7, Child: group}, 7},
	} {
		if got := NewEstimator().Of(c.plan).Rows; !near(got, c.want) {
			t.Errorf("%s: about %.0f rows, want %.0f", c.name, got, c.want)
		}
	}
}

// TestSpread holds what conditions on aggregates keep: sums and counts of groups are spread about their mean.
func TestSpread(t *testing.T) {
	s := scan(t, "t", "k INT, q INT", 100_000, map[string]stats.Column{
		"k": {Distinct: 1000, Low: 1, High: 1000, Ranged: true}, "q": {Distinct: 50, Low: 1, High: 51, Ranged: true}})
	k, q := s.Attrs[0], s.Attrs[1]
	for _, c := range []struct {
		name string
		agg  expr.Expr
		op   string
		at   int64
		want float64
	}{
		{"the mean sum of 100 rows", call(t, "sum", q), ">", 2600, 500},
		{"far above", call(t, "sum", q), ">", 30_000, 1},
		{"far below", call(t, "sum", q), ">", -10, 999},
		{"a mean below most", call(t, "avg", q), "<", 20, 1},
		{"a count above most", call(t, "count", q), ">", 120, 23},
	} {
		item := &expr.Alias{Child: c.agg, Name: "v", ID: expr.NewID()}
		g := &logical.Aggregate{Keys: []expr.Expr{k}, List: []expr.Expr{k, item}, Child: s}
		f := &logical.Filter{Cond: call(t, c.op, logical.AttrOf(item), number(c.at)), Child: g}
		if got := NewEstimator().Of(f).Rows; !near(got, c.want) {
			t.Errorf("%s: about %.1f groups, want %.1f", c.name, got, c.want)
		}
	}
}

// TestPassing holds which share of rows have a key of the other side.
func TestPassing(t *testing.T) {
	fact, dim, tiny := star(t)
	some := &logical.Filter{Cond: call(t, "=", dim.Attrs[1], text("x")), Child: dim}
	unknown := scan(t, "u", "d INT", -1, nil)
	bare := scan(t, "b", "d INT", 1_000_000, nil)
	for _, c := range []struct {
		name        string
		left, right logical.Plan
		l, r        *expr.Attr
		want        float64
	}{
		{"all", fact, dim, fact.Attrs[0], dim.Attrs[0], 1},
		{"ten of a thousand", fact, some, fact.Attrs[0], dim.Attrs[0], 0.01},
		{"nothing known", unknown, some, unknown.Attrs[0], dim.Attrs[0], 1},
		{"only rows known", bare, tiny, bare.Attrs[0], tiny.Attrs[0], 0.0005},
	} {
		if got := NewEstimator().Passing(c.left, c.right, c.l, c.r); math.Abs(got-c.want) > c.want/20 {
			t.Errorf("%s: %g, want %g", c.name, got, c.want)
		}
	}
}

// TestKeyOfTwoColumns: no more pairs of values than the smaller table has rows, however many the columns have each.
func TestKeyOfTwoColumns(t *testing.T) {
	cols := map[string]stats.Column{"p": {Distinct: 2000, Low: 1, High: 2000, Ranged: true}, "s": {Distinct: 1000, Low: 1, High: 1000, Ranged: true}}
	big := scan(t, "lineitem", "p INT, s INT", 60_000, cols)
	both := scan(t, "partsupp", "p INT, s INT", 8_000, cols)
	cond := call(t, "and", call(t, "=", big.Attrs[0], both.Attrs[0]), call(t, "=", big.Attrs[1], both.Attrs[1]))
	if got := NewEstimator().Of(join(logical.Inner, big, both, cond)).Rows; !near(got, 60_000) {
		t.Errorf("about %.0f rows, want 60000", got)
	}
}

// shape writes a tree: (fact (dim tiny)).
func shape(g *Graph, t *Tree) string {
	if t.Left == nil {
		return g.Rels[t.Rel].Plan.(*logical.Scan).Table.Name()
	}
	return "(" + shape(g, t.Left) + " " + shape(g, t.Right) + ")"
}

// TestOrder: relations that conditions connect are joined before any are crossed, the small ones first; what takes many rows
// away goes to where it is cheap.
func TestOrder(t *testing.T) {
	fact, dim, tiny := star(t)
	onD, onE := call(t, "=", fact.Attrs[0], dim.Attrs[0]), call(t, "=", fact.Attrs[1], tiny.Attrs[0])
	few := scan(t, "few", "d INT", 10, map[string]stats.Column{"d": {Distinct: 10, Low: 1, High: 10, Ranged: true}})
	crossed := join(logical.Inner, join(logical.Cross, dim, tiny, nil), fact, call(t, "and", onD, onE))
	for _, c := range []struct {
		name, want string
		plan       logical.Plan
	}{
		{"a cross join written", "(tiny (dim fact))", crossed},
		{"a semi join written last", "(dim (fact few))", join(logical.LeftSemi, join(logical.Inner, fact, dim, onD), few, call(t, "=", fact.Attrs[0], few.Attrs[0]))},
	} {
		g, ok := NewEstimator().Flatten(c.plan)
		if !ok {
			t.Fatal(c.name, ": no graph")
		}
		best := g.Order()
		if got := shape(g, best); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
		if !g.Crosses(g.Written) && g.CostOf(best) >= g.CostOf(g.Written) {
			t.Errorf("%s: costs %.0f, as written %.0f", c.name, g.CostOf(best), g.CostOf(g.Written))
		}
	}
}

// TestUnknown: without row counts the written order stays, and is only rid of crossings.
func TestUnknown(t *testing.T) {
	a, b, c := scan(t, "a", "x INT", -1, nil), scan(t, "b", "y INT", -1, nil), scan(t, "c", "x INT, y INT", 10, nil)
	conds := call(t, "and", call(t, "=", a.Attrs[0], c.Attrs[0]), call(t, "=", b.Attrs[0], c.Attrs[1]))
	g, _ := NewEstimator().Flatten(join(logical.Inner, join(logical.Cross, a, b, nil), c, conds))
	if g.Known() {
		t.Error("a graph with unknown relations counts as known")
	}
	if got := shape(g, g.Connected()); got != "((a c) b)" {
		t.Errorf("got %s", got)
	}
	g, _ = NewEstimator().Flatten(join(logical.Inner, join(logical.Inner, a, c, call(t, "=", a.Attrs[0], c.Attrs[0])), b, call(t, "=", b.Attrs[0], c.Attrs[1])))
	if g.Connected() != g.Written {
		t.Error("a tree without crossings was changed")
	}
}

// TestGreedy: many relations in a chain end as one tree without a crossing, the same set as enumeration would join.
func TestGreedy(t *testing.T) {
	var p logical.Plan
	var last *logical.Scan
	for i := range exhaustive + 4 {
		s := scan(t, string(rune('a'+i)), "x INT, y INT", int64(10*(i+1)), nil)
		if p == nil {
			p = s
		} else {
			p = join(logical.Inner, p, s, call(t, "=", last.Attrs[1], s.Attrs[0]))
		}
		last = s
	}
	g, _ := NewEstimator().Flatten(p)
	best := g.Order()
	if best.Set != g.all() {
		t.Errorf("the tree has %d of %d relations", best.Set.size(), len(g.Rels))
	}
	if g.Crosses(best) {
		t.Errorf("%s crosses", shape(g, best))
	}
}

// TestEnumerationBeatsGreedy: over the same relations the exhaustive search never costs more.
func TestEnumerationBeatsGreedy(t *testing.T) {
	fact, dim, tiny := star(t)
	conds := call(t, "and", call(t, "=", fact.Attrs[0], dim.Attrs[0]), call(t, "=", fact.Attrs[1], tiny.Attrs[0]))
	g, _ := NewEstimator().Flatten(join(logical.Inner, join(logical.Cross, dim, tiny, nil), fact, conds))
	if a, b := g.CostOf(g.enumerate(g.all())), g.CostOf(g.greedy(g.all())); a > b {
		t.Errorf("enumeration costs %.0f, greedy %.0f", a, b)
	}
}

func BenchmarkOrder(b *testing.B) {
	hub := scan(b, "hub", "a INT, b INT, c INT, d INT, e INT, f INT, g INT, h INT, i INT", 1_000_000, nil)
	var p logical.Plan = hub
	for i, a := range hub.Attrs {
		s := scan(b, string(rune('a'+i)), "x INT", int64(100*(i+1)), map[string]stats.Column{"x": {Distinct: int64(100 * (i + 1))}})
		p = join(logical.Inner, p, s, call(b, "=", a, s.Attrs[0]))
	}
	for b.Loop() {
		g, _ := NewEstimator().Flatten(p)
		g.Order()
	}
}
