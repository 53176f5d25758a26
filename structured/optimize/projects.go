package optimize

import (
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/structured/logical"
)

// collapseProjects makes one projection of two, unless something costly would be computed twice.
var collapseProjects = up(func(p *logical.Project) logical.Plan {
	in, ok := p.Child.(*logical.Project)
	if !ok || !allDeterministic(in.List) {
		return p
	}
	defs := definitions(in.List)
	if costsMore(p.List, defs) {
		return p
	}
	list := make([]expr.Expr, len(p.List))
	for i, e := range p.List {
		list[i] = collapsed(e, defs)
	}
	return &logical.Project{List: list, Child: in.Child}
})

// collapsed is an item in terms of the lower projection's input, under the name and id that it had.
func collapsed(e expr.Expr, defs map[int64]expr.Expr) expr.Expr {
	a, ok := e.(*expr.Attr)
	if !ok {
		return substitute(e, defs)
	}
	switch d := defs[a.ID].(type) {
	case nil:
		return a
	case *expr.Attr:
		if d.ID == a.ID {
			return a
		}
		return &expr.Alias{Child: d, Name: a.Name, ID: a.ID}
	default:
		return &expr.Alias{Child: d, Name: a.Name, ID: a.ID}
	}
}

// costsMore reports whether an expression that is not trivial is read more than once.
func costsMore(list []expr.Expr, defs map[int64]expr.Expr) bool {
	uses := map[int64]int{}
	for _, e := range list {
		for _, a := range attrsOf(e) {
			uses[a.ID]++
		}
	}
	for id, n := range uses {
		if n > 1 && defs[id] != nil && !cheap(defs[id]) {
			return true
		}
	}
	return false
}

// cheap are a column, a literal, a member of a struct.
func cheap(e expr.Expr) bool {
	switch e := e.(type) {
	case *expr.Attr, *expr.Literal:
		return true
	case *expr.Call:
		return e.Fn == "get_field" && cheap(e.Args[0])
	}
	return false
}

// dropIdleProjects removes projections that pass on just what they get.
var dropIdleProjects = up(func(p *logical.Project) logical.Plan {
	out := p.Child.Output()
	if len(out) != len(p.List) {
		return p
	}
	for i, e := range p.List {
		if a, ok := e.(*expr.Attr); !ok || a.ID != out[i].ID {
			return p
		}
	}
	return p.Child
})
