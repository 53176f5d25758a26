package optimize

import (
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/structured/logical"
)

// pushFilterIntoScan hands the conditions directly above a scan to the source, which drops rows as early as it can; the
// planner filters what the source does not promise to. Conditions that could fail on a row stay above, where failing rows
// are set aside with their offsets.
var pushFilterIntoScan = overFilter(func(f *logical.Filter, s *logical.Scan) logical.Plan {
	down, stay := split(conjuncts(f.Cond), func(e expr.Expr) bool { return expr.Deterministic(e) && pushable(e) })
	if len(down) == 0 {
		return f
	}
	c := *s
	c.Filters = append(append([]expr.Expr{}, s.Filters...), down...)
	return filtered(&c, stay)
})

// safeCalls are functions that cannot fail on any row.
var safeCalls = map[string]bool{"=": true, "!=": true, "<": true, "<=": true, ">": true, ">=": true, "<=>": true, "and": true, "or": true, "not": true,
	"isnull": true, "isnotnull": true, "in": true, "like": true, "get_field": true, "startswith": true, "endswith": true, "contains": true}

// pushable conditions compare columns and literals in ways that cannot fail. A literal may be one of the session's time zone,
// which the planner knows: TIMESTAMP '2024-01-01 10:00:00'.
func pushable(e expr.Expr) bool {
	ok := true
	expr.Walk(e, func(x expr.Expr) bool {
		switch x := x.(type) {
		case *expr.Attr, *expr.Literal:
		case *expr.Cast:
			_, constant := expr.FoldIn(&expr.Context{ANSI: true}, x).(*expr.Literal)
			ok = ok && constant
		case *expr.Call:
			ok = ok && safeCalls[x.Fn]
		default:
			ok = false
		}
		return ok
	})
	return ok
}
