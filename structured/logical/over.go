package logical

import (
	"github.com/streamflow/streamflow/expr"
)

// Over appends to each row what window functions make of the rows around it. The analyser makes it: List are aliases of
// *expr.Over, all of one PARTITION BY and ORDER BY.
type Over struct {
	List  []expr.Expr
	Child Plan
	// Final puts a row out once in every output mode, when no row before it can come any more: when event time, by which they are
	// ordered, has passed it, or at once when they are in the order of the log.
	Final bool
}

// Qualify keeps the rows of a SELECT for which Cond is true, where Cond may hold window functions and the aliases of the list.
// Child is the Project or Aggregate that the condition belongs to.
type Qualify struct {
	Cond  expr.Expr
	Child Plan
}

func (p *Over) Children() []Plan           { return []Plan{p.Child} }
func (p *Over) WithChildren(k []Plan) Plan { return &Over{List: p.List, Child: k[0], Final: p.Final} }
func (p *Over) Exprs() []expr.Expr         { return p.List }
func (p *Over) WithExprs(list []expr.Expr) Plan {
	return &Over{List: list, Child: p.Child, Final: p.Final}
}
func (p *Over) Resolved() bool { return resolved(p.List...) }
func (p *Over) Output() []*expr.Attr {
	out := p.Child.Output()
	return append(out[:len(out):len(out)], attrsOf(p.List)...)
}

// Spec is the window that all functions of the list share.
func (p *Over) Spec() *expr.Over { return p.List[0].(*expr.Alias).Child.(*expr.Over) }

func (p *Qualify) Children() []Plan                { return []Plan{p.Child} }
func (p *Qualify) WithChildren(k []Plan) Plan      { return &Qualify{Cond: p.Cond, Child: k[0]} }
func (p *Qualify) Exprs() []expr.Expr              { return []expr.Expr{p.Cond} }
func (p *Qualify) WithExprs(list []expr.Expr) Plan { return &Qualify{Cond: list[0], Child: p.Child} }
func (p *Qualify) Resolved() bool                  { return false }
func (p *Qualify) Output() []*expr.Attr            { return nil }

func (p *Over) String() string    { return mark(p) + "Over [" + list(p.List) + "]" }
func (p *Qualify) String() string { return mark(p) + "Qualify " + p.Cond.String() }
