package optimize

import (
	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/structured/logical"
)

// implyFilters finds conditions on one side of a join that the join's condition implies, so that they can be pushed to where its
// rows come from:
//
//	(a = 1 AND b = 2) OR (a = 3 AND b = 4)  implies  a IN (1, 3)  on a's side and  b IN (2, 4)  on b's
//	k = j  over a side with  k < 10         implies  j < 10       on the other
//
// It is applied once: what it adds stands below the join beside what implies it.
var implyFilters = up(func(j *logical.Join) logical.Plan {
	if j.Cond == nil || j.Kind != logical.Inner && j.Kind != logical.LeftSemi || logical.IsStreaming(j) {
		return j
	}
	left, right := implied(j.Cond, j.Left, j.Right), implied(j.Cond, j.Right, j.Left)
	if len(left)+len(right) == 0 {
		return j
	}
	c := *j
	c.Left, c.Right = filtered(j.Left, left), filtered(j.Right, right)
	return &c
})

// implied are the conditions on side that a join's condition and its other side imply, and that side does not make itself.
func implied(cond expr.Expr, side, other logical.Plan) []expr.Expr {
	have := map[string]bool{}
	for _, c := range constraints(side) {
		have[same(c)] = true
	}
	var out []expr.Expr
	add := func(e expr.Expr) {
		if k := same(e); !have[k] {
			have[k] = true
			out = append(out, e)
		}
	}
	ids := idsOf(side.Output())
	theirs := constraints(other)
	for _, c := range conjuncts(cond) {
		if list := disjuncts(c); len(list) > 1 && !ids.covers(c) {
			if e := eachImplies(list, ids); e != nil {
				add(e)
			}
		}
		mine, their, ok := equalAttrs(c, ids)
		if !ok {
			continue
		}
		for _, t := range theirs {
			if onlyOn(t, their) {
				add(substitute(t, map[int64]expr.Expr{their.ID: mine}))
			}
		}
	}
	return out
}

// eachImplies is what every one of the alternatives says of the columns ids, nil when one says nothing.
func eachImplies(alternatives []expr.Expr, ids idSet) expr.Expr {
	parts := make([]expr.Expr, len(alternatives))
	for i, alt := range alternatives {
		about, _ := split(conjuncts(alt), func(e expr.Expr) bool {
			return expr.Deterministic(e) && len(attrsOf(e)) > 0 && ids.covers(e)
		})
		if parts[i] = allOf(about); parts[i] == nil {
			return nil
		}
	}
	return logic("or", parts)
}

// equalAttrs takes mine = theirs apart, where mine is among ids.
func equalAttrs(e expr.Expr, ids idSet) (mine, theirs *expr.Attr, ok bool) {
	c, is := e.(*expr.Call)
	if !is || len(c.Args) != 2 || c.Fn != "=" && c.Fn != "==" {
		return nil, nil, false
	}
	a, ok1 := c.Args[0].(*expr.Attr)
	b, ok2 := c.Args[1].(*expr.Attr)
	if !ok1 || !ok2 || !a.Typ.Equal(b.Typ) || ids[a.ID] == ids[b.ID] {
		return nil, nil, false
	}
	if ids[b.ID] {
		a, b = b, a
	}
	return a, b, true
}

// onlyOn reports whether a condition compares the one attribute with constants; that it is not null says the join itself.
func onlyOn(e expr.Expr, a *expr.Attr) bool {
	attrs := attrsOf(e)
	for _, x := range attrs {
		if x.ID != a.ID {
			return false
		}
	}
	c, ok := e.(*expr.Call)
	return ok && len(attrs) > 0 && c.Fn != "isnotnull" && expr.Deterministic(e) && pushable(e)
}

// constraints are conditions that all rows of p satisfy, over its own columns.
func constraints(p logical.Plan) []expr.Expr {
	switch p := p.(type) {
	case *logical.Filter:
		return append(conjuncts(p.Cond), constraints(p.Child)...)
	case *logical.Project:
		ids := idsOf(p.Output())
		passed, _ := split(constraints(p.Child), ids.covers)
		return passed
	case *logical.Join:
		switch p.Kind {
		case logical.Inner, logical.Cross:
			return append(constraints(p.Left), constraints(p.Right)...)
		case logical.LeftOuter, logical.LeftSemi, logical.LeftAnti:
			return constraints(p.Left)
		}
	case *logical.Scan:
		return p.Filters
	}
	return nil
}

// listed turns x = 1 OR x = 2 into x IN (1, 2), for constants of x's type.
func listed(c *expr.Call, sides []expr.Expr) expr.Expr {
	var of expr.Expr
	args := []expr.Expr{nil}
	for _, s := range sides {
		x, values := choices(s)
		if x == nil || of != nil && same(x) != same(of) {
			return c
		}
		of = x
		args = append(args, values...)
	}
	args[0] = of
	return &expr.Call{Fn: "in", Args: distinctAfter(args), Typ: column.Of(column.Bool), Null: of.Nullable()}
}

// choices takes x = constant and x IN (constants) apart.
func choices(e expr.Expr) (x expr.Expr, values []expr.Expr) {
	c, ok := e.(*expr.Call)
	if !ok || len(c.Args) < 2 || c.Fn != "in" && (c.Fn != "=" || len(c.Args) != 2) {
		return nil, nil
	}
	x, values = c.Args[0], c.Args[1:]
	if _, constant := x.(*expr.Literal); constant && c.Fn == "=" {
		x, values = c.Args[1], c.Args[:1]
	}
	if _, ok := x.(*expr.Attr); !ok {
		return nil, nil
	}
	for _, v := range values {
		if l, ok := v.(*expr.Literal); !ok || l.Value == nil || !l.Typ.Equal(x.DataType()) {
			return nil, nil
		}
	}
	return x, values
}

// distinctAfter is a list without repeated values behind its first.
func distinctAfter(args []expr.Expr) []expr.Expr {
	return append(args[:1:1], distinct(args[1:])...)
}
