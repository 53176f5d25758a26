package physical

import (
	"fmt"

	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/structured/connector"
	"github.com/streamflow/streamflow/structured/logical"
)

// rowWindow plans windows of rows. The rows below are numbered.
func (p *planner) rowWindow(l *logical.Window, n *Node) (*Node, error) {
	n, cols, err := p.columns(n, []expr.Expr{l.Time})
	if err != nil {
		return nil, err
	}
	start := &expr.Attr{ID: expr.NewID(), Name: l.Attr.Name + "_start", Typ: bigint, Hidden: true}
	out := p.node("WindowRows", fmt.Sprintf("%d rows each %d", l.Size, l.Slide), append(append([]*expr.Attr{}, n.Output...), start), n)
	out.Op = &WindowRows{Number: cols[0], Size: l.Size, Slide: l.Slide, Out: schemaOf(out.Output)}
	out.props.window = &windowAttr{attr: l.Attr, start: start, size: l.Size, rows: true}
	return out, nil
}

// inLogOrder reports whether window functions go by the order of the log, and refuses it where the log has none for the rows of
// a partition.
func (p *planner) inLogOrder(n *Node, l *logical.Over) (bool, error) {
	spec := l.Spec()
	at, ok := spec.Order[0].Child.(*expr.Attr)
	if !l.Final || !ok || !at.Hidden || at.Name != connector.ColOffset {
		return false, nil
	}
	one := n.props.ordered && n.Parts == 1
	for _, k := range spec.Partition {
		a, ok := k.(*expr.Attr)
		one = one || n.props.ordered && ok && a.Name == connector.ColPartition
	}
	if one {
		return true, nil
	}
	return false, usererr.New("COUNT_WINDOW_ORDER", "42K09", "Windows of rows need an order of the rows, and those of several partitions of a log, or of several sources, have none among them.").
		WithFix("Count them in the order of a time, count_window(ts, 100), or those of each partition by themselves: GROUP BY _partition, …")
}

// fills makes the groups of a stream those of windows of rows, which end when they are full: one more aggregate counts their
// rows. Distinct aggregates keep their values beside their group.
func (p *planner) fills(a *aggregation) error {
	rows := &expr.Agg{Fn: "count", Args: []expr.Expr{expr.Lit(1)}, Typ: bigint}
	aggs, attrs := []*expr.Agg{rows}, []*expr.Attr{{ID: expr.NewID(), Name: "_rows", Typ: bigint, Hidden: true}}
	for i, g := range a.aggs {
		if g.Distinct {
			a.lists, a.listAttrs = append(a.lists, g), append(a.listAttrs, a.aggAttrs[i])
		} else {
			aggs, attrs = append(aggs, g), append(attrs, a.aggAttrs[i])
		}
	}
	if len(a.lists) > 0 {
		n, err := p.weighed(a.n)
		if err != nil {
			return err
		}
		a.n, aggs[0] = n, expr.OverChanges(rows, n.props.changes)
	}
	a.aggs, a.aggAttrs, a.counted = aggs, attrs, true
	return nil
}
