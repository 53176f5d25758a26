package optimize

import (
	"slices"
	"strings"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/expr/exprlang"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/structured/catalog"
	"github.com/streamflow/streamflow/structured/logical"
	"github.com/streamflow/streamflow/structured/sql"
)

// createdFunction finds a function that CREATE FUNCTION made. Its name may have a database before it.
func (a *analyzer) createdFunction(name string) (*catalog.Function, bool) {
	if a.env.Function == nil {
		return nil, false
	}
	for _, n := range catalog.Names(strings.Split(name, "."), a.env.Database) {
		if f, ok := a.env.Function(n); ok {
			return f, true
		}
	}
	return nil, false
}

// inlined is a call of a function that CREATE FUNCTION made: its body, with the arguments, cast to the parameters' types, in their places.
func (a *analyzer) inlined(f *catalog.Function, c *expr.UnresolvedCall, s *scope) (expr.Expr, error) {
	if slices.Contains(a.inside, strings.ToLower(f.Name)) {
		return nil, usererr.New("RECURSIVE_ROUTINE", "42K0H", "The function `%s` uses itself.", f.Name).At(c.Pos.Line, c.Pos.Col).WithFix("Write it without recursion, for example by aggregate(sequence(…), …).")
	}
	args, err := a.args(c.Args, s)
	if err != nil {
		return nil, err
	}
	values, err := a.argumentsOf(f, c, args)
	if err != nil {
		return nil, err
	}
	a.inside = append(a.inside, strings.ToLower(f.Name))
	out, err := a.body(f, values)
	a.inside = a.inside[:len(a.inside)-1]
	if u, ok := usererr.As(err); ok && u.Where == "" {
		u.In("function " + f.Name)
	}
	return out, err
}

// argumentsOf brings arguments to the types of the parameters, and fills in defaults.
func (a *analyzer) argumentsOf(f *catalog.Function, c *expr.UnresolvedCall, args []expr.Expr) ([]expr.Expr, error) {
	out := make([]expr.Expr, len(f.Params))
	for i, p := range f.Params {
		var e expr.Expr
		switch {
		case i < len(args):
			e = args[i]
		case p.Default != "":
			parsed, err := sql.ParseExpr(p.Default)
			if err != nil {
				return nil, err
			}
			if e, err = a.expr(parsed, &scope{}); err != nil {
				return nil, err
			}
		}
		if e == nil || len(args) > len(f.Params) {
			return nil, usererr.New("WRONG_NUM_ARGS.WITHOUT_SUGGESTION", "42605", "The `%s` requires %d parameters but the actual number is %d.", f.Name, len(f.Params), len(args)).
				At(c.Pos.Line, c.Pos.Col).WithFix("It is %s.", f.Usage())
		}
		if !storable(e.DataType(), p.Type) {
			return nil, usererr.New("DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE", "42K09", "Cannot resolve %q due to data type mismatch: the parameter `%s` requires the %q type, however the argument has the type %q.",
				c.Name, p.Name, strings.ToUpper(p.Type.String()), strings.ToUpper(e.DataType().String())).At(c.Pos.Line, c.Pos.Col).WithFix("Cast the argument.")
		}
		out[i] = expr.Coerce(e, p.Type)
	}
	if len(f.Params) == 0 && len(args) > 0 {
		return nil, usererr.New("WRONG_NUM_ARGS.WITHOUT_SUGGESTION", "42605", "The `%s` takes no parameters.", f.Name).At(c.Pos.Line, c.Pos.Col)
	}
	return out, nil
}

// body resolves the body of a function over values for its parameters.
func (a *analyzer) body(f *catalog.Function, values []expr.Expr) (expr.Expr, error) {
	var out expr.Expr
	var err error
	switch f.Language {
	case catalog.LanguageWASM:
		return expr.ResolveCall(&expr.UnresolvedCall{Name: f.Name, Args: values})
	case catalog.LanguageExpr:
		out, err = exprBody(f, values)
	default:
		out, err = a.sqlBody(f, values)
	}
	if err != nil || f.Returns.Kind == column.Null {
		return out, err
	}
	if !storable(out.DataType(), f.Returns) {
		return nil, usererr.New("DATATYPE_MISMATCH.CAST_WITHOUT_SUGGESTION", "42K09", "The body of `%s` has the type %q, but it returns %q.", f.Name, strings.ToUpper(out.DataType().String()), strings.ToUpper(f.Returns.String())).
			WithFix("Cast it: RETURN CAST(… AS %s).", strings.ToUpper(f.Returns.String()))
	}
	return expr.Coerce(out, f.Returns), nil
}

// exprBody is a body in the language of sfsubmit expr, with the values in the places of its parameters.
func exprBody(f *catalog.Function, values []expr.Expr) (expr.Expr, error) {
	params := make([]*expr.Attr, len(f.Params))
	byID := map[int64]expr.Expr{}
	for i, p := range f.Params {
		params[i] = &expr.Attr{ID: expr.NewID(), Name: p.Name, Typ: p.Type, Null: true}
		byID[params[i].ID] = values[i]
	}
	out, err := exprlang.Parse(f.Body, params)
	if err != nil {
		return nil, err
	}
	return expr.Transform(out, func(x expr.Expr) expr.Expr {
		if a, ok := x.(*expr.Attr); ok && byID[a.ID] != nil {
			return byID[a.ID]
		}
		return x
	}), nil
}

func (a *analyzer) sqlBody(f *catalog.Function, values []expr.Expr) (expr.Expr, error) {
	parsed, err := sql.ParseExpr(f.Body)
	if err != nil {
		return nil, err
	}
	params := &scope{}
	for i, p := range f.Params {
		params.lateral = append(params.lateral, &expr.Alias{Child: values[i], Name: p.Name})
	}
	text, outers, subs := a.text, a.outers, a.subs
	a.text, a.outers, a.subs = f.Body, nil, nil
	out, err := a.expr(withoutQualifier(parsed, f.Name), params)
	err = a.placed(err)
	a.text, a.outers, a.subs = text, outers, subs
	return out, err
}

// withoutQualifier lets a body say f.x for the parameter x of f.
func withoutQualifier(e expr.Expr, name string) expr.Expr {
	return expr.Transform(e, func(x expr.Expr) expr.Expr {
		if u, ok := x.(*expr.UnresolvedAttr); ok && len(u.Parts) == 2 && equalFold(u.Parts[0], name) {
			return &expr.UnresolvedAttr{Parts: u.Parts[1:], Pos: u.Pos}
		}
		return x
	})
}

// checkFunction finds what is wrong with a function when it is made, not when it is first used.
func (a *analyzer) checkFunction(p *logical.CreateFunction) error {
	f := FunctionOf(p, strings.Join(p.Name, "."))
	values := make([]expr.Expr, len(f.Params))
	for i, q := range f.Params {
		values[i] = &expr.Attr{ID: expr.NewID(), Name: q.Name, Typ: q.Type, Null: true}
	}
	out, err := a.body(f, values)
	if err != nil {
		if u, ok := usererr.As(err); ok {
			u.In("function " + f.Name)
		}
		return err
	}
	if g := findAgg([]expr.Expr{out}); g != nil {
		return usererr.New("USER_DEFINED_FUNCTIONS.SQL_FUNCTION_AGGREGATE", "0A000", "The body of `%s` has an aggregate: %s.", f.Name, g).At(p.Pos.Line, p.Pos.Col).WithFix("Let the function take the aggregated value.")
	}
	return nil
}

// FunctionOf is the function that a statement makes, under its name in the catalog.
func FunctionOf(p *logical.CreateFunction, name string) *catalog.Function {
	f := &catalog.Function{Name: name, Language: p.Language, Returns: p.Returns, Body: p.SQL, Comment: p.Comment}
	if p.Body == nil {
		f.Body = p.Source
	}
	for _, q := range p.Params {
		f.Params = append(f.Params, catalog.Param{Name: q.Name, Type: q.Type, Default: q.Default})
	}
	return f
}
