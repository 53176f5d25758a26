package logical

import (
	"fmt"
	"strings"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
)

// Transpose swaps rows and columns: the values of Index become the names of columns, in their order, and the column key holds the
// names of the other columns, whose values must have a common type. A nil Index is the first column. It reads its child while it
// is resolved, since the rows decide on the columns.
type Transpose struct {
	Index expr.Expr
	Child Plan
}

func (p *Transpose) Children() []Plan           { return []Plan{p.Child} }
func (p *Transpose) WithChildren(k []Plan) Plan { return &Transpose{Index: p.Index, Child: k[0]} }
func (p *Transpose) Exprs() []expr.Expr         { return optional(p.Index) }
func (p *Transpose) WithExprs(e []expr.Expr) Plan {
	c := *p
	if p.Index != nil {
		c.Index = e[0]
	}
	return &c
}
func (p *Transpose) Output() []*expr.Attr { return nil }
func (p *Transpose) Resolved() bool       { return false }
func (p *Transpose) String() string {
	if p.Index == nil {
		return "'Transpose"
	}
	return "'Transpose by " + p.Index.String()
}

// Observe passes its child's rows. While a query runs over it, the aggregates Metrics of these rows are computed beside it, and
// given to the client under Name.
type Observe struct {
	Name    string
	Metrics []expr.Expr
	Child   Plan
}

func (p *Observe) Children() []Plan     { return []Plan{p.Child} }
func (p *Observe) Exprs() []expr.Expr   { return p.Metrics }
func (p *Observe) Output() []*expr.Attr { return p.Child.Output() }
func (p *Observe) Resolved() bool       { return false }
func (p *Observe) WithChildren(k []Plan) Plan {
	c := *p
	c.Child = k[0]
	return &c
}
func (p *Observe) WithExprs(e []expr.Expr) Plan {
	c := *p
	c.Metrics = e
	return &c
}
func (p *Observe) String() string { return "'Observe " + p.Name + " [" + joinAny(p.Metrics) + "]" }

// Parse reads each text of the child's only column as a line of CSV or JSON. A nil Schema is found in the texts, which are read
// while the plan is resolved.
type Parse struct {
	Format  string // csv or json
	Schema  *column.Schema
	Options map[string]string
	Child   Plan
}

func (p *Parse) Children() []Plan           { return []Plan{p.Child} }
func (p *Parse) WithChildren(k []Plan) Plan { c := *p; c.Child = k[0]; return &c }
func (p *Parse) Exprs() []expr.Expr         { return nil }
func (p *Parse) WithExprs([]expr.Expr) Plan { return p }
func (p *Parse) Output() []*expr.Attr       { return nil }
func (p *Parse) Resolved() bool             { return false }
func (p *Parse) String() string {
	s := "'Parse " + p.Format
	if p.Schema != nil {
		s += fmt.Sprintf(" %v", p.Schema)
	}
	if len(p.Options) > 0 {
		s += fmt.Sprintf(" %v", p.Options)
	}
	return strings.TrimSpace(s)
}

// UpdateField is a struct with the member Path replaced by Value, or added at its end; a nil Value leaves the member out. The
// path goes through members that are structs themselves.
type UpdateField struct {
	Child expr.Expr
	Path  []string
	Value expr.Expr
}

func (e *UpdateField) DataType() column.Type { return column.Type{} }
func (e *UpdateField) Nullable() bool        { return true }
func (e *UpdateField) Resolved() bool        { return false }
func (e *UpdateField) Children() []expr.Expr {
	return append([]expr.Expr{e.Child}, optional(e.Value)...)
}
func (e *UpdateField) WithChildren(k []expr.Expr) expr.Expr {
	c := *e
	c.Child = k[0]
	if e.Value != nil {
		c.Value = k[1]
	}
	return &c
}

// String is the name that Spark gives the expression.
func (e *UpdateField) String() string {
	if e.Value == nil {
		return "update_fields(" + e.Child.String() + ", dropfield(" + strings.Join(e.Path, ".") + "))"
	}
	return "update_fields(" + e.Child.String() + ", WithField(" + e.Value.String() + "))"
}
