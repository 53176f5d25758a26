package optimize

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/structured/catalog"
	"github.com/streamflow/streamflow/structured/connector"
	"github.com/streamflow/streamflow/structured/logical"
	"github.com/streamflow/streamflow/structured/sql"
)

// testTable is a table that is only looked at.
type testTable struct {
	name, provider string
	schema         *column.Schema
	hidden         int
	options        map[string]string
}

func (t *testTable) Name() string               { return t.name }
func (t *testTable) Schema() *column.Schema     { return t.schema }
func (t *testTable) Hidden() int                { return t.hidden }
func (t *testTable) Provider() string           { return t.provider }
func (t *testTable) Options() map[string]string { return t.options }
func (t *testTable) PlanWrite(context.Context, connector.WriteRequest) (connector.Sink, error) {
	panic("BUG: the analyser writes")
}

// testTopic grows. Its stream methods are never called here.
type testTopic struct {
	testTable
	connector.StreamReader
}

func (t *testTopic) Name() string               { return t.name }
func (t *testTopic) Schema() *column.Schema     { return t.schema }
func (t *testTopic) Hidden() int                { return t.hidden }
func (t *testTopic) Provider() string           { return t.provider }
func (t *testTopic) Options() map[string]string { return t.options }

func ddl(s string) *column.Schema {
	schema, err := column.ParseDDL(s)
	if err != nil {
		panic(err)
	}
	return schema
}

func newTopic(name, cols string, options map[string]string) *testTopic {
	s := ddl(cols)
	all := append(append([]column.Field{}, s.Fields...),
		column.Field{Name: "_partition", Type: column.Of(column.Int32)}, column.Field{Name: "_offset", Type: column.Of(column.Int64)})
	if options == nil {
		options = map[string]string{}
	}
	options["streamflow.schema"] = cols
	return &testTopic{testTable: testTable{name, "topic", column.NewSchema(all...), 2, options}}
}

// testEnv is the catalog of the golden plans.
func testEnv() Env {
	c := catalog.NewMemory(nil)
	eventTime := map[string]string{logical.OptionEventTime: "ts", logical.OptionDelayMs: "600000"}
	c.AddTable(newTopic("flights", "ts TIMESTAMP, carrier STRING, origin STRING, dest STRING, delay INT, tags ARRAY<STRING>, info STRUCT<gate: INT, name: STRING>, props MAP<STRING, INT>", eventTime))
	c.AddTable(newTopic("plain", "ts TIMESTAMP, k STRING, v INT", nil))
	c.AddTable(&testTopic{testTable: testTable{"raw", "topic", ddl("key BINARY, value BINARY, topic STRING, partition INT, offset BIGINT, timestamp TIMESTAMP"), 0, map[string]string{}}})
	c.AddTable(&testTable{"airports", "parquet", ddl("iata STRING NOT NULL, city STRING, state STRING, lat DOUBLE, lon DOUBLE"), 0, nil})
	c.AddTable(&testTable{"t", "parquet", ddl("a INT, b BIGINT, c STRING, d DATE, x DOUBLE, ok BOOLEAN, dec DECIMAL(10,2)"), 0, nil})
	c.AddTable(&testTable{"u", "parquet", ddl("a INT, b BIGINT, e STRING"), 0, nil})
	ctx := context.Background()
	must(c.CreateView(ctx, "late_flights", "SELECT carrier, delay FROM flights WHERE delay > 15", false))
	must(c.CreateView(ctx, "broken", "SELECT nope FROM t", false))
	must(c.CreateView(ctx, "endless", "SELECT * FROM endless", false))
	views := catalog.NewViews()
	p, err := sql.Parse("SELECT a AS n FROM t")
	must(err)
	must(views.Put("tmp", p, false))
	return Env{Catalog: c, Views: views}
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

var ids = regexp.MustCompile(`#\d+`)

// renumber makes attribute ids those of their order in the text.
func renumber(s string) string {
	seen := map[string]string{}
	return ids.ReplaceAllStringFunc(s, func(id string) string {
		if seen[id] == "" {
			seen[id] = fmt.Sprintf("#%d", len(seen)+1)
		}
		return seen[id]
	})
}

// TestPlans holds analysed and optimised plans, and every error as a person sees it. A case may be run "live".
func TestPlans(t *testing.T) {
	datadriven.Walk(t, "testdata/plans", func(t *testing.T, path string) {
		env := testEnv()
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			plan, err := sql.Parse(d.Input)
			if err != nil {
				return detail(err)
			}
			if d.HasArg("live") {
				plan = &logical.Run{Live: true, Child: plan}
			}
			env := env
			env.Text = d.Input
			if d.HasArg("mode") {
				d.ScanArgs(t, "mode", &env.OutputMode)
			}
			out, err := Analyze(context.Background(), plan, env)
			if err != nil {
				return detail(err)
			}
			if _, isView := plan.(*logical.CreateView); !isView && !logical.AllResolved(out) {
				t.Errorf("%s: not resolved:\n%s", d.Pos, logical.Format(out))
			}
			checkNormal(t, d.Pos, out)
			switch d.Cmd {
			case "analyze":
				return renumber(logical.Format(out))
			case "optimize":
				opt := Optimize(out)
				checkNormal(t, d.Pos, opt)
				checkOutput(t, d.Pos, out, opt)
				return renumber(logical.Format(opt))
			case "trace":
				return renumber(traceText(out))
			}
			t.Fatalf("unknown command %s", d.Cmd)
			return ""
		})
	})
}

func traceText(p logical.Plan) string {
	var b strings.Builder
	for _, s := range Explain(p) {
		fmt.Fprintf(&b, "== %s: %s\n%s", s.Batch, strings.Join(s.Rules, ", "), logical.Format(s.Plan))
	}
	return b.String()
}

func detail(err error) string {
	u, ok := usererr.As(err)
	if !ok {
		return "NOT A USER ERROR: " + err.Error()
	}
	return u.Detail()
}

// checkOutput requires that optimising keeps names, ids and types of the result.
func checkOutput(t *testing.T, pos string, before, after logical.Plan) {
	t.Helper()
	a, b := before.Output(), after.Output()
	if len(a) != len(b) {
		t.Errorf("%s: output %v became %v", pos, a, b)
		return
	}
	for i := range a {
		if a[i].ID != b[i].ID || a[i].Name != b[i].Name || !a[i].Typ.Equal(b[i].Typ) {
			t.Errorf("%s: output %d: %v %s became %v %s", pos, i, a[i], a[i].Typ, b[i], b[i].Typ)
		}
	}
}

// checkNormal holds a plan to the promises of the package comment: each node reads only what its children put out, and
// aggregates are in normal form.
func checkNormal(t *testing.T, pos string, p logical.Plan) {
	t.Helper()
	if v, ok := p.(*logical.CreateView); ok {
		_ = v
		return
	}
	if _, ok := p.(*logical.Explain); ok {
		return
	}
	logical.Walk(p, func(n logical.Plan) bool {
		have := map[int64]bool{}
		for _, k := range n.Children() {
			for _, a := range k.Output() {
				have[a.ID] = true
			}
		}
		if s, ok := n.(*logical.Scan); ok {
			for _, a := range s.Attrs {
				have[a.ID] = true
			}
		}
		list := n.Exprs()
		if g, ok := n.(*logical.Aggregate); ok {
			list = normalAggregate(t, pos, g)
		}
		for _, e := range list {
			for _, a := range attrsOf(e) {
				if !have[a.ID] {
					t.Errorf("%s: %s reads %s, which no child puts out:\n%s", pos, n, a, logical.Format(p))
				}
			}
		}
		return true
	})
}

// normalAggregate checks an aggregate's form and returns the expressions that read its child.
func normalAggregate(t *testing.T, pos string, g *logical.Aggregate) []expr.Expr {
	t.Helper()
	var list []expr.Expr
	keys := map[int64]bool{}
	for _, k := range g.Keys {
		at, ok := k.(*expr.Attr)
		if !ok {
			t.Errorf("%s: key %s is no attribute", pos, k)
			continue
		}
		keys[at.ID] = true
		list = append(list, at)
	}
	for _, e := range g.List {
		switch e := e.(type) {
		case *expr.Attr:
			if !keys[e.ID] {
				t.Errorf("%s: %s is no key", pos, e)
			}
		case *expr.Alias:
			if _, ok := e.Child.(*expr.Agg); !ok {
				t.Errorf("%s: %s is no aggregate", pos, e)
			}
			list = append(list, e.Child)
		default:
			t.Errorf("%s: %s is neither key nor aggregate", pos, e)
		}
	}
	return list
}
