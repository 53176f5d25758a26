package physical

import (
	"slices"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/structured/connector"
	"github.com/streamflow/streamflow/structured/logical"
)

// streamOver plans window functions over a stream: in output mode append by event time, each row once the watermark has passed
// it; else as changes.
func (p *planner) streamOver(n *Node, l *logical.Over) (*Node, error) {
	spec := l.Spec()
	n, keys, closing, err := p.overInput(n, spec, len(spec.Order) > 0)
	if err != nil {
		return nil, err
	}
	if p.opt.OutputMode == connector.Append || l.Final {
		return p.eventOver(n, l, keys)
	}
	if closing == nil && !p.unboundedAllowed() {
		return nil, unbounded("all rows, to compute window functions over them")
	}
	return p.changeOver(n, l, keys, closing)
}

// changeOver keeps the rows of all partitions.
func (p *planner) changeOver(n *Node, l *logical.Over, keys []column.SortKey, closing *overClosing) (*Node, error) {
	spec := l.Spec()
	parts := len(spec.Partition)
	cluster := colsOf(keys[:parts])
	op := &ChangeOver{Partition: cluster, Order: keys[parts:], Weight: weightOf(n), Window: -1}
	if closing != nil {
		op.Window = closing.at
	}
	from := n.props
	n = p.closing(n, cluster)
	over, attrs, err := p.overOf(n, l, keys)
	if err != nil {
		return nil, err
	}
	op.Over = over
	rows := attrs[:len(attrs)-len(l.List)]
	op.Row = positions(n.Output, rows)
	change := changeAttr()
	outs := append(slices.Clone(attrs), change)
	op.Out = schemaOf(outs)
	out := p.node("ChangeOver", listOf(unaliased(l.List)), outs, n)
	out.Op, out.weighs = op, true
	out.stateful = &StatefulOp{Bound: "none: all rows are kept", Unbounded: true}
	if closing != nil {
		out.stateful = &StatefulOp{Lag: closing.time.lag, Bound: "rows of partitions that the watermark has not closed"}
		out.props.times = keepTimes([]timeAttr{closing.time}, outs)
	}
	out.props.stateful, out.props.changes, out.props.mark, out.props.event, out.props.offset = true, change, nil, nil, nil
	if op.Weight < 0 {
		out.props.upsert, out.props.kept = nil, slices.Clone(rows)
	} else {
		out.props.upsert, out.props.kept = keepAll(from.upsert, outs), from.kept
	}
	return out, nil
}

// keepAll is a key if all of it is there.
func keepAll(key, attrs []*expr.Attr) []*expr.Attr {
	if len(key) > 0 && contains(attrs, key) {
		return key
	}
	return nil
}

func colsOf(keys []column.SortKey) []int {
	out := make([]int, len(keys))
	for i, k := range keys {
		out[i] = k.Col
	}
	return out
}

// rowAttrs are the columns of n but for weight and watermark.
func (n *Node) rowAttrs() []*expr.Attr {
	return slices.DeleteFunc(slices.Clone(n.Output), func(a *expr.Attr) bool {
		return n.props.changes != nil && a.ID == n.props.changes.ID || n.props.mark != nil && a.ID == n.props.mark.ID
	})
}

// overOf is the operator that computes l's functions over the rows of n, without the engine's columns but with those that keys
// need, and the columns that it gives.
func (p *planner) overOf(n *Node, l *logical.Over, keys []column.SortKey) (*Over, []*expr.Attr, error) {
	attrs := n.rowAttrs()
	keys = slices.Clone(keys)
	for i, k := range keys {
		keys[i].Col = indexOf(attrs, n.Output[k.Col].ID)
	}
	parts := len(l.Spec().Partition)
	op := &Over{Partition: slices.Clone(keys[:parts]), Order: slices.Clone(keys[parts:]), Env: p.env}
	rows := attrs
	for _, e := range l.List {
		bound, err := expr.Bind(unalias(e), rows)
		if err != nil {
			return nil, nil, err
		}
		op.Fns = append(op.Fns, withoutKeys(bound.(*expr.Over)))
		attrs = append(attrs[:len(attrs):len(attrs)], logical.AttrOf(e))
	}
	op.Out = schemaOf(attrs)
	return op, attrs, nil
}

// eventOver plans window functions whose rows are final by the watermark: in the order of event time, over frames that reach back
// only.
func (p *planner) eventOver(n *Node, l *logical.Over, keys []column.SortKey) (*Node, error) {
	spec := l.Spec()
	if n.props.changes != nil {
		return nil, modeUnsupported(connector.Append, "window functions (OVER) of rows that later change", "Use output mode update.")
	}
	var time timeAttr
	ok := false
	if len(spec.Order) > 0 && !spec.Order[0].Desc {
		time, ok = timeOf(spec.Order[0].Child, n.props.times)
	}
	arrival, err := p.inLogOrder(n, l)
	if err != nil {
		return nil, err
	}
	if !arrival && (!ok || time.size != 0) {
		return nil, modeUnsupported(connector.Append, "window functions (OVER) that are not in the order of event time, for a row before may always come",
			"Order by a column with a watermark, ascending, or use output mode update.")
	}
	rows, reach, expire, err := reachOf(l)
	if err != nil {
		return nil, err
	}
	parts := len(spec.Partition)
	if !expire && parts > 0 && !p.unboundedAllowed() {
		return nil, unbounded("what the frames of later rows need of each " + listOf(spec.Partition))
	}
	cluster := colsOf(keys[:parts])
	n = p.closing(n, cluster)
	over, attrs, err := p.overOf(n, l, keys)
	if err != nil {
		return nil, err
	}
	own := attrs[:len(attrs)-len(l.List)]
	op := &EventOver{Partition: cluster, Order: keys[parts:], Row: positions(n.Output, own), Over: over, Rows: rows, Range: reach, Expire: expire, Arrival: arrival, Out: schemaOf(attrs)}
	op.Time = indexOf(own, n.Output[keys[parts].Col].ID)
	out := p.node("EventOver", listOf(unaliased(l.List)), attrs, n)
	out.Op = op
	out.stateful = &StatefulOp{Lag: time.lag, Bound: "rows after the watermark, and of each partition what frames reach", Unbounded: !expire && parts > 0}
	out.props.stateful, out.props.mark, out.props.event, out.props.offset = true, nil, nil, nil
	return out, nil
}

// reachOf is how far the functions of l reach back: so many rows, so many microseconds; bounded says that nothing of a partition
// is needed beyond that time. Functions that look ahead are refused.
func reachOf(l *logical.Over) (rows, reach int64, bounded bool, err error) {
	bounded = true
	for _, e := range l.List {
		o := unalias(e).(*expr.Over)
		if call, ok := o.Fn.(*expr.Call); ok && call.Fn != "nth_value" {
			n := int64(0)
			switch call.Fn {
			case "row_number", "rank", "dense_rank":
			case "lag":
				n = 1
				if len(call.Args) > 1 {
					offset, isLit := call.Args[1].(*expr.Literal)
					if !isLit || offset.Value == nil || offset.Value.(int64) < 0 || len(call.Args) > 3 {
						return 0, 0, false, looksAhead(o)
					}
					n = offset.Value.(int64)
				}
			default:
				return 0, 0, false, looksAhead(o)
			}
			rows, bounded = max(rows, n), false
			continue
		}
		f := o.Frame
		if f == nil || f.End.Kind != expr.CurrentRow && f.End.Kind != expr.Preceding {
			return 0, 0, false, looksAhead(o)
		}
		switch _, isAgg := o.Fn.(*expr.Agg); {
		case f.Start.Kind == expr.UnboundedPreceding && !isAgg, f.Start.Kind == expr.UnboundedPreceding && f.End.Kind != expr.CurrentRow:
			return 0, 0, false, looksAhead(o)
		case f.Start.Kind == expr.UnboundedPreceding:
			bounded = false
		case f.Start.Kind == expr.CurrentRow:
		case f.Rows:
			rows, bounded = max(rows, offsetOf(f.Start)), false
		default:
			us, ok := f.Start.Offset.(*expr.Literal).Value.(int64)
			if !ok {
				return 0, 0, false, looksAhead(o)
			}
			reach = max(reach, us)
		}
	}
	return rows, reach, bounded, nil
}

func looksAhead(o *expr.Over) error {
	return modeUnsupported(connector.Append, "the window function "+plain(o)+", which needs rows that may still come, or more of the past than is kept",
		"Let its frame end at CURRENT ROW, or use output mode update.")
}
