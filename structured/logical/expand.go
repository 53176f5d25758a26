package logical

import (
	"fmt"
	"strings"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
)

// Expander is a node that is short for others once the columns below it are known, such as WithColumns. The analyser
// calls Expand when the children are resolved and puts the result, whose expressions may be unresolved, in its place.
type Expander interface {
	Plan
	Expand() (Plan, error)
}

// WithColumns passes the child's columns and adds Cols; a column of an existing name takes that column's place.
type WithColumns struct {
	Cols  []*expr.Alias
	Child Plan
}

// DropColumns passes all columns but Cols, which are names or, with a plan id, columns of a certain relation. A name
// that there is not is ignored.
type DropColumns struct {
	Cols  []*expr.UnresolvedAttr
	Child Plan
}

// RenameColumns renames the columns From[i] to To[i]. A name that there is not is ignored.
type RenameColumns struct {
	From, To []string
	Child    Plan
}

// ToSchema reorders columns by name and casts them to the schema; a missing nullable column becomes null.
type ToSchema struct {
	Schema *column.Schema
	Child  Plan
}

// Unpivot turns each row into one row for each of Values, with the value's name and the value; Ids are repeated. Nil
// Values are all columns but Ids.
type Unpivot struct {
	Ids, Values       []expr.Expr
	NameCol, ValueCol string
	ValuesGiven       bool
	Child             Plan
}

func (p *WithColumns) Exprs() []expr.Expr {
	list := make([]expr.Expr, len(p.Cols))
	for i, c := range p.Cols {
		list[i] = c.Child
	}
	return list
}

func (p *WithColumns) WithExprs(list []expr.Expr) Plan {
	c := &WithColumns{Child: p.Child}
	for i, a := range p.Cols {
		c.Cols = append(c.Cols, &expr.Alias{Child: list[i], Name: a.Name, ID: a.ID})
	}
	return c
}

func (p *WithColumns) String() string { return "'WithColumns [" + joinAny(p.Cols) + "]" }

// Expand is a projection of the visible columns with Cols in their places.
func (p *WithColumns) Expand() (Plan, error) {
	var list []expr.Expr
	used := make([]bool, len(p.Cols))
	for _, a := range visible(p.Child) {
		if i := p.find(a.Name); i >= 0 {
			used[i] = true
			list = append(list, withID(p.Cols[i]))
			continue
		}
		list = append(list, a)
	}
	for i, c := range p.Cols {
		if !used[i] {
			list = append(list, withID(c))
		}
	}
	return &Project{List: list, Child: p.Child}, nil
}

func (p *WithColumns) find(name string) int {
	for i, c := range p.Cols {
		if strings.EqualFold(c.Name, name) {
			return i
		}
	}
	return -1
}

func (p *DropColumns) Exprs() []expr.Expr         { return nil }
func (p *DropColumns) WithExprs([]expr.Expr) Plan { return p }
func (p *DropColumns) String() string             { return "'Drop [" + joinAny(p.Cols) + "]" }

// Expand is a projection of the columns that stay.
func (p *DropColumns) Expand() (Plan, error) {
	var list []expr.Expr
	for _, a := range visible(p.Child) {
		if !p.drops(a) {
			list = append(list, a)
		}
	}
	return &Project{List: list, Child: p.Child}, nil
}

func (p *DropColumns) drops(a *expr.Attr) bool {
	for _, c := range p.Cols {
		if strings.EqualFold(c.Parts[len(c.Parts)-1], a.Name) && qualifies(c, a) {
			return true
		}
	}
	return false
}

// qualifies reports whether what precedes the name in c is true of a.
func qualifies(c *expr.UnresolvedAttr, a *expr.Attr) bool {
	if c.PlanID != 0 {
		for _, id := range a.PlanIDs {
			if id == c.PlanID {
				return true
			}
		}
		return len(a.PlanIDs) == 0
	}
	q := c.Parts[:len(c.Parts)-1]
	if len(q) > len(a.Qualifier) {
		return false
	}
	tail := a.Qualifier[len(a.Qualifier)-len(q):]
	for i := range q {
		if !strings.EqualFold(q[i], tail[i]) {
			return false
		}
	}
	return true
}

func (p *RenameColumns) Exprs() []expr.Expr         { return nil }
func (p *RenameColumns) WithExprs([]expr.Expr) Plan { return p }

func (p *RenameColumns) String() string {
	parts := make([]string, len(p.From))
	for i := range p.From {
		parts[i] = p.From[i] + " AS " + p.To[i]
	}
	return "'WithColumnsRenamed [" + strings.Join(parts, ", ") + "]"
}

// Expand is a projection under the new names.
func (p *RenameColumns) Expand() (Plan, error) {
	var list []expr.Expr
	for _, a := range visible(p.Child) {
		var e expr.Expr = a
		for i, from := range p.From {
			if strings.EqualFold(from, a.Name) {
				e = &expr.Alias{Child: a, Name: p.To[i], ID: expr.NewID()}
			}
		}
		list = append(list, e)
	}
	return &Project{List: list, Child: p.Child}, nil
}

func (p *ToSchema) Exprs() []expr.Expr         { return nil }
func (p *ToSchema) WithExprs([]expr.Expr) Plan { return p }
func (p *ToSchema) String() string             { return "'ToSchema [" + p.Schema.String() + "]" }

// Expand is a projection with casts, in the schema's order.
func (p *ToSchema) Expand() (Plan, error) {
	list := make([]expr.Expr, p.Schema.Len())
	for i, f := range p.Schema.Fields {
		list[i] = p.column(f)
		if list[i] == nil {
			return nil, missingColumn(f.Name, visible(p.Child))
		}
	}
	return &Project{List: list, Child: p.Child}, nil
}

func (p *ToSchema) column(f column.Field) expr.Expr {
	for _, a := range visible(p.Child) {
		if !strings.EqualFold(a.Name, f.Name) {
			continue
		}
		if a.Typ.Equal(f.Type) && a.Name == f.Name {
			return a
		}
		return &expr.Alias{Child: castTo(a, f.Type), Name: f.Name, ID: expr.NewID()}
	}
	if !f.Nullable {
		return nil
	}
	return &expr.Alias{Child: &expr.Literal{Typ: f.Type}, Name: f.Name, ID: expr.NewID()}
}

func castTo(e expr.Expr, to column.Type) expr.Expr {
	if e.DataType().Equal(to) {
		return e
	}
	return &expr.Cast{Child: e, To: to}
}

func (p *Unpivot) Exprs() []expr.Expr { return append(append([]expr.Expr{}, p.Ids...), p.Values...) }
func (p *Unpivot) WithExprs(list []expr.Expr) Plan {
	c := *p
	c.Ids, c.Values = list[:len(p.Ids):len(p.Ids)], list[len(p.Ids):]
	return &c
}

func (p *Unpivot) String() string {
	return fmt.Sprintf("'Unpivot [%s], [%s], %s, %s", joinAny(p.Ids), joinAny(p.Values), p.NameCol, p.ValueCol)
}

// Expand is the exploded map from names to values; a map keeps the order in which it was written.
func (p *Unpivot) Expand() (Plan, error) {
	values := p.Values
	if !p.ValuesGiven {
		values = nil
		for _, a := range visible(p.Child) {
			if !p.isID(a.Name) {
				values = append(values, a)
			}
		}
	}
	var args []expr.Expr
	for _, v := range values {
		args = append(args, expr.Lit(lastName(v)), v)
	}
	gen := &expr.Alias{Child: &expr.UnresolvedCall{Name: "explode", Args: []expr.Expr{
		&expr.UnresolvedCall{Name: "map", Args: args}}}, Name: p.NameCol, Names: []string{p.NameCol, p.ValueCol}, ID: expr.NewID()}
	return &Project{List: append(append([]expr.Expr{}, p.Ids...), gen), Child: p.Child}, nil
}

func (p *Unpivot) isID(name string) bool {
	for _, e := range p.Ids {
		if strings.EqualFold(lastName(e), name) {
			return true
		}
	}
	return false
}

func lastName(e expr.Expr) string {
	switch e := e.(type) {
	case *expr.UnresolvedAttr:
		return e.Parts[len(e.Parts)-1]
	case *expr.Attr:
		return e.Name
	case *expr.Alias:
		return e.Name
	}
	return e.String()
}

func visible(p Plan) []*expr.Attr {
	var out []*expr.Attr
	for _, a := range p.Output() {
		if !a.Hidden {
			out = append(out, a)
		}
	}
	return out
}

func withID(a *expr.Alias) *expr.Alias {
	if a.ID != 0 {
		return a
	}
	return &expr.Alias{Child: a.Child, Name: a.Name, ID: expr.NewID()}
}

func joinAny[T fmt.Stringer](list []T) string {
	parts := make([]string, len(list))
	for i, e := range list {
		parts[i] = e.String()
	}
	return strings.Join(parts, ", ")
}

// The rest of Plan is alike for every node that is expanded: one child, nothing known of its own output.

func (p *WithColumns) Children() []Plan   { return []Plan{p.Child} }
func (p *DropColumns) Children() []Plan   { return []Plan{p.Child} }
func (p *RenameColumns) Children() []Plan { return []Plan{p.Child} }
func (p *ToSchema) Children() []Plan      { return []Plan{p.Child} }
func (p *Unpivot) Children() []Plan       { return []Plan{p.Child} }

func (p *WithColumns) WithChildren(k []Plan) Plan   { c := *p; c.Child = k[0]; return &c }
func (p *DropColumns) WithChildren(k []Plan) Plan   { c := *p; c.Child = k[0]; return &c }
func (p *RenameColumns) WithChildren(k []Plan) Plan { c := *p; c.Child = k[0]; return &c }
func (p *ToSchema) WithChildren(k []Plan) Plan      { c := *p; c.Child = k[0]; return &c }
func (p *Unpivot) WithChildren(k []Plan) Plan       { c := *p; c.Child = k[0]; return &c }

func (p *WithColumns) Output() []*expr.Attr   { return nil }
func (p *DropColumns) Output() []*expr.Attr   { return nil }
func (p *RenameColumns) Output() []*expr.Attr { return nil }
func (p *ToSchema) Output() []*expr.Attr      { return nil }
func (p *Unpivot) Output() []*expr.Attr       { return nil }

func (p *WithColumns) Resolved() bool   { return false }
func (p *DropColumns) Resolved() bool   { return false }
func (p *RenameColumns) Resolved() bool { return false }
func (p *ToSchema) Resolved() bool      { return false }
func (p *Unpivot) Resolved() bool       { return false }
