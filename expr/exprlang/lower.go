package exprlang

import (
	"errors"
	"strings"

	"github.com/expr-lang/expr/ast"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/internal/usererr"
)

// errNoVector says that a node has no vectorised form; an enclosing node that stands alone runs on the VM instead.
var errNoVector = errors.New("exprlang: no vectorised form")

type lowerer struct {
	text string
	cols []*expr.Attr
	vars map[string]expr.Expr // by let
}

func newLowerer(text string, cols []*expr.Attr) *lowerer {
	return &lowerer{text: text, cols: cols, vars: map[string]expr.Expr{}}
}

func (l *lowerer) errorAt(n ast.Node, code, format string, args ...any) *usererr.Error {
	e := usererr.New(code, "42601", format, args...)
	e.Text = l.text
	return e.At(place(l.text, n.Location().From))
}

// lower is the tree of a node, or the call of the VM for it.
func (l *lowerer) lower(n ast.Node) (expr.Expr, error) {
	e, err := l.node(n)
	if !errors.Is(err, errNoVector) {
		return e, err
	}
	return l.onVM(n)
}

func (l *lowerer) node(n ast.Node) (expr.Expr, error) {
	switch n := n.(type) {
	case *ast.NilNode:
		return expr.Lit(nil), nil
	case *ast.IntegerNode:
		return expr.Lit(n.Value), nil
	case *ast.FloatNode:
		return expr.Lit(n.Value), nil
	case *ast.BoolNode:
		return expr.Lit(n.Value), nil
	case *ast.StringNode:
		return expr.Lit(n.Value), nil
	case *ast.BytesNode:
		return expr.Lit(n.Value), nil
	case *ast.IdentifierNode:
		return l.identifier(n)
	case *ast.UnaryNode:
		return l.unary(n)
	case *ast.BinaryNode:
		return l.binary(n)
	case *ast.ChainNode:
		return l.lower(n.Node)
	case *ast.MemberNode:
		return l.member(n)
	case *ast.SliceNode:
		return l.slice(n)
	case *ast.ConditionalNode:
		return l.conditional(n)
	case *ast.VariableDeclaratorNode:
		return l.let(n)
	case *ast.SequenceNode:
		return l.lower(n.Nodes[len(n.Nodes)-1])
	case *ast.ArrayNode:
		args, err := l.all(n.Nodes)
		if err != nil {
			return nil, err
		}
		return l.call(n, "array", args...)
	case *ast.MapNode:
		return l.structOf(n)
	case *ast.BuiltinNode:
		return l.builtin(n)
	case *ast.CallNode:
		return l.callNode(n)
	}
	return nil, errNoVector
}

func (l *lowerer) all(nodes []ast.Node) ([]expr.Expr, error) {
	out := make([]expr.Expr, len(nodes))
	for i, n := range nodes {
		e, err := l.lower(n)
		if err != nil {
			return nil, err
		}
		out[i] = e
	}
	return out, nil
}

// call resolves a function of the table at a node's place.
func (l *lowerer) call(n ast.Node, name string, args ...expr.Expr) (expr.Expr, error) {
	line, col := place(l.text, n.Location().From)
	e, err := expr.ResolveCall(&expr.UnresolvedCall{Name: name, Args: args, Pos: expr.Pos{Line: line, Col: col}})
	if err != nil {
		if u, ok := usererr.As(err); ok {
			u.Text = l.text
		}
		return nil, err
	}
	switch e.(type) {
	case *expr.Agg, *expr.Generate:
		return nil, l.errorAt(n, "INVALID_EXPRLANG.FUNCTION_KIND", "The function %s does not give one value for each row.", name)
	}
	return e, nil
}

func (l *lowerer) column(name string) (*expr.Attr, bool) {
	for _, a := range l.cols {
		if a.Name == name {
			return a, true
		}
	}
	for _, a := range l.cols {
		if strings.EqualFold(a.Name, name) {
			return a, true
		}
	}
	return nil, false
}

func (l *lowerer) identifier(n *ast.IdentifierNode) (expr.Expr, error) {
	if e, ok := l.vars[n.Value]; ok {
		return e, nil
	}
	if a, ok := l.column(n.Value); ok {
		return a, nil
	}
	if n.Value == "$env" {
		return nil, errNoVector
	}
	return nil, l.unknownColumn(n, n.Value)
}

func (l *lowerer) unknownColumn(n ast.Node, name string) error {
	e := l.errorAt(n, "UNRESOLVED_COLUMN.WITH_SUGGESTION", "A column, variable, or function parameter with name `%s` cannot be resolved.", name)
	e.SQLState = "42703"
	names := make([]string, 0, len(l.cols))
	for _, a := range l.cols {
		names = append(names, a.Name)
	}
	if near := expr.Nearest(name, names); len(near) > 0 {
		e.WithFix("Did you mean `%s`?", strings.Join(near, "`, `")).With("proposal", strings.Join(near, ", "))
	} else {
		e.Code = "UNRESOLVED_COLUMN.WITHOUT_SUGGESTION"
	}
	return e.With("objectName", "`"+name+"`")
}

func (l *lowerer) unary(n *ast.UnaryNode) (expr.Expr, error) {
	e, err := l.lower(n.Node)
	if err != nil {
		return nil, err
	}
	switch n.Operator {
	case "!", "not":
		return l.call(n, "not", e)
	case "-":
		return l.call(n, "negative", wide(e))
	}
	return l.call(n, "positive", e)
}

// wide brings integers to 64 bits, in which expr-lang computes.
func wide(e expr.Expr) expr.Expr {
	if e.DataType().IsInteger() {
		return expr.Coerce(e, column.Of(column.Int64))
	}
	return e
}

func (l *lowerer) conditional(n *ast.ConditionalNode) (expr.Expr, error) {
	args, err := l.all([]ast.Node{n.Cond, n.Exp1, n.Exp2})
	if err != nil {
		return nil, err
	}
	return l.call(n, "if", args...)
}

func (l *lowerer) let(n *ast.VariableDeclaratorNode) (expr.Expr, error) {
	value, err := l.lower(n.Value)
	if err != nil {
		return nil, err
	}
	if _, ok := l.column(n.Name); ok {
		return nil, l.errorAt(n, "INVALID_EXPRLANG.VARIABLE", "The variable %s has the name of a column.", n.Name)
	}
	old, had := l.vars[n.Name]
	l.vars[n.Name] = value
	defer func() {
		delete(l.vars, n.Name)
		if had {
			l.vars[n.Name] = old
		}
	}()
	return l.lower(n.Expr)
}

func (l *lowerer) structOf(n *ast.MapNode) (expr.Expr, error) {
	var args []expr.Expr
	for _, p := range n.Pairs {
		pair := p.(*ast.PairNode)
		pairArgs, err := l.all([]ast.Node{pair.Key, pair.Value})
		if err != nil {
			return nil, err
		}
		args = append(args, pairArgs...)
	}
	return l.call(n, "named_struct", args...)
}

func (l *lowerer) member(n *ast.MemberNode) (expr.Expr, error) {
	if id, ok := n.Node.(*ast.IdentifierNode); ok && id.Value == "$env" {
		if name, ok := n.Property.(*ast.StringNode); ok {
			return l.identifier(&ast.IdentifierNode{Value: name.Value})
		}
	}
	child, err := l.lower(n.Node)
	if err != nil {
		return nil, err
	}
	key, err := l.lower(n.Property)
	if err != nil {
		return nil, err
	}
	if child.DataType().Kind == column.String && key.DataType().IsInteger() {
		return nil, errNoVector
	}
	if i, ok := key.(*expr.Literal); ok && child.DataType().Kind == column.List {
		if at, isInt := i.Value.(int64); isInt && at < 0 {
			return l.call(n, "element_at", child, key)
		}
	}
	e, err := expr.Extract(child, key)
	if u, ok := usererr.As(err); ok {
		u.Text = l.text
		u.At(place(l.text, n.Location().From))
	}
	return e, err
}

func (l *lowerer) slice(n *ast.SliceNode) (expr.Expr, error) {
	child, err := l.lower(n.Node)
	if err != nil {
		return nil, err
	}
	from, to := 0, -1
	if n.From != nil {
		i, ok := n.From.(*ast.IntegerNode)
		if !ok {
			return nil, errNoVector
		}
		from = i.Value
	}
	if n.To != nil {
		i, ok := n.To.(*ast.IntegerNode)
		if !ok {
			return nil, errNoVector
		}
		to = i.Value
	}
	if from < 0 || n.To != nil && to < from {
		return nil, errNoVector
	}
	length := expr.Lit(1 << 30)
	if n.To != nil {
		length = expr.Lit(to - from)
	}
	switch child.DataType().Kind {
	case column.String:
		return l.call(n, "substring", child, expr.Lit(from+1), length)
	case column.List:
		return l.call(n, "slice", child, expr.Lit(from+1), length)
	}
	return nil, errNoVector
}
