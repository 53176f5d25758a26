package optimize

import (
	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/structured/logical"
)

// asValue is an IN or EXISTS that stands somewhere in an expression: a column that says whether there is a row.
func (a *analyzer) asValue(e *logical.Subquery, s *scope) (expr.Expr, error) {
	if e.Kind == logical.ExistsSubquery {
		some := call(">", call("count", expr.Lit(1)), expr.Lit(0))
		q := &logical.Project{List: []expr.Expr{&expr.Alias{Child: some, Name: "exists"}}, Child: &logical.SubqueryAlias{Alias: "_exists", Child: e.Query}}
		return a.scalar(&logical.Subquery{Kind: logical.ScalarSubquery, Query: q, Pos: e.Pos}, s)
	}
	v, err := a.expr(e.Value, s)
	if err != nil {
		return nil, err
	}
	if in, err := a.markIn(e, v, s); in != nil || err != nil {
		return in, err
	}
	// Inside the subquery the value is one of the query around it, whatever columns have its names.
	v = expr.Transform(v, func(x expr.Expr) expr.Expr {
		if at, ok := x.(*expr.Attr); ok {
			return &outerRef{attr: at, pos: e.Pos}
		}
		return x
	})
	col := &expr.UnresolvedAttr{Parts: []string{"_in", "_value"}}
	eq := &expr.UnresolvedCall{Name: "=", Args: []expr.Expr{v, col}, Pos: e.Pos}
	answer := &expr.Case{
		Whens: []expr.Expr{call(">", call("count_if", eq), expr.Lit(0)), call(">", call("count_if", call("isnull", eq)), expr.Lit(0))},
		Thens: []expr.Expr{expr.Lit(true), &expr.Literal{Typ: column.Of(column.Bool)}},
		Else:  expr.Lit(false),
	}
	q := &logical.Project{List: []expr.Expr{&expr.Alias{Child: answer, Name: "in"}},
		Child: &logical.SubqueryAlias{Alias: "_in", Names: []string{"_value"}, Child: e.Query}}
	return a.scalar(&logical.Subquery{Kind: logical.ScalarSubquery, Query: q, Pos: e.Pos}, s)
}

// markIn is v IN (SELECT …) as a value, where the subquery reads nothing of the query around it: the row's value is looked up among
// the subquery's distinct ones, and where there may be nulls, what is known of all of them decides between false and unknown.
// It is nil when the subquery is of another kind.
//
//	child LEFT JOIN (SELECT DISTINCT _value, true AS _found FROM q) ON v = _value
//	      CROSS JOIN (SELECT CASE WHEN count(1) = 0 THEN 0 WHEN count_if(_value IS NULL) > 0 THEN 2 ELSE 1 END FROM q)
func (a *analyzer) markIn(e *logical.Subquery, v expr.Expr, s *scope) (expr.Expr, error) {
	q, c, err := a.subquery(&logical.Subquery{Kind: logical.ScalarSubquery, Query: e.Query, Pos: e.Pos}, &scope{})
	if err != nil || len(c.conds) > 0 || len(c.shown) != 1 || outerOf(q) != nil {
		return nil, nil // the general way does it, or says what is wrong
	}
	value := c.shown[0]
	eq, err := expr.ResolveCall(&expr.UnresolvedCall{Name: "=", Args: []expr.Expr{v, value}, Pos: e.Pos})
	if err != nil {
		return nil, nil
	}
	one := attrExprs([]*expr.Attr{value})
	found := &expr.Alias{Child: expr.Lit(true), Name: "_found", ID: expr.NewID()}
	distinct := &logical.Dedup{Cols: one, Child: &logical.Project{List: one, Child: q}}
	*a.subs = append(*a.subs, scalarSub{&logical.Project{List: append(one, found), Child: distinct}, eq})
	there := *logical.AttrOf(found)
	there.Null = true
	answer := &expr.Case{Whens: []expr.Expr{call("isnotnull", &there)}, Thens: []expr.Expr{expr.Lit(true)}, Else: expr.Lit(false)}
	if v.Nullable() || value.Null {
		facts, err := a.scalar(&logical.Subquery{Kind: logical.ScalarSubquery, Query: nullFacts(e.Query), Pos: e.Pos}, s)
		if err != nil {
			return nil, err
		}
		answer.Whens = append(answer.Whens, call("=", facts, expr.Lit(0)), call("or", call("isnull", v), call("=", facts, expr.Lit(2))))
		answer.Thens = append(answer.Thens, expr.Lit(false), &expr.Literal{Typ: column.Of(column.Bool)})
	}
	return a.expr(answer, s)
}

// nullFacts says of a query with one column: 0 for no rows, 1 for rows without nulls, 2 for a null among them.
func nullFacts(q logical.Plan) logical.Plan {
	value := &expr.UnresolvedAttr{Parts: []string{"_in", "_value"}}
	facts := &expr.Case{
		Whens: []expr.Expr{call("=", call("count", expr.Lit(1)), expr.Lit(0)), call(">", call("count_if", call("isnull", value)), expr.Lit(0))},
		Thens: []expr.Expr{expr.Lit(0), expr.Lit(2)},
		Else:  expr.Lit(1),
	}
	return &logical.Project{List: []expr.Expr{&expr.Alias{Child: facts, Name: "facts"}},
		Child: &logical.SubqueryAlias{Alias: "_in", Names: []string{"_value"}, Child: q}}
}

// call is a call by name, to be resolved.
func call(name string, args ...expr.Expr) expr.Expr {
	return &expr.UnresolvedCall{Name: name, Args: args}
}
