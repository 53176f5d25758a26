package optimize

import (
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/structured/cost"
	"github.com/streamflow/streamflow/structured/logical"
)

// reorderJoins joins the relations of each tree of inner joins in the order that costs least, with semi and anti joins where
// they pay. Without row counts the written order stays, unless it crosses relations that conditions connect.
func reorderJoins(p logical.Plan) logical.Plan {
	return (&reorderer{cost.NewEstimator()}).plan(p)
}

// gain is the share of the written order's cost that another order may have at the most to be taken.
const gain = 0.9

type reorderer struct{ est *cost.Estimator }

func (r *reorderer) plan(p logical.Plan) logical.Plan {
	g, ok := r.est.Flatten(p)
	if !ok {
		return r.below(p)
	}
	t := g.Order()
	if !g.Known() {
		t = g.Connected()
	}
	if t == g.Written || g.Known() && !g.Crosses(g.Written) && g.CostOf(t) > gain*g.CostOf(g.Written) {
		return r.below(p)
	}
	plan := filtered(r.build(g, t), g.Loose())
	return exactly(plan, p.Output())
}

// below reorders what lies under the joins at the top of p, which stay.
func (r *reorderer) below(p logical.Plan) logical.Plan {
	kids := p.Children()
	var changed []logical.Plan
	for i, k := range kids {
		next := r.inside(p, k)
		if next != k && changed == nil {
			changed = append([]logical.Plan{}, kids...)
		}
		if changed != nil {
			changed[i] = next
		}
	}
	if changed == nil {
		return p
	}
	return p.WithChildren(changed)
}

// inside is a child of p: part of the same tree of joins, or a plan of its own.
func (r *reorderer) inside(p, kid logical.Plan) logical.Plan {
	if r.est.SameTree(p, kid) {
		return r.below(kid)
	}
	return r.plan(kid)
}

// build makes the plan of a tree.
func (r *reorderer) build(g *cost.Graph, t *cost.Tree) logical.Plan {
	if t.Left == nil {
		return filtered(r.plan(g.Rels[t.Rel].Plan), missing(g.Own(t.Rel), g.Rels[t.Rel].Plan))
	}
	j := &logical.Join{Kind: logical.Inner, Left: r.build(g, t.Left), Right: r.build(g, t.Right)}
	if m := &g.Rels[t.Right.Rel]; t.Right.Left == nil && m.Kind != logical.Inner {
		j.Kind, j.Cond = m.Kind, m.Cond
		return j
	}
	if j.Cond = allOf(g.Conds(t.Left.Set, t.Right.Set)); j.Cond == nil {
		j.Kind = logical.Cross
	}
	return j
}

// missing are the conditions that a plan does not already test at its top.
func missing(conds []expr.Expr, p logical.Plan) []expr.Expr {
	f, ok := p.(*logical.Filter)
	if !ok {
		return conds
	}
	have := map[string]bool{}
	for _, c := range conjuncts(f.Cond) {
		have[same(c)] = true
	}
	_, out := split(conds, func(e expr.Expr) bool { return have[same(e)] })
	return out
}
