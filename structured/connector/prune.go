package connector

import (
	"cmp"
	"strings"

	"github.com/streamflow/streamflow/expr"
)

// Excluded reports whether bounds prove that no row satisfies all filters. bound gives the least and greatest value of a
// column, nil when they are not known.
func Excluded(filters []expr.Expr, bound func(col int) (lo, hi any)) bool {
	for _, f := range filters {
		for _, c := range expr.Conjuncts(f) {
			if impossible(c, bound) {
				return true
			}
		}
	}
	return false
}

// mirrored is the comparison with its sides exchanged.
var mirrored = map[string]string{"=": "=", "==": "==", "<": ">", "<=": ">=", ">": "<", ">=": "<="}

// impossible reports whether a comparison of a column with a constant is false for every value between the bounds.
func impossible(e expr.Expr, bound func(col int) (lo, hi any)) bool {
	call, ok := e.(*expr.Call)
	if !ok || len(call.Args) != 2 || mirrored[call.Fn] == "" {
		return false
	}
	op := call.Fn
	col, isCol := call.Args[0].(*expr.Column)
	lit, isLit := call.Args[1].(*expr.Literal)
	if !isCol || !isLit {
		op = mirrored[op]
		col, isCol = call.Args[1].(*expr.Column)
		lit, isLit = call.Args[0].(*expr.Literal)
	}
	if !isCol || !isLit || lit.Value == nil || !lit.Typ.Equal(col.Typ) {
		return false
	}
	lo, hi := bound(col.Index)
	if lo == nil || hi == nil {
		return false
	}
	low, ok1 := compare(lit.Value, lo)
	high, ok2 := compare(lit.Value, hi)
	if !ok1 || !ok2 {
		return false
	}
	switch op {
	case "=", "==":
		return low < 0 || high > 0
	case "<":
		return low <= 0
	case "<=":
		return low < 0
	case ">":
		return high >= 0
	}
	return high > 0
}

// compare orders two boxed values of one type. Floats are left out: a file's bounds do not tell of NaN, which is above every
// number.
func compare(a, b any) (int, bool) {
	switch x := a.(type) {
	case int64:
		y, ok := b.(int64)
		return cmp.Compare(x, y), ok
	case string:
		y, ok := b.(string)
		return strings.Compare(x, y), ok
	}
	return 0, false
}
