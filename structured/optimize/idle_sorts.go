package optimize

import (
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/structured/logical"
)

// ordered are aggregates whose result depends on the order of their rows.
var ordered = map[string]bool{"first": true, "last": true, "first_value": true, "last_value": true, "any_value": true, "collect_list": true, "array_agg": true,
	"listagg": true, "string_agg": true}

// dropIdleSorts removes sorts whose order the node above does not keep: a grouping, a join, another sort of all rows.
func dropIdleSorts(p logical.Plan) logical.Plan {
	return logical.TransformUp(p, func(n logical.Plan) logical.Plan {
		switch n := n.(type) {
		case *logical.Aggregate:
			for _, e := range n.List {
				if g, ok := unalias(e).(*expr.Agg); ok && ordered[g.Fn] {
					return n
				}
			}
		case *logical.Join:
		case *logical.Sort:
			if !n.Global {
				return n
			}
		default:
			return n
		}
		kids := n.Children()
		changed := make([]logical.Plan, len(kids))
		idle := true
		for i, k := range kids {
			changed[i] = unsorted(k)
			idle = idle && changed[i] == k
		}
		if idle {
			return n
		}
		return n.WithChildren(changed)
	})
}

// unsorted is p without the sorts that only projections and filters lie above.
func unsorted(p logical.Plan) logical.Plan {
	switch p := p.(type) {
	case *logical.Sort:
		if p.Global {
			return unsorted(p.Child)
		}
	case *logical.Project:
		if k := unsorted(p.Child); k != p.Child && allDeterministic(p.List) {
			return &logical.Project{List: p.List, Child: k}
		}
	case *logical.Filter:
		if k := unsorted(p.Child); k != p.Child && expr.Deterministic(p.Cond) {
			return &logical.Filter{Cond: p.Cond, Child: k}
		}
	}
	return p
}
