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
	// Initial are rows from which state is filled before the first row of a key; Broadcast are rows that are there for all keys.
	Initial, Broadcast *ProcessInput
}

// ProcessInput is another input of a Process. Initial rows have keys, broadcast rows may have an order by event time.
type ProcessInput struct {
	Keys  []expr.Expr
	Order []*expr.SortOrder
	Args  []expr.Expr
	Child Plan
}

// inputs are the inputs that are there besides the first.
func (p *Process) inputs() (list []**ProcessInput) {
	for _, in := range []**ProcessInput{&p.Initial, &p.Broadcast} {
		if *in != nil {
			list = append(list, in)
		}
	}
	return list
}

func (p *Process) Children() []Plan {
	out := []Plan{p.Child}
	for _, in := range p.inputs() {
		out = append(out, (*in).Child)
	}
	return out
}

func (p *Process) WithChildren(k []Plan) Plan {
	c := *p
	c.Child = k[0]
	for i, in := range c.inputs() {
		own := **in
		own.Child = k[i+1]
		*in = &own
	}
	return &c
}

// Exprs are keys, order and arguments, and those of the other inputs.
func (p *Process) Exprs() []expr.Expr {
	out := append(append(append([]expr.Expr{}, p.Keys...), exprsOf(p.Order)...), p.Args...)
	for _, in := range p.inputs() {
		out = append(append(append(out, (*in).Keys...), exprsOf((*in).Order)...), (*in).Args...)
	}
	return out
}

func (p *Process) WithExprs(list []expr.Expr) Plan {
	c := *p
	take := func(n int) []expr.Expr {
		head := list[:n:n]
		list = list[n:]
		return head
	}
	c.Keys, c.Order = take(len(p.Keys)), toExprs[*expr.SortOrder](take(len(p.Order)))
	c.Args = take(len(p.Args))
	for _, in := range c.inputs() {
		own := **in
		own.Keys, own.Order = take(len(own.Keys)), toExprs[*expr.SortOrder](take(len(own.Order)))
		own.Args = take(len(own.Args))
		*in = &own
	}
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
	if p.Initial != nil {
		s += " initially by [" + list(p.Initial.Keys) + "]"
	}
	if p.Broadcast != nil {
		s += " with broadcast rows"
	}
	return s + p.Label.String()
}
