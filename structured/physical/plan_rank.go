package physical

import (
	"fmt"
	"slices"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/structured/connector"
	"github.com/streamflow/streamflow/structured/logical"
)

// topN is a filter that lets only the first rows of each partition pass: row_number() OVER (…) <= N.
type topN struct {
	over *logical.Over
	fn   string
	spec *expr.Over
	attr *expr.Attr // the rank
	n    int64
	cond expr.Expr   // what the filter says
	rest []expr.Expr // what it says besides
}

// topOf finds the first rows of partitions in a filter.
func topOf(l *logical.Filter) (topN, bool) {
	over, ok := overBelow(l.Child)
	if !ok || len(over.List) != 1 {
		return topN{}, false
	}
	t := topN{over: over, spec: over.Spec(), attr: logical.AttrOf(over.List[0]), n: -1, cond: l.Cond}
	call, ok := t.spec.Fn.(*expr.Call)
	if !ok || call.Fn != "row_number" && call.Fn != "rank" && call.Fn != "dense_rank" {
		return topN{}, false
	}
	t.fn = call.Fn
	for _, c := range expr.Conjuncts(l.Cond) {
		if n, ok := mostOf(c, t.attr); ok {
			if t.n < 0 || n < t.n {
				t.n = n
			}
			continue
		}
		t.rest = append(t.rest, c)
	}
	return t, t.n >= 1
}

func overBelow(l logical.Plan) (*logical.Over, bool) {
	for {
		switch x := l.(type) {
		case *logical.Over:
			return x, true
		case *logical.SubqueryAlias, *logical.PlanID:
			l = l.Children()[0]
		default:
			return nil, false
		}
	}
}

// mostOf is the largest rank that a condition lets pass: rank <= N, rank < N, rank = 1, either way round.
func mostOf(c expr.Expr, rank *expr.Attr) (int64, bool) {
	x, ok := c.(*expr.Call)
	if !ok || len(x.Args) != 2 {
		return 0, false
	}
	a, b, fn := x.Args[0], x.Args[1], x.Fn
	if turned, ok := map[string]string{"<=": ">=", "<": ">", ">=": "<=", ">": "<", "=": "="}[fn]; ok && !isAttr(a, rank.ID) {
		a, b, fn = b, a, turned
	}
	l, ok := b.(*expr.Literal)
	if !ok || !isAttr(a, rank.ID) {
		return 0, false
	}
	n, ok := l.Value.(int64)
	switch {
	case !ok:
	case fn == "<=":
		return n, true
	case fn == "<":
		return n - 1, true
	case fn == "=" && n == 1:
		return 1, true
	}
	return 0, false
}

// rank plans the first rows of partitions of a stream. unread says that nobody reads the rank.
func (p *planner) rank(t topN, unread bool) (*Node, error) {
	n, err := p.plan(t.over.Child)
	if err != nil {
		return nil, err
	}
	if n.props.single {
		if n, err = p.overRows(n, t.over); err != nil {
			return nil, err
		}
		return p.filterBy(n, t.cond)
	}
	if n, err = p.rankOf(n, t, unread); err != nil || len(t.rest) == 0 {
		return n, err
	}
	return p.filterBy(n, expr.AndAll(t.rest))
}

func (p *planner) rankOf(n *Node, t topN, unread bool) (*Node, error) {
	n, keys, closing, err := p.overInput(n, t.spec, false)
	if err != nil {
		return nil, err
	}
	parts := len(t.spec.Partition)
	cluster := make([]int, parts)
	for i, k := range keys[:parts] {
		cluster[i] = k.Col
	}
	op := &Rank{Partition: cluster, Order: keys[parts:], Function: t.fn, N: t.n, Number: !unread, Mode: p.opt.OutputMode, Window: -1,
		Weight: weightOf(n)}
	if op.Mode == connector.Complete {
		op.Mode = connector.Update
	}
	if closing != nil {
		op.Window, op.Size = closing.at, 0
	}
	switch {
	case op.Mode == connector.Append && closing == nil:
		return nil, modeUnsupported(connector.Append, "the first rows of "+listOf(t.spec.Partition)+", which another row may always become one of",
			"Use output mode update, or partition by a window of a column with a watermark.")
	case closing == nil && parts > 0 && !p.unboundedAllowed():
		return nil, unbounded("the first rows of each " + listOf(t.spec.Partition))
	case op.Weight >= 0 && closing == nil && !p.unboundedAllowed():
		return nil, unbounded("all rows, for any of them may be taken back")
	}
	from := n.props
	n = p.closing(n, cluster)
	var attrs []*expr.Attr
	for _, a := range n.rowAttrs() {
		if indexOf(t.over.Child.Output(), a.ID) >= 0 {
			attrs = append(attrs, a)
		}
	}
	op.Row = positions(n.Output, attrs)
	partition := attrsAt(n.Output, cluster)
	outs := slices.Clone(attrs)
	if op.Number {
		outs = append(outs, t.attr)
	}
	var change *expr.Attr
	if op.Mode == connector.Update {
		change = changeAttr()
		outs = append(outs, change)
	}
	op.Out = schemaOf(outs)
	out := p.node("Rank", fmt.Sprintf("%s <= %d of %s", t.fn, t.n, plain(t.spec)), outs, n)
	out.Op, out.weighs = op, true
	out.stateful = p.rankBound(t, op, closing)
	out.props.stateful, out.props.changes, out.props.mark, out.props.event, out.props.offset = true, change, nil, nil, nil
	out.props.upsert, out.props.kept = nil, nil
	known := contains(attrs, partition)
	switch {
	case t.fn != "row_number" || !known:
		op.Upserts = false
	case op.Number:
		out.props.upsert = append(slices.Clone(partition), t.attr)
	case t.n == 1:
		out.props.upsert = partition
	}
	if known && (op.Weight < 0 || t.n == 1 && contains(from.kept, partition)) {
		out.props.kept = slices.Clone(partition)
		if t.fn == "row_number" && op.Number {
			out.props.kept = append(out.props.kept, t.attr)
		}
	}
	out.props.times = nil
	if closing != nil {
		out.props.times = keepTimes([]timeAttr{closing.time}, outs)
	}
	return out, nil
}

func (p *planner) rankBound(t topN, op *Rank, c *overClosing) *StatefulOp {
	what := fmt.Sprintf("the first %d rows", t.n)
	if op.Weight >= 0 {
		what = "all rows"
	}
	switch {
	case c != nil:
		return &StatefulOp{Lag: c.time.lag, Bound: what + " of partitions that the watermark has not closed"}
	case len(op.Partition) == 0 && op.Weight < 0:
		return &StatefulOp{Bound: what}
	case len(op.Partition) == 0:
		return &StatefulOp{Bound: what, Unbounded: true}
	}
	return &StatefulOp{Bound: "none: " + what + " of each partition are kept", Unbounded: true}
}

// overClosing says how the watermark closes the partitions of a window function.
type overClosing struct {
	at   int // which partition key
	time timeAttr
}

// overInput makes partition and order of a window function columns of n, sets late rows aside, and finds what closes the
// partitions; ordered says that rows are late, too, by the event time that they are ordered by. A partition key that is a window made below stands with its end as one more key.
func (p *planner) overInput(n *Node, spec *expr.Over, ordered bool) (*Node, []column.SortKey, *overClosing, error) {
	var closing *overClosing
	orders := make([]*expr.SortOrder, 0, len(spec.Partition)+len(spec.Order))
	for i, x := range spec.Partition {
		t, ok := timeOf(x, n.props.times)
		if ok && t.size != 0 {
			x = &expr.Call{Fn: "get_field", Args: []expr.Expr{x, expr.Lit("end")}, Typ: timestamp, Null: true} // a window's end tells it apart, but for sessions
			if t.size == openEnded {
				x = spec.Partition[i]
				ok = false
			}
		}
		if ok && (closing == nil || t.lag < closing.time.lag) {
			closing = &overClosing{at: i, time: t}
		}
		orders = append(orders, &expr.SortOrder{Child: x, NullsFirst: true})
	}
	n, keys, err := p.sortKeys(n, append(orders, spec.Order...))
	if err != nil {
		return nil, nil, nil, err
	}
	if closing != nil {
		closing.time.attr, closing.time.size = n.Output[keys[closing.at].Col], 0
	}
	late := n
	switch {
	case n.props.mark == nil:
		return n, keys, closing, nil
	case closing != nil:
		late = p.dropLate(n, closing.time.attr, closing.time.lag)
	case ordered:
		order := spec.Order[0]
		t, ok := timeOf(order.Child, n.props.times)
		if !ok || t.size != 0 {
			return n, keys, nil, nil
		}
		late = p.dropLate(n, n.Output[keys[len(spec.Partition)].Col], t.lag)
	default:
		return n, keys, nil, nil
	}
	for i, k := range keys {
		keys[i].Col = indexOf(late.Output, n.Output[k.Col].ID)
	}
	return late, keys, closing, nil
}
