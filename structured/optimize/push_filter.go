package optimize

import (
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/structured/logical"
)

// pushFilterThroughProject evaluates a filter before a projection, in terms of what the projection computes from.
var pushFilterThroughProject = overFilter(func(f *logical.Filter, p *logical.Project) logical.Plan {
	if !allDeterministic(p.List) {
		return f
	}
	cond := substitute(f.Cond, definitions(p.List))
	return &logical.Project{List: p.List, Child: &logical.Filter{Cond: cond, Child: p.Child}}
})

// pushFilterThroughAggregate filters groups before they are made, where only keys decide.
var pushFilterThroughAggregate = overFilter(func(f *logical.Filter, g *logical.Aggregate) logical.Plan {
	keys := idSet{}
	keys.add(g.Keys...)
	down, stay := split(conjuncts(f.Cond), func(e expr.Expr) bool {
		return len(attrsOf(e)) > 0 && keys.covers(e) && expr.Deterministic(e)
	})
	if len(down) == 0 {
		return f
	}
	pushed := &logical.Aggregate{Keys: g.Keys, List: g.List, Label: g.Label, Child: filtered(g.Child, down)}
	return filtered(pushed, stay)
})

// pushFilterThroughUnion filters each side, in terms of its own columns.
var pushFilterThroughUnion = overFilter(func(f *logical.Filter, u *logical.Union) logical.Plan {
	if !expr.Deterministic(f.Cond) {
		return f
	}
	kids := make([]logical.Plan, len(u.Kids))
	for i, k := range u.Kids {
		defs := map[int64]expr.Expr{}
		for c, a := range k.Output() {
			if c < len(u.Attrs) {
				defs[u.Attrs[c].ID] = a
			}
		}
		kids[i] = &logical.Filter{Cond: substitute(f.Cond, defs), Child: k}
	}
	return u.WithChildren(kids)
})

// pushFilterThroughRows moves conditions below nodes that pass rows on: a sort, a repartition, a deduplication by the
// columns that decide, a window or generator for conditions on other columns. Never below a Watermark, which has to see
// every row, nor below a limit or sample. A session window is passed by conditions that choose whole sessions only, which
// is for the Aggregate rule to say: it hands down conditions on keys.
func pushFilterThroughRows(p logical.Plan) logical.Plan {
	return logical.TransformUp(p, func(n logical.Plan) logical.Plan {
		f, ok := n.(*logical.Filter)
		if !ok {
			return n
		}
		passes := passing(f.Child)
		if passes == nil {
			return n
		}
		down, stay := split(conjuncts(f.Cond), func(e expr.Expr) bool { return expr.Deterministic(e) && passes(e) })
		if len(down) == 0 {
			return n
		}
		kid := f.Child.Children()[0]
		return filtered(f.Child.WithChildren([]logical.Plan{filtered(kid, down)}), stay)
	})
}

// passing tells which conditions may be evaluated before the node; nil for none.
func passing(n logical.Plan) func(expr.Expr) bool {
	switch n := n.(type) {
	case *logical.Sort, *logical.Repartition:
		return func(expr.Expr) bool { return true }
	case *logical.Dedup:
		cols := idSet{}
		cols.add(n.Cols...)
		return cols.covers
	case *logical.Over: // all rows of a partition go, or none
		cols := idSet{}
		cols.add(attrsOnly(n.Spec().Partition)...)
		return cols.covers
	case *logical.Window:
		return idsOf(n.Child.Output()).covers
	case *logical.Generate:
		return idsOf(n.Child.Output()).covers
	}
	return nil
}
