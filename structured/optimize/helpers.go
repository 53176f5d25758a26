package optimize

import (
	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/structured/logical"
)

// conjuncts are the conditions that e joins with AND.
func conjuncts(e expr.Expr) []expr.Expr {
	if c, ok := e.(*expr.Call); ok && c.Fn == "and" && len(c.Args) == 2 {
		return append(conjuncts(c.Args[0]), conjuncts(c.Args[1])...)
	}
	return []expr.Expr{e}
}

// disjuncts are the conditions that e joins with OR.
func disjuncts(e expr.Expr) []expr.Expr {
	if c, ok := e.(*expr.Call); ok && c.Fn == "or" && len(c.Args) == 2 {
		return append(disjuncts(c.Args[0]), disjuncts(c.Args[1])...)
	}
	return []expr.Expr{e}
}

// logic is list joined by "and" or "or", in order; nil for none.
func logic(op string, list []expr.Expr) expr.Expr {
	var e expr.Expr
	for _, x := range list {
		if e == nil {
			e = x
			continue
		}
		e = &expr.Call{Fn: op, Args: []expr.Expr{e, x}, Typ: column.Of(column.Bool), Null: e.Nullable() || x.Nullable()}
	}
	return e
}

func allOf(list []expr.Expr) expr.Expr { return logic("and", list) }

// filtered is p under the conditions; p itself when there are none.
func filtered(p logical.Plan, conds []expr.Expr) logical.Plan {
	if len(conds) == 0 {
		return p
	}
	return &logical.Filter{Cond: allOf(conds), Child: p}
}

// idSet are attribute ids.
type idSet map[int64]bool

func idsOf(attrs []*expr.Attr) idSet {
	s := idSet{}
	for _, a := range attrs {
		s[a.ID] = true
	}
	return s
}

// covers reports whether e reads attributes of s only.
func (s idSet) covers(e expr.Expr) bool {
	for _, a := range attrsOf(e) {
		if !s[a.ID] {
			return false
		}
	}
	return true
}

func (s idSet) touches(e expr.Expr) bool {
	for _, a := range attrsOf(e) {
		if s[a.ID] {
			return true
		}
	}
	return false
}

func (s idSet) add(list ...expr.Expr) {
	for _, e := range list {
		for _, a := range attrsOf(e) {
			s[a.ID] = true
		}
	}
}

func (s idSet) with(list ...expr.Expr) idSet {
	c := idSet{}
	for id := range s {
		c[id] = true
	}
	c.add(list...)
	return c
}

// definitions are the expressions behind a projection's attributes.
func definitions(list []expr.Expr) map[int64]expr.Expr {
	defs := map[int64]expr.Expr{}
	for _, e := range list {
		switch e := e.(type) {
		case *expr.Alias:
			defs[e.ID] = e.Child
		case *expr.Attr:
			defs[e.ID] = e
		}
	}
	return defs
}

// substitute replaces attributes by their definitions.
func substitute(e expr.Expr, defs map[int64]expr.Expr) expr.Expr {
	return expr.Transform(e, func(x expr.Expr) expr.Expr {
		if a, ok := x.(*expr.Attr); ok && defs[a.ID] != nil {
			return defs[a.ID]
		}
		return x
	})
}

// split divides conditions into those that hold and those that do not.
func split(list []expr.Expr, holds func(expr.Expr) bool) (yes, no []expr.Expr) {
	for _, e := range list {
		if holds(e) {
			yes = append(yes, e)
		} else {
			no = append(no, e)
		}
	}
	return yes, no
}

func allDeterministic(list []expr.Expr) bool {
	for _, e := range list {
		if !expr.Deterministic(e) {
			return false
		}
	}
	return true
}

func isLiteral(e expr.Expr, v any) bool {
	l, ok := e.(*expr.Literal)
	return ok && l.Value == v
}

// up applies a rewrite of single nodes from the leaves up; n is returned by f when it has nothing to do.
func up[T logical.Plan](f func(T) logical.Plan) func(logical.Plan) logical.Plan {
	return func(p logical.Plan) logical.Plan {
		return logical.TransformUp(p, func(n logical.Plan) logical.Plan {
			if t, ok := n.(T); ok {
				return f(t)
			}
			return n
		})
	}
}

// overFilter is a rule on a Filter and the node of type T below it.
func overFilter[T logical.Plan](f func(*logical.Filter, T) logical.Plan) func(logical.Plan) logical.Plan {
	return up(func(n *logical.Filter) logical.Plan {
		if t, ok := n.Child.(T); ok {
			return f(n, t)
		}
		return n
	})
}

// everyExpr applies a rewrite to each expression node of the plan.
func everyExpr(f func(expr.Expr) expr.Expr) func(logical.Plan) logical.Plan {
	return func(p logical.Plan) logical.Plan { return logical.TransformAllExprs(p, f) }
}
