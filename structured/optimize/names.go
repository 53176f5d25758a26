package optimize

import (
	"strings"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/structured/logical"
)

func equalFold(a, b string) bool { return strings.EqualFold(a, b) }

// columnName is the name that Spark gives to an expression without an alias: its text, without qualifiers and quotes.
func columnName(e expr.Expr) string {
	switch e := e.(type) {
	case *expr.UnresolvedAttr:
		return e.Parts[len(e.Parts)-1]
	case *expr.Attr:
		return e.Name
	case *expr.Alias:
		return e.Name
	case *logical.SQLExpr:
		return strings.TrimSpace(e.Text)
	case *expr.UnresolvedCall:
		return callName(e.Name, e.Args, e.Distinct, e.Filter)
	case *expr.Call:
		return callName(e.Fn, e.Args, false, nil)
	case *expr.Agg:
		return callName(e.Fn, e.Args, e.Distinct, e.Filter)
	case *expr.Over:
		return columnName(e.Fn) + " OVER (" + e.Spec(columnName) + ")"
	case *expr.Literal:
		return literalName(e)
	case *expr.Cast:
		return castName(e)
	case *expr.Case:
		return caseName(e)
	case *expr.UnresolvedExtract:
		return extractName(e)
	}
	return e.String()
}

// operatorNames are functions that are printed between or before their operands.
var operatorNames = map[string]string{"=": "=", "==": "=", "<=>": "<=>", "!=": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">=", "+": "+", "-": "-", "*": "*",
	"/": "/", "%": "%", "div": "div", "and": "AND", "or": "OR", "|": "|", "&": "&", "^": "^"}

func callName(fn string, args []expr.Expr, distinct bool, filter expr.Expr) string {
	names := make([]string, len(args))
	for i, a := range args {
		names[i] = columnName(a)
	}
	low := strings.ToLower(fn)
	switch {
	case operatorNames[low] != "" && len(args) == 2:
		return "(" + names[0] + " " + operatorNames[low] + " " + names[1] + ")"
	case low == "not" && len(args) == 1:
		return "(NOT " + names[0] + ")"
	case low == "negative" && len(args) == 1:
		return "(- " + names[0] + ")"
	case low == "isnull" && len(args) == 1:
		return "(" + names[0] + " IS NULL)"
	case low == "isnotnull" && len(args) == 1:
		return "(" + names[0] + " IS NOT NULL)"
	case low == "in" && len(args) > 1:
		return "(" + names[0] + " IN (" + strings.Join(names[1:], ", ") + "))"
	case (low == "like" || low == "ilike") && len(args) == 2:
		return names[0] + " " + strings.ToUpper(low) + " " + names[1]
	case low == "~" && len(args) == 1:
		return "~" + names[0]
	case low == "||":
		return "concat(" + strings.Join(names, ", ") + ")"
	case low == "get_field" && len(args) == 2:
		return names[1]
	case isWindowName(low):
		return low
	}
	if distinct && len(names) > 0 {
		names[0] = "DISTINCT " + names[0]
	}
	s := functionName(fn, args, names)
	if filter != nil {
		s += " FILTER (WHERE " + columnName(filter) + ")"
	}
	return s
}

func literalName(l *expr.Literal) string {
	if s, ok := l.Value.(string); ok && l.Typ.Kind == column.String {
		return s
	}
	if s, ok := numberName(l); ok {
		return s
	}
	return l.String()
}

// castName is CAST(x AS T). A literal that only looks like a cast, such as TIMESTAMP '…', is printed the same way.
func castName(c *expr.Cast) string {
	word := "CAST("
	if c.Try {
		word = "TRY_CAST("
	}
	return word + columnName(c.Child) + " AS " + strings.ToUpper(c.To.String()) + ")"
}

func caseName(c *expr.Case) string {
	var b strings.Builder
	b.WriteString("CASE")
	for i := range c.Whens {
		b.WriteString(" WHEN " + columnName(c.Whens[i]) + " THEN " + columnName(c.Thens[i]))
	}
	if c.Else != nil {
		b.WriteString(" ELSE " + columnName(c.Else))
	}
	return b.String() + " END"
}

func extractName(e *expr.UnresolvedExtract) string {
	if l, ok := e.Key.(*expr.Literal); ok && l.Typ.Kind == column.String {
		if c, ok := e.Child.(*expr.UnresolvedCall); ok && isWindowName(strings.ToLower(c.Name)) {
			return l.Value.(string)
		}
		return columnName(e.Child) + "." + l.Value.(string)
	}
	return columnName(e.Child) + "[" + columnName(e.Key) + "]"
}
