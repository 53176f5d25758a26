package physical

import (
	"fmt"
	"slices"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/structured/connector"
)

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
	mode := p.modeOf(a)
	var change *expr.Attr
	if mode == connector.Update {
		change = changeAttr()
		results = append(results, change)
	}
	out := p.node("StatefulSession", detail+", "+mode.String(), results, partial)
	out.Op = &StatefulSession{Keys: k, Aggs: specs, Mode: mode, Late: a.late, State: schemaOf(states), Out: schemaOf(results)}
	out.stateful = p.bound(a, true)
	out.stateful.Lag = a.lag
	out.props.stateful, out.props.single = true, mode == connector.Complete
	out.props.changes = change
	out.props.upsert = append(slices.Clone(keyAttrs), w.start)
	out.props.window = nil
	return out, nil
}
