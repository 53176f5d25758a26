package physical

import (
	"fmt"
	"slices"

	"github.com/streamflow/streamflow/column"
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
}

// aggregate plans a grouping:
//
//	batch    [partial ─ exchange ─] final ─ project
//	stream   drop late ─ partial ─ exchange ─ merge with state ─ project
func (p *planner) aggregate(l *logical.Aggregate) (*Node, error) {
	a, err := p.takeApart(l)
	if err != nil {
		return nil, err
	}
	if err := p.appendOnly(a.n, "An aggregation"); err != nil {
		return nil, err
	}
	if a.n.props.stream {
		if err := p.checkState(a); err != nil {
			return nil, err
		}
	}
	if a.close != nil && a.n.props.mark != nil {
		a.n = p.dropLate(a.n, a.close, a.closeAdd+a.lag)
	}
	var n *Node
	switch {
	case a.window != nil && a.window.end != nil:
		n, err = p.sessionAggregate(a)
	case a.distinct() && !a.n.props.stream:
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

// takeApart finds keys and aggregates.
func (p *planner) takeApart(l *logical.Aggregate) (*aggregation, error) {
	n, err := p.compact(l.Child)
	if err != nil {
		return nil, err
	}
	if !groupsByWindow(l.Keys, n.props.window) {
		n = p.materialise(n)
	}
	a := &aggregation{l: l, n: n, byText: map[string]*expr.Attr{}, at: -1, window: n.props.window}
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
	return a, nil
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
	}
	if w := a.window; w != nil && w.isTime {
		a.lag, a.closes = w.time.lag, true
	}
	a.closes = a.close != nil && (a.closes || a.n.props.mark != nil)
}

func (a *aggregation) distinct() bool {
	for _, g := range a.aggs {
		if g.Distinct {
			return true
		}
	}
	return false
}

// checkState refuses a streaming aggregation that cannot give what the output mode wants, or would grow for ever.
func (p *planner) checkState(a *aggregation) error {
	switch {
	case a.n.props.stateful && !a.closes:
		return unsupported("An aggregation above another stateful operator", "Write the first one's result to a topic and aggregate that.")
	case a.window != nil && a.window.end != nil && p.opt.OutputMode == connector.Update:
		return modeUnsupported(p.opt.OutputMode, "session windows", "Use output mode append or complete.")
	}
	closing := a.closes
	if p.opt.OutputMode == connector.Append && !closing {
		return modeNeedsWatermark(a)
	}
	if (!closing || p.opt.OutputMode == connector.Complete) && len(a.keys) > 0 && !p.unboundedAllowed() {
		return unbounded("the groups of " + listOf(a.l.Keys))
	}
	return nil
}

// unboundedAllowed reports whether state that the watermark does not bound is allowed: by word, or because a TTL bounds it.
func (p *planner) unboundedAllowed() bool {
	return p.opt.Conf[UnboundedState] == "allow" || p.label.TTL > 0 || p.ttl > 0
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
	stream := n.props.stream
	n = p.closing(n, keys)
	if stream {
		return p.statefulAggregate(a, n, keys, merge), nil
	}
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
			if _, ok := k.(*expr.Literal); ok {
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

// statefulAggregate merges partial states into those that the query keeps.
func (p *planner) statefulAggregate(a *aggregation, n *Node, keys []int, specs []AggSpec) *Node {
	attrs := append(append([]*expr.Attr{}, a.keyAttrs...), a.aggAttrs...)
	out := p.node("StatefulAggregate", fmt.Sprintf("by %s compute %s, %s", attrList(a.keyAttrs), specList(specs), p.opt.OutputMode), attrs, n)
	op := &StatefulAggregate{Keys: keys, Aggs: specs, Mode: p.opt.OutputMode, Window: a.at, Size: a.closeAdd,
		State: schemaOf(n.Output), Out: schemaOf(attrs)}
	if !a.closes {
		op.Window = -1
	}
	out.Op = op
	out.stateful = p.bound(a, op.Window >= 0)
	out.stateful.Lag = a.lag
	out.props.stateful, out.props.single = true, p.opt.OutputMode == connector.Complete
	out.props.upsert = a.keyAttrs
	out.props.window = nil
	return out
}

func idsOf(attrs []*expr.Attr) []int64 {
	ids := make([]int64, len(attrs))
	for i, a := range attrs {
		ids[i] = a.ID
	}
	return ids
}

// bound says what bounds the state of an aggregation.
func (p *planner) bound(a *aggregation, closing bool) *StatefulOp {
	switch {
	case a.window != nil && a.window.end != nil && p.opt.OutputMode != connector.Complete:
		return &StatefulOp{Bound: fmt.Sprintf("sessions that end after the watermark (delay %s)", micros(a.n.props.delay))}
	case len(a.keys) == 0:
		return &StatefulOp{Bound: "one group"}
	case closing && p.opt.OutputMode != connector.Complete:
		return &StatefulOp{Bound: fmt.Sprintf("groups whose %s is after the watermark (delay %s)", a.close.Name, micros(a.n.props.delay))}
	}
	return &StatefulOp{Bound: "none: all groups are kept", Unbounded: true}
}

// finishAggregate makes the window's struct and computes the list.
func (p *planner) finishAggregate(a *aggregation, n *Node) (*Node, error) {
	final := a.closes && p.opt.OutputMode == connector.Append
	n.props.times = nil
	if final {
		n.props.times = a.times
	}
	if a.window != nil {
		w := *a.window
		w.isTime = w.isTime && final
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
	if sameAttrs(attrs, n.Output) && allAttrs(list) {
		return n, nil
	}
	out, err := p.compute(n, list, attrs)
	if err != nil {
		return nil, err
	}
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

// sessionAggregate plans a grouping by session windows: rows sorted by key and time are merged where they touch.
func (p *planner) sessionAggregate(a *aggregation) (*Node, error) {
	var keys []expr.Expr
	var keyAttrs []*expr.Attr
	for i, k := range a.keys {
		if i != a.at {
			keys, keyAttrs = append(keys, k), append(keyAttrs, a.keyAttrs[i])
		}
	}
	k := len(keys)
	w := a.window
	n, cols, specs, err := p.inputs(a.n, append(append([]expr.Expr{}, keys...), w.start, w.end), append(append([]*expr.Attr{}, keyAttrs...), w.start, w.end), a.aggs)
	if err != nil {
		return nil, err
	}
	stream := n.props.stream
	n = p.closing(n, cols[:k])
	order := make([]column.SortKey, k+1)
	for i := range order {
		order[i].Col = cols[i]
	}
	sorted := p.node("Sort", "by key and event time", n.Output, n)
	sorted.Op = &Sort{Keys: order, Out: schemaOf(n.Output)}
	head := append(append([]*expr.Attr{}, keyAttrs...), w.start, w.end)
	states := append(append([]*expr.Attr{}, head...), stateAttrs(specs)...)
	results := append(append([]*expr.Attr{}, head...), a.aggAttrs...)
	op := &SessionAggregate{Keys: cols[:k], Start: cols[k], End: cols[k+1], Aggs: specs, Final: !stream, State: schemaOf(states), Out: schemaOf(results)}
	detail := fmt.Sprintf("by %s compute %s", attrList(keyAttrs), specList(specs))
	if !stream {
		out := p.node("SessionAggregate", detail, results, sorted)
		out.Op = op
		out.props.window = nil
		return out, nil
	}
	op.Out = op.State
	partial := p.node("PartialSession", detail, states, sorted)
	partial.Op = op
	out := p.node("StatefulSession", detail+", "+p.opt.OutputMode.String(), results, partial)
	out.Op = &StatefulSession{Keys: k, Aggs: specs, Mode: p.opt.OutputMode, State: schemaOf(states), Out: schemaOf(results)}
	out.stateful = p.bound(a, true)
	out.stateful.Lag = a.lag
	out.props.stateful, out.props.single = true, p.opt.OutputMode == connector.Complete
	out.props.upsert = append(slices.Clone(keyAttrs), w.start)
	out.props.window = nil
	return out, nil
}
