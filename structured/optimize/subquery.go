package optimize

import (
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/structured/logical"
)

// scalarSub is a scalar subquery that is to be joined below the node which uses its value.
type scalarSub struct {
	plan logical.Plan
	cond expr.Expr // nil when the subquery reads nothing of the query around it
}

// withScalars resolves a node's expressions by f and returns the child with the scalar subqueries that they use joined to
// it: each is one more column, the same in every row that it compares alike with.
func (a *analyzer) withScalars(child logical.Plan, f func() error) (logical.Plan, error) {
	subs, err := a.scalars(f)
	if err != nil {
		return nil, err
	}
	return joinScalars(child, subs), nil
}

// scalars are the scalar subqueries that f meets.
func (a *analyzer) scalars(f func() error) ([]scalarSub, error) {
	outer := a.subs
	var subs []scalarSub
	a.subs = &subs
	err := f()
	a.subs = outer
	return subs, err
}

func joinScalars(child logical.Plan, subs []scalarSub) logical.Plan {
	for _, s := range subs {
		kind := logical.LeftOuter
		if s.cond == nil && oneRowExactly(s.plan) {
			kind = logical.Cross
		}
		child = &logical.Join{Kind: kind, Left: child, Right: s.plan, Cond: s.cond}
	}
	return child
}

// scalar resolves (SELECT …) as a value: the attribute under which its column will be there.
func (a *analyzer) scalar(e *logical.Subquery, s *scope) (expr.Expr, error) {
	if a.subs == nil {
		return nil, misplaced(e, "a subquery as a value stands only in SELECT lists, WHERE and HAVING", "Join with the subquery.")
	}
	if e.Kind != logical.ScalarSubquery {
		return a.asValue(e, s)
	}
	q, c, err := a.subquery(e, s)
	if err != nil {
		return nil, err
	}
	if n := len(c.shown); n != 1 {
		return nil, usererr.New("INVALID_SUBQUERY_EXPRESSION.SCALAR_SUBQUERY_RETURN_MORE_THAN_ONE_OUTPUT_COLUMN", "42823", "A subquery as a value has one column, not %d.", n).
			At(e.Pos.Line, e.Pos.Col).WithFix("Select one column.")
	}
	v := &expr.Alias{Child: c.shown[0], Name: c.shown[0].Name, ID: expr.NewID()}
	at := *logical.AttrOf(v)
	at.Null = true
	cond := c.condition()
	if cond == nil {
		if maxRows(q) > 1 {
			return a.scalar(single(e), s)
		}
		*a.subs = append(*a.subs, scalarSub{plan: &logical.Project{List: []expr.Expr{v}, Child: q}})
		return &at, nil
	}
	if !c.single {
		return a.scalar(single(e), s)
	}
	list := append([]expr.Expr{v}, attrExprs(c.needed(q))...)
	absent := c.absent[c.shown[0].ID]
	if absent == nil || absent.Value == nil {
		*a.subs = append(*a.subs, scalarSub{&logical.Project{List: list, Child: q}, cond})
		return &at, nil
	}
	// No row compares alike: the value is not null but the aggregate of no rows, such as a count of 0.
	found := &expr.Alias{Child: expr.Lit(true), Name: "_found", ID: expr.NewID()}
	*a.subs = append(*a.subs, scalarSub{&logical.Project{List: append(list, found), Child: q}, cond})
	there := *logical.AttrOf(found)
	there.Null = true
	missing, err := expr.ResolveCall(&expr.UnresolvedCall{Name: "isnull", Args: []expr.Expr{&there}})
	if err != nil {
		return nil, err
	}
	return &expr.Case{Whens: []expr.Expr{missing}, Thens: []expr.Expr{absent}, Else: &at}, nil
}

// correlated is a subquery's correlation, and which columns it shows by itself.
type correlated struct {
	correlation
	shown  []*expr.Attr
	single bool // one row, before what it compares with was made keys
}

// subquery resolves the query of a subquery and takes its correlated conditions out. Its names mean its own tables' columns,
// then those around it.
func (a *analyzer) subquery(e *logical.Subquery, outer *scope) (logical.Plan, *correlated, error) {
	subs := a.subs
	a.subs = nil
	a.outers = append(a.outers, outer)
	q, err := a.plan(e.Query)
	a.outers = a.outers[:len(a.outers)-1]
	a.subs = subs
	if err != nil {
		return nil, nil, err
	}
	q = visible(q)
	c := &correlated{correlation: correlation{ctx: a.env.Session}, shown: q.Output(), single: maxRows(q) <= 1}
	if e.Kind == logical.ExistsSubquery {
		q = withoutLimit(q)
	}
	pulled, err := c.pull(q)
	if err == nil {
		if o := outerOf(pulled); o != nil {
			err = cannotPull(o, "where it cannot be compared")
		} else if e.Kind == logical.ExistsSubquery && c.absent != nil {
			err = errAlwaysARow
		}
	}
	if err == nil {
		return pulled, c, nil
	}
	if outer.plan == nil || logical.IsStreaming(outer.plan) || !readsOuter(q, outer.plan) {
		return nil, nil, err
	}
	c.absent = nil
	q, conds, err := unnest(a.env.Session, q, outer.plan)
	if err != nil {
		return nil, nil, err
	}
	if o := outerOf(q); o != nil {
		return nil, nil, cannotPull(o, "of a query further out")
	}
	c.conds = conds
	return q, c, nil
}

// errAlwaysARow is the reason why EXISTS of an aggregate without GROUP BY is no semi join.
var errAlwaysARow = usererr.New("UNSUPPORTED_FEATURE.SUBQUERY", "0A000", "The feature is not supported: EXISTS of an aggregate without GROUP BY, which has a row whatever it reads.").
	WithFix("Leave the aggregate out, or compare it in WHERE.")

// single is a subquery that fails when it has more than one row.
func single(e *logical.Subquery) *logical.Subquery {
	value := &expr.UnresolvedAttr{Parts: []string{"_single", "_value"}}
	n := &expr.UnresolvedCall{Name: "count", Args: []expr.Expr{expr.Lit(1)}}
	fail := &expr.UnresolvedCall{Name: "raise_error", Args: []expr.Expr{expr.Lit("SCALAR_SUBQUERY_TOO_MANY_ROWS"), &expr.UnresolvedCall{Name: "map"}}}
	one := &expr.Case{Whens: []expr.Expr{&expr.UnresolvedCall{Name: ">", Args: []expr.Expr{n, expr.Lit(1)}}}, Thens: []expr.Expr{fail},
		Else: &expr.UnresolvedCall{Name: "first", Args: []expr.Expr{value}}}
	return &logical.Subquery{Kind: e.Kind, Pos: e.Pos, Query: &logical.Project{List: []expr.Expr{&expr.Alias{Child: one, Name: "value"}},
		Child: &logical.SubqueryAlias{Alias: "_single", Names: []string{"_value"}, Child: e.Query}}}
}

// withoutLimit is the query of EXISTS without a LIMIT that leaves at least one row.
func withoutLimit(q logical.Plan) logical.Plan {
	if l, ok := q.(*logical.Limit); ok && l.N > 0 && l.Offset == 0 && outerOf(q) != nil {
		return l.Child
	}
	return q
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
	return unresolvedAll(plain), tests
}

// plainFirst filters child by the conjuncts of cond that have no subquery, when others have one, and returns those: what a subquery
// is computed for is then no more than what passes.
func (a *analyzer) plainFirst(child logical.Plan, cond expr.Expr) (logical.Plan, expr.Expr, error) {
	if cond == nil {
		return child, nil, nil
	}
	with, plain := split(unresolvedConjuncts(cond), hasSubquery)
	if len(with) == 0 || len(plain) == 0 {
		return child, cond, nil
	}
	resolved, err := a.expr(unresolvedAll(plain), over(child))
	if err == nil {
		err = a.condition(resolved, "WHERE")
	}
	if err != nil {
		return nil, nil, err
	}
	return &logical.Filter{Cond: boolean(resolved), Child: child}, unresolvedAll(with), nil
}

func hasSubquery(e expr.Expr) (found bool) {
	expr.Walk(e, func(x expr.Expr) bool {
		_, is := x.(*logical.Subquery)
		found = found || is
		return !found
	})
	return found
}

// unresolvedAll is the conjunction of conditions, nil for none.
func unresolvedAll(conds []expr.Expr) (all expr.Expr) {
	for _, c := range conds {
		if all == nil {
			all = c
		} else {
			all = &expr.UnresolvedCall{Name: "and", Args: []expr.Expr{all, c}}
		}
	}
	return all
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
	q, c, err := a.subquery(t.sub, over(child))
	if err != nil {
		return nil, err
	}
	j := &logical.Join{Kind: logical.LeftSemi, Left: child, Right: q, Cond: c.condition()}
	if t.not {
		j.Kind = logical.LeftAnti
	}
	if t.sub.Kind == logical.ExistsSubquery {
		if j.Cond == nil {
			j.Right = &logical.Limit{N: 1, Child: q}
		}
		return j, nil
	}
	v, err := a.expr(t.sub.Value, over(child))
	if err != nil {
		return nil, err
	}
	if n := len(c.shown); n != 1 {
		return nil, usererr.New("DATATYPE_MISMATCH.IN_SUBQUERY_LENGTH_MISMATCH", "42K09", "IN compares one value with one column, but the subquery has %d.", n).
			At(t.sub.Pos.Line, t.sub.Pos.Col).WithFix("Select one column.")
	}
	call := &expr.UnresolvedCall{Name: "=", Args: []expr.Expr{v, c.shown[0]}, Pos: t.sub.Pos}
	eq, err := expr.ResolveCall(call)
	if err != nil {
		return nil, a.explain(err, call)
	}
	if t.not && (v.Nullable() || c.shown[0].Null) {
		if eq, err = orNull(eq); err != nil { // unknown counts as a match: x NOT IN (…, NULL) is never true
			return nil, err
		}
	}
	if j.Cond != nil {
		eq = allOf([]expr.Expr{eq, j.Cond})
	}
	j.Cond = eq
	return j, nil
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
