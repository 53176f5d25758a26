package physical

import (
	"slices"

	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/structured/connector"
	"github.com/streamflow/streamflow/structured/logical"
)

// sessionOf is the window function that gives each row, a span of time, the session that it belongs to among the spans of its
// partition.
const sessionOf = "session_of"

// changingSessions gives rows that change the session that they are in now. A change may join sessions or part them, and so
// moves rows from session to session: these are changes, too, which the grouping above takes as any.
//
//	rows with spans ─▶ ChangeOver: session_of(start, end) by key ─▶ grouping by key and session
func (p *planner) changingSessions(a *aggregation) (*Node, error) {
	if p.opt.OutputMode == connector.Append {
		return nil, modeUnsupported(connector.Append, "session windows of rows that later change", "Use output mode update.")
	}
	if !p.unboundedAllowed() {
		return nil, unbounded("all rows, to tell their sessions")
	}
	w := a.window
	spec := &expr.Over{Order: []*expr.SortOrder{{Child: w.start, NullsFirst: true}}}
	spec.Fn = &expr.Call{Fn: sessionOf, Args: []expr.Expr{w.start, w.end}, Typ: w.attr.Typ}
	for i, k := range a.keys {
		if i != a.at {
			spec.Partition = append(spec.Partition, k)
		}
	}
	n := *a.n
	n.props.window = nil
	over := &logical.Over{List: []expr.Expr{&expr.Alias{Child: spec, Name: w.attr.Name, ID: w.attr.ID}}}
	in, keys, _, err := p.overInput(&n, spec, false)
	if err != nil {
		return nil, err
	}
	out, err := p.changeOver(in, over, keys, nil)
	if err != nil {
		return nil, err
	}
	// The row's own span is not asked for above.
	attrs := slices.DeleteFunc(slices.Clone(out.Output), func(x *expr.Attr) bool { return x.ID == w.start.ID || x.ID == w.end.ID })
	return p.align(out, attrs)
}
