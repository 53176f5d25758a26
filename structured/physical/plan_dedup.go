package physical

import (
	"fmt"

	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/structured/logical"
)

// dedup plans dropDuplicates.
func (p *planner) dedup(l *logical.Dedup) (*Node, error) {
	n, err := p.plan(l.Child)
	if err != nil {
		return nil, err
	}
	cols := l.Cols
	if len(cols) == 0 {
		for _, a := range logical.Visible(n.own()) {
			cols = append(cols, a)
		}
	}
	if n.props.changes != nil && !l.WithinWatermark {
		return p.oneOf(n, l, cols)
	}
	if err := p.appendOnly(n, "Deduplication within the watermark"); err != nil {
		return nil, err
	}
	n, keys, err := p.columns(n, cols)
	if err != nil {
		return nil, err
	}
	detail := "by " + listOf(cols)
	if n.props.stream || l.WithinWatermark && n.props.mark != nil {
		return p.statefulDedup(l, n, keys, detail)
	}
	if e := n.props.event; n.props.mark != nil && e != nil && position(keys, indexOf(n.Output, e.ID)) >= 0 {
		late := p.dropLate(n, e, 0)
		n, keys = late, positions(late.Output, attrsAt(n.Output, keys))
	}
	if n.Parts > 1 && !n.clusteredBy(keys) {
		part := p.node("PartialDedup", detail, n.Output, n)
		part.Op = &Dedup{Keys: keys, Partial: true, Out: schemaOf(n.Output)}
		n = p.clustered(part, keys)
	}
	out := p.node("Dedup", detail, n.Output, n)
	out.Op = &Dedup{Keys: keys, Out: schemaOf(n.Output)}
	return out, nil
}

// statefulDedup plans deduplication over the life of a stream, and, where the watermark says how long a key is
// remembered, over its history.
func (p *planner) statefulDedup(l *logical.Dedup, n *Node, keys []int, detail string) (*Node, error) {
	op := &StatefulDedup{Keys: keys, Time: -1, Mark: -1}
	state := &StatefulOp{Bound: "none: all keys are kept", Unbounded: true}
	switch {
	case l.WithinWatermark && (n.props.mark == nil || n.props.event == nil):
		return nil, withinNeedsWatermark()
	case n.props.mark != nil && n.props.event != nil:
		event := n.props.event
		if l.WithinWatermark {
			op.Within = max(n.props.delay, 1)
			state = &StatefulOp{Bound: fmt.Sprintf("keys first seen less than %s before the watermark", micros(n.props.delay))}
		} else if position(keys, indexOf(n.Output, event.ID)) >= 0 {
			state = &StatefulOp{Bound: fmt.Sprintf("keys whose %s is after the watermark (delay %s)", event.Name, micros(n.props.delay))}
		} else {
			break
		}
		// Rows are late by their event time; the watermark travels on for Within.
		mark := n.props.mark
		late := p.dropLate(n, event, 0)
		if op.Within > 0 {
			late = p.keepMark(n, late, mark)
		}
		keys = positions(late.Output, attrsAt(n.Output, keys))
		op.Keys, op.Time = keys, indexOf(late.Output, event.ID)
		op.Mark = indexOf(late.Output, mark.ID)
		n = late
	}
	if op.Time < 0 {
		p.boundKeys(op, state, n, keys)
	}
	if state.Unbounded && !p.unboundedAllowed() {
		return nil, unbounded("the keys of " + detail)
	}
	n = p.keyed(n, keys)
	var attrs []*expr.Attr
	for i, a := range n.Output {
		if i != op.Mark {
			attrs = append(attrs, a)
		}
	}
	out := p.node("StatefulDedup", detail, attrs, n)
	op.Keep, op.Out = positions(n.Output, attrs), schemaOf(attrs)
	out.Op, out.stateful = op, state
	out.props.stateful = true
	return out, nil
}

// boundKeys bounds the keys of rows from other operators by an event time among them.
func (p *planner) boundKeys(op *StatefulDedup, state *StatefulOp, n *Node, keys []int) {
	for _, k := range keys {
		t, ok := plainTime(n.Output[k], n.props.times)
		if ok && t.size == 0 && n.props.mark == nil {
			op.Time = k
			*state = StatefulOp{Lag: t.lag, Bound: fmt.Sprintf("keys whose %s is after the watermark", n.Output[k].Name)}
			return
		}
	}
}

// oneOf plans deduplication of rows that change: of those with equal keys one stands for all, the least by its encoding.
func (p *planner) oneOf(n *Node, l *logical.Dedup, cols []expr.Expr) (*Node, error) {
	spec := &expr.Over{Fn: &expr.Call{Fn: "row_number", Typ: integer}, Partition: cols}
	number := &expr.Alias{Child: spec, Name: "_number", ID: expr.NewID()}
	over := &logical.Over{List: []expr.Expr{number}, Child: l.Child}
	return p.rankOf(n, topN{over: over, fn: "row_number", spec: spec, attr: logical.AttrOf(number), n: 1}, true)
}

func attrsAt(attrs []*expr.Attr, at []int) []*expr.Attr {
	out := make([]*expr.Attr, len(at))
	for i, c := range at {
		out[i] = attrs[c]
	}
	return out
}

// keepMark makes a DropLate pass the watermark column on.
func (p *planner) keepMark(n, late *Node, mark *expr.Attr) *Node {
	op := *late.Op.(*DropLate)
	late.Output = append(append([]*expr.Attr{}, late.Output...), mark)
	op.Keep = positions(n.Output, late.Output)
	late.Op = &op
	late.props.mark = mark
	return late
}
