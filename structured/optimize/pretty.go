package optimize

import (
	"strconv"
	"strings"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/structured/logical"
	"github.com/streamflow/streamflow/structured/sql"
)

// How Spark names the result of a function: by its own name, in lower case but for those that Spark writes in capitals, with the
// arguments that were left out, and without those that only steer it.

// prettyNames are functions that Spark writes otherwise than in lower case as called.
var prettyNames = map[string]string{
	"acos": "ACOS", "acosh": "ACOSH", "asin": "ASIN", "asinh": "ASINH", "atan": "ATAN", "atanh": "ATANH", "atan2": "ATAN2", "cbrt": "CBRT", "ceil": "CEIL",
	"cos": "COS", "cosh": "COSH", "cot": "COT", "csc": "CSC", "degrees": "DEGREES", "e": "E", "exp": "EXP", "expm1": "EXPM1", "floor": "FLOOR",
	"hypot": "HYPOT", "log": "LOG", "log10": "LOG10", "log1p": "LOG1P", "log2": "LOG2", "pi": "PI", "power": "POWER", "radians": "RADIANS",
	"regexp": "REGEXP", "regexp_like": "REGEXP_LIKE", "rlike": "RLIKE", "sec": "SEC", "signum": "SIGNUM", "sin": "SIN", "sinh": "SINH",
	"spark_partition_id": "SPARK_PARTITION_ID", "sqrt": "SQRT", "tan": "TAN", "tanh": "TANH",
	"current_database": "current_schema", "dateadd": "date_add",
}

// leftOut are arguments that a call has when it is written with fewer: the first one in the list follows as many arguments as
// stand before the colon.
var leftOut = map[string]struct {
	after int
	rest  []string
}{
	"round": {1, []string{"0"}}, "bround": {1, []string{"0"}}, "regexp_extract": {2, []string{"1"}}, "regexp_extract_all": {2, []string{"1"}},
	"regexp_replace": {3, []string{"1"}}, "regexp_instr": {2, []string{"0"}}, "months_between": {2, []string{"true"}}, "percentile": {2, []string{"1"}},
	"sort_array": {1, []string{"true"}}, "listagg": {1, []string{"NULL"}}, "string_agg": {1, []string{"NULL"}}, "substr": {2, []string{"2147483647"}},
	"substring": {2, []string{"2147483647"}}, "position": {2, []string{"1"}}, "locate": {2, []string{"1"}}, "split": {2, []string{"-1"}},
	"lpad": {2, []string{" "}}, "rpad": {2, []string{" "}}, "unix_timestamp": {1, []string{"yyyy-MM-dd HH:mm:ss"}},
	"to_unix_timestamp": {1, []string{"yyyy-MM-dd HH:mm:ss"}}, "from_unixtime": {1, []string{"yyyy-MM-dd HH:mm:ss"}},
}

// shownArgs bounds the arguments that the name shows: what follows is a schema, options, or how to treat nulls.
var shownArgs = map[string]int{"from_json": 1, "from_csv": 1, "to_json": 1, "to_csv": 1, "schema_of_json": 1, "schema_of_csv": 1, "shuffle": 1,
	"first": 1, "last": 1, "any_value": 1, "first_value": 1, "last_value": 1}

// trims are the sides of TRIM(… FROM …).
var trims = map[string]string{"trim": "BOTH", "ltrim": "LEADING", "rtrim": "TRAILING"}

// functionName is a call's name and arguments as Spark shows them.
func functionName(fn string, args []expr.Expr, names []string) string {
	low := strings.ToLower(fn)
	if side := trims[low]; side != "" && len(names) == 2 {
		return "TRIM(" + side + " " + names[0] + " FROM " + names[1] + ")"
	}
	if n, ok := shownArgs[low]; ok && len(names) > n {
		names = names[:n]
	}
	if d, ok := leftOut[low]; ok && len(names) == d.after {
		names = append(append([]string{}, names...), d.rest...)
	}
	switch {
	case low == "count" && len(args) == 1 && isStar(args[0]) && names[0] == "*":
		names = []string{"1"}
	case low == "if" && len(names) == 3:
		return "(IF(" + strings.Join(names, ", ") + "))"
	case low == "log" && len(names) == 1:
		names = []string{"E()", names[0]}
	case low == "assert_true" && len(names) == 1:
		names = append(names, "'"+names[0]+"' is not true!")
	}
	if pretty := prettyNames[low]; pretty != "" && !(len(args) == 2 && (low == "ceil" || low == "floor")) {
		low = pretty
	}
	return low + "(" + strings.Join(names, ", ") + ")"
}

func isStar(e expr.Expr) bool {
	s, ok := e.(*expr.Star)
	return ok && len(s.Qualifier) == 0
}

// numberName is a floating-point literal as Java writes it; ok is false for other values.
func numberName(l *expr.Literal) (string, bool) {
	f, ok := l.Value.(float64)
	if !ok || l.Typ.Kind != column.Float64 {
		return "", false
	}
	if text, err := expr.EvalLiteral(&expr.Cast{Child: l, To: column.Of(column.String)}); err == nil {
		if s, ok := text.Value.(string); ok {
			return s, true
		}
	}
	return strconv.FormatFloat(f, 'g', -1, 64), true
}

// itemName is the name of a list's item without an alias: of a column that is only cast, the column's.
func itemName(e, resolved expr.Expr) string {
	switch e := e.(type) {
	case *logical.SQLExpr:
		if parsed, err := sql.ParseExpr(e.Text); err == nil {
			return itemName(parsed, resolved)
		}
	case *expr.Cast:
		switch c := e.Child.(type) {
		case *expr.UnresolvedAttr, *expr.Attr:
			return columnName(c)
		}
	case *expr.UnresolvedExtract:
		if c, ok := resolved.(*expr.Call); ok && len(c.Args) > 0 && c.Args[0].DataType().Kind == column.Map {
			return columnName(e.Child) + "[" + columnName(e.Key) + "]"
		}
	case *expr.UnresolvedCall:
		for _, a := range e.Args {
			if _, star := a.(*expr.Star); star && (e.Distinct || !strings.EqualFold(e.Name, "count")) {
				return columnName(resolved)
			}
		}
	}
	return columnName(e)
}
