package exprlang

import (
	"regexp"
	"strings"

	"github.com/expr-lang/expr/ast"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
)

// renamed builtins are a function of the table with the same arguments.
var renamed = map[string]string{"upper": "upper", "lower": "lower", "repeat": "repeat", "hasPrefix": "startswith", "hasSuffix": "endswith", "abs": "abs", "toJSON": "to_json",
	"reverse": "reverse", "uniq": "array_distinct", "concat": "concat", "flatten": "flatten", "now": "current_timestamp", "keys": "map_keys", "values": "map_values",
	"bitand": "&", "bitor": "|", "bitxor": "^", "bitnot": "~", "bitshl": "shiftleft", "bitshr": "shiftright", "bitushr": "shiftrightunsigned"}

func (l *lowerer) builtin(n *ast.BuiltinNode) (expr.Expr, error) {
	for _, a := range n.Arguments {
		if _, ok := a.(*ast.PredicateNode); ok {
			return nil, errNoVector
		}
	}
	args, err := l.all(n.Arguments)
	if err != nil {
		return nil, err
	}
	if name, ok := renamed[n.Name]; ok {
		if strings.HasPrefix(n.Name, "bit") {
			for i := range args {
				args[i] = wide(args[i])
			}
		}
		return l.call(n, name, args...)
	}
	if f, ok := builtins[n.Name]; ok {
		return f(l, n, args)
	}
	return nil, errNoVector
}

type builtinFunc func(l *lowerer, n ast.Node, a []expr.Expr) (expr.Expr, error)

var builtins = map[string]builtinFunc{
	"len": func(l *lowerer, n ast.Node, a []expr.Expr) (expr.Expr, error) {
		if len(a) == 1 && a[0].DataType().IsNested() {
			return l.call(n, "size", a...)
		}
		return l.call(n, "length", a...)
	},
	"trim":       trimmed,
	"trimPrefix": trimPrefix,
	"trimSuffix": trimSuffix,
	"split":      split,
	"replace": func(l *lowerer, n ast.Node, a []expr.Expr) (expr.Expr, error) {
		if len(a) != 3 {
			return nil, errNoVector
		}
		return l.call(n, "replace", a...)
	},
	"join": func(l *lowerer, n ast.Node, a []expr.Expr) (expr.Expr, error) {
		if len(a) == 1 {
			a = append(a, expr.Lit(""))
		}
		return l.call(n, "array_join", a...)
	},
	"indexOf": func(l *lowerer, n ast.Node, a []expr.Expr) (expr.Expr, error) {
		at, err := l.call(n, "instr", a...)
		if err != nil {
			return nil, err
		}
		return l.call(n, "-", wide(at), expr.Lit(int64(1)))
	},
	"max": extreme("greatest", "array_max"), "min": extreme("least", "array_min"),
	"ceil": asFloat("ceil"), "floor": asFloat("floor"), "round": asFloat("round"),
	"int": cast(column.Int64), "float": cast(column.Float64), "string": cast(column.String),
	"toBase64": func(l *lowerer, n ast.Node, a []expr.Expr) (expr.Expr, error) { return l.call(n, "base64", a...) },
	"fromBase64": func(l *lowerer, n ast.Node, a []expr.Expr) (expr.Expr, error) {
		b, err := l.call(n, "unbase64", a...)
		if err != nil {
			return nil, err
		}
		return l.call(n, "string", b)
	},
	"date": func(l *lowerer, n ast.Node, a []expr.Expr) (expr.Expr, error) {
		if len(a) != 1 {
			return nil, errNoVector
		}
		return l.call(n, "timestamp", a...)
	},
	"duration": duration,
	"first":    elementAt(1), "last": elementAt(-1),
	"get": func(l *lowerer, n ast.Node, a []expr.Expr) (expr.Expr, error) {
		if len(a) == 2 && a[0].DataType().Kind == column.List {
			return l.call(n, "get", a...)
		}
		if len(a) == 2 && a[0].DataType().Kind == column.Map {
			return l.call(n, "element_at", a...)
		}
		return nil, errNoVector
	},
	"take": func(l *lowerer, n ast.Node, a []expr.Expr) (expr.Expr, error) {
		if len(a) != 2 {
			return nil, errNoVector
		}
		return l.call(n, "slice", a[0], expr.Lit(1), a[1])
	},
	"sort": func(l *lowerer, n ast.Node, a []expr.Expr) (expr.Expr, error) {
		if len(a) != 1 {
			return nil, errNoVector
		}
		return l.call(n, "sort_array", a[0])
	},
}

func cast(kind column.Kind) builtinFunc {
	return func(l *lowerer, n ast.Node, a []expr.Expr) (expr.Expr, error) {
		if len(a) != 1 {
			return nil, errNoVector
		}
		return l.call(n, kind.String(), a[0])
	}
}

// asFloat is a rounding, which gives a float in expr-lang.
func asFloat(fn string) builtinFunc {
	return func(l *lowerer, n ast.Node, a []expr.Expr) (expr.Expr, error) {
		e, err := l.call(n, fn, a...)
		if err != nil {
			return nil, err
		}
		return expr.Coerce(e, column.Of(column.Float64)), nil
	}
}

func extreme(many, list string) builtinFunc {
	return func(l *lowerer, n ast.Node, a []expr.Expr) (expr.Expr, error) {
		if len(a) == 1 && a[0].DataType().Kind == column.List {
			return l.call(n, list, a[0])
		}
		return l.call(n, many, a...)
	}
}

func elementAt(i int) builtinFunc {
	return func(l *lowerer, n ast.Node, a []expr.Expr) (expr.Expr, error) {
		return l.call(n, "try_element_at", append(a, expr.Lit(i))...)
	}
}

// trimmed cuts white space, or the characters of the second argument.
func trimmed(l *lowerer, n ast.Node, a []expr.Expr) (expr.Expr, error) {
	if len(a) == 1 {
		a = append(a, expr.Lit(" \t\n\v\f\r\u0085\u00a0"))
	}
	return l.call(n, "btrim", a...)
}

// trimPrefix is s without a prefix that it may have.
func trimPrefix(l *lowerer, n ast.Node, a []expr.Expr) (expr.Expr, error) {
	if len(a) == 1 {
		a = append(a, expr.Lit(" "))
	}
	has, err := l.call(n, "startswith", a...)
	if err != nil {
		return nil, err
	}
	size, err := l.call(n, "length", a[1])
	if err != nil {
		return nil, err
	}
	from, err := l.call(n, "+", size, expr.Lit(1))
	if err != nil {
		return nil, err
	}
	rest, err := l.call(n, "substring", a[0], from)
	if err != nil {
		return nil, err
	}
	return l.call(n, "if", has, rest, a[0])
}

func trimSuffix(l *lowerer, n ast.Node, a []expr.Expr) (expr.Expr, error) {
	if len(a) == 1 {
		a = append(a, expr.Lit(" "))
	}
	has, err := l.call(n, "endswith", a...)
	if err != nil {
		return nil, err
	}
	var sizes [2]expr.Expr
	for i := range sizes {
		if sizes[i], err = l.call(n, "length", a[i]); err != nil {
			return nil, err
		}
	}
	keep, err := l.call(n, "-", sizes[0], sizes[1])
	if err != nil {
		return nil, err
	}
	head, err := l.call(n, "left", a[0], keep)
	if err != nil {
		return nil, err
	}
	return l.call(n, "if", has, head, a[0])
}

// split cuts at a fixed text; SQL's split takes a regular expression, so the text is quoted.
func split(l *lowerer, n ast.Node, a []expr.Expr) (expr.Expr, error) {
	if len(a) != 2 {
		return nil, errNoVector
	}
	sep, ok := a[1].(*expr.Literal)
	if !ok || sep.Value == nil {
		return nil, errNoVector
	}
	text, ok := sep.Value.(string)
	if !ok {
		return nil, errNoVector
	}
	return l.call(n, "split", a[0], expr.Lit(regexp.QuoteMeta(text)))
}

func duration(l *lowerer, n ast.Node, a []expr.Expr) (expr.Expr, error) {
	if len(a) == 1 {
		if lit, ok := a[0].(*expr.Literal); ok {
			if s, ok := lit.Value.(string); ok {
				iv, ok := expr.ParseInterval(s)
				if !ok || iv.Months != 0 {
					return nil, l.errorAt(n, "INVALID_INTERVAL_FORMAT", "The text %q is no length of time.", s).WithFix("Write it as \"1h30m\" or \"90 seconds\".")
				}
				return &expr.Literal{Value: iv.Micros, Typ: column.Of(column.IntervalDT)}, nil
			}
		}
	}
	return nil, errNoVector
}

// timeMethods are the methods of Go's time.Time that expr-lang programs call.
var timeMethods = map[string]string{"Year": "year", "Month": "month", "Day": "day", "Hour": "hour", "Minute": "minute", "Second": "second", "YearDay": "dayofyear",
	"Unix": "unix_seconds", "UnixMilli": "unix_millis", "UnixMicro": "unix_micros"}

// callNode is a method of a time, or a function of the table by its name.
func (l *lowerer) callNode(n *ast.CallNode) (expr.Expr, error) {
	if m, ok := n.Callee.(*ast.MemberNode); ok {
		name, ok := m.Property.(*ast.StringNode)
		if !ok || len(n.Arguments) > 0 || timeMethods[name.Value] == "" {
			return nil, errNoVector
		}
		e, err := l.lower(m.Node)
		if err != nil {
			return nil, err
		}
		return l.call(n, timeMethods[name.Value], e)
	}
	id, ok := n.Callee.(*ast.IdentifierNode)
	if !ok {
		return nil, errNoVector
	}
	args, err := l.all(n.Arguments)
	if err != nil {
		return nil, err
	}
	return l.call(n, id.Value, args...)
}
