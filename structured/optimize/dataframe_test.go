package optimize

import (
	"context"
	"strings"
	"testing"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/structured/logical"
)

// Plans as DataFrame clients build them: relations with ids, columns of certain relations, nodes that SQL lacks.

func df(id int64, p logical.Plan) logical.Plan { return &logical.PlanID{ID: id, Child: p} }

func table(name string) logical.Plan { return &logical.UnresolvedTable{Parts: []string{name}} }

func col(name string) *expr.UnresolvedAttr { return &expr.UnresolvedAttr{Parts: []string{name}} }

func of(id int64, name string) *expr.UnresolvedAttr {
	return &expr.UnresolvedAttr{Parts: []string{name}, PlanID: id}
}

func fn(name string, args ...expr.Expr) expr.Expr {
	return &expr.UnresolvedCall{Name: name, Args: args}
}

func analyzed(t *testing.T, p logical.Plan) string {
	t.Helper()
	out, err := Analyze(context.Background(), p, testEnv())
	if err != nil {
		return detail(err)
	}
	checkNormal(t, "", out)
	if !logical.AllResolved(out) {
		t.Errorf("not resolved:\n%s", logical.Format(out))
	}
	return renumber(logical.Format(Optimize(out)))
}

func expect(t *testing.T, p logical.Plan, want string) {
	t.Helper()
	if got := analyzed(t, p); strings.TrimSpace(got) != strings.TrimSpace(want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestColumnOfRelation(t *testing.T) {
	a, b := df(1, table("t")), df(2, table("u"))
	j := df(3, &logical.Join{Left: a, Right: b, Cond: fn("==", of(1, "a"), of(2, "a"))})
	expect(t, &logical.Project{List: []expr.Expr{of(2, "b"), of(1, "b")}, Child: j}, `
Project [b#1, b#2]
+- Join Inner, (a#3 = a#4)
   :- Scan parquet t [a#3, b#2], filters: [isnotnull(a#3)]
   +- Scan parquet u [a#4, b#1], filters: [isnotnull(a#4)]`)
}

// count(*) as clients send it counts rows, not rows without nulls.
func TestCountStar(t *testing.T) {
	expect(t, &logical.Aggregate{List: []expr.Expr{fn("count", &expr.Star{})}, Child: table("t")}, `
Aggregate keys: [], out: [count(1) AS count(1)#1]
+- Scan parquet t [a#2]`)
}

// A column that the relation had and a later projection replaced is found by name.
func TestColumnOfRelationFallsBack(t *testing.T) {
	a := df(1, table("t"))
	b := df(2, &logical.Project{List: []expr.Expr{&expr.Alias{Child: fn("+", col("a"), expr.Lit(1)), Name: "a"}}, Child: a})
	expect(t, &logical.Filter{Cond: fn(">", of(1, "a"), expr.Lit(3)), Child: b}, `
Project [(a#1 + 1) AS a#2]
+- Filter ((a#1 + 1) > 3)
   +- Scan parquet t [a#1]`)
}

func TestSelfJoinIsAmbiguous(t *testing.T) {
	a := df(1, table("t"))
	got := analyzed(t, &logical.Join{Left: a, Right: a, Cond: fn("==", of(1, "a"), of(1, "a"))})
	if !strings.HasPrefix(got, "[AMBIGUOUS_COLUMN_REFERENCE]") {
		t.Error(got)
	}
}

func TestWithColumnsAndDrop(t *testing.T) {
	p := &logical.WithColumns{Cols: []*expr.Alias{{Child: fn("upper", col("e")), Name: "E"}, {Child: col("a"), Name: "n"}}, Child: table("u")}
	expect(t, &logical.DropColumns{Cols: []*expr.UnresolvedAttr{col("b"), col("nope")}, Child: p}, `
Project [a#1, upper(e#2) AS E#3, a#1 AS n#4]
+- Scan parquet u [a#1, e#2]`)
}

func TestToDFAndAliases(t *testing.T) {
	p := &logical.SubqueryAlias{Alias: "q", Child: &logical.ToDF{Names: []string{"x", "y", "z"}, Child: table("u")}}
	expect(t, &logical.Project{List: []expr.Expr{&expr.UnresolvedAttr{Parts: []string{"q", "y"}}}, Child: p}, `
Project [b#1 AS y#2]
+- Scan parquet u [b#1]`)
	if got := analyzed(t, &logical.ToDF{Names: []string{"x"}, Child: table("u")}); !strings.HasPrefix(got, "[ASSIGNMENT_ARITY_MISMATCH]") {
		t.Error(got)
	}
}

func TestDropDuplicatesBySomeColumns(t *testing.T) {
	expect(t, &logical.Project{List: []expr.Expr{col("e")}, Child: &logical.Dedup{Cols: []expr.Expr{col("a")}, Child: table("u")}}, `
Project [e#1]
+- Dedup [a#2]
   +- Scan parquet u [a#2, e#1]`)
}

func TestSQLTextAndExpr(t *testing.T) {
	text := &logical.SQLText{Text: "SELECT a, b FROM t WHERE a > ?", Args: []expr.Expr{expr.Lit(1)}}
	expect(t, &logical.Filter{Cond: &logical.SQLExpr{Text: "b < 5"}, Child: text}, `
Scan parquet t [a#1, b#2], filters: [(a#1 > 1), (b#2 < 5)]`)

	_, err := Analyze(context.Background(), &logical.Filter{Cond: &logical.SQLExpr{Text: "b < nope"}, Child: text}, testEnv())
	if u, ok := usererr.As(err); !ok || u.Text != "b < nope" || u.Col != 5 {
		t.Errorf("error does not point into the expression: %v", err)
	}
	_, err = Analyze(context.Background(), df(1, &logical.SQLText{Text: "SELECT nope FROM t"}), testEnv())
	if u, ok := usererr.As(err); !ok || u.Text != "SELECT nope FROM t" || u.Col != 8 {
		t.Errorf("error does not point into the statement: %v", err)
	}
}

func TestGroupByOverDataFrame(t *testing.T) {
	w := &expr.Alias{Child: fn("window", col("ts"), expr.Lit("1 hour")), Name: "w"}
	g := &logical.Aggregate{Keys: []expr.Expr{w}, List: []expr.Expr{w, &expr.Alias{Child: fn("count", expr.Lit(1)), Name: "n"}}, Child: table("flights")}
	expect(t, &logical.Sort{Orders: []*expr.SortOrder{{Child: col("n")}}, Global: true, Child: &logical.Filter{Cond: fn(">", col("n"), expr.Lit(1)), Child: g}}, `
Sort [n#1 ASC NULLS LAST]
+- Project [window#2 AS w#3, n#1]
   +- Filter (n#1 > 1)
      +- Aggregate keys: [window#2], out: [window#2, count(1) AS n#1]
         +- Window ts#4, size 1h0m0s, as window#2
            +- Watermark ts#4, delay 10m0s
               +- Scan topic flights [ts#4]`)
}

func TestUnionByName(t *testing.T) {
	l := &logical.Project{List: []expr.Expr{col("a"), col("b")}, Child: table("t")}
	r := &logical.Project{List: []expr.Expr{col("b"), col("e"), col("a")}, Child: table("u")}
	u := &logical.Union{Kids: []logical.Plan{l, r}, ByName: true}
	if got := analyzed(t, u); !strings.HasPrefix(got, "[UNRESOLVED_COLUMN.WITHOUT_SUGGESTION]") {
		t.Error(got)
	}
	u.AllowMissing = true
	expect(t, u, `
Union [a#1, b#2, e#3]
:- Project [a#4, b#5, NULL AS e#6]
:  +- Scan parquet t [a#4, b#5]
+- Scan parquet u [a#7, b#8, e#9]`)
}

func TestHintOnASide(t *testing.T) {
	j := &logical.Join{Left: table("t"), Right: &logical.Hint{Name: "BROADCAST", Child: table("u")}, Using: []string{"a"}}
	if got := analyzed(t, j); !strings.Contains(got, "hint: broadcast_right") {
		t.Error(got)
	}
}

func TestRunBoundsReachTheScan(t *testing.T) {
	from, to := int64(1e6), int64(2e6)
	out, err := Analyze(context.Background(), &logical.Run{From: &from, To: &to, Child: &logical.Join{Left: table("flights"), Right: table("airports"), Cond: expr.Lit(true)}}, testEnv())
	if err != nil {
		t.Fatal(err)
	}
	logical.Walk(out, func(n logical.Plan) bool {
		if s, ok := n.(*logical.Scan); ok {
			want := ""
			if s.Table.Name() == "flights" {
				want = "1000000"
			}
			if s.Options[logical.OptionFrom] != want || s.Streaming {
				t.Errorf("%s: options %v, streaming %v", s.Table.Name(), s.Options, s.Streaming)
			}
		}
		return true
	})
}

// The same rows on both sides of a join are told apart.
func TestRowsInThePlan(t *testing.T) {
	s := column.NewSchema(column.Field{Name: "x", Type: column.Of(column.Int32)})
	rows := &logical.Local{Schema: s, Batches: []*column.Batch{column.NewBatch(s, 0, column.NewVector(column.Of(column.Int32), 0))}}
	j := &logical.Join{Left: df(1, rows), Right: df(2, rows), Cond: fn("==", of(1, "x"), of(2, "x"))}
	expect(t, j, `
Local [x#1, x#2], 0 rows`)
}

func TestWatermarkOverComputedColumn(t *testing.T) {
	p := &logical.WithColumns{Cols: []*expr.Alias{{Child: fn("to_timestamp", col("k")), Name: "t2"}}, Child: table("plain")}
	w := &logical.Watermark{Col: col("t2"), Delay: 5e6, Child: p}
	g := &logical.Aggregate{Keys: []expr.Expr{fn("window", col("t2"), expr.Lit("1 minute"))}, List: []expr.Expr{fn("count", expr.Lit(1))}, Child: w}
	expect(t, &logical.Run{Live: true, Child: g}, `
Project [count(1)#1]
+- Aggregate keys: [window#2], out: [window#2, count(1) AS count(1)#1]
   +- Window t2#3, size 1m0s, as window#2
      +- Watermark t2#3, delay 5s
         +- Project [CAST(k#4 AS TIMESTAMP) AS t2#3]
            +- StreamScan topic plain [k#4]`)
}
