package physical

import (
	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/structured/connector"
	"github.com/streamflow/streamflow/structured/logical"
)

// process plans a function that handles rows key by key:
//
//	batch    exchange by key ─ sort ─ process
//	stream   drop late ─ exchange by key ─ release in order, process with state
func (p *planner) process(l *logical.Process) (*Node, error) {
	n, err := p.plan(l.Child)
	if err != nil {
		return nil, err
	}
	if err := p.appendOnly(n, "A function of a table"); err != nil {
		return nil, err
	}
	if err := p.checkProcess(l, n); err != nil {
		return nil, err
	}
	stream, delay := n.props.stream, n.props.delay
	if e := n.props.event; e != nil && n.props.mark != nil && len(l.Order) > 0 && isAttr(l.Order[0].Child, e.ID) {
		n = p.dropLate(n, e, 0)
	}
	keys, err := placesOf(n, l.Keys)
	if err != nil {
		return nil, err
	}
	if stream {
		n = p.closing(n, keys)
	} else if l.Initial != nil {
		n = p.keyed(n, keys) // a task must know which keys are its own
	} else {
		n = p.clustered(n, keys)
	}
	args, err := placesOf(n, l.Args)
	if err != nil {
		return nil, err
	}
	sort, err := p.processOrder(l, n, keys)
	if err != nil {
		return nil, err
	}
	op := &Process{Name: l.Name, Keys: keys, Args: args, Time: -1, Out: schemaOf(l.Attrs)}
	if len(l.Order) > 0 && isTime(l.Order[0]) {
		op.Time = sort[len(keys)].Col
	}
	detail := l.Name + " by " + listOf(l.Keys)
	var table, side *Node
	if op.Initial, table, err = p.processInitial(l, n); err != nil {
		return nil, err
	}
	if op.Broadcast, side, err = p.processBroadcast(l, n, op.Time >= 0); err != nil {
		return nil, err
	}
	if !stream {
		sorted := p.node("Sort", listOf(append(append([]expr.Expr{}, l.Keys...), orderExprs(l.Order)...)), n.Output, n)
		sorted.Op = &Sort{Keys: sort, Out: schemaOf(n.Output)}
		out := p.node("Process", detail, l.Attrs, sorted)
		out.Op, out.fixed = op, table
		out.beside(side)
		return unordered(out), nil
	}
	out := p.node("StatefulProcess", detail, l.Attrs, n)
	out.Op = &StatefulProcess{Process: *op, Release: Release{Keys: keys, Time: op.Time, Sort: sort, Grain: releaseGrain(delay), Rows: schemaOf(n.Output)}}
	out.fixed = table
	out.beside(side)
	out.stateful = &StatefulOp{Bound: "what " + l.Name + " keeps of each key", Wakes: true}
	if op.Time >= 0 {
		out.stateful.Bound += ", and rows after the watermark"
	}
	out.props.stateful = true
	return unordered(out), nil
}

// beside adds the broadcast side of a function, nil for none.
func (n *Node) beside(side *Node) {
	if side == nil {
		return
	}
	n.Kids = append(n.Kids, side)
	n.props.marks = append(append([]*Node{}, n.props.marks...), side.props.marks...)
}

func isTime(o *expr.SortOrder) bool {
	k := o.Child.DataType().Kind
	return !o.Desc && (k == column.Timestamp || k == column.TimestampNTZ)
}

// processOrder is the order of rows: by key, as asked for, then in the order of their log, and last of all columns.
func (p *planner) processOrder(l *logical.Process, n *Node, keys []int) ([]column.SortKey, error) {
	sort := ascending(keys)
	used := map[int]bool{}
	for _, o := range l.Order {
		c, err := placesOf(n, []expr.Expr{o.Child})
		if err != nil {
			return nil, err
		}
		sort = append(sort, column.SortKey{Col: c[0], Desc: o.Desc, NullsFirst: o.NullsFirst})
		used[c[0]] = true
	}
	if o := n.props.offset; o != nil {
		if c := indexOf(n.Output, o.ID); c >= 0 && !used[c] {
			sort = append(sort, column.SortKey{Col: c})
			used[c] = true
		}
	}
	for c, a := range n.Output {
		if !used[c] && position(keys, c) < 0 && !a.Typ.IsNested() {
			sort = append(sort, column.SortKey{Col: c})
		}
	}
	return sort, nil
}

// checkProcess refuses orders that a stream does not have.
func (p *planner) checkProcess(l *logical.Process, n *Node) error {
	if !n.props.stream {
		return nil
	}
	if p.opt.OutputMode == connector.Complete {
		return modeUnsupported(p.opt.OutputMode, "a function of a table", "Use output mode append.")
	}
	if len(l.Order) == 0 {
		return nil
	}
	event := n.props.event
	if n.props.mark == nil || event == nil || l.Order[0].Desc || !isAttr(l.Order[0].Child, event.ID) {
		return usererr.New("INVALID_PROCESS_FUNCTION", "42K0E", "The rows of a stream come in the order of event time or as they arrive.").At(l.Pos.Line, l.Pos.Col).
			WithFix("Let ORDER BY begin with a column that has a watermark, ascending, or leave it out.")
	}
	return nil
}
