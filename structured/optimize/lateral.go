package optimize

import (
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/structured/logical"
)

// lateralJoin joins each row with what a subquery makes of it. Three ways, the cheapest that fits: the subquery is a chain over
// one row (a projection, explode), which is applied to the left rows themselves; its conditions can be the join's; or it is
// computed for each combination of the columns that it reads.
func (a *analyzer) lateralJoin(p *logical.LateralJoin) (logical.Plan, error) {
	if p.Kind != logical.Inner && p.Kind != logical.LeftOuter && p.Kind != logical.Cross {
		return nil, usererr.New("INVALID_LATERAL_JOIN_TYPE", "42613", "The %s JOIN with LATERAL correlation is not allowed because an OUTER subquery cannot correlate to its join partner.", p.Kind).
			At(p.Pos.Line, p.Pos.Col).WithFix("Remove LATERAL, or use an INNER or LEFT OUTER join.")
	}
	left, err := a.plan(p.Left)
	if err != nil {
		return nil, err
	}
	subs := a.subs
	a.subs = nil
	a.outers = append(a.outers, over(left))
	right, err := a.plan(p.Right)
	a.outers = a.outers[:len(a.outers)-1]
	a.subs = subs
	if err != nil {
		return nil, err
	}
	right = visible(right)
	j := &logical.Join{Kind: p.Kind, Left: left, Right: right}
	if p.Cond != nil {
		if j.Cond, err = a.expr(p.Cond, over(left, right)); err != nil {
			return nil, err
		}
		if err := a.condition(j.Cond, "ON"); err != nil {
			return nil, err
		}
		j.Cond = boolean(j.Cond)
	}
	if !readsOuter(right, left) {
		return crossOrInner(j), nil
	}
	if out := linear(j); out != nil {
		return out, nil
	}
	q, conds, err := a.decorrelated(right, left)
	if err != nil {
		return nil, err
	}
	if j.Cond != nil {
		conds = append(conds, conjuncts(j.Cond)...)
	}
	shown := append(append([]*expr.Attr{}, left.Output()...), right.Output()...)
	if j.Kind == logical.LeftOuter {
		for i := len(left.Output()); i < len(shown); i++ {
			shown[i] = outerAttr(shown[i])
		}
	}
	j.Right, j.Cond = q, allOf(conds)
	return &logical.Project{List: attrExprs(shown), Child: crossOrInner(j)}, nil
}

func crossOrInner(j *logical.Join) logical.Plan {
	switch {
	case j.Kind == logical.Cross && j.Cond != nil:
		j.Kind = logical.Inner
	case j.Kind == logical.Inner && j.Cond == nil:
		j.Kind = logical.Cross
	}
	return j
}

// readsOuter reports whether q reads columns of outer from inside.
func readsOuter(q, outer logical.Plan) bool {
	u := &unnester{reads: outer.Output()}
	return u.below(q)
}

// decorrelated is q without the columns of outer that it reads, and the conditions that join it with outer.
func (a *analyzer) decorrelated(q, outer logical.Plan) (logical.Plan, []expr.Expr, error) {
	c := correlation{ctx: a.env.Session}
	if pulled, err := c.pull(q); err == nil && c.absent == nil && outerOf(pulled) == nil {
		return pulled, conjunctsOrNone(c.condition()), nil
	}
	if logical.IsStreaming(outer) {
		return nil, nil, cannotPull(outerOf(q), "in a way that a stream does not allow")
	}
	return unnest(a.env.Session, q, outer)
}

func conjunctsOrNone(e expr.Expr) []expr.Expr {
	if e == nil {
		return nil
	}
	return conjuncts(e)
}

// linear applies a subquery that is a chain of projections, filters and generators over one row without columns to the left
// rows; nil when it is none, or when a left row would be lost that an outer join keeps.
func linear(j *logical.Join) logical.Plan {
	left := attrExprs(j.Left.Output())
	var rows []expr.Expr // what outer columns mean: the left's own
	bind := func(e expr.Expr) expr.Expr {
		return expr.Transform(e, func(x expr.Expr) expr.Expr {
			if o, ok := x.(*outerRef); ok {
				return o.attr
			}
			return x
		})
	}
	var apply func(p logical.Plan) logical.Plan
	apply = func(p logical.Plan) logical.Plan {
		switch p := p.(type) {
		case *logical.Local:
			if maxRows(p) == 1 && len(p.Attrs) == 0 {
				return j.Left
			}
		case *logical.SubqueryAlias:
			if kid := apply(p.Child); kid != nil {
				return kid
			}
		case *logical.PlanID:
			return apply(p.Child)
		case *logical.Project:
			if kid := apply(p.Child); kid != nil {
				list := append([]expr.Expr{}, left...)
				for _, e := range p.List {
					list = append(list, bind(e))
				}
				return &logical.Project{List: append(list, rows...), Child: kid}
			}
		case *logical.Filter:
			if j.Kind == logical.LeftOuter {
				return nil
			}
			if kid := apply(p.Child); kid != nil {
				return &logical.Filter{Cond: bind(p.Cond), Child: kid}
			}
		case *logical.Generate:
			kid := apply(p.Child)
			if kid == nil {
				return nil
			}
			g := *p.Gen
			g.Outer = g.Outer || j.Kind == logical.LeftOuter
			g.Args = make([]expr.Expr, len(p.Gen.Args))
			for i, e := range p.Gen.Args {
				g.Args[i] = bind(e)
			}
			attrs := make([]*expr.Attr, len(p.Attrs))
			for i, at := range p.Attrs {
				c := *at
				c.Null = c.Null || g.Outer
				attrs[i] = &c
			}
			return &logical.Generate{Gen: &g, Attrs: attrs, Child: kid}
		}
		return nil
	}
	if j.Cond != nil && !isLiteral(j.Cond, true) && j.Kind == logical.LeftOuter {
		return nil
	}
	if j.Kind == logical.LeftOuter && generatesBelow(j.Right) {
		return nil
	}
	out := apply(j.Right)
	if out == nil || outerOf(out) != nil {
		return nil
	}
	if j.Cond != nil && !isLiteral(j.Cond, true) {
		out = &logical.Filter{Cond: j.Cond, Child: out}
	}
	// The columns under the names that the subquery has.
	shown := append(append([]*expr.Attr{}, j.Left.Output()...), j.Right.Output()...)
	for i := len(left); i < len(shown); i++ {
		if j.Kind == logical.LeftOuter {
			shown[i] = outerAttr(shown[i])
		}
	}
	return &logical.Project{List: attrExprs(shown), Child: out}
}

// generatesBelow reports whether a projection computes from a generator's columns: an outer join pads those computed columns
// with nulls, which computing them from nulls need not give.
func generatesBelow(p logical.Plan) bool {
	found := false
	logical.Walk(p, func(n logical.Plan) bool {
		if pr, ok := n.(*logical.Project); ok && !passesOn(pr) {
			logical.Walk(pr.Child, func(k logical.Plan) bool {
				_, is := k.(*logical.Generate)
				found = found || is
				return !found
			})
		}
		return !found
	})
	return found
}
