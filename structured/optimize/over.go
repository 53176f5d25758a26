package optimize

import (
	"strings"

	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/structured/logical"
	"github.com/streamflow/streamflow/structured/sql"
)

// over resolves a window function: its operands, PARTITION BY and ORDER BY mean the columns of the scope. Aggregates may stand
// inside, for a grouped query has them as columns.
func (a *analyzer) over(e *expr.Over, s *scope) (expr.Expr, error) {
	if t, ok := e.Fn.(*logical.SQLExpr); ok {
		fn, err := sql.ParseExpr(t.Text)
		if err != nil {
			return nil, err
		}
		e = &expr.Over{Fn: fn, Partition: e.Partition, Order: e.Order, Frame: e.Frame, Pos: e.Pos}
	}
	c, ok := e.Fn.(*expr.UnresolvedCall)
	if !ok {
		return nil, usererr.New("UNSUPPORTED_EXPR_FOR_WINDOW", "42P20", "%s may not stand before OVER.", plainName(e.Fn)).At(e.Pos.Line, e.Pos.Col)
	}
	args, err := a.args(countsRows(c), s)
	if err != nil {
		return nil, err
	}
	fn := &expr.UnresolvedCall{Name: c.Name, Args: args, Distinct: c.Distinct, Pos: c.Pos}
	if c.Filter != nil {
		if fn.Filter, err = a.expr(c.Filter, s); err != nil {
			return nil, err
		}
	}
	r := &expr.Over{Fn: fn, Frame: e.Frame, Pos: e.Pos}
	if r.Partition, err = a.exprs(e.Partition, s); err != nil {
		return nil, err
	}
	for _, o := range e.Order {
		k, err := a.expr(o.Child, s)
		if err != nil {
			return nil, err
		}
		r.Order = append(r.Order, &expr.SortOrder{Child: k, Desc: o.Desc, NullsFirst: o.NullsFirst})
	}
	for _, k := range r.Children() {
		if findOver([]expr.Expr{k}) != nil {
			return nil, usererr.New("NESTED_WINDOW_FUNCTION", "42P20", "A window function stands inside another: %s.", plainName(e)).At(e.Pos.Line, e.Pos.Col).
				WithFix("Compute the inner one in a subquery.")
		}
	}
	out, err := expr.ResolveOver(r)
	if err != nil {
		return nil, a.explain(err, r)
	}
	return out, nil
}

// findOver is the first window function within the expressions.
func findOver(list []expr.Expr) *expr.Over {
	var found *expr.Over
	for _, e := range list {
		expr.Walk(e, func(x expr.Expr) bool {
			if o, ok := x.(*expr.Over); ok && found == nil {
				found = o
			}
			return found == nil
		})
	}
	return found
}

// overs takes the window functions out of expressions: each becomes a column of an Over node below, one node for each PARTITION BY
// and ORDER BY.
func overs(list []expr.Expr, child logical.Plan) ([]expr.Expr, logical.Plan) {
	if findOver(list) == nil {
		return list, child
	}
	var windows []string
	calls := map[string][]expr.Expr{}
	known := map[string]*expr.Attr{}
	out := make([]expr.Expr, len(list))
	for i, e := range list {
		out[i] = expr.Transform(e, func(x expr.Expr) expr.Expr {
			o, ok := x.(*expr.Over)
			if !ok {
				return x
			}
			name := same(o)
			if known[name] == nil {
				l := &expr.Alias{Child: o, Name: columnName(o), ID: expr.NewID()}
				known[name] = logical.AttrOf(l)
				w := windowOf(o)
				if calls[w] == nil {
					windows = append(windows, w)
				}
				calls[w] = append(calls[w], l)
			}
			return known[name]
		})
	}
	for _, w := range windows {
		child = &logical.Over{List: calls[w], Child: child}
	}
	return out, child
}

// windowOf is a text by which functions of one PARTITION BY and ORDER BY are known.
func windowOf(o *expr.Over) string {
	var b strings.Builder
	for _, p := range o.Partition {
		b.WriteString(same(p) + ",")
	}
	for _, s := range o.Order {
		b.WriteString(";" + same(s))
	}
	return b.String()
}

// qualify resolves QUALIFY: the condition becomes one more item of the list, is filtered by, and dropped.
func (a *analyzer) qualify(p *logical.Qualify) (logical.Plan, error) {
	item := &expr.Alias{Child: p.Cond, Name: "_qualify"}
	var wide logical.Plan
	var err error
	switch c := p.Child.(type) {
	case *logical.Project:
		wide, err = a.project(&logical.Project{List: append(c.List[:len(c.List):len(c.List)], item), Child: c.Child}, nil)
	case *logical.Aggregate:
		wide, err = a.aggregate(&logical.Aggregate{Keys: c.Keys, Sets: c.Sets, List: append(c.List[:len(c.List):len(c.List)], item), Having: c.Having, Child: c.Child}, nil)
	}
	if err != nil {
		return nil, err
	}
	out := wide.Output()
	cond := out[len(out)-1]
	if err := a.condition(cond, "QUALIFY"); err != nil {
		return nil, err
	}
	return &logical.Project{List: attrExprs(out[:len(out)-1]), Child: &logical.Filter{Cond: boolean(cond), Child: wide}}, nil
}

func overIn(clause string, e *expr.Over) error {
	return usererr.New("INVALID_WINDOW_FUNCTION_PLACE", "42903", "A window function may not stand in %s: %s.", clause, plainName(e)).At(e.Pos.Line, e.Pos.Col).
		WithFix("Filter by it with QUALIFY, or compute it in a subquery.")
}

// attrsOnly are the columns among the expressions.
func attrsOnly(list []expr.Expr) []expr.Expr {
	var out []expr.Expr
	for _, e := range list {
		if _, ok := e.(*expr.Attr); ok {
			out = append(out, e)
		}
	}
	return out
}
