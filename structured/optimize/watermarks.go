package optimize

import (
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/structured/logical"
)

// dropIdleWatermarks removes declarations of event time that no operator above asks about. Those that stay bar the way to
// filters, for a watermark follows all rows: which rows are late must not depend on which the query wants. The choice
// looks at the program alone, so it is the same over history and live.
func dropIdleWatermarks(p logical.Plan) logical.Plan { return keepWatermarks(p, false) }

func keepWatermarks(p logical.Plan, needed bool) logical.Plan {
	if w, ok := p.(*logical.Watermark); ok && !needed {
		return keepWatermarks(w.Child, false)
	}
	needed = needed || asksTime(p)
	kids := p.Children()
	var changed []logical.Plan
	for i, k := range kids {
		n := keepWatermarks(k, needed)
		if n != k && changed == nil {
			changed = append([]logical.Plan{}, kids...)
		}
		if changed != nil {
			changed[i] = n
		}
	}
	if changed == nil {
		return p
	}
	return p.WithChildren(changed)
}

// asksTime reports whether the node closes groups or sets rows aside by the watermark.
func asksTime(p logical.Plan) bool {
	switch p := p.(type) {
	case *logical.Window:
		return true
	case *logical.Aggregate:
		return readsTime(p.Keys, p.Child)
	case *logical.Over:
		spec := p.Spec()
		if len(spec.Order) > 0 && readsTime([]expr.Expr{spec.Order[0].Child}, p.Child) {
			return true
		}
		return readsTime(spec.Partition, p.Child)
	case *logical.Dedup:
		return p.WithinWatermark || readsTime(p.Cols, p.Child)
	case *logical.Join, *logical.AsofJoin:
		kids := p.Children()
		return hasWatermark(kids[0]) && hasWatermark(kids[1])
	case *logical.MatchRecognize:
		return len(p.Order) > 0 && readsTime([]expr.Expr{p.Order[0].Child}, p.Child)
	case *logical.Process:
		return len(p.Order) > 0 && readsTime([]expr.Expr{p.Order[0].Child}, p.Child)
	}
	return false
}

func hasWatermark(p logical.Plan) bool {
	found := false
	logical.Walk(p, func(n logical.Plan) bool {
		if _, ok := n.(*logical.Watermark); ok {
			found = true
		}
		return !found
	})
	return found
}

func readsTime(list []expr.Expr, child logical.Plan) bool {
	times := eventTimes(child)
	for _, e := range list {
		for _, a := range attrsOf(e) {
			if times[a.ID] {
				return true
			}
		}
	}
	return false
}
