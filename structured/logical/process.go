package logical

import (
	"github.com/streamflow/streamflow/expr"
)

// Process gives the child's rows to a registered function, key by key (package process).
//
// An analysed node has Args, the columns that the function reads, in its order, and Attrs, those that it puts out.
type Process struct {
	Name     string
	Keys     []expr.Expr
	Order    []*expr.SortOrder // event time first; none when rows come as they arrive
	Args     []expr.Expr
	Attrs    []*expr.Attr
	Analyzed bool
	Label    Label
	Child    Plan
	Pos      expr.Pos
}

func (p *Process) Children() []Plan { return []Plan{p.Child} }
func (p *Process) WithChildren(k []Plan) Plan {
	c := *p
	c.Child = k[0]
	return &c
}

// Exprs are keys, order and arguments.
func (p *Process) Exprs() []expr.Expr {
	return append(append(append([]expr.Expr{}, p.Keys...), exprsOf(p.Order)...), p.Args...)
}

func (p *Process) WithExprs(list []expr.Expr) Plan {
	c := *p
	n, o := len(p.Keys), len(p.Keys)+len(p.Order)
	c.Keys, c.Order, c.Args = list[:n:n], toExprs[*expr.SortOrder](list[n:o]), list[o:]
	return &c
}

func (p *Process) Resolved() bool       { return p.Analyzed && resolved(p.Exprs()...) }
func (p *Process) Output() []*expr.Attr { return p.Attrs }

func (p *Process) OperatorLabel() Label   { return p.Label }
func (p *Process) WithLabel(l Label) Plan { c := *p; c.Label = l; return &c }

func (p *Process) String() string {
	s := mark(p) + "Process " + p.Name + " by [" + list(p.Keys) + "]"
	if len(p.Order) > 0 {
		s += " order by [" + list(exprsOf(p.Order)) + "]"
	}
	return s + p.Label.String()
}
