package optimize

import (
	"slices"

	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/structured/logical"
)

// throughWindowTable groups the rows of a window table function, FROM TUMBLE(TABLE t, …), as those of its table: in the
// aggregation window_start stands for window(…).start, and so on. What is grouped by is then the window itself, which ends,
// and which a session can be. Conditions on the window stay where they are.
func throughWindowTable(p *logical.Aggregate, order *logical.Sort) (*logical.Aggregate, *logical.Sort) {
	child, members := unwrapWindowTable(p.Child)
	if members == nil || p.Sets != nil {
		return p, order
	}
	out := *p
	out.Child, out.Keys, out.List = child, slices.Clone(p.Keys), slices.Clone(p.List)
	for i, k := range out.Keys {
		out.Keys[i] = members.put(k)
	}
	for i, e := range out.List {
		if _, star := e.(*expr.Star); star {
			return p, order
		}
		name := columnName(e)
		if out.List[i] = members.put(e); out.List[i] != e {
			if _, named := e.(*expr.Alias); !named {
				out.List[i] = &expr.Alias{Child: out.List[i], Name: name}
			}
		}
	}
	if p.Having != nil {
		out.Having = members.put(p.Having)
	}
	return &out, order
}

// windowMembers are the columns that a window table function adds, under the alias of its relation.
type windowMembers struct {
	alias string
	of    map[string]expr.Expr
}

// put replaces the columns in e.
func (m *windowMembers) put(e expr.Expr) expr.Expr {
	return expr.Transform(e, func(x expr.Expr) expr.Expr {
		u, ok := x.(*expr.UnresolvedAttr)
		if !ok || len(u.Parts) > 2 || len(u.Parts) == 2 && !equalFold(u.Parts[0], m.alias) {
			return x
		}
		for name, member := range m.of {
			if equalFold(u.Parts[len(u.Parts)-1], name) {
				return member
			}
		}
		return x
	})
}

// unwrapWindowTable is the table that a window table function is of, under the same alias and filters, and what the
// function adds; nil when p is something else or a filter asks for a window.
func unwrapWindowTable(p logical.Plan) (logical.Plan, *windowMembers) {
	switch x := p.(type) {
	case *logical.Filter:
		child, m := unwrapWindowTable(x.Child)
		if m == nil || m.put(x.Cond) != x.Cond {
			return nil, nil
		}
		return &logical.Filter{Cond: x.Cond, Child: child}, m
	case *logical.SubqueryAlias:
		child, m := unwrapWindowTable(x.Child)
		if m == nil || x.Names != nil {
			return nil, nil
		}
		m.alias = x.Alias
		return &logical.SubqueryAlias{Alias: x.Alias, Child: child}, m
	case *logical.Project:
		if !x.WindowTable {
			return nil, nil
		}
		m := &windowMembers{of: map[string]expr.Expr{}}
		for _, e := range x.List[1:] {
			a := e.(*expr.Alias)
			m.of[a.Name] = a.Child
		}
		return x.Child, m
	}
	return nil, nil
}
