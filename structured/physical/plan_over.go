package physical

import (
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/structured/logical"
)

// over plans window functions: rows of one partition come together, sorted, and the functions run over them.
func (p *planner) over(l *logical.Over) (*Node, error) {
	n, err := p.plan(l.Child)
	if err != nil {
		return nil, err
	}
	return p.overRows(n, l)
}

// overRows plans window functions over n.
func (p *planner) overRows(n *Node, l *logical.Over) (*Node, error) {
	n = p.whole(n)
	if n.props.stream && !n.props.single {
		return p.streamOver(n, l)
	}
	if l.Final {
		if _, err := p.inLogOrder(n, l); err != nil {
			return nil, err
		}
	}
	spec := l.Spec()
	n, keys, _, err := p.overInput(n, spec, len(spec.Order) > 0 && p.top != l)
	if err != nil {
		return nil, err
	}
	var cluster []int
	for _, k := range keys[:len(spec.Partition)] {
		cluster = append(cluster, k.Col)
	}
	n = p.clustered(n, cluster)
	n = p.sortedOn(n, keys, listOf(sortOrders(spec)))
	op := &Over{Partition: keys[:len(spec.Partition)], Order: keys[len(spec.Partition):], Env: p.env}
	attrs := append([]*expr.Attr{}, n.Output...)
	for _, e := range l.List {
		bound, err := expr.Bind(unalias(e), n.Output)
		if err != nil {
			return nil, err
		}
		op.Fns = append(op.Fns, withoutKeys(bound.(*expr.Over)))
		attrs = append(attrs, logical.AttrOf(e))
	}
	op.Out = schemaOf(attrs)
	out := p.node("Window", listOf(unaliased(l.List)), attrs, n)
	out.Op = op
	return out, nil
}

// sortOrders sort rows by partition, then by order.
func sortOrders(spec *expr.Over) []*expr.SortOrder {
	var out []*expr.SortOrder
	for _, x := range spec.Partition {
		out = append(out, &expr.SortOrder{Child: x, NullsFirst: true})
	}
	return append(out, spec.Order...)
}

// withoutKeys is a function without PARTITION BY and ORDER BY, which the operator has as columns.
func withoutKeys(o *expr.Over) *expr.Over { return &expr.Over{Fn: o.Fn, Frame: o.Frame} }

func partitionTooLarge(rows int) error {
	return usererr.New("OUT_OF_MEMORY", "53200", "One partition has more than %d rows, which memory does not hold.", rows).
		WithFix("Give the node more memory (--memory), or make partitions smaller with PARTITION BY.")
}

func unaliased(list []expr.Expr) []expr.Expr {
	out := make([]expr.Expr, len(list))
	for i, e := range list {
		out[i] = unalias(e)
	}
	return out
}
