package optimize

import (
	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
)

// simplifyCasts drops casts to the type a value has, and casts the literal instead of the column in a comparison of
// integers, so that the source can use the filter.
var simplifyCasts = everyExpr(func(e expr.Expr) expr.Expr {
	switch e := e.(type) {
	case *expr.Cast:
		if t := e.Child.DataType(); t.Equal(e.To) && (t.Precision == e.To.Precision || t.Kind != column.IntervalDT && t.Kind != column.IntervalYM) {
			return e.Child
		}
	case *expr.Call:
		if _, ok := flipped[e.Fn]; ok && len(e.Args) == 2 {
			return uncast(e)
		}
	}
	return e
})

// flipped maps a comparison to the one with its sides exchanged.
var flipped = map[string]string{"=": "=", "!=": "!=", "<": ">", ">": "<", "<=": ">=", ">=": "<=", "<=>": "<=>"}

// uncast turns CAST(int AS bigint) < 5L into int < 5, when 5 is an int.
func uncast(e *expr.Call) expr.Expr {
	if _, ok := e.Args[0].(*expr.Literal); ok {
		e = &expr.Call{Fn: flipped[e.Fn], Args: []expr.Expr{e.Args[1], e.Args[0]}, Typ: e.Typ, Null: e.Null}
	}
	c, ok := e.Args[0].(*expr.Cast)
	l, isLit := e.Args[1].(*expr.Literal)
	if !ok || !isLit || l.Value == nil {
		return e
	}
	from := c.Child.DataType()
	if !from.IsInteger() || !c.To.IsInteger() || from.Kind >= c.To.Kind || !fits(l.Value.(int64), from.Kind) {
		return e
	}
	return &expr.Call{Fn: e.Fn, Args: []expr.Expr{c.Child, &expr.Literal{Value: l.Value, Typ: from}}, Typ: e.Typ, Null: e.Null}
}

func fits(v int64, k column.Kind) bool {
	switch k {
	case column.Int8:
		return int64(int8(v)) == v
	case column.Int16:
		return int64(int16(v)) == v
	case column.Int32:
		return int64(int32(v)) == v
	}
	return true
}
