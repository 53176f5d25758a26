package optimize

import (
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/structured/logical"
)

// scalarSub is a scalar subquery that is to be joined below the node which uses its value.
type scalarSub struct{ plan logical.Plan }

// withScalars resolves a node's expressions by f and returns the child with the scalar subqueries that they use joined to
// it: each is one more column, the same in every row.
func (a *analyzer) withScalars(child logical.Plan, f func() error) (logical.Plan, error) {
	outer := a.subs
	var subs []scalarSub
	a.subs = &subs
	err := f()
	a.subs = outer
	if err != nil {
		return nil, err
	}
	for _, s := range subs {
		kind := logical.LeftOuter
		if oneRowExactly(s.plan) {
			kind = logical.Cross
		}
		child = &logical.Join{Kind: kind, Left: child, Right: s.plan}
	}
	return child, nil
}

// scalar resolves (SELECT …) as a value: the attribute under which its column will be there.
func (a *analyzer) scalar(e *logical.Subquery, s *scope) (expr.Expr, error) {
	if e.Kind != logical.ScalarSubquery {
		return nil, misplaced(e, "IN (SELECT …) and EXISTS stand only in WHERE, alone or joined by AND", "Join with the subquery.")
	}
	if a.subs == nil {
		return nil, misplaced(e, "a subquery as a value stands only in WHERE and in a SELECT list without aggregates", "Join with the subquery.")
	}
	q, err := a.subquery(e, s)
	if err != nil {
		return nil, err
	}
	out := q.Output()
	if len(out) != 1 {
		return nil, usererr.New("INVALID_SUBQUERY_EXPRESSION.SCALAR_SUBQUERY_RETURN_MORE_THAN_ONE_OUTPUT_COLUMN", "42823", "A subquery as a value has one column, not %d.", len(out)).
			At(e.Pos.Line, e.Pos.Col).WithFix("Select one column.")
	}
	if maxRows(q) > 1 {
		return nil, misplaced(e, "a subquery as a value that may have more than one row", "Aggregate it, or add LIMIT 1.")
	}
	v := &expr.Alias{Child: out[0], Name: out[0].Name, ID: expr.NewID()}
	*a.subs = append(*a.subs, scalarSub{&logical.Project{List: []expr.Expr{v}, Child: q}})
	at := *logical.AttrOf(v)
	at.Null = true
	return &at, nil
}

// subquery resolves the query of a subquery. Its names mean its own tables; one that only the outer query has is a
// correlation.
func (a *analyzer) subquery(e *logical.Subquery, outer *scope) (logical.Plan, error) {
	subs := a.subs
	a.subs = nil
	q, err := a.plan(e.Query)
	a.subs = subs
	if err == nil {
		return visible(q), nil
	}
	if u, ok := usererr.As(err); ok && (u.Code == "UNRESOLVED_COLUMN.WITH_SUGGESTION" || u.Code == "UNRESOLVED_COLUMN.WITHOUT_SUGGESTION") && outer.knows(u.Params["objectName"]) {
		return nil, usererr.New("UNSUPPORTED_FEATURE.CORRELATED_SUBQUERY", "0A000", "The feature is not supported: a subquery that reads %s of the query around it.", u.Params["objectName"]).
			At(u.Line, u.Col).WithFix("Write a join on that column.")
	}
	return nil, err
}

// knows reports whether the scope has a column of the name, as errors print it.
func (s *scope) knows(printed string) bool {
	for _, layer := range s.layers {
		for _, a := range layer {
			for i := 0; i <= len(a.Qualifier); i++ {
				if equalFold(quoted(append(append([]string{}, a.Qualifier[i:]...), a.Name)), printed) {
					return true
				}
			}
		}
	}
	return false
}

func misplaced(e *logical.Subquery, what, fix string) error {
	return usererr.New("UNSUPPORTED_FEATURE.SUBQUERY", "0A000", "The feature is not supported: %s.", what).At(e.Pos.Line, e.Pos.Col).WithFix("%s", fix)
}

// membershipTest is IN or EXISTS as a condition of its own.
type membershipTest struct {
	sub *logical.Subquery
	not bool
}

// subqueryConds takes the IN and EXISTS tests out of a condition's conjuncts.
func subqueryConds(cond expr.Expr) (rest expr.Expr, tests []membershipTest) {
	var plain []expr.Expr
	for _, c := range unresolvedConjuncts(cond) {
		if t, ok := asTest(c); ok {
			tests = append(tests, t)
		} else {
			plain = append(plain, c)
		}
	}
	if len(tests) == 0 {
		return cond, nil
	}
	for _, c := range plain {
		if rest == nil {
			rest = c
		} else {
			rest = &expr.UnresolvedCall{Name: "and", Args: []expr.Expr{rest, c}}
		}
	}
	return rest, tests
}

func unresolvedConjuncts(e expr.Expr) []expr.Expr {
	if c, ok := e.(*expr.UnresolvedCall); ok && equalFold(c.Name, "and") && len(c.Args) == 2 {
		return append(unresolvedConjuncts(c.Args[0]), unresolvedConjuncts(c.Args[1])...)
	}
	return []expr.Expr{e}
}

func asTest(e expr.Expr) (membershipTest, bool) {
	if c, ok := e.(*expr.UnresolvedCall); ok && equalFold(c.Name, "not") && len(c.Args) == 1 {
		t, ok := asTest(c.Args[0])
		t.not = !t.not
		return t, ok
	}
	s, ok := e.(*logical.Subquery)
	return membershipTest{sub: s}, ok && s.Kind != logical.ScalarSubquery
}

// membership joins child with the subquery of IN or EXISTS: a semi join keeps the rows that match, an anti join the rest.
func (a *analyzer) membership(t membershipTest, child logical.Plan) (logical.Plan, error) {
	q, err := a.subquery(t.sub, over(child))
	if err != nil {
		return nil, err
	}
	j := &logical.Join{Kind: logical.LeftSemi, Left: child, Right: q}
	if t.not {
		j.Kind = logical.LeftAnti
	}
	if t.sub.Kind == logical.ExistsSubquery {
		j.Right = &logical.Limit{N: 1, Child: q}
		return j, nil
	}
	v, err := a.expr(t.sub.Value, over(child))
	if err != nil {
		return nil, err
	}
	out := q.Output()
	if len(out) != 1 {
		return nil, usererr.New("DATATYPE_MISMATCH.IN_SUBQUERY_LENGTH_MISMATCH", "42K09", "IN compares one value with one column, but the subquery has %d.", len(out)).
			At(t.sub.Pos.Line, t.sub.Pos.Col).WithFix("Select one column.")
	}
	eq := &expr.UnresolvedCall{Name: "=", Args: []expr.Expr{v, out[0]}, Pos: t.sub.Pos}
	if j.Cond, err = expr.ResolveCall(eq); err != nil {
		return nil, a.explain(err, eq)
	}
	if t.not && (v.Nullable() || out[0].Null) {
		j.Cond, err = orNull(j.Cond) // unknown counts as a match: x NOT IN (…, NULL) is never true
	}
	return j, err
}

// orNull is cond OR cond IS NULL.
func orNull(cond expr.Expr) (expr.Expr, error) {
	unknown, err := expr.ResolveCall(&expr.UnresolvedCall{Name: "isnull", Args: []expr.Expr{cond}})
	if err != nil {
		return nil, err
	}
	return expr.ResolveCall(&expr.UnresolvedCall{Name: "or", Args: []expr.Expr{cond, unknown}})
}

// oneRowExactly reports whether p always makes one row.
func oneRowExactly(p logical.Plan) bool {
	switch p := p.(type) {
	case *logical.Project:
		return oneRowExactly(p.Child)
	case *logical.SubqueryAlias:
		return oneRowExactly(p.Child)
	case *logical.Aggregate:
		return len(p.Keys) == 0
	case *logical.Local:
		return maxRows(p) == 1
	}
	return false
}
