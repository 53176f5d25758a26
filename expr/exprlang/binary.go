package exprlang

import (
	"github.com/expr-lang/expr/ast"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
)

var sameName = map[string]string{"and": "and", "&&": "and", "or": "or", "||": "or", "<": "<", ">": ">", "<=": "<=", ">=": ">=",
	"contains": "contains", "startsWith": "startswith", "endsWith": "endswith", "matches": "rlike", "**": "pow", "^": "pow", "..": "sequence"}

func (l *lowerer) binary(n *ast.BinaryNode) (expr.Expr, error) {
	switch n.Operator {
	case "==", "!=":
		return l.equality(n)
	case "in":
		return l.membership(n)
	}
	args, err := l.all([]ast.Node{n.Left, n.Right})
	if err != nil {
		return nil, err
	}
	a, b := args[0], args[1]
	switch n.Operator {
	case "??":
		return l.call(n, "coalesce", a, b)
	case "+":
		if a.DataType().Kind == column.String && b.DataType().Kind == column.String {
			return l.call(n, "concat", a, b)
		}
		fallthrough
	case "-", "*":
		if err := l.noText(n, a, b); err != nil {
			return nil, err
		}
		return l.call(n, n.Operator, wide(a), wide(b))
	case "/":
		if err := l.noText(n, a, b); err != nil {
			return nil, err
		}
		return l.call(n, "/", a, b)
	case "%":
		return l.call(n, "%", wide(a), wide(b))
	}
	if name, ok := sameName[n.Operator]; ok {
		return l.call(n, name, a, b)
	}
	return nil, errNoVector
}

// noText refuses to compute with strings: expr-lang does not convert them, and SQL's conversion would surprise here.
func (l *lowerer) noText(n *ast.BinaryNode, a, b expr.Expr) error {
	for _, e := range []expr.Expr{a, b} {
		if e.DataType().Kind == column.String {
			return l.errorAt(n, "DATATYPE_MISMATCH.BINARY_OP_WRONG_TYPE", "The operator %s does not work on %s and %s.", n.Operator, a.DataType(), b.DataType()).
				WithFix("Convert with int(…), float(…) or string(…).")
		}
	}
	return nil
}

// equality tests for null when a side is nil.
func (l *lowerer) equality(n *ast.BinaryNode) (expr.Expr, error) {
	for _, side := range [][2]ast.Node{{n.Left, n.Right}, {n.Right, n.Left}} {
		if _, ok := side[1].(*ast.NilNode); !ok {
			continue
		}
		e, err := l.lower(side[0])
		if err != nil {
			return nil, err
		}
		return l.call(n, map[string]string{"==": "isnull", "!=": "isnotnull"}[n.Operator], e)
	}
	args, err := l.all([]ast.Node{n.Left, n.Right})
	if err != nil {
		return nil, err
	}
	return l.call(n, n.Operator, args...)
}

// membership is x in [a, b], x in 1..9, x in array, key in map and "name" in struct.
func (l *lowerer) membership(n *ast.BinaryNode) (expr.Expr, error) {
	x, err := l.lower(n.Left)
	if err != nil {
		return nil, err
	}
	switch r := n.Right.(type) {
	case *ast.ArrayNode:
		items, err := l.all(r.Nodes)
		if err != nil {
			return nil, err
		}
		if len(items) == 0 {
			return expr.Lit(false), nil
		}
		return l.call(n, "in", append([]expr.Expr{x}, items...)...)
	case *ast.BinaryNode:
		if r.Operator == ".." {
			ends, err := l.all([]ast.Node{r.Left, r.Right})
			if err != nil {
				return nil, err
			}
			return l.call(n, "between", x, ends[0], ends[1])
		}
	}
	set, err := l.lower(n.Right)
	if err != nil {
		return nil, err
	}
	switch set.DataType().Kind {
	case column.List:
		return l.call(n, "array_contains", set, x)
	case column.Map:
		return l.call(n, "map_contains_key", set, x)
	case column.Struct:
		if name, ok := x.(*expr.Literal); ok {
			if s, ok := name.Value.(string); ok {
				_, err := expr.GetField(set, s)
				return expr.Lit(err == nil), nil
			}
		}
	}
	return nil, errNoVector
}
