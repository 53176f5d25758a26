package optimize

import (
	"strings"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/internal/usererr"
)

// ordinal is the position that a literal integer means in GROUP BY and ORDER BY.
func ordinal(e expr.Expr) (int64, bool) {
	l, ok := e.(*expr.Literal)
	if !ok || !l.Typ.IsInteger() || l.Value == nil {
		return 0, false
	}
	return l.Value.(int64), true
}

// position is the n-th column of a result.
func position(n int64, shown []*expr.Attr, clause string) (expr.Expr, error) {
	if n >= 1 && n <= int64(len(shown)) {
		return shown[n-1], nil
	}
	return nil, badPosition(n, len(shown), clause)
}

func badPosition(n int64, items int, clause string) error {
	code := strings.ReplaceAll(clause, " ", "_") + "_POS_OUT_OF_RANGE"
	return usererr.New(code, "42805", "%s position %d is not in the select list (valid range is [1, %d]).", clause, n, items).
		WithFix("Count the items of the select list from 1, or name the column.")
}

// condition refuses what is no condition on rows.
func (a *analyzer) condition(cond expr.Expr, clause string) error {
	if g := findAgg([]expr.Expr{cond}); g != nil {
		return at(aggregateIn(clause, g), a.place(g))
	}
	if o := findOver([]expr.Expr{cond}); o != nil {
		return overIn(clause, o)
	}
	if t := cond.DataType(); t.Kind != column.Bool && t.Kind != column.Null && t.Kind != column.String {
		err := usererr.New("DATATYPE_MISMATCH.FILTER_NOT_BOOLEAN", "42K09", "The condition %q of type %q is not a boolean.", plainName(cond), strings.ToUpper(t.String())).
			WithFix("Compare it with something, such as %s <> 0.", plainName(cond))
		return at(err, a.place(cond))
	}
	return nil
}

// boolean is cond as a boolean: text such as 'true' and NULL are cast, as Spark does.
func boolean(cond expr.Expr) expr.Expr { return expr.Coerce(cond, column.Of(column.Bool)) }

// place is where the first reference of e stood.
func (a *analyzer) place(e expr.Expr) expr.Pos {
	for _, at := range attrsOf(e) {
		if pos, ok := a.pos[at]; ok {
			return pos
		}
	}
	return expr.Pos{}
}

func aggregateIn(clause string, e expr.Expr) error {
	code := "INVALID_WHERE_CONDITION"
	fix := "Write it in HAVING, or aggregate in a subquery first."
	if clause != "WHERE" {
		code = "UNSUPPORTED_FEATURE.AGGREGATE_WITHOUT_GROUPING"
		fix = "Aggregate in the select list, or group the query."
	}
	return usererr.New(code, "42903", "The aggregate function %s may not stand in %s.", plainName(e), clause).WithFix("%s", fix)
}

func assignment(names, columns int) error {
	return usererr.New("ASSIGNMENT_ARITY_MISMATCH", "42802", "There are %d columns but %d names for them.", columns, names).WithFix("Give one name for each column.")
}

// plainName is an expression as a user would write it.
func plainName(e expr.Expr) string { return columnName(e) }

func isGenerator(e expr.Expr) bool {
	_, ok := e.(*expr.Generate)
	return ok
}
