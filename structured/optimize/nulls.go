package optimize

import "github.com/streamflow/streamflow/expr"

// strict are functions that are null whenever an argument is.
var strict = map[string]bool{"=": true, "!=": true, "<": true, "<=": true, ">": true, ">=": true, "+": true, "-": true, "*": true, "/": true, "%": true, "div": true,
	"like": true, "ilike": true, "rlike": true, "not": true, "negative": true, "upper": true, "lower": true, "length": true, "abs": true, "substring": true,
	"add_interval": true, "subtract_timestamps": true, "subtract_dates": true}

// propagateNulls replaces what is null because an operand is, and null tests of what is known never or always to be null.
var propagateNulls = everyExpr(func(e expr.Expr) expr.Expr {
	switch e := e.(type) {
	case *expr.Call:
		return nullCall(e)
	case *expr.Cast:
		if isLiteral(e.Child, nil) {
			return &expr.Literal{Typ: e.To}
		}
	}
	return e
})

func nullCall(e *expr.Call) expr.Expr {
	if strict[e.Fn] {
		for _, a := range e.Args {
			if isLiteral(a, nil) {
				return &expr.Literal{Typ: e.Typ}
			}
		}
	}
	switch {
	case e.Fn == "isnull" && known(e.Args[0]):
		return expr.Lit(false)
	case e.Fn == "isnotnull" && known(e.Args[0]):
		return expr.Lit(true)
	case e.Fn == "<=>" && isLiteral(e.Args[1], nil):
		return nullTest("isnull", e.Args[0], e)
	case e.Fn == "<=>" && isLiteral(e.Args[0], nil):
		return nullTest("isnull", e.Args[1], e)
	}
	return e
}

// known reports whether e is never null and may be left out.
func known(e expr.Expr) bool { return !e.Nullable() && expr.Deterministic(e) && !mayFail(e) }

// mayFail reports whether evaluating e can end in an error that dropping it would hide.
func mayFail(e expr.Expr) bool {
	fails := false
	expr.Walk(e, func(x expr.Expr) bool {
		switch x := x.(type) {
		case *expr.Cast:
			fails = fails || !x.Try
		case *expr.Call:
			fails = fails || x.Fn != "get_field" && x.Fn != "window"
		}
		return !fails
	})
	return fails
}

func nullTest(fn string, arg, otherwise expr.Expr) expr.Expr {
	r, err := expr.ResolveCall(&expr.UnresolvedCall{Name: fn, Args: []expr.Expr{arg}})
	if err != nil {
		return otherwise
	}
	return r
}
