package physical

import (
	"fmt"

	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/structured/connector"
	"github.com/streamflow/streamflow/structured/logical"
)

// dedup plans dropDuplicates.
func (p *planner) dedup(l *logical.Dedup) (*Node, error) {
	n, err := p.plan(l.Child)
	if err != nil {
		return nil, err
	}
	if err := p.appendOnly(n, "Deduplication"); err != nil {
		return nil, err
	}
	cols := l.Cols
	if len(cols) == 0 {
		for _, a := range logical.Visible(n.own()) {
			cols = append(cols, a)
		}
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
	case p.opt.OutputMode == connector.Complete:
		return nil, modeUnsupported(p.opt.OutputMode, "deduplication", "Use output mode append.")
	case n.props.stateful:
		return nil, unsupported("Deduplication above another stateful operator", "Deduplicate first, or write the first one's result to a topic.")
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
	if state.Unbounded && !p.unboundedAllowed() {
		return nil, unbounded("the keys of " + detail)
	}
	n = p.clustered(n, keys)
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
