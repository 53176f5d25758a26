package physical

import (
	"fmt"
	"slices"

	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/structured/connector"
	"github.com/streamflow/streamflow/structured/logical"
)

// WindowLateness is the setting of how long after the watermark has passed a window's end late rows still change its result.
const WindowLateness = "streamflow.window.lateness"

// WindowResults is the setting of when a window's first result comes in output mode update: "early", with each batch that
// changes it, or "on_time", when the watermark passes its end.
const WindowResults = "streamflow.window.results"

// streamAggregate plans a grouping whose groups live from batch to batch:
//
//	rows     partial ─ exchange ─ merge with state
//	changes  the same with weights; aggregates that cannot take a value back keep their values
func (p *planner) streamAggregate(a *aggregation) (*Node, error) {
	a.columnsOnly()
	weight := a.n.props.changes
	switch {
	case a.fillsUp():
		if err := p.fills(a); err != nil {
			return nil, err
		}
	case weight != nil:
		a.overChanges(weight)
	}
	switch {
	case len(a.lists) > 0:
		return p.listAggregate(a)
	case a.countsDistinct():
		return p.streamDistinct(a)
	}
	n, keys, specs, err := p.inputs(a.n, a.keys, a.keyAttrs, a.aggs)
	if err != nil {
		return nil, err
	}
	n = p.hashAgg(n, keys, a.keyAttrs, specs, a.aggAttrs, false)
	n.weighs = weight != nil
	keys = leading(len(keys))
	merge := mergeSpecs(specs, len(keys))
	return p.statefulAggregate(a, p.closing(n, keys), keys, merge, nil), nil
}

// columnsOnly makes columns of constants that are to be kept or told apart as values.
func (a *aggregation) columnsOnly() {
	for i, g := range a.aggs {
		args := slices.Clone(g.Args)
		for j, x := range args {
			if l, ok := x.(*expr.Literal); ok && (g.Distinct || j == 0 && g.Fn != "count") {
				args[j] = &expr.Case{Whens: []expr.Expr{expr.Lit(true)}, Thens: []expr.Expr{l}}
			}
		}
		c := *g
		c.Args = args
		a.aggs[i] = &c
	}
}

// overChanges makes the aggregates take rows back: with the weight as one more operand, or, where that cannot be, by keeping
// their values. One more aggregate counts the rows of each group.
func (a *aggregation) overChanges(weight *expr.Attr) {
	rows := expr.OverChanges(&expr.Agg{Fn: "count", Args: []expr.Expr{expr.Lit(1)}, Typ: bigint}, weight)
	aggs, attrs := []*expr.Agg{rows}, []*expr.Attr{{ID: expr.NewID(), Name: "_rows", Typ: bigint, Hidden: true}}
	var lists []*expr.Agg
	var listAttrs []*expr.Attr
	for i, g := range a.aggs {
		switch {
		case !expr.Invertible(g):
			lists, listAttrs = append(lists, g), append(listAttrs, a.aggAttrs[i])
		case g.Distinct:
			aggs, attrs = append(aggs, g), append(attrs, a.aggAttrs[i])
		default:
			aggs, attrs = append(aggs, expr.OverChanges(g, weight)), append(attrs, a.aggAttrs[i])
		}
	}
	if len(lists) > 0 {
		for i := len(aggs) - 1; i > 0; i-- {
			if aggs[i].Distinct {
				lists, listAttrs = append(lists, aggs[i]), append(listAttrs, attrs[i])
				aggs, attrs = slices.Delete(aggs, i, i+1), slices.Delete(attrs, i, i+1)
			}
		}
	}
	a.aggs, a.aggAttrs, a.counted = aggs, attrs, true
	a.lists, a.listAttrs = lists, listAttrs
}

// countsDistinct reports whether there is a distinct aggregate that can be put together from values that come and go.
func (a *aggregation) countsDistinct() bool {
	return slices.ContainsFunc(a.aggs, func(g *expr.Agg) bool { return g.Distinct && expr.Invertible(g) })
}

// listAggregate plans a grouping some of whose aggregates keep their values: all rows of a group come to its state.
func (p *planner) listAggregate(a *aggregation) (*Node, error) {
	n, keys, specs, err := p.inputs(a.n, a.keys, a.keyAttrs, append(slices.Clone(a.aggs), a.lists...))
	if err != nil {
		return nil, err
	}
	var lists []ListSpec
	for _, s := range specs[len(a.aggs):] {
		lists = append(lists, listSpec(s))
	}
	n = p.closing(n, keys)
	out := p.statefulAggregate(a, n, keys, specs[:len(a.aggs)], lists)
	out.weighs = true
	return out, nil
}

// listSpec takes the filter off an aggregate and counts its operands from 0.
func listSpec(s AggSpec) ListSpec {
	out := ListSpec{Filter: -1, Distinct: s.Agg.Distinct, Cols: s.Cols[:len(s.Agg.Args)]}
	if s.Agg.Filter != nil {
		out.Filter = s.Cols[len(s.Agg.Args)]
	}
	g := *s.Agg
	g.Filter, g.Distinct, g.Args = nil, false, slices.Clone(g.Args)
	next := 0
	for i, x := range g.Args {
		if c, ok := x.(*expr.Column); ok {
			moved := *c
			moved.Index = next
			g.Args[i] = &moved
			next++
		}
	}
	out.Agg = &g
	return out
}

// statefulAggregate is the operator that keeps the groups. Its input are rows or partial states, as specs say.
func (p *planner) statefulAggregate(a *aggregation, n *Node, keys []int, specs []AggSpec, lists []ListSpec) *Node {
	results := slices.Clone(a.aggAttrs)
	if a.counted {
		results = results[1:]
	}
	attrs := append(append(append([]*expr.Attr{}, a.keyAttrs...), results...), a.listAttrs...)
	states := append(append(append([]*expr.Attr{}, a.keyAttrs...), stateAttrs(specs)...), a.listAttrs...)
	mode := p.modeOf(a)
	op := &StatefulAggregate{Keys: keys, Aggs: specs, Mode: mode, Window: a.at, Size: a.closeAdd + a.late, State: schemaOf(states),
		Counted: a.counted, Lists: lists, Hold: p.holds(a), Late: a.late}
	var change *expr.Attr
	if mode == connector.Update {
		change = changeAttr()
		attrs = append(attrs, change)
		op.Changes = true
	}
	if a.fillsUp() {
		op.Full = a.window.size
	}
	if len(lists) > 0 {
		op.Weight = specs[0].Cols[len(specs[0].Cols)-1]
	}
	if !a.closes {
		op.Window = -1
	}
	op.Out = schemaOf(attrs)
	all := specList(specs)
	for _, l := range lists {
		all += ", " + l.Agg.String()
	}
	kept := a.kept(n)
	out := p.node("StatefulAggregate", fmt.Sprintf("by %s compute %s, %s", attrList(a.keyAttrs), all, mode), attrs, n)
	out.Op = op
	out.stateful = p.bound(a, op.Window >= 0)
	out.stateful.Lag = a.lag
	out.props.stateful, out.props.single = true, mode == connector.Complete
	out.props.upsert, out.props.changes = a.identity(), change
	out.props.kept = kept
	out.props.window = nil
	return out
}

// fillsUp reports whether the groups are windows of rows.
func (a *aggregation) fillsUp() bool { return a.window != nil && a.window.rows }

// kept are the group's keys when no group ever loses all its rows.
func (a *aggregation) kept(n *Node) []*expr.Attr {
	if a.counted && !a.fillsUp() {
		for i, k := range a.keys {
			at, ok := k.(*expr.Attr)
			if a.keyAttrs[i] == a.derived {
				continue
			}
			if !ok || indexOf(a.from.kept, at.ID) < 0 {
				return nil
			}
		}
	}
	return a.identity()
}

// modeOf is what a grouping puts out: in output modes update and complete all but the last one put out changes.
func (p *planner) modeOf(a *aggregation) connector.OutputMode {
	if p.opt.OutputMode == connector.Complete && p.last != a.l {
		return connector.Update
	}
	return p.opt.OutputMode
}

// holds reports whether the first results of windows wait for the watermark.
func (p *planner) holds(a *aggregation) bool {
	return a.closes && p.opt.OutputMode == connector.Update && p.opt.Conf[WindowResults] == "on_time"
}

// lastAggregate is the grouping above which there is nothing but projections, filters, sorts and limits; nil for none.
func lastAggregate(l logical.Plan) *logical.Aggregate {
	for {
		switch x := l.(type) {
		case *logical.Aggregate:
			return x
		case *logical.Project, *logical.Filter, *logical.Sort, *logical.Limit, *logical.Tail, *logical.SubqueryAlias, *logical.Hint, *logical.PlanID, *logical.Over, *logical.Sample:
			l = l.Children()[0]
		default:
			return nil
		}
	}
}

// setLateness reads the settings of windows.
func (p *planner) setLateness() (err error) {
	if v := p.opt.Conf[WindowLateness]; v != "" && v != "0" {
		if p.late, err = logical.ParseTTL(v); err != nil {
			return badSetting(WindowLateness, v, "Say how long, such as '10 minutes'; 0 is not at all.")
		}
	}
	switch v := p.opt.Conf[WindowResults]; v {
	case "", "early", "on_time":
		return err
	default:
		return badSetting(WindowResults, v, "Use early, or on_time.")
	}
}

// checkState refuses a streaming aggregation that cannot give what the output mode wants, or would grow for ever.
func (p *planner) checkState(a *aggregation) error {
	mode := p.modeOf(a)
	switch {
	case a.fillsUp():
		if p.unboundedAllowed() {
			return nil
		}
		return unbounded("of each " + listOf(a.l.Keys) + " the windows that are not full")
	case mode == connector.Append && !a.closes:
		return modeNeedsWatermark(a)
	case (!a.closes || mode == connector.Complete) && len(a.keys) > 0 && !p.unboundedAllowed():
		return unbounded("the groups of " + listOf(a.l.Keys))
	}
	return nil
}

// unboundedAllowed reports whether state that the watermark does not bound is allowed: by word, or because a TTL bounds it.
func (p *planner) unboundedAllowed() bool {
	return p.opt.Conf[UnboundedState] == "allow" || p.label.TTL > 0 || p.ttl > 0
}

// bound says what bounds the state of an aggregation.
func (p *planner) bound(a *aggregation, closing bool) *StatefulOp {
	switch {
	case a.window != nil && a.window.end != nil && p.modeOf(a) != connector.Complete:
		return &StatefulOp{Bound: fmt.Sprintf("sessions that end after the watermark (delay %s)", micros(a.n.props.delay))}
	case a.fillsUp():
		return &StatefulOp{Bound: fmt.Sprintf("of each key the windows with less than %d rows", a.window.size), Unbounded: true}
	case len(a.keys) == 0:
		return &StatefulOp{Bound: "one group"}
	case closing && p.modeOf(a) != connector.Complete:
		return &StatefulOp{Bound: fmt.Sprintf("groups whose %s is after the watermark (delay %s)", a.close.Name, micros(a.n.props.delay))}
	}
	return &StatefulOp{Bound: "none: all groups are kept", Unbounded: true}
}
