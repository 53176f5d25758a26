package optimize

import (
	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
)

// opposite maps a comparison to the one that is true exactly when it is false; both are null together.
var opposite = map[string]string{"=": "!=", "!=": "=", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}

// simplifyBooleans removes double negations and repeated conditions, turns negated comparisons round, and takes out of an
// OR what all its sides have in common, so that it can be pushed on its own.
var simplifyBooleans = everyExpr(func(e expr.Expr) expr.Expr {
	c, ok := e.(*expr.Call)
	if !ok {
		return e
	}
	switch c.Fn {
	case "not":
		return negated(c)
	case "and", "or":
		if expr.Deterministic(c) {
			return simplerLogic(c)
		}
	case "<=>":
		return safeEquality(c)
	}
	return e
})

func negated(c *expr.Call) expr.Expr {
	in, ok := c.Args[0].(*expr.Call)
	if !ok {
		return c
	}
	switch {
	case in.Fn == "not":
		return in.Args[0]
	case in.Fn == "isnull":
		return nullTest("isnotnull", in.Args[0], c)
	case in.Fn == "isnotnull":
		return nullTest("isnull", in.Args[0], c)
	case opposite[in.Fn] != "":
		return &expr.Call{Fn: opposite[in.Fn], Args: in.Args, Typ: in.Typ, Null: in.Null}
	}
	return c
}

func simplerLogic(c *expr.Call) expr.Expr {
	list := conjuncts(c)
	if c.Fn == "or" {
		list = disjuncts(c)
	}
	kept := distinct(list)
	if len(kept) < len(list) {
		return logic(c.Fn, kept)
	}
	if c.Fn != "or" {
		return c
	}
	if in := listed(c, list); in != c {
		return in
	}
	return factored(c, list)
}

func distinct(list []expr.Expr) []expr.Expr {
	seen := map[string]bool{}
	var out []expr.Expr
	for _, e := range list {
		if k := same(e); !seen[k] {
			seen[k] = true
			out = append(out, e)
		}
	}
	return out
}

// factored turns (a and b) or (a and c) into a and (b or c).
func factored(c *expr.Call, sides []expr.Expr) expr.Expr {
	count := map[string]int{}
	for _, s := range sides {
		for _, e := range distinct(conjuncts(s)) {
			count[same(e)]++
		}
	}
	shared := func(e expr.Expr) bool { return count[same(e)] == len(sides) }
	common, _ := split(distinct(conjuncts(sides[0])), shared)
	if len(common) == 0 {
		return c
	}
	var rests []expr.Expr
	for _, s := range sides {
		_, rest := split(conjuncts(s), shared)
		if len(rest) == 0 {
			return allOf(common) // one side is the common part alone: a or (a and b) is a
		}
		rests = append(rests, allOf(rest))
	}
	return allOf(append(common, logic("or", rests)))
}

// safeEquality makes x <=> true plain x where neither side can be null.
func safeEquality(c *expr.Call) expr.Expr {
	a, b := c.Args[0], c.Args[1]
	if a.Nullable() || b.Nullable() {
		return c
	}
	if a.DataType().Kind == column.Bool && isLiteral(b, true) {
		return a
	}
	return &expr.Call{Fn: "=", Args: c.Args, Typ: c.Typ}
}
