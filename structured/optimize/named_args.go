package optimize

import (
	"strings"

	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/structured/catalog"
	"github.com/streamflow/streamflow/structured/sql"
)

// byPosition puts arguments given by name, f(b => 2, a => 1), into the places of their parameters. A parameter of a created
// function that is passed over takes its default.
func (a *analyzer) byPosition(c *expr.UnresolvedCall, f *expr.Function, own *catalog.Function) (*expr.UnresolvedCall, error) {
	first := len(c.Args)
	for i := len(c.Args) - 1; i >= 0; i-- {
		if _, ok := c.Args[i].(*expr.NamedArg); ok {
			first = i
		}
	}
	if first == len(c.Args) {
		return c, nil
	}
	if f == nil && own == nil {
		return unnamed(c), nil // who resolves the call says that there is no such function
	}
	names, defaults, err := parameters(f, own)
	if err != nil {
		return nil, err
	}
	if names == nil {
		return nil, argError(c, nil, "NAMED_PARAMETERS_NOT_SUPPORTED", "4274K", "Named parameters are not supported for function `%s`.", c.Name).WithFix("Pass the arguments by position.")
	}
	out := append([]expr.Expr{}, c.Args[:first]...)
	for len(out) < len(names) {
		out = append(out, nil)
	}
	given := first
	for _, e := range c.Args[first:] {
		n, ok := e.(*expr.NamedArg)
		if !ok {
			return nil, argError(c, nil, "UNEXPECTED_POSITIONAL_ARGUMENT", "4274K", "Cannot invoke routine `%s` because it contains positional arguments after the named ones.", c.Name).WithFix("Put the arguments without a name first.")
		}
		at := indexFold(names, n.Name)
		if at < 0 {
			e := argError(c, n, "UNRECOGNIZED_PARAMETER_NAME", "4274K", "Cannot invoke routine `%s` because it has no parameter `%s`.", c.Name, n.Name)
			if near := usererr.Nearest(n.Name, names, 3); len(near) > 0 {
				return nil, e.WithFix("Did you mean %s?", strings.Join(near, ", "))
			}
			return nil, e.WithFix("It has %s.", strings.Join(names, ", "))
		}
		if out[at] != nil {
			return nil, argError(c, n, "DUPLICATE_ROUTINE_PARAMETER_ASSIGNMENT", "4274K", "Call to routine `%s` is invalid because it includes multiple argument assignments to the parameter `%s`.", c.Name, n.Name)
		}
		out[at] = n.Value
		given = max(given, at+1)
	}
	for i := range out[:given] {
		if out[i] == nil && defaults[i] == "" {
			return nil, argError(c, nil, "REQUIRED_PARAMETER_NOT_FOUND", "4274K", "Cannot invoke routine `%s` because the parameter `%s` is required, but was not given.", c.Name, names[i]).WithFix("Add %s => …", names[i])
		}
		if out[i] == nil {
			if out[i], err = sql.ParseExpr(defaults[i]); err != nil {
				return nil, err
			}
		}
	}
	r := *c
	r.Args = out[:given]
	return &r, nil
}

// unnamed is the call with its arguments as they stand.
func unnamed(c *expr.UnresolvedCall) *expr.UnresolvedCall {
	r := *c
	r.Args = make([]expr.Expr, len(c.Args))
	for i, e := range c.Args {
		if n, ok := e.(*expr.NamedArg); ok {
			e = n.Value
		}
		r.Args[i] = e
	}
	return &r
}

// parameters are the names of a function's parameters, and the texts of their defaults; nil names where arguments have none.
func parameters(f *expr.Function, own *catalog.Function) (names, defaults []string, err error) {
	if own != nil {
		for _, p := range own.Params {
			names, defaults = append(names, p.Name), append(defaults, p.Default)
		}
		return names, defaults, nil
	}
	if f == nil {
		return nil, nil, nil
	}
	for _, p := range f.Parameters() {
		if p.Many {
			return nil, nil, nil
		}
		names, defaults = append(names, p.Name), append(defaults, "")
	}
	return names, defaults, nil
}

func argError(c *expr.UnresolvedCall, n *expr.NamedArg, code, state, format string, args ...any) *usererr.Error {
	e := usererr.New(code, state, format, args...).With("routineName", "`"+c.Name+"`")
	if n != nil && n.Pos.Line > 0 {
		return e.At(n.Pos.Line, n.Pos.Col)
	}
	return e.At(c.Pos.Line, c.Pos.Col)
}

func indexFold(list []string, s string) int {
	for i, x := range list {
		if strings.EqualFold(x, s) {
			return i
		}
	}
	return -1
}
