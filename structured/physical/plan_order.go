package physical

import (
	"fmt"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/rdd"
	"github.com/streamflow/streamflow/structured/connector"
	"github.com/streamflow/streamflow/structured/logical"
)

// maxTopK is the most rows for which a limited sort keeps only the first ones instead of sorting all.
const maxTopK = 100_000

// sort plans a sort, together with the limit above it if there is one. A global sort runs in one partition.
func (p *planner) sort(l *logical.Sort, lim *logical.Limit) (*Node, error) {
	n, err := p.plan(l.Child)
	if err != nil {
		return nil, err
	}
	n = p.whole(n)
	if n.props.stream && !n.props.single {
		return nil, unsupported("Sorting a stream", "Sort the result of an aggregation in output mode complete, or sort where the result is read.")
	}
	n, keys, err := p.sortKeys(n, l.Orders)
	if err != nil {
		return nil, err
	}
	top := lim != nil && l.Global && lim.N >= 0 && lim.N+lim.Offset <= maxTopK
	if top && n.Parts > 1 {
		n = p.topK(n, keys, lim.N+lim.Offset, 0, l)
	}
	if l.Global {
		n = p.gather(n)
	}
	if top {
		return p.topK(n, keys, lim.N, lim.Offset, l), nil
	}
	out := p.node("Sort", listOf(l.Orders), n.Output, n)
	out.Op = &Sort{Keys: keys, Out: schemaOf(n.Output)}
	if lim == nil {
		return out, nil
	}
	return p.limitTo(out, lim.N, lim.Offset), nil
}

func (p *planner) topK(n *Node, keys []column.SortKey, limit, offset int64, l *logical.Sort) *Node {
	out := p.node("TopK", fmt.Sprintf("%d of %s%s", limit, listOf(l.Orders), skipping(offset)), n.Output, n)
	out.Op = &TopK{Keys: keys, N: limit, Offset: offset, Out: schemaOf(n.Output)}
	out.atMost(limit)
	return out
}

// sortKeys finds the columns to sort by, computing those that are not there.
func (p *planner) sortKeys(n *Node, orders []*expr.SortOrder) (*Node, []column.SortKey, error) {
	list := make([]expr.Expr, len(orders))
	for i, o := range orders {
		list[i] = o.Child
	}
	n, cols, err := p.columns(n, list)
	if err != nil {
		return nil, nil, err
	}
	keys := make([]column.SortKey, len(cols))
	for i, c := range cols {
		keys[i] = column.SortKey{Col: c, Desc: orders[i].Desc, NullsFirst: orders[i].NullsFirst}
	}
	return n, keys, nil
}

// columns returns n, with columns added for the expressions that are none of it, and the expressions' places.
func (p *planner) columns(n *Node, list []expr.Expr) (*Node, []int, error) {
	cols := make([]int, len(list))
	all := make([]expr.Expr, len(n.Output))
	for i, a := range n.Output {
		all[i] = a
	}
	attrs := append([]*expr.Attr{}, n.Output...)
	for i, e := range list {
		if a, ok := unalias(e).(*expr.Attr); ok {
			if cols[i] = indexOf(n.Output, a.ID); cols[i] < 0 {
				return nil, nil, fmt.Errorf("physical: %s is not among %s", a, attrList(n.Output))
			}
			continue
		}
		cols[i] = len(all)
		all = append(all, e)
		attrs = append(attrs, &expr.Attr{ID: expr.NewID(), Name: fmt.Sprintf("_key%d", i), Typ: e.DataType(), Null: e.Nullable(), Hidden: true})
	}
	if len(all) == len(n.Output) {
		return n, cols, nil
	}
	out, err := p.compute(n, all, attrs)
	return out, cols, err
}

// limit plans a limit; over a sort it becomes a top-k.
func (p *planner) limit(l *logical.Limit) (*Node, error) {
	if s, ok := sortBelow(l.Child); ok && l.N >= 0 {
		return p.sort(s, l)
	}
	n, err := p.plan(l.Child)
	if err != nil {
		return nil, err
	}
	n = p.whole(n)
	if n.props.stream && !n.props.single {
		return p.streamLimit(n, l)
	}
	if n.Parts > 1 {
		if l.N >= 0 {
			n = p.limitTo(n, l.N+l.Offset, 0)
		}
		n = p.gather(n)
	}
	return p.limitTo(n, l.N, l.Offset), nil
}

func sortBelow(l logical.Plan) (*logical.Sort, bool) {
	switch l := l.(type) {
	case *logical.Sort:
		return l, true
	case *logical.SubqueryAlias:
		return sortBelow(l.Child)
	case *logical.PlanID:
		return sortBelow(l.Child)
	}
	return nil, false
}

func (p *planner) limitTo(n *Node, limit, offset int64) *Node {
	out := p.node("Limit", fmt.Sprintf("%d%s", limit, skipping(offset)), n.Output, n)
	out.Op = &Limit{N: limit, Offset: offset}
	out.atMost(limit)
	return out
}

// atMost lowers the estimate of rows.
func (n *Node) atMost(rows int64) {
	if rows < 0 || n.Rows >= 0 && n.Rows <= rows {
		return
	}
	if n.Rows > 0 && n.Bytes > 0 {
		n.Bytes = int64(float64(n.Bytes) / float64(n.Rows) * float64(rows))
	}
	n.Rows = rows
}

func (p *planner) streamLimit(n *Node, l *logical.Limit) (*Node, error) {
	if p.opt.OutputMode != connector.Append {
		return nil, unsupported("LIMIT on a stream in output mode "+p.opt.OutputMode.String(), "Use output mode append.")
	}
	n = p.gather(n)
	out := p.node("StreamLimit", fmt.Sprintf("%d%s", l.N, skipping(l.Offset)), n.Output, n)
	out.Op = &StreamLimit{N: l.N, Offset: l.Offset}
	out.stateful = &StatefulOp{Bound: "one counter"}
	out.props.stateful = true
	return out, nil
}

func skipping(offset int64) string {
	if offset == 0 {
		return ""
	}
	return fmt.Sprintf(" after %d", offset)
}

func (p *planner) tail(l *logical.Tail) (*Node, error) {
	n, err := p.plan(l.Child)
	if err != nil {
		return nil, err
	}
	n = p.whole(n)
	if n.props.stream && !n.props.single {
		return nil, unsupported("The last rows of a stream", "Use LIMIT, or read the sink's table.")
	}
	n = p.gather(n)
	out := p.node("Tail", fmt.Sprint(l.N), n.Output, n)
	out.Op = &Tail{N: l.N}
	out.atMost(l.N)
	return out, nil
}

// gather brings all rows into one partition.
func (p *planner) gather(n *Node) *Node {
	if n.Parts == 1 {
		return n
	}
	return p.exchange(n, rdd.Partitioner{Kind: rdd.Single, N: 1})
}
