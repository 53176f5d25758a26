package physical

import (
	"strings"

	"github.com/streamflow/streamflow/structured/logical"
)

// expand plans the repetition of rows for grouping sets.
func (p *planner) expand(l *logical.Expand) (*Node, error) {
	n, err := p.plan(l.Child)
	if err != nil {
		return nil, err
	}
	if n, err = p.align(n, l.Child.Output()); err != nil {
		return nil, err
	}
	varying := positions(n.Output, l.Varying)
	op := &Expand{Varying: varying}
	for _, s := range l.Sets {
		keep := make([]int, len(s))
		for i, k := range s {
			keep[i] = varying[k]
		}
		op.Sets = append(op.Sets, keep)
	}
	out := p.node("Expand", strings.TrimPrefix(l.String(), "Expand "), l.Output(), n)
	op.Out = schemaOf(out.Output)
	out.Op = op
	out.props.hash = nil
	if n.Rows >= 0 {
		out.Rows = n.Rows * int64(len(l.Sets))
	}
	return out, nil
}
