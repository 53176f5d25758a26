package optimize_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/driver"
	"github.com/streamflow/streamflow/executor"
	"github.com/streamflow/streamflow/structured/catalog"
	"github.com/streamflow/streamflow/structured/connector/memory"
	"github.com/streamflow/streamflow/structured/logical"
	"github.com/streamflow/streamflow/structured/optimize"
	"github.com/streamflow/streamflow/structured/physical"
	"github.com/streamflow/streamflow/structured/sql"
)

// The rules keep the result: random queries are run as analysed and as optimised, and must give the same rows. A failure
// prints the seed; SEED=n repeats it and QUERIES=n runs more.
func TestOptimizedPlansGiveTheSameRows(t *testing.T) {
	seed, n := uint64(1), 250
	if s := os.Getenv("SEED"); s != "" {
		v, err := strconv.ParseUint(s, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		seed = v
	}
	if s := os.Getenv("QUERIES"); s != "" {
		v, err := strconv.Atoi(s)
		if err != nil {
			t.Fatal(err)
		}
		n = v
	}
	e := newEngine(t)
	refused := 0
	for i := range n {
		g := &queries{Rand: rand.New(rand.NewPCG(seed, uint64(i)))}
		q := g.query(3)
		plan, err := e.analyze(q)
		if err != nil {
			t.Fatalf("seed %d, query %d: %v\n%s", seed, i, err, q)
		}
		want, wantErr := e.rows(plan)
		opt := optimize.Optimize(plan)
		got, gotErr := e.rows(opt)
		switch {
		case wantErr != nil || gotErr != nil:
			// An optimised plan may meet an error that the other does not, and the other way round: conditions are
			// evaluated in another order. The queries here are made not to fail; planning may refuse some.
			refused++
			if (wantErr == nil) != (gotErr == nil) {
				t.Fatalf("seed %d, query %d: as analysed %v, optimised %v\n%s\n%s", seed, i, wantErr, gotErr, q, logical.Format(opt))
			}
		case !slices.Equal(got, want):
			t.Fatalf("seed %d, query %d: %d rows became %d\n%s\nanalysed\n%s\noptimised\n%s\nmissing %v\nadded %v", seed, i, len(want), len(got), q,
				logical.Format(plan), logical.Format(opt), minus(want, got), minus(got, want))
		}
	}
	if refused > n/10 {
		t.Errorf("%d of %d queries were refused: the test has become blind", refused, n)
	}
}

func minus(a, b []string) []string {
	count := map[string]int{}
	for _, x := range b {
		count[x]++
	}
	var out []string
	for _, x := range a {
		if count[x]--; count[x] < 0 && len(out) < 5 {
			out = append(out, x)
		}
	}
	return out
}

type engine struct {
	cluster *driver.Cluster
	env     optimize.Env
}

func newEngine(t *testing.T) *engine {
	x, err := executor.New(executor.Options{ID: "x", Slots: 2, MemoryLimit: 256 << 20, Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	c := driver.NewCluster(x)
	t.Cleanup(func() { c.Close(); x.Close() })
	cat := catalog.NewMemory(nil)
	rng := rand.New(rand.NewPCG(5, 6))
	for _, name := range []string{"t", "u"} {
		cat.AddTable(randomTable(t, rng, name))
	}
	return &engine{c, optimize.Env{Catalog: cat}}
}

// randomTable has nulls, duplicates and few values, so that joins and groups meet.
func randomTable(t *testing.T, rng *rand.Rand, name string) *memory.Table {
	schema, err := column.ParseDDL("a INT, b BIGINT, c STRING, x DOUBLE, ok BOOLEAN, ts TIMESTAMP, l ARRAY<INT>")
	if err != nil {
		t.Fatal(err)
	}
	table := memory.New(name, schema, 2)
	for part := range 2 {
		b := column.NewBatchBuilder(schema)
		for range 40 {
			row := []any{rng.Int64N(6), rng.Int64N(4), string(rune('p' + rng.IntN(4))), float64(rng.IntN(8)) / 2, rng.IntN(2) == 0, rng.Int64N(3600e6),
				[]any{rng.Int64N(3), rng.Int64N(3)}[:rng.IntN(3)]}
			for c := range row {
				if rng.IntN(6) == 0 {
					row[c] = nil
				}
			}
			if err := b.AppendRow(row...); err != nil {
				t.Fatal(err)
			}
		}
		if err := table.Append(part, b.Finish()); err != nil {
			t.Fatal(err)
		}
	}
	return table
}

func (e *engine) analyze(q string) (logical.Plan, error) {
	p, err := sql.Parse(q)
	if err != nil {
		return nil, err
	}
	return optimize.Analyze(context.Background(), p, e.env)
}

// rows runs a plan and returns its rows as sorted text.
func (e *engine) rows(p logical.Plan) ([]string, error) {
	ctx := context.Background()
	phys, err := physical.Plan(ctx, p, physical.Options{Parts: 2, ANSI: true})
	if err != nil {
		return nil, err
	}
	job, err := e.cluster.Prepare(phys.Lower())
	if err != nil {
		return nil, err
	}
	defer job.Close()
	var out []string
	_, err = job.Run(ctx, driver.RunOptions{Binding: phys.Binding(), OnBatch: func(_ int, b *column.Batch) error {
		for i := range b.N {
			row := make([]string, len(b.Cols))
			for c, v := range b.Cols {
				if row[c] = fmt.Sprint(column.Value(v, i)); row[c] == "-0" {
					row[c] = "0" // both are one group, of which either may be shown
				}
			}
			out = append(out, strings.Join(row, "|"))
		}
		return nil
	}})
	slices.Sort(out)
	return out, err
}

// queries makes random queries that cannot fail at run time.
type queries struct {
	*rand.Rand
	names int
}

// relation is a source of columns under an alias.
type relation struct {
	text, alias string
	cols        []colOf
}

type colOf struct{ name, typ string }

func pick[T any](g *queries, list ...T) T { return list[g.IntN(len(list))] }

func (g *queries) alias() string {
	g.names++
	return fmt.Sprintf("q%d", g.names)
}

var base = []colOf{{"a", "n"}, {"b", "n"}, {"c", "s"}, {"x", "f"}, {"ok", "b"}}

// source is a table, or a subquery of less depth.
func (g *queries) source(depth int) relation {
	alias := g.alias()
	if depth == 0 || g.IntN(3) == 0 {
		return relation{pick(g, "t", "u") + " " + alias, alias, base}
	}
	text, cols := g.body(depth - 1)
	return relation{"(" + text + ") " + alias, alias, cols}
}

// query is a query whose rows do not depend on any order.
func (g *queries) query(depth int) string {
	text, cols := g.body(depth)
	if g.IntN(4) == 0 {
		text = "SELECT * FROM (" + text + ") z ORDER BY " + cols[g.IntN(len(cols))].name
	}
	return text
}

func (g *queries) body(depth int) (string, []colOf) {
	if depth > 0 && g.IntN(6) == 0 {
		return g.setOp(depth)
	}
	from, rels := g.from(depth)
	where := ""
	if g.IntN(4) > 0 {
		where = " WHERE " + g.cond(rels, 2)
	}
	if g.IntN(8) == 0 {
		where = " WHERE " + g.operand(rels, "n") + pick(g, " IN ", " NOT IN ") + "(SELECT " + pick(g, "a", "b") + " FROM u WHERE " + pick(g, "a IS NOT NULL AND b > 1", "ok", "x > 1") + ")"
	}
	if g.IntN(3) == 0 {
		return g.grouped(from+where, rels)
	}
	var items []string
	var cols []colOf
	for range 1 + g.IntN(3) {
		typ := pick(g, "n", "s", "f", "b")
		name := g.alias()
		items = append(items, g.operand(rels, typ)+" AS "+name)
		cols = append(cols, colOf{name, typ})
	}
	distinct := ""
	if g.IntN(5) == 0 {
		distinct = "DISTINCT "
	}
	return "SELECT " + distinct + strings.Join(items, ", ") + " FROM " + from + where, cols
}

func (g *queries) from(depth int) (string, []relation) {
	r := g.source(depth)
	rels, text := []relation{r}, r.text
	if g.IntN(2) == 0 {
		s := g.source(depth - min(depth, 1))
		kind := pick(g, "JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN", "LEFT SEMI JOIN", "LEFT ANTI JOIN", ",")
		both := []relation{r, s}
		if kind == "," {
			return text + ", " + s.text, both
		}
		on := g.equality(r, s)
		if g.IntN(2) == 0 {
			on += " AND " + g.cond(both, 1)
		}
		text += " " + kind + " " + s.text + " ON " + on
		if !strings.HasPrefix(kind, "LEFT ") || kind == "LEFT JOIN" {
			rels = both
		}
	}
	if len(rels) == 1 && rels[0].cols[0].name == "a" && len(rels[0].cols) == len(base) && g.IntN(5) == 0 {
		alias := g.alias()
		text += " LATERAL VIEW " + pick(g, "", "OUTER ") + "explode(" + rels[0].alias + ".l) " + alias + " AS e"
		rels = append(rels, relation{"", alias, []colOf{{"e", "n"}}})
	}
	return text, rels
}

func (g *queries) equality(r, s relation) string {
	typ := pick(g, "n", "s")
	return g.operand([]relation{r}, typ) + pick(g, " = ", " = ", " <=> ") + g.operand([]relation{s}, typ)
}

func (g *queries) grouped(from string, rels []relation) (string, []colOf) {
	var keys, items []string
	var cols []colOf
	for range g.IntN(3) {
		typ := pick(g, "n", "s", "b")
		k, name := g.operand(rels, typ), g.alias()
		if strings.Trim(k, "-0123456789") == "" {
			continue // a number would be a position
		}
		keys = append(keys, k)
		items = append(items, k+" AS "+name)
		cols = append(cols, colOf{name, typ})
	}
	for range 1 + g.IntN(2) {
		name := g.alias()
		items = append(items, pick(g, "count(*)", "count("+g.operand(rels, "s")+")", "max("+g.operand(rels, "n")+")", "min("+g.operand(rels, "n")+")", "count(DISTINCT "+g.operand(rels, "n")+")")+" AS "+name)
		cols = append(cols, colOf{name, "n"})
	}
	text := "SELECT " + strings.Join(items, ", ") + " FROM " + from
	if len(keys) > 0 {
		text += " GROUP BY " + strings.Join(keys, ", ")
		if g.IntN(3) == 0 {
			text += " HAVING " + pick(g, "count(*) > 1", "max("+g.operand(rels, "n")+") > 2", "NOT (("+keys[0]+") IS NULL)")
		}
	}
	return text, cols
}

func (g *queries) setOp(depth int) (string, []colOf) {
	side := func() string {
		text, cols := g.body(depth - 1)
		alias := g.alias()
		var n, s string
		for _, c := range cols {
			if c.typ == "n" {
				n = c.name
			}
			if c.typ == "s" {
				s = c.name
			}
		}
		if n == "" {
			n = "1"
		}
		if s == "" {
			s = "'p'"
		}
		return "SELECT CAST(" + n + " AS BIGINT) AS m, " + s + " AS w FROM (" + text + ") " + alias
	}
	return side() + pick(g, " UNION ALL ", " UNION ", " INTERSECT ", " EXCEPT ") + side(), []colOf{{"m", "n"}, {"w", "s"}}
}

// operand is an expression of a type: n integer, s text, f double, b boolean.
func (g *queries) operand(rels []relation, typ string) string {
	var cols []string
	for _, r := range rels {
		for _, c := range r.cols {
			if c.typ == typ {
				cols = append(cols, r.alias+"."+c.name)
			}
		}
	}
	if len(cols) > 0 && g.IntN(5) > 0 {
		col := pick(g, cols...)
		if g.IntN(4) > 0 {
			return col
		}
		switch typ {
		case "n":
			return pick(g, col+" % 3", "coalesce("+col+", 1)", "CASE WHEN "+col+" > 2 THEN 1 ELSE "+col+" END")
		case "s":
			return pick(g, "upper("+col+")", "concat("+col+", 'z')", "nullif("+col+", 'p')")
		case "f":
			return pick(g, "-"+col, col+" * 2e0", "coalesce("+col+", 0.5D)")
		}
		return "(NOT " + col + ")"
	}
	switch typ {
	case "n":
		return strconv.Itoa(g.IntN(5))
	case "s":
		return pick(g, "'p'", "'q'", "'zz'")
	case "f":
		return pick(g, "1.5D", "2e0", "0.5D")
	}
	return pick(g, "true", "false")
}

func (g *queries) cond(rels []relation, depth int) string {
	if depth > 0 && g.IntN(3) > 0 {
		l, r := g.cond(rels, depth-1), g.cond(rels, depth-1)
		switch g.IntN(4) {
		case 0:
			return "(" + l + " OR " + r + ")"
		case 1:
			return "((" + l + " AND " + r + ") OR (" + l + " AND " + g.cond(rels, 0) + "))"
		case 2:
			return "NOT (" + l + ")"
		}
		return l + " AND " + r
	}
	typ := pick(g, "n", "s", "f", "n")
	l := g.operand(rels, typ)
	switch g.IntN(8) {
	case 0:
		return l + pick(g, " IS NULL", " IS NOT NULL")
	case 1:
		return g.operand(rels, "b")
	case 2:
		return l + " IN (" + g.operand(nil, typ) + ", " + g.operand(nil, typ) + ")"
	case 3:
		return l + " = NULL"
	case 4:
		return pick(g, "1 = 1", "1 = 2", "true", "NULL IS NULL")
	case 5:
		return l + " BETWEEN " + g.operand(nil, typ) + " AND " + g.operand(rels, typ)
	}
	return l + pick(g, " = ", " < ", " > ", " <= ", " >= ", " <> ", " <=> ") + g.operand(rels, typ)
}
