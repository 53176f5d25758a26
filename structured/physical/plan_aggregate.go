package physical

import (
	"fmt"
	"slices"

	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/structured/connector"
	"github.com/streamflow/streamflow/structured/logical"
)

// aggregation is what an Aggregate node asks for, taken apart: list = functions of keys and aggregates.
type aggregation struct {
	l        *logical.Aggregate
	n        *Node
	keys     []expr.Expr  // grouping expressions over n; a window is its start
	keyAttrs []*expr.Attr // the columns that they become
	aggs     []*expr.Agg  // distinct by text
	aggAttrs []*expr.Attr
	byText   map[string]*expr.Attr // key or aggregate text -> its column above
	window   *windowAttr
	at       int        // which key is the window's start or the event time, -1 for none
	close    *expr.Attr // that column below
	closeAdd int64
	lag      int64 // how far event time of the rows may be behind the watermark
	closes   bool  // the watermark will tell that groups are complete
	times    []timeAttr

	derived *expr.Attr // a key that another key determines

	from      props       // of the rows that are grouped
	late      int64       // how long after a window's end late rows still count
	counted   bool        // the first of aggs counts rows and is no result: the rows are changes
	lists     []*expr.Agg // aggregates that keep their values
	listAttrs []*expr.Attr
}

// aggregate plans a grouping:
//
//	batch    [partial ─ exchange ─] final ─ project
//	stream   drop late ─ partial ─ exchange ─ merge with state ─ project
func (p *planner) aggregate(l *logical.Aggregate) (*Node, error) {
	child, err := p.compact(l.Child)
	if err != nil {
		return nil, err
	}
	a := p.takeApart(l, child)
	if a.window != nil && a.window.end != nil && a.n.props.changes != nil {
		if child, err = p.changingSessions(a); err != nil {
			return nil, err
		}
		a = p.takeApart(l, child)
	}
	if a.n.props.stream {
		if err := p.checkState(a); err != nil {
			return nil, err
		}
	}
	if a.close != nil && a.n.props.mark != nil {
		a.n = p.dropLate(a.n, a.close, a.closeAdd+a.lag+a.late)
	}
	var n *Node
	switch {
	case a.window != nil && a.window.end != nil:
		n, err = p.sessionAggregate(a)
	case a.n.props.stream:
		n, err = p.streamAggregate(a)
	case a.distinct():
		n, err = p.distinctAggregate(a)
	default:
		n, err = p.hashAggregate(a)
	}
	if err != nil {
		return nil, err
	}
	p.sizedAggregate(n, l)
	return p.finishAggregate(a, n)
}

// takeApart finds keys and aggregates of a grouping of n.
func (p *planner) takeApart(l *logical.Aggregate, n *Node) *aggregation {
	if !groupsByWindow(l.Keys, n.props.window) {
		n = p.materialise(n)
	}
	a := &aggregation{l: l, n: n, from: n.props, byText: map[string]*expr.Attr{}, at: -1, window: n.props.window}
	for _, k := range l.Keys {
		a.addKey(unalias(k))
	}
	for _, e := range l.List {
		expr.Walk(e, func(x expr.Expr) bool {
			if g, ok := x.(*expr.Agg); ok {
				a.addAgg(g)
				return false
			}
			return a.byText[x.String()] == nil
		})
	}
	a.findClose()
	if a.closes {
		a.late = p.late
	}
	return a
}

// groupsByWindow reports whether the window occurs in the keys only as itself or as its start or end, which group alike.
func groupsByWindow(keys []expr.Expr, w *windowAttr) bool {
	if w == nil {
		return true
	}
	found := false
	for _, k := range keys {
		k = unalias(k)
		switch {
		case isAttr(k, w.attr.ID), isField(k, w.attr.ID):
			found = true
		case refers(k, w.attr.ID):
			return false
		}
	}
	return found
}

func (a *aggregation) addKey(k expr.Expr) {
	text := k.String()
	if a.byText[text] != nil {
		return
	}
	if w := a.window; w != nil && (isAttr(k, w.attr.ID) || isField(k, w.attr.ID)) {
		if a.at < 0 {
			a.at = len(a.keys)
			a.keys, a.keyAttrs = append(a.keys, w.start), append(a.keyAttrs, w.start)
		}
		return
	}
	attr, ok := k.(*expr.Attr)
	if !ok {
		attr = &expr.Attr{ID: expr.NewID(), Name: fmt.Sprintf("_group%d", len(a.keys)), Typ: k.DataType(), Null: k.Nullable(), Hidden: true}
	}
	a.byText[text] = attr
	a.keys, a.keyAttrs = append(a.keys, k), append(a.keyAttrs, attr)
}

func (a *aggregation) addAgg(g *expr.Agg) {
	text := g.String()
	if a.byText[text] != nil {
		return
	}
	attr := &expr.Attr{ID: expr.NewID(), Name: plain(g), Typ: g.Typ, Null: g.Null, Hidden: true}
	a.byText[text] = attr
	a.aggs, a.aggAttrs = append(a.aggs, g), append(a.aggAttrs, attr)
}

// findClose finds what closes a group: its window's end, or the event time that is a key itself.
func (a *aggregation) findClose() {
	switch {
	case a.window != nil && a.window.rows:
		return // it ends when it is full
	case a.window != nil && a.window.end != nil:
		// A session that ended at the watermark is closed; a later row belongs to another one only if it is after the
		// watermark itself. So rows are late by their event time.
		a.close = a.window.start
	case a.window != nil:
		a.close, a.closeAdd = a.window.start, a.window.size
	default:
		for i, k := range a.keyAttrs {
			t, ok := plainTime(k, a.n.props.times)
			if ok && t.size == 0 && (a.close == nil || t.lag < a.lag) {
				a.at, a.close, a.lag, a.closes = i, k, t.lag, true
				t.exact, t.attr = true, k
				a.times = []timeAttr{t}
			}
		}
		if a.close == nil {
			a.closeByWindow()
		}
	}
	if w := a.window; w != nil && w.isTime {
		a.lag, a.closes = w.time.lag, true
	}
	a.closes = a.close != nil && (a.closes || a.n.props.mark != nil)
}

// closeByWindow closes groups by the end of a window that is a key: one that was made below, whose end becomes one more key.
func (a *aggregation) closeByWindow() {
	for _, k := range a.keyAttrs {
		t, ok := plainTime(k, a.n.props.times)
		if !ok || t.size == 0 {
			continue
		}
		end := &expr.Call{Fn: "get_field", Args: []expr.Expr{k, expr.Lit("end")}, Typ: timestamp, Null: k.Null}
		attr := &expr.Attr{ID: expr.NewID(), Name: k.Name + ".end", Typ: timestamp, Null: k.Null, Hidden: true}
		a.at, a.close, a.lag, a.closes, a.derived = len(a.keys), attr, t.lag, true, attr
		t.attr = k
		a.times = []timeAttr{t}
		a.keys, a.keyAttrs = append(a.keys, end), append(a.keyAttrs, attr)
		return
	}
}

// identity are the keys that tell groups apart.
func (a *aggregation) identity() []*expr.Attr {
	return slices.DeleteFunc(slices.Clone(a.keyAttrs), func(k *expr.Attr) bool { return k == a.derived })
}

func (a *aggregation) distinct() bool {
	for _, g := range a.aggs {
		if g.Distinct {
			return true
		}
	}
	return false
}

// hashAggregate plans a grouping in which each aggregate keeps its own state, a distinct one the values it has seen.
func (p *planner) hashAggregate(a *aggregation) (*Node, error) {
	n, keys, specs, err := p.inputs(a.n, a.keys, a.keyAttrs, a.aggs)
	if err != nil {
		return nil, err
	}
	if !n.props.stream && (n.Parts == 1 || n.clusteredBy(keys)) {
		return p.hashAgg(n, keys, a.keyAttrs, specs, a.aggAttrs, true), nil
	}
	n = p.hashAgg(n, keys, a.keyAttrs, specs, a.aggAttrs, false)
	keys = leading(len(keys))
	merge := mergeSpecs(specs, len(keys))
	n = p.clustered(n, keys)
	return p.hashAgg(n, keys, a.keyAttrs, merge, a.aggAttrs, true), nil
}

// inputs makes n's columns those that the grouping reads, and binds the aggregates to them.
func (p *planner) inputs(n *Node, keys []expr.Expr, keyAttrs []*expr.Attr, aggs []*expr.Agg) (*Node, []int, []AggSpec, error) {
	var list []expr.Expr
	var attrs []*expr.Attr
	place := map[string]int{}
	add := func(e expr.Expr, attr *expr.Attr) int {
		text := e.String()
		if i, ok := place[text]; ok {
			return i
		}
		if attr == nil {
			if a, ok := e.(*expr.Attr); ok {
				attr = a
			} else {
				attr = &expr.Attr{ID: expr.NewID(), Name: fmt.Sprintf("_arg%d", len(list)), Typ: e.DataType(), Null: e.Nullable(), Hidden: true}
			}
		}
		place[text] = len(list)
		list, attrs = append(list, e), append(attrs, attr)
		return len(list) - 1
	}
	cols := make([]int, len(keys))
	for i, k := range keys {
		cols[i] = add(k, keyAttrs[i])
	}
	specs := make([]AggSpec, len(aggs))
	for i, g := range aggs {
		kids := g.Children()
		bound := make([]expr.Expr, len(kids))
		for j, k := range kids {
			isFilter := g.Filter != nil && j == len(g.Args) // a column even where it is constant: -1 would be none
			if _, ok := k.(*expr.Literal); ok && !isFilter {
				bound[j] = k
				specs[i].Cols = append(specs[i].Cols, -1)
				continue
			}
			c := add(k, nil)
			bound[j] = &expr.Column{Index: c, Name: attrs[c].Name, Typ: attrs[c].Typ, Null: attrs[c].Null}
			specs[i].Cols = append(specs[i].Cols, c)
		}
		specs[i].Agg = g.WithChildren(bound).(*expr.Agg)
	}
	if at, ok := inPlace(n, list); ok {
		if n.narrow(attrs) {
			at, _ = inPlace(n, list)
		}
		return n, remap(cols, at), remapSpecs(specs, at), nil
	}
	hash := n.props.hash
	n, err := p.compute(n, list, attrs)
	if err != nil {
		return nil, nil, nil, err
	}
	n.props.hash = survive(hash, attrs)
	return n, cols, specs, nil
}

// survive is the partitioning if all its columns are still there.
func survive(hash []int64, attrs []*expr.Attr) []int64 {
	for _, id := range hash {
		if indexOf(attrs, id) < 0 {
			return nil
		}
	}
	return hash
}

// inPlace finds list among n's columns, so that no projection is needed.
func inPlace(n *Node, list []expr.Expr) ([]int, bool) {
	at := make([]int, len(list))
	for i, e := range list {
		a, ok := e.(*expr.Attr)
		if !ok {
			return nil, false
		}
		if at[i] = indexOf(n.Output, a.ID); at[i] < 0 {
			return nil, false
		}
	}
	return at, true
}

func remap(cols, at []int) []int {
	out := make([]int, len(cols))
	for i, c := range cols {
		out[i] = c
		if c >= 0 {
			out[i] = at[c]
		}
	}
	return out
}

func remapSpecs(specs []AggSpec, at []int) []AggSpec {
	for i, s := range specs {
		specs[i].Cols = remap(s.Cols, at)
		kids := s.Agg.Children()
		moved := make([]expr.Expr, len(kids))
		for j, k := range kids {
			moved[j] = k
			if c, ok := k.(*expr.Column); ok {
				m := *c
				m.Index = at[c.Index]
				moved[j] = &m
			}
		}
		specs[i].Agg = s.Agg.WithChildren(moved).(*expr.Agg)
	}
	return specs
}

// hashAgg is one HashAggregate above n: states, or results when final.
func (p *planner) hashAgg(n *Node, keys []int, keyAttrs []*expr.Attr, specs []AggSpec, results []*expr.Attr, final bool) *Node {
	states := append(append([]*expr.Attr{}, keyAttrs...), stateAttrs(specs)...)
	attrs, kind := states, "PartialAggregate"
	if final {
		attrs, kind = append(append([]*expr.Attr{}, keyAttrs...), results...), "HashAggregate"
	}
	out := p.node(kind, fmt.Sprintf("by %s compute %s", attrList(keyAttrs), specList(specs)), attrs, n)
	out.Op = &HashAggregate{Keys: keys, Aggs: specs, Final: final, State: schemaOf(states), Out: schemaOf(attrs)}
	if len(keys) == 0 {
		out.Rows, out.Bytes = 1, 64
	}
	out.props.window, out.props.ordered = nil, false
	out.props.hash = survive(n.props.hash, attrs)
	return out
}

// stateAttrs are columns for the states of aggregates.
func stateAttrs(specs []AggSpec) []*expr.Attr {
	var out []*expr.Attr
	for _, s := range specs {
		for i, t := range expr.StateTypes(s.Agg) {
			out = append(out, &expr.Attr{ID: expr.NewID(), Name: fmt.Sprintf("%s.state%d", s.Agg.Fn, i), Typ: t, Null: true, Hidden: true})
		}
	}
	return out
}

func leading(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

func specList(specs []AggSpec) string {
	list := make([]expr.Expr, len(specs))
	for i, s := range specs {
		list[i] = s.Agg
	}
	return listOf(list)
}

func idsOf(attrs []*expr.Attr) []int64 {
	ids := make([]int64, len(attrs))
	for i, a := range attrs {
		ids[i] = a.ID
	}
	return ids
}

// finishAggregate makes the window's struct and computes the list.
func (p *planner) finishAggregate(a *aggregation, n *Node) (*Node, error) {
	n.props.times = nil
	followed := a.closes && p.modeOf(a) != connector.Complete // rows, and changes of them, come until the watermark closes their group
	if followed {
		for _, t := range a.times {
			t.lag += a.late
			n.props.times = append(n.props.times, t)
		}
	}
	if a.window != nil {
		w := *a.window
		w.isTime = w.isTime && followed
		w.time.lag += a.late
		n.props.window = &w
		n = p.materialise(n)
	}
	n.props.event, n.props.mark, n.props.offset = nil, nil, nil
	list := make([]expr.Expr, len(a.l.List))
	attrs := make([]*expr.Attr, len(a.l.List))
	for i, e := range a.l.List {
		list[i] = a.above(e)
		attrs[i] = logical.AttrOf(e)
		if attrs[i] == nil {
			return nil, fmt.Errorf("physical: %s has no name", e)
		}
	}
	if c := n.props.changes; c != nil {
		list, attrs = append(list, c), append(attrs, c)
	}
	if sameAttrs(attrs, n.Output) && allAttrs(list) {
		return n, nil
	}
	out, err := p.compute(n, list, attrs)
	if err != nil {
		return nil, err
	}
	out.props.kept = renamedKept(n.props.kept, list2named(list, attrs))
	out.props.upsert = renamedKey(n.props.upsert, list2named(list, attrs))
	out.props.times = renamedTimes(n.props.times, list2named(list, attrs))
	out.props.hash = survive(n.props.hash, attrs)
	return out, nil
}

// list2named names each expression as it is known above, so that keys can be followed through it.
func list2named(list []expr.Expr, attrs []*expr.Attr) []expr.Expr {
	out := make([]expr.Expr, len(list))
	for i, e := range list {
		out[i] = &expr.Alias{Child: unalias(e), Name: attrs[i].Name, ID: attrs[i].ID}
	}
	return out
}

func allAttrs(list []expr.Expr) bool {
	for _, e := range list {
		if _, ok := e.(*expr.Attr); !ok {
			return false
		}
	}
	return true
}

// above is an expression of the list over the columns of the aggregation's result.
func (a *aggregation) above(e expr.Expr) expr.Expr {
	if attr := a.byText[e.String()]; attr != nil {
		return attr
	}
	kids := e.Children()
	if len(kids) == 0 {
		return e
	}
	moved := make([]expr.Expr, len(kids))
	for i, k := range kids {
		moved[i] = a.above(k)
	}
	return e.WithChildren(moved)
}
