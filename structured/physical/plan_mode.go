package physical

import (
	"slices"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/structured/connector"
)

// policy makes of the result what its reader takes. Output modes are policies over changes, the operators below are the same:
//
//	append     rows are final; changes are refused
//	update     for each key that changed its row, or that it is gone
//	complete   all rows, with each batch
//	changelog  every change, with its kind in a column
//
// It returns how the sink takes the rows.
func (p *planner) policy(n *Node, attrs []*expr.Attr) (*Node, sinkPolicy, error) {
	pol := sinkPolicy{mode: p.opt.OutputMode}
	var err error
	switch {
	case p.opt.Changes:
		if n, err = p.weighed(n); err == nil {
			n, err = p.align(n, append(slices.Clone(attrs), n.props.changes))
		}
		return n, pol, err
	case !p.opt.Streaming:
		n, err = p.align(n, attrs)
		return n, pol, err
	case p.opt.Changelog:
		n, err = p.changelog(n, attrs)
		pol.mode = connector.Append
		return n, pol, err
	}
	switch p.opt.OutputMode {
	case connector.Append:
		if n.props.changes != nil {
			return nil, pol, modeUnsupported(connector.Append, "a result whose rows later change", "Use output mode update, or make rows final: group by a window of a column with a watermark.")
		}
	case connector.Complete:
		if n, err = p.complete(n); err != nil {
			return nil, pol, err
		}
	case connector.Update:
		if n.props.changes == nil {
			pol.mode = connector.Append // rows are new or final
			break
		}
		return p.upserts(n, attrs)
	}
	n, err = p.align(n, attrs)
	return n, pol, err
}

// sinkPolicy is how a sink takes rows.
type sinkPolicy struct {
	mode    connector.OutputMode
	deletes bool // the last column is a weight, see connector.WriteRequest.Deletes
}

// replacing is an operator that puts out changes and that can leave out the rows that new ones replace.
type replacing interface{ replaceOnly() }

func (s *StatefulAggregate) replaceOnly() { s.Upserts = true }

// upserts plans output mode update: one row for each key that changed. Where keys never go the weights are left out.
func (p *planner) upserts(n *Node, attrs []*expr.Attr) (*Node, sinkPolicy, error) {
	pol := sinkPolicy{mode: connector.Update}
	keyed := len(n.props.upsert) > 0
	single := keyed && n.replaceOnly()
	if single && contains(n.props.kept, n.props.upsert) {
		n, err := p.align(n, attrs)
		if err == nil {
			n.weighs = true // every row is a new one
		}
		return n, pol, err
	}
	pol.deletes = true
	n, err := p.align(n, append(slices.Clone(attrs), n.props.changes))
	if err != nil || single {
		return n, pol, err
	}
	keys := positions(n.Output, n.props.upsert)
	if !keyed {
		keys = leading(len(attrs))
	}
	return p.consolidated(n, keys, keyed, false), pol, nil
}

func contains(list, all []*expr.Attr) bool {
	for _, a := range all {
		if indexOf(list, a.ID) < 0 {
			return false
		}
	}
	return true
}

// replaceOnly makes the operator whose rows n has, unchanged in their key, put out just the new ones; false when there is no
// such operator.
func (n *Node) replaceOnly() bool {
	for n.Kind == "Project" || n.Kind == "WindowStruct" {
		n = n.Kids[0]
	}
	op, ok := n.Op.(replacing)
	if ok {
		op.replaceOnly()
	}
	return ok
}

// changelog plans a column with the kind of each change.
func (p *planner) changelog(n *Node, attrs []*expr.Attr) (*Node, error) {
	if p.opt.OutputMode == connector.Complete {
		return nil, modeUnsupported(connector.Complete, "a changelog", "Use output mode update.")
	}
	if p.opt.OutputMode == connector.Append && n.props.changes != nil {
		return nil, modeUnsupported(connector.Append, "a changelog of rows that change", "Use output mode update.")
	}
	n, err := p.weighed(n)
	if err != nil {
		return nil, err
	}
	upsert := n.props.upsert
	if n, err = p.align(n, append(slices.Clone(attrs), n.props.changes)); err != nil {
		return nil, err
	}
	keyed := len(upsert) > 0 && contains(attrs, upsert)
	keys := leading(len(attrs))
	if keyed {
		keys = positions(n.Output, upsert)
	}
	return p.consolidated(n, keys, keyed, true), nil
}

// consolidated adds up the changes of a batch.
func (p *planner) consolidated(n *Node, keys []int, keyed, kinds bool) *Node {
	attrs := slices.Clone(n.Output)
	detail := "changes of rows"
	if keyed {
		detail = "by " + attrList(attrsAt(n.Output, keys))
	}
	if kinds {
		attrs[len(attrs)-1] = &expr.Attr{ID: expr.NewID(), Name: connector.OpColumn, Typ: column.Of(column.String)}
	}
	out := p.node("Consolidate", detail, attrs, n)
	out.Op = &Consolidate{Keys: keys, Keyed: keyed, Kinds: kinds, Out: schemaOf(attrs)}
	out.weighs = true
	return out
}

// complete makes all rows of the result come with each batch.
func (p *planner) complete(n *Node) (*Node, error) {
	if n.props.single {
		return n, nil
	}
	if n.props.changes == nil {
		return nil, modeNeedsAggregation(connector.Complete)
	}
	return p.snapshot(n), nil
}

// whole is n with all rows of its result in each batch, where output mode complete asks for that and it is not so yet.
func (p *planner) whole(n *Node) *Node {
	if p.opt.Streaming && p.opt.OutputMode == connector.Complete && n.props.changes != nil && !n.props.single {
		return p.snapshot(n)
	}
	return n
}

// snapshot keeps the table that changes add up to and puts all of it out with each batch.
func (p *planner) snapshot(n *Node) *Node {
	change := n.props.changes
	var attrs []*expr.Attr
	for _, a := range n.Output {
		if a.ID != change.ID {
			attrs = append(attrs, a)
		}
	}
	n = p.keyed(n, positions(n.Output, attrs))
	out := p.node("Snapshot", "", attrs, n)
	out.Op = &Snapshot{Rows: positions(n.Output, attrs), Weight: indexOf(n.Output, change.ID), Out: schemaOf(attrs)}
	out.stateful = &StatefulOp{Bound: "the rows of the result", Unbounded: false}
	out.props.single, out.props.stateful, out.props.changes, out.weighs = true, true, nil, true
	return out
}
