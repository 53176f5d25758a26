package optimize

import (
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/structured/logical"
)

// pushFilterThroughJoin filters the sides of a join before joining, where a condition reads one side and that side's rows
// are not padded with nulls. What reads both sides of an inner join becomes part of its condition, so that a cross join
// with a filter is an inner join.
var pushFilterThroughJoin = overFilter(func(f *logical.Filter, j *logical.Join) logical.Plan {
	left, right := idsOf(j.Left.Output()), idsOf(j.Right.Output())
	var toLeft, toRight, toCond, stay []expr.Expr
	for _, e := range conjuncts(f.Cond) {
		switch {
		case !expr.Deterministic(e) || len(attrsOf(e)) == 0:
			stay = append(stay, e)
		case left.covers(e) && j.Kind != logical.RightOuter && j.Kind != logical.FullOuter:
			toLeft = append(toLeft, e)
		case right.covers(e) && (j.Kind == logical.Inner || j.Kind == logical.Cross || j.Kind == logical.RightOuter):
			toRight = append(toRight, e)
		case j.Kind == logical.Inner || j.Kind == logical.Cross:
			toCond = append(toCond, e)
		default:
			stay = append(stay, e)
		}
	}
	if len(stay) == len(conjuncts(f.Cond)) {
		return f
	}
	c := *j
	c.Left, c.Right = filtered(j.Left, toLeft), filtered(j.Right, toRight)
	if len(toCond) > 0 {
		c.Kind, c.Cond = logical.Inner, withConds(j.Cond, toCond)
	}
	return filtered(&c, stay)
})

func withConds(cond expr.Expr, more []expr.Expr) expr.Expr {
	if cond == nil {
		return allOf(more)
	}
	return allOf(append(conjuncts(cond), more...))
}

// pushJoinCondition moves parts of the join condition that read one side below the join, where failing them only keeps
// the row from matching on a side that is not kept whole.
var pushJoinCondition = up(func(j *logical.Join) logical.Plan {
	if j.Cond == nil {
		return j
	}
	left, right := idsOf(j.Left.Output()), idsOf(j.Right.Output())
	intoLeft := j.Kind == logical.Inner || j.Kind == logical.RightOuter || j.Kind == logical.LeftSemi
	intoRight := j.Kind == logical.Inner || j.Kind == logical.LeftOuter || j.Kind == logical.LeftSemi || j.Kind == logical.LeftAnti
	var toLeft, toRight, stay []expr.Expr
	for _, e := range conjuncts(j.Cond) {
		movable := expr.Deterministic(e) && len(attrsOf(e)) > 0
		switch {
		case movable && intoLeft && left.covers(e):
			toLeft = append(toLeft, e)
		case movable && intoRight && right.covers(e):
			toRight = append(toRight, e)
		case j.Kind == logical.Inner && isLiteral(e, true):
		default:
			stay = append(stay, e)
		}
	}
	if len(stay) == len(conjuncts(j.Cond)) {
		return j
	}
	c := *j
	c.Left, c.Right, c.Cond = filtered(j.Left, toLeft), filtered(j.Right, toRight), allOf(stay)
	if c.Cond == nil && c.Kind == logical.Inner {
		c.Kind = logical.Cross
	}
	return &c
})

// outerToInner makes an outer join inner, or one-sided, when a filter above rejects the rows that it pads with nulls.
var outerToInner = overFilter(func(f *logical.Filter, j *logical.Join) logical.Plan {
	if j.Kind != logical.LeftOuter && j.Kind != logical.RightOuter && j.Kind != logical.FullOuter {
		return f
	}
	left, right := rejectsNulls(f.Cond, j.Left), rejectsNulls(f.Cond, j.Right)
	kind := j.Kind
	switch {
	case kind == logical.LeftOuter && right, kind == logical.RightOuter && left, kind == logical.FullOuter && left && right:
		kind = logical.Inner
	case kind == logical.FullOuter && left:
		kind = logical.LeftOuter
	case kind == logical.FullOuter && right:
		kind = logical.RightOuter
	}
	if kind == j.Kind {
		return f
	}
	c := *j
	c.Kind = kind
	return &logical.Filter{Cond: f.Cond, Child: &c}
})

// rejectsNulls reports whether some condition is false or null for every row in which all columns of side are null.
func rejectsNulls(cond expr.Expr, side logical.Plan) bool {
	ids := idsOf(side.Output())
	for _, e := range conjuncts(cond) {
		if !ids.touches(e) || !expr.Deterministic(e) {
			continue
		}
		r := expr.Transform(e, func(x expr.Expr) expr.Expr {
			if a, ok := x.(*expr.Attr); ok && ids[a.ID] {
				return &expr.Literal{Typ: a.Typ}
			}
			if c, ok := x.(*expr.Call); ok {
				x = nullCall(c)
			}
			return expr.Fold(x)
		})
		if isLiteral(r, false) || isLiteral(r, nil) {
			return true
		}
	}
	return false
}

// inferJoinNotNull drops rows whose join key is null before an inner or semi join, where they match nothing.
var inferJoinNotNull = up(func(j *logical.Join) logical.Plan {
	if j.Kind != logical.Inner && j.Kind != logical.LeftSemi || j.Cond == nil {
		return j
	}
	left, right := notNullKeys(j.Cond, j.Left), notNullKeys(j.Cond, j.Right)
	if len(left)+len(right) == 0 {
		return j
	}
	c := *j
	c.Left, c.Right = filtered(j.Left, left), filtered(j.Right, right)
	return &c
})

// notNullKeys are the tests that the equalities of cond imply for columns of side and that a filter on it does not
// already make, be it through another condition that null fails.
func notNullKeys(cond expr.Expr, side logical.Plan) []expr.Expr {
	ids := idsOf(side.Output())
	var out []expr.Expr
	for _, e := range conjuncts(cond) {
		c, ok := e.(*expr.Call)
		if !ok || c.Fn != "=" {
			continue
		}
		for _, arg := range c.Args {
			a, ok := arg.(*expr.Attr)
			if !ok || !ids[a.ID] || !a.Null || neverNull(a, side) {
				continue
			}
			test := nullTest("isnotnull", a, nil)
			if test != nil {
				out = append(out, test)
			}
		}
	}
	return distinct(out)
}

// neverNull reports whether filters between p and its sources keep a from being null.
func neverNull(a *expr.Attr, p logical.Plan) bool {
	switch p := p.(type) {
	case *logical.Filter:
		for _, e := range conjuncts(p.Cond) {
			if failsForNull(e, a) || isLiteral(e, false) || isLiteral(e, nil) {
				return true
			}
		}
		return neverNull(a, p.Child)
	case *logical.Project:
		if d, ok := definitions(p.List)[a.ID].(*expr.Attr); ok {
			return neverNull(d, p.Child)
		}
		return true // computed: a test would compute it twice
	case *logical.Join:
		for _, k := range p.Children() {
			if idsOf(k.Output())[a.ID] {
				return neverNull(a, k) || p.Kind == logical.Inner && p.Cond != nil && failsForNull(p.Cond, a)
			}
		}
	case *logical.Scan, *logical.Local:
		return false
	}
	return true // below anything else a test would not sink to the source and is not worth its cost
}

// failsForNull reports whether one of e's conditions is not true when a is null.
func failsForNull(e expr.Expr, a *expr.Attr) bool {
	for _, c := range conjuncts(e) {
		x, ok := c.(*expr.Call)
		if !ok || !strict[x.Fn] && x.Fn != "isnotnull" {
			continue
		}
		for _, arg := range x.Args {
			if at, ok := arg.(*expr.Attr); ok && at.ID == a.ID {
				return true
			}
		}
	}
	return false
}
