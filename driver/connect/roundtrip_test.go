package connect

import (
	"strings"
	"testing"

	"github.com/streamflow/streamflow/column"
	pb "github.com/streamflow/streamflow/driver/connect/proto/sparkpb"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/structured/logical"
	"google.golang.org/protobuf/proto"
)

func attr(parts ...string) *expr.UnresolvedAttr { return &expr.UnresolvedAttr{Parts: parts} }

func named(e expr.Expr, name string) *expr.Alias {
	return &expr.Alias{Child: e, Name: name, ID: expr.NewID()}
}

func fn(name string, args ...expr.Expr) *expr.UnresolvedCall {
	return &expr.UnresolvedCall{Name: name, Args: args}
}

func table(name string) logical.Plan { return &logical.UnresolvedTable{Parts: []string{name}} }

// every is a plan of each kind that travels.
func every(t *testing.T) map[string]logical.Plan {
	schema := column.NewSchema(column.Field{Name: "a", Type: column.Of(column.Int32)}, column.Field{Name: "b c", Type: column.ListOf(column.Of(column.String), true), Nullable: true})
	b, err := column.FromRows(schema, []any{int64(1), []any{"x", nil}}, []any{int64(2), nil})
	if err != nil {
		t.Fatal(err)
	}
	src := table("t")
	key := attr("k")
	from := int64(5)
	return map[string]logical.Plan{
		"table":     &logical.UnresolvedTable{Parts: []string{"db", "odd.name"}, Streaming: true, Options: map[string]string{"startingOffsets": "earliest"}},
		"source":    &logical.UnresolvedTable{Format: "csv", Paths: []string{"/a", "/b"}, Schema: schema, Options: map[string]string{"header": "true"}},
		"sql":       &logical.SQLText{Text: "select ?", Args: []expr.Expr{expr.Lit(1)}},
		"sql named": &logical.SQLText{Text: "select :x", Named: map[string]expr.Expr{"x": expr.Lit("v")}},
		"local":     newLocal(schema, []*column.Batch{b}),
		"empty":     newLocal(schema, nil),
		"range":     &logical.Range{Start: 1, End: 10, Step: 3, Parts: 2, Attr: rangeAttr()},
		"one row":   &logical.Project{List: []expr.Expr{named(expr.Lit(1), "x")}, Child: oneRow()},
		"project":   &logical.Project{List: []expr.Expr{&expr.Star{}, &expr.Star{Qualifier: []string{"t"}}, &logical.SQLExpr{Text: "a + 1 as z"}}, Child: src},
		"filter":    &logical.Filter{Cond: fn(">", attr("t", "a"), expr.Lit(int64(1)<<40)), Child: src},
		"case":      &logical.Filter{Cond: &expr.Case{Whens: []expr.Expr{attr("ok"), fn("isnull", attr("b"))}, Thens: []expr.Expr{attr("ok"), expr.Lit(true)}, Else: expr.Lit(false)}, Child: src},
		"cast":      &logical.Filter{Cond: &expr.Cast{Child: attr("a"), To: column.Of(column.Bool), Try: true}, Child: src},
		"over": &logical.Project{List: []expr.Expr{&expr.Over{Fn: &expr.UnresolvedCall{Name: "sum", Args: []expr.Expr{attr("a")}}, Partition: []expr.Expr{attr("b")}, Order: []*expr.SortOrder{{Child: attr("c"), Desc: true}},
			Frame: &expr.Frame{Rows: true, Start: expr.Bound{Kind: expr.Preceding, Offset: expr.Lit(2)}, End: expr.Bound{Kind: expr.UnboundedFollowing}}}}, Child: src},
		"extract":    &logical.Filter{Cond: &expr.UnresolvedExtract{Child: attr("m"), Key: expr.Lit("k")}, Child: src},
		"aggregate":  &logical.Aggregate{Keys: []expr.Expr{key}, List: []expr.Expr{key, named(fn("count", expr.Lit(1)), "n")}, Child: src},
		"lambda":     &logical.Project{List: []expr.Expr{&expr.UnresolvedCall{Name: "transform", Args: []expr.Expr{fn("array", attr("a")), &expr.UnresolvedLambda{Params: []string{"x"}, Body: fn("+", attr("x"), attr("a"))}}}}, Child: src},
		"cube":       &logical.Aggregate{Keys: []expr.Expr{key}, Sets: [][]int{{0}, {}}, List: []expr.Expr{key, named(fn("count", expr.Lit(1)), "n")}, Child: src},
		"having":     &logical.Filter{Cond: fn(">", attr("n"), expr.Lit(1)), Child: &logical.Aggregate{List: []expr.Expr{named(&expr.UnresolvedCall{Name: "sum", Args: []expr.Expr{attr("a")}, Distinct: true}, "n")}, Child: src}},
		"agg filter": &logical.Aggregate{List: []expr.Expr{&expr.UnresolvedCall{Name: "sum", Args: []expr.Expr{attr("a")}, Filter: attr("ok")}}, Child: src},
		"sort":       &logical.Sort{Global: true, Orders: []*expr.SortOrder{{Child: attr("a"), Desc: true}, {Child: attr("b"), NullsFirst: true}}, Child: src},
		"local sort": &logical.Sort{Orders: []*expr.SortOrder{{Child: attr("a"), Desc: true, NullsFirst: true}}, Child: src},
		"limit":      &logical.Limit{N: 3, Child: src},
		"offset":     &logical.Limit{N: -1, Offset: 3, Child: src},
		"tail":       &logical.Tail{N: 3, Child: src},
		"join":       &logical.Join{Kind: logical.LeftOuter, Left: src, Right: table("u"), Cond: fn("==", attr("t", "a"), attr("u", "a"))},
		"using":      &logical.Join{Kind: logical.FullOuter, Left: src, Right: table("u"), Using: []string{"a", "b"}},
		"lateral":    &logical.LateralJoin{Kind: logical.LeftOuter, Left: src, Right: &logical.TableFunc{Name: "explode", Args: []expr.Expr{attr("xs")}}, Cond: fn(">", attr("col"), expr.Lit(1))},
		"asof":       &logical.AsofJoin{Kind: logical.LeftOuter, Left: src, Right: table("u"), LeftTime: attr("x"), RightTime: attr("x"), Using: []string{"k"}, Direction: logical.Nearest, Strict: true, Tolerance: expr.Lit(5)},
		"pivot":      &logical.Pivot{Keys: []expr.Expr{attr("k")}, ByKeys: true, Aggs: []expr.Expr{fn("sum", attr("x"))}, Cols: []expr.Expr{attr("y")}, Values: []expr.Expr{expr.Lit(1), expr.Lit(2)}, Child: src},
		"cross":      &logical.Join{Kind: logical.Cross, Left: src, Right: table("u")},
		"union":      &logical.Union{Kids: []logical.Plan{src, table("u")}},
		"by name":    &logical.Union{Kids: []logical.Plan{src, table("u")}, ByName: true, AllowMissing: true},
		"except":     &logical.SetOp{Except: true, Left: src, Right: table("u")},
		"intersect":  &logical.SetOp{Left: src, Right: table("u")},
		"distinct":   &logical.Dedup{Child: src},
		"dedup":      &logical.Dedup{Cols: []expr.Expr{attr("a")}, WithinWatermark: true, Child: src},
		"alias":      &logical.SubqueryAlias{Alias: "x", Child: src},
		"watermark":  &logical.Watermark{Col: attr("ts"), Delay: 90e6, Child: src},
		"window":     &logical.Aggregate{Keys: []expr.Expr{fn("window", attr("ts"), expr.Lit("1 hour"))}, List: []expr.Expr{fn("window", attr("ts"), expr.Lit("1 hour")), fn("max", attr("x"))}, Child: src},
		"repart":     &logical.Repartition{N: 4, Child: src},
		"repart by":  &logical.Repartition{N: 4, Keys: []expr.Expr{attr("a")}, Child: src},
		"sample":     &logical.Sample{Lower: 0.25, Upper: 0.5, Seed: 42, Child: src},
		"hint":       &logical.Hint{Name: "broadcast", Args: []string{"u"}, Child: src},
		"to df":      &logical.ToDF{Names: []string{"x", "y"}, Child: src},
		"function":   &logical.TableFunc{Name: "range", Args: []expr.Expr{expr.Lit(3)}},
		"with":       &logical.With{Names: []string{"c"}, Plans: []logical.Plan{table("u")}, Child: &logical.SQLText{Text: "select * from c"}},
		"run":        &logical.Run{Live: true, From: &from, Child: src},
		"columns":    &logical.WithColumns{Cols: []*expr.Alias{named(attr("a"), "b"), named(expr.Lit(nil), "c")}, Child: src},
		"rename":     &logical.RenameColumns{From: []string{"a"}, To: []string{"b"}, Child: src},
		"drop":       &logical.DropColumns{Cols: []*expr.UnresolvedAttr{attr("a"), {Parts: []string{"b"}, PlanID: 4}}, Child: src},
		"to schema":  &logical.ToSchema{Schema: schema, Child: src},
		"unpivot":    &logical.Unpivot{Ids: []expr.Expr{attr("id")}, Values: []expr.Expr{attr("x")}, ValuesGiven: true, NameCol: "n", ValueCol: "v", Child: src},
		"fill":       &logical.FillNA{Cols: []string{"a"}, Values: []*expr.Literal{expr.Lit(1)}, Child: src},
		"drop na":    &logical.DropNA{Cols: []string{"a", "b"}, MinNonNull: 1, Child: src},
		"replace":    &logical.ReplaceNA{Cols: []string{"a"}, Old: []*expr.Literal{expr.Lit("x")}, New: []*expr.Literal{expr.Lit("y")}, Child: src},
		"describe":   &logical.Summarize{Cols: []string{"a", "k"}, Child: src},
		"summary":    &logical.Summarize{Stats: []string{"count", "mean", "max"}, Child: src},
		"quantile":   &logical.ApproxQuantile{Cols: []string{"a", "b"}, Probabilities: []float64{0.25, 0.5}, Error: 0.125, Child: src},
		"crosstab":   &logical.Crosstab{Col1: "a", Col2: "b", Child: src},
		"freq items": &logical.FreqItems{Cols: []string{"a"}, Support: 0.25, Child: src},
		"sample by":  &logical.SampleBy{Col: attr("a"), Strata: []*expr.Literal{expr.Lit("x")}, Fractions: []float64{0.5}, Seed: 7, Child: src},
		"replaced":   &logical.Sample{Upper: 2.5, Seed: 42, Replace: true, Child: src},
		"transpose":  &logical.Transpose{Index: attr("a"), Child: src},
		"turned":     &logical.Transpose{Child: src},
		"observe":    &logical.Observe{Name: "m", Metrics: []expr.Expr{named(fn("count", expr.Lit(1)), "n")}, Child: src},
		"parse":      &logical.Parse{Format: "csv", Schema: schema, Options: map[string]string{"sep": ";"}, Child: src},
		"parse json": &logical.Parse{Format: "json", Child: src},
		"fields":     &logical.Project{List: []expr.Expr{&logical.UpdateField{Child: attr("s"), Path: []string{"a", "b"}, Value: expr.Lit(1)}, &logical.UpdateField{Child: attr("s"), Path: []string{"a"}}}, Child: src},
		"named args": &logical.Project{List: []expr.Expr{fn("f", &expr.NamedArg{Name: "x", Value: expr.Lit(1)})}, Child: src},
		"plan id":    &logical.PlanID{ID: 9, Child: &logical.Filter{Cond: &expr.UnresolvedAttr{Parts: []string{"ok"}, PlanID: 1}, Child: &logical.PlanID{ID: 1, Child: src}}},
		"names":      &logical.Project{List: []expr.Expr{&expr.Alias{Child: fn("posexplode", attr("xs")), Name: "p", Names: []string{"p", "x"}}}, Child: src},
	}
}

// A plan that is sent and read again must be the same plan: the same tree, and the same message when sent once more.
func TestPlansTravel(t *testing.T) {
	for name, p := range every(t) {
		sent, err := planToProto(p)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		wire, err := proto.Marshal(sent)
		if err != nil {
			t.Fatal(err)
		}
		got := &pb.Relation{}
		if err := proto.Unmarshal(wire, got); err != nil {
			t.Fatal(err)
		}
		read, err := (&decoder{}).plan(got)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if a, b := shape(p), shape(read); a != b {
			t.Errorf("%s:\nsent %s\nread %s", name, a, b)
		}
		again, err := planToProto(read)
		if err != nil || !proto.Equal(sent, again) {
			t.Errorf("%s: %v\nsent  %v\nagain %v", name, err, sent, again)
		}
	}
}

// shape is a plan as text without the ids that each side gives by itself.
func shape(p logical.Plan) string {
	var b strings.Builder
	var walk func(p logical.Plan, depth int)
	walk = func(p logical.Plan, depth int) {
		s := p.String()
		for i := strings.IndexByte(s, '#'); i >= 0; i = strings.IndexByte(s, '#') {
			j := i + 1
			for j < len(s) && s[j] >= '0' && s[j] <= '9' {
				j++
			}
			s = s[:i] + s[j:]
		}
		b.WriteString("\n" + strings.Repeat("  ", depth) + s)
		for _, k := range p.Children() {
			walk(k, depth+1)
		}
	}
	walk(p, 1)
	return b.String()
}

func TestLiteralsTravel(t *testing.T) {
	dec, _ := column.ParseDecimal("-12345678901234567890.50", 38, 2)
	list := column.ListOf(column.Of(column.Int64), true)
	for _, l := range []*expr.Literal{
		expr.Lit(nil), expr.Lit(true), expr.Lit(7), expr.Lit(int64(1) << 60), expr.Lit(1.5), expr.Lit(float32(0.25)), expr.Lit("ü"), expr.Lit([]byte{0, 1}),
		{Value: int64(-3), Typ: column.Of(column.Int8)}, {Value: int64(-300), Typ: column.Of(column.Int16)},
		{Value: dec, Typ: column.DecimalOf(38, 2)}, {Value: int64(19000), Typ: column.Of(column.Date)},
		{Value: int64(1_700_000_000_000_000), Typ: column.Of(column.Timestamp)}, {Value: int64(5), Typ: column.Of(column.TimestampNTZ)},
		{Value: int64(13), Typ: column.Of(column.IntervalYM)}, {Value: int64(45296000), Typ: column.TimeOf(3)},
		{Value: column.CalendarInterval{Months: -1, Days: 2, Micros: 3}.Dec(), Typ: column.Of(column.Calendar)}, {Value: int64(13e6), Typ: column.Of(column.IntervalDT)},
		{Value: []any{int64(1), nil}, Typ: list},
		{Value: []any{[]any{int64(1)}, []any{}}, Typ: column.ListOf(list, true)},
		{Value: [2][]any{{"k"}, {nil}}, Typ: column.MapOf(column.Of(column.String), column.Of(column.Int64), true)},
		{Value: []any{"x", int64(2)}, Typ: column.StructOf(column.Field{Name: "a", Type: column.Of(column.String), Nullable: true}, column.Field{Name: "b", Type: column.Of(column.Int64)})},
		{Typ: column.DecimalOf(10, 3)},
	} {
		got, err := literalFromProto(literalToProto(l))
		if err != nil || !got.Typ.Equal(l.Typ) || got.String() != l.String() {
			t.Errorf("%s %s became %v %v (%v)", l.Typ, l, got, got.Typ, err)
		}
	}
}

func TestDecimalLiteralsAsClientsWriteThem(t *testing.T) {
	for text, want := range map[string]string{"1.50": "decimal(3,2) 1.50", "-0.05": "decimal(2,2) -0.05", "1E+2": "decimal(3,0) 100", "12E-3": "decimal(3,3) 0.012"} {
		l, err := literalFromProto(&pb.Expression_Literal{LiteralType: &pb.Expression_Literal_Decimal_{Decimal: &pb.Expression_Literal_Decimal{Value: text}}})
		if err != nil {
			t.Errorf("%s: %v", text, err)
		} else if got := l.Typ.String() + " " + l.String(); got != want {
			t.Errorf("%s is %s, want %s", text, got, want)
		}
	}
	for _, text := range []string{"", "x", "1_0", "1.2.3", "1e999", "--1", "1.-2"} {
		if l, err := literalFromProto(&pb.Expression_Literal{LiteralType: &pb.Expression_Literal_Decimal_{Decimal: &pb.Expression_Literal_Decimal{Value: text}}}); err == nil {
			t.Errorf("%q is %s", text, l)
		}
	}
}

func TestTypesTravel(t *testing.T) {
	for _, ddl := range []string{"boolean", "tinyint", "smallint", "int", "bigint", "float", "double", "decimal(38,18)", "string", "binary", "date", "timestamp",
		"timestamp_ntz", "interval year to month", "interval day to second", "array<int>", "map<string,array<double>>", "struct<a:int,b:struct<c:string>>", "void"} {
		typ, err := column.ParseType(ddl)
		if err != nil {
			t.Errorf("%s: %v", ddl, err)
			continue
		}
		got, err := typeFromProto(typeToProto(typ))
		if err != nil || !got.Equal(typ) {
			t.Errorf("%s over proto: %s %v", ddl, got, err)
		}
		s := column.NewSchema(column.Field{Name: "x y", Type: typ, Nullable: true}, column.Field{Name: "z", Type: typ})
		fromJSON, err := parseSchema(schemaToJSON(s))
		if err != nil || !fromJSON.Equal(s) || fromJSON.Fields[1].Nullable {
			t.Errorf("%s over JSON: %v %v", ddl, fromJSON, err)
		}
	}
}

func TestCommandsTravel(t *testing.T) {
	q := table("t")
	for name, p := range map[string]logical.Plan{
		"view":    &logical.CreateView{Name: []string{"v"}, Temporary: true, OrReplace: true, Query: q},
		"global":  &logical.CreateView{Name: []string{"global_temp", "v"}, Temporary: true, Query: q},
		"insert":  &logical.InsertInto{Table: []string{"db", "u"}, Overwrite: true, Query: q},
		"by name": &logical.InsertInto{Table: []string{"u"}, ByName: true, Query: q},
		"replace": &logical.InsertInto{Table: []string{"u"}, ByName: true, Overwrite: true, Query: q},
		"create":  &logical.CreateTable{Name: []string{"u"}, Provider: "parquet", Options: map[string]string{"a": "b"}, OrReplace: true, As: q},
		"write":   &logical.WriteTo{Format: "csv", Path: "/x", Mode: "overwrite", Options: map[string]string{"header": "true"}, PartitionBy: []string{"d"}, Query: q},
	} {
		cmd, ok, err := commandToProto(p)
		if err != nil || !ok {
			t.Errorf("%s: %v %v", name, ok, err)
			continue
		}
		got, ok, err := (&decoder{}).command(cmd)
		if err != nil || !ok || shape(got) != shape(p) {
			t.Errorf("%s: %v\nsent %s\nread %s", name, err, shape(p), shape(got))
		}
		again, _, err := commandToProto(got)
		if err != nil || !proto.Equal(cmd, again) {
			t.Errorf("%s: %v\nsent  %v\nagain %v", name, err, cmd, again)
		}
	}
}

func TestStreamsTravel(t *testing.T) {
	for _, q := range []*logical.CreateStream{
		{Name: "q", Query: table("t"), Format: "console", OutputMode: "update", Trigger: "5 seconds", Start: "beginning", Options: map[string]string{"numRows": "5"}},
		{Query: table("t"), Sink: []string{"out"}, Format: "topic", OutputMode: "append", Trigger: "available_now"},
		{Query: table("t"), Format: "memory", OutputMode: "complete", Trigger: "once", Start: "now"},
	} {
		w, err := streamToProto(q)
		if err != nil {
			t.Fatal(err)
		}
		got, err := (&decoder{}).stream(w)
		if err != nil {
			t.Fatal(err)
		}
		if got.Name != q.Name || got.Format != q.Format || got.OutputMode != q.OutputMode || got.Trigger != q.Trigger || got.Start != q.Start ||
			strings.Join(got.Sink, ".") != strings.Join(q.Sink, ".") || got.Options["numRows"] != q.Options["numRows"] || len(got.Options) != len(q.Options) {
			t.Errorf("sent %+v, read %+v", q, got)
		}
	}
}

func TestNodesOfTheAnalyserAreNotSent(t *testing.T) {
	for _, p := range []logical.Plan{
		&logical.Project{List: []expr.Expr{&expr.Attr{Name: "a"}}, Child: table("t")},
		&logical.Scan{},
	} {
		if r, err := planToProto(p); err == nil {
			t.Errorf("%s was sent as %v", p, r)
		}
	}
}
