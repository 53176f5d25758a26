package logical

import (
	"strings"

	"github.com/streamflow/streamflow/expr"
)

// Pivot turns rows into columns: one group for each combination of Keys, and in it a column for each of Values and each of
// Aggs, computed from the rows whose Cols equal the value. A value is a constant, or a struct of constants when there are
// several Cols; it may have an alias. Nil Keys are the columns that neither Cols nor Aggs read; nil Values, those that are
// there, which only a session can find out.
type Pivot struct {
	Keys   []expr.Expr
	ByKeys bool // Keys are given, if only as none
	Aggs   []expr.Expr
	Cols   []expr.Expr
	Values []expr.Expr
	Child  Plan
	Pos    expr.Pos
}

func (p *Pivot) Children() []Plan           { return []Plan{p.Child} }
func (p *Pivot) WithChildren(k []Plan) Plan { c := *p; c.Child = k[0]; return &c }

// Exprs are keys, aggregates, columns and values, in that order.
func (p *Pivot) Exprs() []expr.Expr {
	all := append(append([]expr.Expr{}, p.Keys...), p.Aggs...)
	return append(append(all, p.Cols...), p.Values...)
}

func (p *Pivot) WithExprs(list []expr.Expr) Plan {
	c := *p
	for _, part := range []*[]expr.Expr{&c.Keys, &c.Aggs, &c.Cols, &c.Values} {
		n := len(*part)
		*part, list = list[:n:n], list[n:]
	}
	return &c
}
func (p *Pivot) Output() []*expr.Attr { return nil }
func (p *Pivot) Resolved() bool       { return false }
func (p *Pivot) String() string {
	s := "'Pivot [" + joinAny(p.Aggs) + "] for [" + joinAny(p.Cols) + "] in [" + joinAny(p.Values) + "]"
	if p.ByKeys {
		s += " by [" + joinAny(p.Keys) + "]"
	}
	return s
}

// UnpivotColumns is UNPIVOT as SQL writes it: each row becomes one row for each of Groups, with the group's label in NameCol and
// its values, one for each of ValueCols. The other columns are repeated. Rows whose values are all null are left out unless
// IncludeNulls.
type UnpivotColumns struct {
	Groups       []UnpivotGroup
	NameCol      string
	ValueCols    []string
	IncludeNulls bool
	Child        Plan
}

// UnpivotGroup is the columns that become the values of one row. An empty Label is the columns' names.
type UnpivotGroup struct {
	Cols  []expr.Expr
	Label string
}

func (p *UnpivotColumns) Children() []Plan           { return []Plan{p.Child} }
func (p *UnpivotColumns) WithChildren(k []Plan) Plan { c := *p; c.Child = k[0]; return &c }
func (p *UnpivotColumns) Exprs() []expr.Expr {
	var all []expr.Expr
	for _, g := range p.Groups {
		all = append(all, g.Cols...)
	}
	return all
}

func (p *UnpivotColumns) WithExprs(list []expr.Expr) Plan {
	c := *p
	c.Groups = make([]UnpivotGroup, len(p.Groups))
	for i, g := range p.Groups {
		n := len(g.Cols)
		c.Groups[i], list = UnpivotGroup{Cols: list[:n:n], Label: g.Label}, list[n:]
	}
	return &c
}
func (p *UnpivotColumns) Output() []*expr.Attr { return nil }
func (p *UnpivotColumns) Resolved() bool       { return false }
func (p *UnpivotColumns) String() string {
	groups := make([]string, len(p.Groups))
	for i, g := range p.Groups {
		groups[i] = joinAny(g.Cols)
		if g.Label != "" {
			groups[i] += " AS " + g.Label
		}
	}
	return "'Unpivot " + strings.Join(p.ValueCols, ", ") + " for " + p.NameCol + " in [" + strings.Join(groups, "; ") + "]"
}

// Expand is a projection of what no group reads, and the values dealt out to rows.
func (p *UnpivotColumns) Expand() (Plan, error) {
	var list []expr.Expr
	for _, a := range visible(p.Child) {
		if !p.reads(a.Name) {
			list = append(list, a)
		}
	}
	args := []expr.Expr{expr.Lit(len(p.Groups))}
	for _, g := range p.Groups {
		args = append(append(args, expr.Lit(g.label())), g.Cols...)
	}
	names := append([]string{p.NameCol}, p.ValueCols...)
	list = append(list, &expr.Alias{Child: &expr.UnresolvedCall{Name: "stack", Args: args}, Name: p.NameCol, Names: names, ID: expr.NewID()})
	out := &Project{List: list, Child: p.Child}
	if p.IncludeNulls {
		return out, nil
	}
	present := make([]expr.Expr, len(p.ValueCols))
	for i, v := range p.ValueCols {
		present[i] = &expr.UnresolvedCall{Name: "isnotnull", Args: []expr.Expr{&expr.UnresolvedAttr{Parts: []string{v}}}}
	}
	return &Filter{Cond: reduce("or", present), Child: out}, nil
}

func (p *UnpivotColumns) reads(name string) bool {
	for _, e := range p.Exprs() {
		if strings.EqualFold(lastName(e), name) {
			return true
		}
	}
	return false
}

func (g UnpivotGroup) label() string {
	if g.Label != "" {
		return g.Label
	}
	names := make([]string, len(g.Cols))
	for i, c := range g.Cols {
		names[i] = lastName(c)
	}
	return strings.Join(names, "_")
}
