package logical

import (
	"reflect"
	"testing"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
)

func attr(name string) *expr.Attr {
	return &expr.Attr{ID: expr.NewID(), Name: name, Typ: column.Of(column.Int32)}
}

func leaf(names ...string) *Local {
	l := &Local{Schema: &column.Schema{}}
	for _, n := range names {
		l.Schema.Fields = append(l.Schema.Fields, column.Field{Name: n, Type: column.Of(column.Int32)})
		l.Attrs = append(l.Attrs, attr(n))
	}
	return l
}

// nodes is one of each node with every field set that a method might drop.
func nodes() []Plan {
	a, b := leaf("a"), leaf("b")
	x, y := a.Attrs[0], b.Attrs[0]
	order := []*expr.SortOrder{{Child: x, Desc: true}}
	gen := &expr.Generate{Fn: "explode", Args: []expr.Expr{x}, Outer: true, Output: []column.Field{{Name: "col"}}}
	from := int64(7)
	one := []expr.Expr{x}
	return []Plan{
		&PlanID{Child: a, ID: 3}, &UnresolvedTable{Parts: []string{"t"}, Streaming: true}, a, &Range{End: 3, Step: 1, Attr: x},
		&UnresolvedValues{Rows: [][]expr.Expr{{x, y}, {y, x}}, Names: []string{"p", "q"}}, &TableFunc{Name: "range", Args: one},
		&LateralView{Call: x, Outer: true, Alias: "l", Names: []string{"n"}, Child: a}, &SetOp{Except: true, Left: a, Right: b},
		&Project{List: one, Child: a}, &Filter{Cond: x, Child: a},
		&Aggregate{Keys: one, List: []expr.Expr{x, y}, Having: y, Child: a}, &Aggregate{Keys: one, List: one, Child: a},
		&Sort{Orders: order, Global: true, Child: a}, &Limit{N: 3, Offset: 2, Child: a}, &Tail{N: 4, Child: a},
		&Join{Kind: LeftOuter, Left: a, Right: b, Cond: x, Hint: "broadcast_right"}, &Join{Kind: Cross, Left: a, Right: b},
		&Join{Left: a, Right: b, Using: []string{"a"}, Natural: true},
		&Union{Kids: []Plan{a, b}, ByName: true, AllowMissing: true, Attrs: a.Attrs}, &Dedup{Cols: one, WithinWatermark: true, Child: a},
		&SubqueryAlias{Alias: "s", Names: []string{"n"}, Child: a}, &Watermark{Col: x, Delay: 5, Child: a},
		&Window{Time: x, Size: 10, Slide: 5, Start: 1, Attr: attr("window"), Child: a},
		&Window{Time: x, Gap: y, Attr: attr("session_window"), Child: a},
		&Generate{Gen: gen, Attrs: b.Attrs, Child: a}, &Repartition{N: 3, Keys: one, Child: a}, &Sample{Lower: 0.1, Upper: 0.5, Seed: 9, Child: a},
		&Hint{Name: "broadcast", Args: []string{"t"}, Child: a}, &ToDF{Names: []string{"z"}, Child: a},
		&With{Names: []string{"c"}, Plans: []Plan{b}, Child: a}, &Run{Live: true, From: &from, Child: a},
		&InsertInto{Table: []string{"t"}, Columns: []string{"a"}, ByName: true, Overwrite: true, Query: a},
		&CreateTable{Name: []string{"t"}, Provider: "topic", IfNotExists: true, As: a},
		&CreateView{Name: []string{"v"}, Temporary: true, SQL: "x", Query: a}, &Drop{Name: []string{"t"}}, &Show{What: "tables"},
		&Describe{Name: []string{"t"}}, &Describe{Query: a}, &Explain{Mode: "simple", Query: a}, &SetConf{Key: "k"}, &Use{Name: []string{"d"}},
		&CreateStream{Name: "q", Query: a, Sink: []string{"t"}, OutputMode: "append"}, &StopStream{Name: "q"},
	}
}

// Rebuilding a node from its own parts changes nothing, and putting other parts in their place changes just them.
func TestNodesKeepTheirFields(t *testing.T) {
	for _, n := range nodes() {
		if got := n.WithChildren(n.Children()); !reflect.DeepEqual(got, n) {
			t.Errorf("%T: WithChildren(Children()) is %#v, was %#v", n, got, n)
		}
		if got := n.WithExprs(n.Exprs()); !reflect.DeepEqual(got, n) {
			t.Errorf("%T: WithExprs(Exprs()) is %#v, was %#v", n, got, n)
		}
		before := Format(n)
		kids := make([]Plan, len(n.Children()))
		for i := range kids {
			kids[i] = leaf("other")
		}
		changed := n.WithChildren(kids)
		if got := changed.Children(); len(kids) > 0 && !reflect.DeepEqual(got, kids) {
			t.Errorf("%T: children are %v after WithChildren(%v)", n, got, kids)
		}
		if Format(n) != before {
			t.Errorf("%T was changed in place", n)
		}
	}
}

func TestOutput(t *testing.T) {
	a, b := leaf("a"), leaf("b")
	for _, c := range []struct {
		kind JoinKind
		want string
	}{{Inner, "a- b-"}, {LeftOuter, "a- b?"}, {RightOuter, "a? b-"}, {FullOuter, "a? b?"}, {LeftSemi, "a-"}, {LeftAnti, "a-"}, {Cross, "a- b-"}} {
		if got := nulls((&Join{Kind: c.kind, Left: a, Right: b}).Output()); got != c.want {
			t.Errorf("%s: %s, want %s", c.kind, got, c.want)
		}
	}
	if a.Attrs[0].Null || b.Attrs[0].Null {
		t.Error("a join changed its children's attributes")
	}

	hidden := leaf("x", "_offset")
	hidden.Attrs[1].Hidden = true
	out := (&SubqueryAlias{Alias: "s", Names: []string{"y"}, Child: hidden}).Output()
	if out[0].Name != "y" || out[1].Name != "_offset" || out[0].Qualifier[0] != "s" || out[0].ID != hidden.Attrs[0].ID {
		t.Errorf("alias puts out %v", out)
	}
	if got := Visible(out); len(got) != 1 {
		t.Errorf("visible: %v", got)
	}

	w := &Window{Time: a.Attrs[0], Attr: attr("window"), Child: a}
	if got := w.Output(); len(got) != 2 || got[1] != w.Attr || len(a.Output()) != 1 {
		t.Errorf("window puts out %v", got)
	}
	tagged := (&PlanID{ID: 5, Child: &PlanID{ID: 4, Child: a}}).Output()[0].PlanIDs
	if !reflect.DeepEqual(tagged, []int64{4, 5}) {
		t.Errorf("plan ids %v", tagged)
	}
}

func nulls(attrs []*expr.Attr) string {
	s := ""
	for i, a := range attrs {
		if i > 0 {
			s += " "
		}
		mark := "-"
		if a.Null {
			mark = "?"
		}
		s += a.Name + mark
	}
	return s
}

func TestTransformSharesWhatDoesNotChange(t *testing.T) {
	a, b := leaf("a"), leaf("b")
	j := &Join{Kind: Cross, Left: &Limit{N: 1, Child: a}, Right: &Limit{N: 2, Child: b}}
	if got := TransformUp(j, func(p Plan) Plan { return p }); got != Plan(j) {
		t.Error("an idle transformation made a new tree")
	}
	got := TransformUp(j, func(p Plan) Plan {
		if l, ok := p.(*Limit); ok && l.N == 2 {
			return l.Child
		}
		return p
	}).(*Join)
	if got.Left != j.Left || got.Right != Plan(b) || j.Right == Plan(b) {
		t.Errorf("transformed to\n%s", Format(got))
	}
	down := 0
	TransformDown(j, func(p Plan) Plan { down++; return p })
	if down != 5 {
		t.Errorf("visited %d nodes", down)
	}
}

func TestFormat(t *testing.T) {
	a, b := leaf("a"), leaf("b")
	p := &Project{List: []expr.Expr{&expr.UnresolvedAttr{Parts: []string{"a"}}}, Child: &Join{Kind: Cross, Left: &Limit{N: 1, Child: a}, Right: b}}
	a.Attrs[0].ID, b.Attrs[0].ID = 1, 2
	want := `'Project ['a]
+- Join Cross
   :- Limit 1
   :  +- Local [a#1], 0 rows
   +- Local [b#2], 0 rows
`
	if got := Format(p); got != want {
		t.Errorf("got\n%s", got)
	}
	if AllResolved(p) || !AllResolved(p.Child) {
		t.Error("resolution")
	}
}
