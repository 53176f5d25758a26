package optimize

import (
	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/structured/logical"
)

// generators takes a table function out of a SELECT list: the columns it makes take its place.
func (a *analyzer) generators(items []expr.Expr, child logical.Plan) ([]expr.Expr, logical.Plan, error) {
	var out []expr.Expr
	var node *logical.Generate
	for _, e := range items {
		gen, ok := unalias(e).(*expr.Generate)
		if !ok {
			if g := findGenerator(e); g != nil {
				return nil, nil, at(usererr.New("UNSUPPORTED_GENERATOR.NESTED_IN_EXPRESSIONS", "42K0E", "A generator may not stand inside an expression: %s.", plainName(unalias(e))).
					WithFix("Let it be an item of its own, or use LATERAL VIEW."), a.place(g))
			}
			out = append(out, e)
			continue
		}
		if node != nil {
			return nil, nil, at(usererr.New("UNSUPPORTED_GENERATOR.MULTI_GENERATOR", "42K0E", "Only one generator may stand in a SELECT list, but there is another: %s.", gen.Fn).
				WithFix("Use LATERAL VIEW for each."), a.place(gen))
		}
		attrs, err := generated(gen, namesOf(e))
		if err != nil {
			return nil, nil, err
		}
		node = &logical.Generate{Gen: gen, Attrs: attrs, Child: child}
		out = append(out, attrExprs(attrs)...)
	}
	if node == nil {
		return items, child, nil
	}
	return out, node, nil
}

func findGenerator(e expr.Expr) expr.Expr {
	var found expr.Expr
	expr.Walk(e, func(x expr.Expr) bool {
		if isGenerator(x) {
			found = x
		}
		return found == nil
	})
	return found
}

// namesOf are the aliases that the user gave to a generator's columns, nil for the function's own names.
func namesOf(e expr.Expr) []string {
	l, ok := e.(*expr.Alias)
	switch {
	case !ok:
		return nil
	case len(l.Names) > 0:
		return l.Names
	}
	return []string{l.Name}
}

// generated are the attributes of a generator's columns, under the given names if there are any.
func generated(gen *expr.Generate, names []string) ([]*expr.Attr, error) {
	if len(names) > 0 && len(names) != len(gen.Output) {
		return nil, usererr.New("UDTF_ALIAS_NUMBER_MISMATCH", "42802", "%s makes %d columns, but %d names are given.", gen.Fn, len(gen.Output), len(names)).
			WithFix("Give one name for each column.")
	}
	attrs := make([]*expr.Attr, len(gen.Output))
	for i, f := range gen.Output {
		attrs[i] = &expr.Attr{ID: expr.NewID(), Name: f.Name, Typ: f.Type, Null: f.Nullable || gen.Outer}
		if len(names) > 0 {
			attrs[i].Name = names[i]
		}
	}
	return attrs, nil
}

// lateralView resolves LATERAL VIEW; its columns can be written alias.column.
func (a *analyzer) lateralView(p *logical.LateralView) (logical.Plan, error) {
	child, err := a.plan(p.Child)
	if err != nil {
		return nil, err
	}
	e, err := a.expr(p.Call, over(child))
	if err != nil {
		return nil, err
	}
	gen, ok := e.(*expr.Generate)
	if !ok {
		return nil, at(notGenerator(p.Call), p.Pos)
	}
	gen = &expr.Generate{Fn: gen.Fn, Args: gen.Args, Outer: gen.Outer || p.Outer, Output: gen.Output}
	attrs, err := generated(gen, p.Names)
	if err != nil {
		return nil, at(err, p.Pos)
	}
	if p.Alias != "" {
		for _, at := range attrs {
			at.Qualifier = []string{p.Alias}
		}
	}
	return &logical.Generate{Gen: gen, Attrs: attrs, Child: child}, nil
}

func notGenerator(e expr.Expr) error {
	return usererr.New("UNRESOLVED_TABLE_VALUED_FUNCTION", "42883", "%s makes no rows.", plainName(e)).WithFix("Use explode, posexplode, inline, stack or range.")
}

// tableFunc resolves a function in FROM: range(…), state(…), or a generator over constants.
func (a *analyzer) tableFunc(f *logical.TableFunc) (logical.Plan, error) {
	switch {
	case equalFold(f.Name, "range"):
		return a.rangeOf(f)
	case equalFold(f.Name, "state"):
		return a.stateOf(f)
	case equalFold(f.Name, "state_metadata"):
		return a.metadataOf(f)
	}
	call := &expr.UnresolvedCall{Name: f.Name, Args: f.Args, Pos: f.Pos}
	e, err := a.expr(call, &scope{layers: [][]*expr.Attr{nil}})
	if err != nil {
		return nil, err
	}
	gen, ok := e.(*expr.Generate)
	if !ok {
		return nil, at(notGenerator(call), f.Pos)
	}
	attrs, err := generated(gen, nil)
	if err != nil {
		return nil, err
	}
	return &logical.Generate{Gen: gen, Attrs: attrs, Child: oneRow()}, nil
}

// rangeOf is range(end), range(start, end[, step[, partitions]]).
func (a *analyzer) rangeOf(f *logical.TableFunc) (logical.Plan, error) {
	if n := len(f.Args); n < 1 || n > 4 {
		return nil, usererr.New("WRONG_NUM_ARGS.WITHOUT_SUGGESTION", "42605", "The `range` requires 1 to 4 parameters but the actual number is %d.", n).
			At(f.Pos.Line, f.Pos.Col).WithFix("It is written range(end) or range(start, end[, step[, partitions]]).")
	}
	vals := make([]int64, len(f.Args))
	for i, arg := range f.Args {
		e, err := a.expr(arg, &scope{layers: [][]*expr.Attr{nil}})
		if err != nil {
			return nil, err
		}
		l, err := expr.EvalLiteralIn(a.env.Session, expr.Coerce(e, column.Of(column.Int64)))
		if err != nil {
			return nil, at(err, f.Pos)
		}
		if l.Value == nil {
			return nil, usererr.New("UNEXPECTED_INPUT_TYPE", "42K09", "Argument %d of range is null.", i+1).At(f.Pos.Line, f.Pos.Col)
		}
		vals[i] = l.Value.(int64)
	}
	r := &logical.Range{Step: 1, Attr: rangeAttr()}
	switch len(vals) {
	case 1:
		r.End = vals[0]
	default:
		r.Start, r.End = vals[0], vals[1]
	}
	if len(vals) > 2 {
		r.Step = vals[2]
	}
	if len(vals) > 3 {
		r.Parts = int(vals[3])
	}
	if r.Step == 0 {
		return nil, usererr.New("INVALID_PARAMETER_VALUE.RANGE_STEP", "22023", "The step of range is 0.").At(f.Pos.Line, f.Pos.Col).WithFix("Use a step other than 0.")
	}
	return r, nil
}
