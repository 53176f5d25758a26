package physical

import (
	"slices"

	"github.com/streamflow/streamflow/expr"
)

// Rows of a streaming plan are append-only, or they are changes: each has a weight in a hidden column, by which it counts in
// the table that the changes add up to. 1 inserts a row, -1 takes one away, and other numbers are multiplicities. An
// operator that works row by row passes the weight on; one that keeps state must know weights, or it is refused.
//
//	append-only      a 1 · b 2                        table  a 1 · b 2
//	changes          a 1 (+1) · a 1 (-1) · a 3 (+1)   table  a 3

// ChangeColumn names the hidden column with a row's weight. Its place is found by props.changes.
const ChangeColumn = "_change"

func changeAttr() *expr.Attr { return engineAttr(ChangeColumn) }

// carriers are the operators that work row by row: what they make of a row they make of its retraction, too.
var carriers = map[string]bool{"Project": true, "Filter": true, "Exchange": true, "Union": true, "Expand": true, "Generate": true,
	"WindowTime": true, "SessionTime": true, "WindowStruct": true, "Pass": true}

// appendOnly refuses an operator whose input are changes, which it would take for rows.
func (p *planner) appendOnly(n *Node, what string) error {
	if n.props.changes == nil {
		return nil
	}
	return unsupported(what+" of rows that later change",
		"Let the rows below become final first: group by a window of a column with a watermark. Or write the changes to a topic (output mode update) and read that.")
}

// checkChanges makes sure that no operator takes changes for rows.
func (p *planner) checkChanges(root *Node) error {
	var err error
	root.Walk(func(n *Node) {
		for _, k := range n.Kids {
			if err == nil && k.props.changes != nil && !n.weighs && !(carriers[n.Kind] && n.props.changes != nil) {
				err = p.appendOnly(k, "The operator "+n.Kind)
			}
		}
	})
	return err
}

// stable refuses expressions over changes that would give a retraction another value than the row had.
func (p *planner) stable(n *Node, list ...expr.Expr) error {
	if n.props.changes == nil {
		return nil
	}
	for _, e := range list {
		if !expr.Deterministic(e) || expr.ReadsClock(e) {
			return unsupported("The expression "+plain(e)+" over rows that later change",
				"Compute it below the aggregation, or where the result is read: the same row would have another value when it is taken back.")
		}
	}
	return nil
}

// weighed returns n with a weight: 1 for each row when it is append-only.
func (p *planner) weighed(n *Node) (*Node, error) {
	if n.props.changes != nil {
		return n, nil
	}
	change := changeAttr()
	list, attrs := exprsOf(n.Output), slices.Clone(n.Output)
	out, err := p.compute(n, append(list, &expr.Literal{Value: int64(1), Typ: bigint}), append(attrs, change))
	if err != nil {
		return nil, err
	}
	out.props.changes = change
	return out, nil
}

func exprsOf(attrs []*expr.Attr) []expr.Expr {
	out := make([]expr.Expr, len(attrs))
	for i, a := range attrs {
		out[i] = a
	}
	return out
}

// renamedKept are the columns by which no row is lost as they are known above a projection.
func renamedKept(kept []*expr.Attr, list []expr.Expr) []*expr.Attr {
	var out []*expr.Attr
	for _, k := range kept {
		if a := renamedAttr(k, list); a != nil {
			out = append(out, a)
		}
	}
	return out
}

// keptUnder is kept for the rows that pass a condition: all of it when the condition reads nothing else, for then rows of equal
// values pass together.
func keptUnder(kept []*expr.Attr, cond expr.Expr) []*expr.Attr {
	only := expr.Deterministic(cond)
	expr.Walk(cond, func(x expr.Expr) bool {
		if a, ok := x.(*expr.Attr); ok && indexOf(kept, a.ID) < 0 {
			only = false
		}
		return only
	})
	if only {
		return kept
	}
	return nil
}

// renamedKey is a key as it is known above a projection, nil unless all of it is there. Start or end of a window stand for
// the window.
func renamedKey(key []*expr.Attr, list []expr.Expr) []*expr.Attr {
	out := make([]*expr.Attr, 0, len(key))
	for _, k := range key {
		a := renamedAttr(k, list)
		if a == nil {
			return nil
		}
		out = append(out, a)
	}
	return out
}
