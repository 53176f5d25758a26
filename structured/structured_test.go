package structured

import (
	"context"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/structured/logical"
)

// tree is a DataFrame's plan as text, one node a line, without the numbers that differ from run to run.
func tree(t *testing.T, d *DataFrame) string {
	t.Helper()
	p, err := d.Plan()
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	var walk func(logical.Plan, int)
	walk = func(p logical.Plan, depth int) {
		if id, ok := p.(*logical.PlanID); ok {
			walk(id.Child, depth)
			return
		}
		b.WriteString(strings.Repeat("  ", depth) + withoutIDs(p.String()) + "\n")
		for _, k := range p.Children() {
			walk(k, depth+1)
		}
	}
	walk(p, 0)
	return b.String()
}

func withoutIDs(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '#' {
			for i+1 < len(s) && s[i+1] >= '0' && s[i+1] <= '9' {
				i++
			}
			continue
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

func TestDataFramesBuildPlans(t *testing.T) {
	s := NewSession(nil)
	a, b := s.Table("a"), s.Table("db.b")
	for _, c := range []struct {
		name string
		df   *DataFrame
		node reflect.Type
		has  []string
	}{
		{"select", a.Select(Col("x"), Lit(1).As("one")), reflect.TypeFor[*logical.Project](), []string{"'x", "1 AS one"}},
		{"filter", a.Filter(Col("x").Between(1, 5).And(Col("y").In("p", "q")).Or(Col("z").Like("a%").Not())), reflect.TypeFor[*logical.Filter](), []string{">=", "<=", "in", "LIKE", "NOT"}},
		{"agg", a.GroupBy(Col("k").As("key")).Agg(CountAll().As("n"), CountDistinct(Col("u"))), reflect.TypeFor[*logical.Aggregate](), []string{"'k", "count", "DISTINCT"}},
		{"join", a.Join(b, a.Col("id").Eq(b.Col("id")), "left_outer"), reflect.TypeFor[*logical.Join](), []string{"LeftOuter"}},
		{"order", a.OrderBy(Col("x").Desc(), Col("y")), reflect.TypeFor[*logical.Sort](), []string{"DESC NULLS LAST", "ASC NULLS FIRST"}},
		{"window", a.WithWatermark("ts", "10 minutes").GroupBy(Window(Col("ts"), "1 hour", "30 minutes")).Count(), reflect.TypeFor[*logical.Aggregate](), []string{"window", "'1 hour'", "'30 minutes'"}},
		{"union", a.UnionByName(b, true), reflect.TypeFor[*logical.Union](), nil},
		{"dedup", a.DropDuplicatesWithinWatermark("id"), reflect.TypeFor[*logical.Dedup](), []string{"'id"}},
		{"run", a.Over(RunOptions{Live: true}), reflect.TypeFor[*logical.Run](), nil},
		{"cast", a.Select(Col("x").Cast("decimal(10,2)"), Col("y").TryCast("int")), reflect.TypeFor[*logical.Project](), []string{"CAST('x AS DECIMAL(10,2))", "TRY_CAST('y AS INT)"}},
		{"case", a.Select(When(Col("x").Gt(1), "a").When(Col("x").Gt(0), "b").Otherwise("c")), reflect.TypeFor[*logical.Project](), []string{"CASE WHEN", "ELSE 'c'"}},
	} {
		p, err := c.df.Plan()
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		p = p.(*logical.PlanID).Child
		if reflect.TypeOf(p) != c.node {
			t.Errorf("%s is a %T", c.name, p)
		}
		text := tree(t, c.df)
		for _, h := range c.has {
			if !strings.Contains(text, h) {
				t.Errorf("%s lacks %q:\n%s", c.name, h, text)
			}
		}
	}
}

func TestColumnsOfASelfJoinAreToldApart(t *testing.T) {
	a := NewSession(nil).Table("a")
	b := a.Filter(Col("x").Gt(1))
	left, _ := a.Col("x").Expr()
	right, _ := b.Col("x").Expr()
	if left.String() != right.String() {
		t.Fatalf("%s and %s", left, right)
	}
	if reflect.DeepEqual(left, right) {
		t.Error("both sides of a self-join mean the same column")
	}
}

func TestReadersAreNotShared(t *testing.T) {
	base := NewSession(nil).Read().Format("csv").Option("header", true)
	one := base.Option("sep", ";").Load("/x")
	two := base.Load("/y")
	read := func(d *DataFrame) *logical.UnresolvedTable {
		return d.plan.(*logical.PlanID).Child.(*logical.UnresolvedTable)
	}
	if o := read(one).Options; o["header"] != "true" || o["sep"] != ";" {
		t.Errorf("%v", o)
	}
	if o := read(two).Options; len(o) != 1 {
		t.Errorf("an option of one reader is in another: %v", o)
	}
}

func TestConf(t *testing.T) {
	c, ctx := &MemConf{}, context.Background()
	if err := c.Set(ctx, ConfTimeZone, "Nowhere/Town"); err == nil {
		t.Error("a time zone that there is not was taken")
	}
	for _, zone := range []string{"Europe/Berlin", "+02:00", "GMT+2", "UTC", "Z"} {
		if err := c.Set(ctx, ConfTimeZone, zone); err != nil {
			t.Errorf("%s: %v", zone, err)
		}
	}
	if err := c.Set(ctx, ConfShuffleParts, "0"); err == nil {
		t.Error("no partitions")
	}
	u, _ := usererr.As(NoSuchConf("spark.sql.session.timezone"))
	if !strings.Contains(u.Fix, ConfTimeZone) {
		t.Errorf("%v", u)
	}
	if u, _ := usererr.As(NoSuchConf("nothing.like.it")); u.Fix != "" {
		t.Errorf("%v", u)
	}
}

func TestProgressJSON(t *testing.T) {
	p := QueryProgress{ID: "i", RunID: "r", Timestamp: time.UnixMilli(1_700_000_000_123), BatchID: 3, BatchDuration: 5 * time.Millisecond, InputRows: 7,
		Sources: []SourceProgress{{Description: "topic", End: `{"t":{"0":5}}`}}, State: []StateProgress{{Operator: "agg", Rows: 2}}, Sink: SinkProgress{Description: "console", OutputRows: -1}}
	data, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	var keys map[string]json.RawMessage
	if err := json.Unmarshal(data, &keys); err != nil {
		t.Fatal(err)
	}
	for _, k := range []string{"id", "runId", "name", "timestamp", "batchId", "batchDuration", "numInputRows", "durationMs", "eventTime", "stateOperators", "sources", "sink", "observedMetrics"} {
		if _, ok := keys[k]; !ok {
			t.Errorf("the key %s is missing", k)
		}
	}
	if string(keys["inputRowsPerSecond"]) != "0.0" || string(keys["name"]) != "null" || string(keys["timestamp"]) != `"2023-11-14T22:13:20.123Z"` {
		t.Errorf("%s", data)
	}
	var back QueryProgress
	if err := json.Unmarshal(data, &back); err != nil {
		t.Fatal(err)
	}
	again, err := json.Marshal(back)
	if err != nil || string(again) != string(data) {
		t.Errorf("%v\n%s\n%s", err, data, again)
	}
}

func TestDelays(t *testing.T) {
	for text, want := range map[string]int64{"10 minutes": 600e6, "1 hour 30 seconds": 3630e6, "INTERVAL 5 Seconds": 5e6, "1.5 seconds": 1.5e6, "1 day": 86400e6, "0 seconds": 0} {
		got, err := ParseDelay(text)
		if err != nil || got != want {
			t.Errorf("%s: %d %v", text, got, err)
		}
		if again, err := ParseDelay(FormatDelay(got)); err != nil || again != got {
			t.Errorf("%s became %s", text, FormatDelay(got))
		}
	}
	for _, bad := range []string{"", "10", "minutes", "ten minutes", "10 moons", "-1 seconds", "nan seconds", "1e300 days"} {
		if got, err := ParseDelay(bad); err == nil {
			t.Errorf("%q is %d", bad, got)
		}
	}
}

func TestNames(t *testing.T) {
	for text, want := range map[string][]string{"a": {"a"}, "a.b": {"a", "b"}, "`a.b`.c": {"a.b", "c"}, "`a``b`": {"a`b"}, "a b": {"a b"}} {
		got, err := SplitName(text)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %q %v", text, got, err)
		}
		if again, err := SplitName(JoinName(got)); err != nil || !reflect.DeepEqual(again, want) {
			t.Errorf("%s became %s", text, JoinName(got))
		}
	}
	for _, bad := range []string{"", "a.", ".a", "`a", "`a`b", "a`b", "a..b", "`a`."} {
		if got, err := SplitName(bad); err == nil {
			t.Errorf("%q is %q", bad, got)
		}
	}
}

func TestExpandersNameTheirColumns(t *testing.T) {
	schema, err := column.ParseDDL("a INT, b STRING, c DOUBLE")
	if err != nil {
		t.Fatal(err)
	}
	child := LocalPlan(schema, nil)
	names := func(x logical.Expander) string {
		t.Helper()
		p, err := x.Expand()
		if err != nil {
			t.Fatal(err)
		}
		var out []string
		for _, e := range p.(*logical.Project).List {
			out = append(out, withoutIDs(e.String()))
		}
		return strings.Join(out, ", ")
	}
	for _, c := range []struct {
		x    logical.Expander
		want string
	}{
		{&logical.RenameColumns{From: []string{"A"}, To: []string{"x"}, Child: child}, "a AS x, b, c"},
		{&logical.ToSchema{Schema: column.NewSchema(column.Field{Name: "c", Type: column.Of(column.Float64)}, column.Field{Name: "a", Type: column.Of(column.Int64)},
			column.Field{Name: "z", Type: column.Of(column.String), Nullable: true}), Child: child}, "c, CAST(a AS BIGINT) AS a, NULL AS z"},
	} {
		if got := names(c.x); got != c.want {
			t.Errorf("%T: %s, want %s", c.x, got, c.want)
		}
	}
	if _, err := (&logical.ToSchema{Schema: column.NewSchema(column.Field{Name: "z", Type: column.Of(column.Int32)}), Child: child}).Expand(); err == nil {
		t.Error("a column that is missing and may not be null was made up")
	}
	if _, err := (&logical.DropNA{Cols: []string{"nope"}, Child: child}).Expand(); err == nil {
		t.Error("an unknown column was taken")
	}
}
