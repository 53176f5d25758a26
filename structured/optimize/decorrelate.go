package optimize

import (
	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/structured/logical"
)

// A subquery that reads columns of the query around it is turned into a join: the conditions that compare the two are pulled up
// through the subquery's plan until they can be the join's.
//
//	… WHERE EXISTS (SELECT … FROM t WHERE t.k = outer.k AND t.x > 1)
//	   becomes   outer SEMI JOIN (SELECT …, k FROM t WHERE x > 1) ON k = outer.k
//	… x > (SELECT avg(y) FROM t WHERE t.k = outer.k)
//	   becomes   outer LEFT JOIN (SELECT avg(y), k FROM t GROUP BY k) ON k = outer.k

// outerRef is a column of the query around a subquery, inside it. Analysis ends without any.
type outerRef struct {
	attr *expr.Attr
	pos  expr.Pos
}

func (e *outerRef) DataType() column.Type                { return e.attr.Typ }
func (e *outerRef) Nullable() bool                       { return e.attr.Null }
func (e *outerRef) Children() []expr.Expr                { return nil }
func (e *outerRef) WithChildren(k []expr.Expr) expr.Expr { return e }
func (e *outerRef) Resolved() bool                       { return true }
func (e *outerRef) String() string                       { return "outer(" + e.attr.String() + ")" }

// outerAttr resolves a name in the queries around the subquery in hand, the nearest first.
func (a *analyzer) outerAttr(u *expr.UnresolvedAttr) (expr.Expr, error) {
	for i := len(a.outers) - 1; i >= 0; i-- {
		found, rest, err := a.outers[i].lookup(u)
		if err != nil {
			return nil, err
		}
		if found != nil {
			return a.members(&outerRef{found, u.Pos}, rest, u.Pos)
		}
	}
	return nil, nil
}

func findOuter(e expr.Expr) (found *outerRef) {
	expr.Walk(e, func(x expr.Expr) bool {
		if o, ok := x.(*outerRef); ok && found == nil {
			found = o
		}
		return found == nil
	})
	return found
}

// outerOf is the first column of an outer query that the plan reads.
func outerOf(p logical.Plan) (found *outerRef) {
	logical.Walk(p, func(n logical.Plan) bool {
		for _, e := range n.Exprs() {
			if found == nil && e != nil {
				found = findOuter(e)
			}
		}
		return found == nil
	})
	return found
}

// correlation is what pulling found: conditions between the subquery's columns and those around it, and what the subquery's
// columns are where no row fulfils them: the aggregates of no rows, by attribute; nil when there is no row at all then.
type correlation struct {
	conds  []expr.Expr
	absent map[int64]*expr.Literal
	ctx    *expr.Context
}

// pull returns p without its correlated conditions, and puts out the columns that those read besides its own.
func (c *correlation) pull(p logical.Plan) (logical.Plan, error) {
	if outerOf(p) == nil {
		return p, nil
	}
	switch p := p.(type) {
	case *logical.Filter:
		return c.filter(p)
	case *logical.Project:
		return c.project(p)
	case *logical.Aggregate:
		return c.aggregate(p)
	case *logical.Join:
		return c.join(p)
	case *logical.SubqueryAlias, *logical.PlanID, *logical.Hint:
		return c.child(p)
	case *logical.Sort: // its order means nothing to a join
		if o := findOuterIn(p.Exprs()); o != nil {
			return nil, cannotPull(o, "in ORDER BY")
		}
		return c.pull(p.Child)
	case *logical.Dedup:
		return c.dedup(p)
	}
	return nil, cannotPull(outerOf(p), "below "+nodeWord(p))
}

func findOuterIn(list []expr.Expr) *outerRef {
	for _, e := range list {
		if o := findOuter(e); o != nil {
			return o
		}
	}
	return nil
}

func nodeWord(p logical.Plan) string {
	switch p.(type) {
	case *logical.Limit:
		return "LIMIT"
	case *logical.Union:
		return "UNION"
	case *logical.Over:
		return "a window function"
	case *logical.Expand:
		return "GROUPING SETS"
	}
	return "such a part of a query"
}

func cannotPull(o *outerRef, where string) error {
	return usererr.New("UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.ACCESSING_OUTER_QUERY_COLUMN_IS_NOT_ALLOWED", "0A000",
		"A subquery reads %s of the query around it %s.", o.attr.Name, where).At(o.pos.Line, o.pos.Col).
		WithFix("Compare it in the subquery's WHERE, or write a join.")
}

func (c *correlation) child(p logical.Plan) (logical.Plan, error) {
	kid, err := c.pull(p.Children()[0])
	if err != nil {
		return nil, err
	}
	return p.WithChildren([]logical.Plan{kid}), nil
}

func (c *correlation) filter(p *logical.Filter) (logical.Plan, error) {
	kid, err := c.pull(p.Child)
	if err != nil {
		return nil, err
	}
	up, stay := split(conjuncts(p.Cond), func(e expr.Expr) bool { return findOuter(e) != nil })
	c.conds = append(c.conds, up...)
	if c.absent != nil && (len(up) > 0 || !c.holds(stay)) {
		c.absent = nil // the row of no rows does not pass
	}
	return filtered(kid, stay), nil
}

// holds tells whether conditions are true for the aggregates of no rows.
func (c *correlation) holds(conds []expr.Expr) bool {
	for _, e := range conds {
		l := c.constant(e)
		if l == nil || l.Value != true {
			return false
		}
	}
	return true
}

// constant is e over the aggregates of no rows; nil when it is none.
func (c *correlation) constant(e expr.Expr) *expr.Literal {
	defs := map[int64]expr.Expr{}
	for id, l := range c.absent {
		defs[id] = l
	}
	e = substitute(e, defs)
	if len(attrsOf(e)) > 0 || findOuter(e) != nil {
		return nil
	}
	l, err := expr.EvalLiteralIn(c.ctx, e)
	if err != nil {
		return nil
	}
	return l
}

func (c *correlation) project(p *logical.Project) (logical.Plan, error) {
	kid, err := c.pull(p.Child)
	if err != nil {
		return nil, err
	}
	if o := findOuterIn(p.List); o != nil {
		return nil, cannotPull(o, "in its SELECT list")
	}
	if c.absent != nil {
		absent := map[int64]*expr.Literal{}
		for _, e := range p.List {
			l := c.constant(unalias(e))
			if l == nil {
				l = &expr.Literal{Typ: e.DataType()}
			}
			absent[logical.AttrOf(e).ID] = l
		}
		c.absent = absent
	}
	return c.widened(p, kid), nil
}

// widened is a projection over kid that also passes what the conditions read.
func (c *correlation) widened(p *logical.Project, kid logical.Plan) logical.Plan {
	have := idsOf(p.Output())
	list := p.List[:len(p.List):len(p.List)]
	for _, at := range c.needed(kid) {
		if !have[at.ID] {
			have[at.ID] = true
			list = append(list, at)
		}
	}
	return &logical.Project{List: list, Child: kid}
}

// needed are the columns of p that the conditions read.
func (c *correlation) needed(p logical.Plan) []*expr.Attr {
	var out []*expr.Attr
	reads := idSet{}
	reads.add(c.conds...)
	for _, at := range p.Output() {
		if reads[at.ID] {
			out = append(out, at)
		}
	}
	return out
}

// aggregate groups by the columns that are compared with outer ones: each outer row then finds the group of its own.
func (c *correlation) aggregate(p *logical.Aggregate) (logical.Plan, error) {
	kid, err := c.pull(p.Child)
	if err != nil {
		return nil, err
	}
	if o := findOuterIn(p.Exprs()); o != nil {
		return nil, cannotPull(o, "inside an aggregate or in GROUP BY")
	}
	inner := idsOf(kid.Output())
	list, keys := p.List, p.Keys
	var computed []expr.Expr
	for i, cond := range c.conds {
		if !inner.touches(cond) {
			continue // about the outer row alone
		}
		call, ok := cond.(*expr.Call)
		if !ok || len(call.Args) != 2 || call.Fn != "=" && call.Fn != "==" && call.Fn != "<=>" {
			return nil, cannotPull(findOuter(cond), "in a comparison other than = below an aggregate")
		}
		side := 0
		if findOuter(call.Args[0]) != nil {
			side = 1
		}
		if findOuter(call.Args[side]) != nil || inner.touches(call.Args[1-side]) {
			return nil, cannotPull(findOuter(cond), "in a comparison that does not have it alone on one side, below an aggregate")
		}
		at, ok := call.Args[side].(*expr.Attr)
		if !ok {
			l := &expr.Alias{Child: call.Args[side], Name: "_correlated", ID: expr.NewID()}
			computed = append(computed, l)
			at = logical.AttrOf(l)
		}
		args := append([]expr.Expr{}, call.Args...)
		args[side] = at
		c.conds[i] = call.WithChildren(args)
		if !readsAttr(keys, at) {
			keys, list = append(keys[:len(keys):len(keys)], at), append([]expr.Expr{at}, list...)
		}
	}
	if len(computed) > 0 {
		kid = &logical.Project{List: append(attrExprs(kid.Output()), computed...), Child: kid}
	}
	if len(p.Keys) == 0 {
		if c.absent, err = absentOf(p.List); err != nil {
			return nil, err
		}
	}
	return &logical.Aggregate{Keys: keys, List: list, Child: kid}, nil
}

func readsAttr(list []expr.Expr, a *expr.Attr) bool {
	for _, e := range list {
		if x, ok := e.(*expr.Attr); ok && x.ID == a.ID {
			return true
		}
	}
	return false
}

// absentOf are the aggregates of no rows: 0 for count, null for most others.
func absentOf(list []expr.Expr) (map[int64]*expr.Literal, error) {
	out := map[int64]*expr.Literal{}
	for _, e := range list {
		g, ok := unalias(e).(*expr.Agg)
		if !ok {
			continue
		}
		acc, err := expr.NewAccumulator(g)
		if err != nil {
			return nil, err
		}
		acc.Resize(1)
		v, err := acc.Result()
		if err != nil {
			return nil, err
		}
		out[logical.AttrOf(e).ID] = &expr.Literal{Value: column.Value(v, 0), Typ: g.Typ}
	}
	return out, nil
}

func (c *correlation) join(p *logical.Join) (logical.Plan, error) {
	j := *p
	var err error
	if j.Left, err = c.pull(p.Left); err != nil {
		return nil, err
	}
	both := p.Kind == logical.Inner || p.Kind == logical.Cross
	if o := outerOf(p.Right); o != nil && !both {
		return nil, cannotPull(o, "in the second side of a "+p.Kind.String()+" join")
	}
	if j.Right, err = c.pull(p.Right); err != nil {
		return nil, err
	}
	if p.Cond == nil {
		return &j, nil
	}
	up, stay := split(conjuncts(p.Cond), func(e expr.Expr) bool { return findOuter(e) != nil })
	if len(up) > 0 && !both {
		return nil, cannotPull(findOuterIn(up), "in the condition of a "+p.Kind.String()+" join")
	}
	c.conds = append(c.conds, up...)
	j.Cond = allOf(stay)
	if j.Cond == nil {
		j.Kind = logical.Cross
	}
	return &j, nil
}

func (c *correlation) dedup(p *logical.Dedup) (logical.Plan, error) {
	kid, err := c.pull(p.Child)
	if err != nil {
		return nil, err
	}
	cols, have := p.Cols[:len(p.Cols):len(p.Cols)], idSet{}
	have.add(p.Cols...)
	for _, at := range c.needed(kid) {
		if !have[at.ID] {
			cols = append(cols, at)
		}
	}
	return &logical.Dedup{Cols: cols, Label: p.Label, Child: kid}, nil
}

// condition is the join's condition: the pulled ones, in which the outer columns are columns of the other side; nil for none.
func (c *correlation) condition() expr.Expr {
	list := make([]expr.Expr, len(c.conds))
	for i, e := range c.conds {
		list[i] = expr.Transform(e, func(x expr.Expr) expr.Expr {
			if o, ok := x.(*outerRef); ok {
				return o.attr
			}
			return x
		})
	}
	return allOf(list)
}
