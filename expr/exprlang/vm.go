package exprlang

import (
	"fmt"
	"reflect"
	"sort"
	"time"

	exprvm "github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/vm"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/internal/usererr"
)

// onVM makes the call of the virtual machine for a node that stands alone: every name in it is a column.
func (l *lowerer) onVM(n ast.Node) (expr.Expr, error) {
	used := &names{l: l, cols: map[string]*expr.Attr{}}
	root := n
	ast.Walk(&root, used)
	if used.open {
		return nil, errNoVector
	}
	if used.unknown != nil {
		return nil, l.unknownColumn(used.unknown, used.unknown.Value)
	}
	text := n.String()
	var order []string
	for name := range used.cols {
		order = append(order, name)
	}
	sort.Strings(order)
	c := &expr.Call{Fn: "exprlang", Args: []expr.Expr{expr.Lit(text)}, Null: true}
	for _, name := range order {
		c.Args = append(c.Args, expr.Lit(name), used.cols[name])
	}
	prog, err := compileVM(text, c.Args)
	if err != nil {
		return nil, l.errorAt(n, "INVALID_EXPRLANG", "The expression %s cannot be compiled: %s.", text, firstLine(err))
	}
	c.Typ = columnType(prog.Node().Type())
	return c, nil
}

// names collects the identifiers of a subtree.
type names struct {
	l       *lowerer
	cols    map[string]*expr.Attr
	locals  map[string]bool
	open    bool // uses a variable that is declared outside
	unknown *ast.IdentifierNode
}

func (v *names) Visit(node *ast.Node) {
	switch n := (*node).(type) {
	case *ast.IdentifierNode:
		if _, ok := v.l.vars[n.Value]; ok {
			v.open = true
		} else if a, ok := v.l.column(n.Value); ok {
			v.cols[n.Value] = a
		} else if n.Value == "$env" {
			v.open = true
		} else if !v.locals[n.Value] && v.unknown == nil {
			v.unknown = n
		}
	case *ast.VariableDeclaratorNode:
		if v.locals == nil {
			v.locals = map[string]bool{}
		}
		v.locals[n.Name] = true
		if v.unknown != nil && v.unknown.Value == n.Name {
			v.unknown = nil
		}
	}
}

func firstLine(err error) string {
	s := err.Error()
	for i, c := range s {
		if c == '\n' {
			return s[:i]
		}
	}
	return s
}

// compileVM compiles text over an environment of the named columns: args are the text, then names and values by turns.
func compileVM(text string, args []expr.Expr) (*vm.Program, error) {
	env := map[string]any{}
	for i := 1; i+1 < len(args); i += 2 {
		env[args[i].(*expr.Literal).Value.(string)] = zero(args[i+1].DataType())
	}
	return exprvm.Compile(text, exprvm.Env(env))
}

// zero is the value that tells expr-lang's checker the Go type of a column.
func zero(t column.Type) any {
	switch t.Kind {
	case column.Bool:
		return false
	case column.Int8, column.Int16, column.Int32, column.Int64:
		return 0
	case column.Float32, column.Float64, column.Decimal:
		return 0.0
	case column.String:
		return ""
	case column.Binary:
		return []byte(nil)
	case column.Date, column.Timestamp, column.TimestampNTZ:
		return time.Time{}
	case column.IntervalDT:
		return time.Duration(0)
	case column.List:
		return reflect.MakeSlice(reflect.SliceOf(reflect.TypeOf(zero(t.Elem()))), 0, 0).Interface()
	case column.Struct, column.Map:
		return map[string]any{}
	}
	return map[string]any{}
}

// columnType is the type of a result: what has no type before it runs becomes text.
func columnType(t reflect.Type) column.Type {
	if t == nil {
		return column.Of(column.String)
	}
	switch t {
	case reflect.TypeFor[time.Time]():
		return column.Of(column.Timestamp)
	case reflect.TypeFor[time.Duration]():
		return column.Of(column.IntervalDT)
	}
	switch t.Kind() {
	case reflect.Bool:
		return column.Of(column.Bool)
	case reflect.Int, reflect.Int64, reflect.Int32, reflect.Int16, reflect.Int8, reflect.Uint8, reflect.Uint16, reflect.Uint32:
		return column.Of(column.Int64)
	case reflect.Float32, reflect.Float64:
		return column.Of(column.Float64)
	case reflect.Slice:
		return column.ListOf(columnType(t.Elem()), true)
	}
	return column.Of(column.String)
}

func init() {
	expr.RegisterRows("misc", &expr.Function{Name: "exprlang", Usage: "exprlang(text[, name, x, …])", Doc: "An expression in expr-lang's language, evaluated row by row on its virtual machine.",
		Example: "exprlang('1 + 2') -> 3"}, "s:text a*",
		func(args []expr.Expr) (column.Type, error) {
			text, ok := args[0].(*expr.Literal)
			if !ok {
				return column.Type{}, usererr.New("DATATYPE_MISMATCH.NON_FOLDABLE_INPUT", "42K09", "The text of exprlang must be a constant.")
			}
			for i := 1; i < len(args); i += 2 {
				if l, ok := args[i].(*expr.Literal); !ok || l.Typ.Kind != column.String || i+1 == len(args) {
					return column.Type{}, usererr.New("DATATYPE_MISMATCH.NON_FOLDABLE_INPUT", "42K09", "After the text of exprlang come names, as constant texts, and their values by turns.")
				}
			}
			prog, err := compileVM(fmt.Sprint(text.Value), args)
			if err != nil {
				return column.Type{}, usererr.New("INVALID_EXPRLANG", "42601", "The expression %s cannot be compiled: %s.", text.Value, firstLine(err))
			}
			return columnType(prog.Node().Type()), nil
		}, bindVM)
}

// bindVM compiles the text of an exprlang call once for each program.
func bindVM(c *expr.Call) (expr.RowFunc, error) {
	text, _ := c.Args[0].(*expr.Literal).Value.(string)
	prog, err := compileVM(text, c.Args)
	if err != nil {
		return nil, err
	}
	env := map[string]any{}
	machine := vm.VM{}
	return func(args []any) (any, error) {
		for i := 1; i+1 < len(args); i += 2 {
			env[args[i].(string)] = toGo(args[i+1], c.Args[i+1].DataType())
		}
		v, err := machine.Run(prog, env)
		if err != nil {
			return nil, usererr.New("EXPRLANG_FAILED", "22000", "%s: %s.", text, firstLine(err))
		}
		return fromGo(v, c.Typ), nil
	}, nil
}
