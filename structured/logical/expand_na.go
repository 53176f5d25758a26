package logical

import (
	"strings"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/internal/usererr"
)

// FillNA replaces nulls (and NaN) of the columns Cols, or of every column of a fitting type when Cols is empty. Values
// has one literal for all columns or one for each of Cols.
type FillNA struct {
	Cols   []string
	Values []*expr.Literal
	Child  Plan
}

// DropNA keeps rows with at least MinNonNull values among Cols (all columns when empty) that are neither null nor NaN; a
// MinNonNull of 0 means all of them.
type DropNA struct {
	Cols       []string
	MinNonNull int
	Child      Plan
}

// ReplaceNA replaces values Old[i] by New[i] in Cols, or in every column of a fitting type when Cols is empty.
type ReplaceNA struct {
	Cols     []string
	Old, New []*expr.Literal
	Child    Plan
}

// Expand is a projection with coalesce around the columns that may be filled.
func (p *FillNA) Expand() (Plan, error) {
	cols := visible(p.Child)
	if err := checkColumns(p.Cols, cols); err != nil {
		return nil, err
	}
	list := make([]expr.Expr, len(cols))
	for i, a := range cols {
		list[i] = p.filled(a)
	}
	return &Project{List: list, Child: p.Child}, nil
}

func (p *FillNA) filled(a *expr.Attr) expr.Expr {
	v := p.value(a)
	if v == nil || !fitting(v.Typ, a.Typ) {
		return a
	}
	var from expr.Expr = a
	if a.Typ.IsFloat() {
		from = &expr.UnresolvedCall{Name: "nanvl", Args: []expr.Expr{a, &expr.Literal{Typ: a.Typ}}}
	}
	filled := &expr.UnresolvedCall{Name: "coalesce", Args: []expr.Expr{from, castTo(v, a.Typ)}}
	return &expr.Alias{Child: filled, Name: a.Name, ID: expr.NewID()}
}

func (p *FillNA) value(a *expr.Attr) *expr.Literal {
	if len(p.Cols) == 0 && len(p.Values) > 0 {
		return p.Values[0]
	}
	for i, c := range p.Cols {
		if strings.EqualFold(c, a.Name) {
			return p.Values[min(i, len(p.Values)-1)]
		}
	}
	return nil
}

// Expand is a filter that counts the values present.
func (p *DropNA) Expand() (Plan, error) {
	cols := visible(p.Child)
	if err := checkColumns(p.Cols, cols); err != nil {
		return nil, err
	}
	var present []expr.Expr
	for _, a := range cols {
		if len(p.Cols) == 0 || named(p.Cols, a.Name) {
			present = append(present, isPresent(a))
		}
	}
	least := p.MinNonNull
	if least == 0 {
		least = len(present)
	}
	if len(present) == 0 || least <= 0 {
		return p.Child, nil
	}
	return &Filter{Cond: atLeast(present, least), Child: p.Child}, nil
}

// atLeast is true when n of the conditions are.
func atLeast(conds []expr.Expr, n int) expr.Expr {
	if n == len(conds) {
		return reduce("and", conds)
	}
	ones := make([]expr.Expr, len(conds))
	for i, c := range conds {
		ones[i] = &expr.Case{Whens: []expr.Expr{c}, Thens: []expr.Expr{expr.Lit(1)}, Else: expr.Lit(0)}
	}
	return &expr.UnresolvedCall{Name: ">=", Args: []expr.Expr{reduce("+", ones), expr.Lit(n)}}
}

func reduce(op string, list []expr.Expr) expr.Expr {
	e := list[0]
	for _, next := range list[1:] {
		e = &expr.UnresolvedCall{Name: op, Args: []expr.Expr{e, next}}
	}
	return e
}

func isPresent(a *expr.Attr) expr.Expr {
	var e expr.Expr = &expr.UnresolvedCall{Name: "isnotnull", Args: []expr.Expr{a}}
	if a.Typ.IsFloat() {
		nan := &expr.UnresolvedCall{Name: "isnan", Args: []expr.Expr{a}}
		e = reduce("and", []expr.Expr{e, &expr.UnresolvedCall{Name: "not", Args: []expr.Expr{nan}}})
	}
	return e
}

// Expand is a projection with a CASE for each column that may hold an old value.
func (p *ReplaceNA) Expand() (Plan, error) {
	cols := visible(p.Child)
	if err := checkColumns(p.Cols, cols); err != nil {
		return nil, err
	}
	list := make([]expr.Expr, len(cols))
	for i, a := range cols {
		list[i] = a
		if len(p.Cols) == 0 || named(p.Cols, a.Name) {
			list[i] = p.replaced(a)
		}
	}
	return &Project{List: list, Child: p.Child}, nil
}

func (p *ReplaceNA) replaced(a *expr.Attr) expr.Expr {
	c := &expr.Case{Else: a}
	for i, old := range p.Old {
		if old.Value == nil || !fitting(old.Typ, a.Typ) {
			continue
		}
		c.Whens = append(c.Whens, &expr.UnresolvedCall{Name: "=", Args: []expr.Expr{a, castTo(old, a.Typ)}})
		c.Thens = append(c.Thens, castTo(p.New[i], a.Typ))
	}
	if len(c.Whens) == 0 {
		return a
	}
	return &expr.Alias{Child: c, Name: a.Name, ID: expr.NewID()}
}

// fitting reports whether a replacement of type v applies to a column of type t: numbers to numbers, else the same kind.
func fitting(v, t column.Type) bool {
	return v.IsNumeric() && t.IsNumeric() || v.Kind == t.Kind
}

func named(names []string, name string) bool {
	for _, n := range names {
		if strings.EqualFold(n, name) {
			return true
		}
	}
	return false
}

func checkColumns(names []string, cols []*expr.Attr) error {
	for _, n := range names {
		found := false
		for _, a := range cols {
			found = found || strings.EqualFold(a.Name, n)
		}
		if !found {
			return missingColumn(n, cols)
		}
	}
	return nil
}

func missingColumn(name string, cols []*expr.Attr) error {
	have := make([]string, len(cols))
	for i, a := range cols {
		have[i] = "`" + a.Name + "`"
	}
	all := strings.Join(have, ", ")
	return usererr.New("UNRESOLVED_COLUMN.WITH_SUGGESTION", "42703", "A column, variable, or function parameter with name `%s` cannot be resolved.", name).
		WithFix("Did you mean one of the following? [%s].", all).With("objectName", "`"+name+"`").With("proposal", all)
}

func (p *FillNA) Children() []Plan              { return []Plan{p.Child} }
func (p *FillNA) WithChildren(k []Plan) Plan    { c := *p; c.Child = k[0]; return &c }
func (p *FillNA) Exprs() []expr.Expr            { return nil }
func (p *FillNA) WithExprs([]expr.Expr) Plan    { return p }
func (p *FillNA) Output() []*expr.Attr          { return nil }
func (p *FillNA) Resolved() bool                { return false }
func (p *FillNA) String() string                { return "'FillNA [" + joinAny(p.Values) + "]" }
func (p *DropNA) Children() []Plan              { return []Plan{p.Child} }
func (p *DropNA) WithChildren(k []Plan) Plan    { c := *p; c.Child = k[0]; return &c }
func (p *DropNA) Exprs() []expr.Expr            { return nil }
func (p *DropNA) WithExprs([]expr.Expr) Plan    { return p }
func (p *DropNA) Output() []*expr.Attr          { return nil }
func (p *DropNA) Resolved() bool                { return false }
func (p *DropNA) String() string                { return "'DropNA [" + strings.Join(p.Cols, ", ") + "]" }
func (p *ReplaceNA) Children() []Plan           { return []Plan{p.Child} }
func (p *ReplaceNA) WithChildren(k []Plan) Plan { c := *p; c.Child = k[0]; return &c }
func (p *ReplaceNA) Exprs() []expr.Expr         { return nil }
func (p *ReplaceNA) WithExprs([]expr.Expr) Plan { return p }
func (p *ReplaceNA) Output() []*expr.Attr       { return nil }
func (p *ReplaceNA) Resolved() bool             { return false }
func (p *ReplaceNA) String() string {
	return "'Replace [" + joinAny(p.Old) + "], [" + joinAny(p.New) + "]"
}
