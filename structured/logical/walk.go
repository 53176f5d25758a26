package logical

import "github.com/streamflow/streamflow/expr"

// Walk visits p and everything below it, parents first, until visit returns false for a node (whose children are skipped).
func Walk(p Plan, visit func(Plan) bool) {
	if p == nil || !visit(p) {
		return
	}
	for _, k := range p.Children() {
		Walk(k, visit)
	}
}

// TransformUp rewrites p from the leaves up: f sees each node after its children have been rewritten.
func TransformUp(p Plan, f func(Plan) Plan) Plan {
	return f(mapChildren(p, func(k Plan) Plan { return TransformUp(k, f) }))
}

// TransformDown rewrites p from the root down: f sees each node before its children, and the children of what f returned
// are rewritten next.
func TransformDown(p Plan, f func(Plan) Plan) Plan {
	return mapChildren(f(p), func(k Plan) Plan { return TransformDown(k, f) })
}

// Transform is TransformUp, the usual direction.
func Transform(p Plan, f func(Plan) Plan) Plan { return TransformUp(p, f) }

// mapChildren returns p over f's results; p itself when no child changed.
func mapChildren(p Plan, f func(Plan) Plan) Plan {
	kids := p.Children()
	var changed []Plan
	for i, k := range kids {
		n := f(k)
		if n != k && changed == nil {
			changed = append([]Plan{}, kids...)
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

// TransformExprs rewrites the expressions of p alone, not of its children: f sees each expression node after its operands.
func TransformExprs(p Plan, f func(expr.Expr) expr.Expr) Plan {
	list := p.Exprs()
	var changed []expr.Expr
	for i, e := range list {
		n := expr.Transform(e, f)
		if n != e && changed == nil {
			changed = append([]expr.Expr{}, list...)
		}
		if changed != nil {
			changed[i] = n
		}
	}
	if changed == nil {
		return p
	}
	return p.WithExprs(changed)
}

// TransformAllExprs is TransformExprs for every node of the tree.
func TransformAllExprs(p Plan, f func(expr.Expr) expr.Expr) Plan {
	return TransformUp(p, func(n Plan) Plan { return TransformExprs(n, f) })
}

// AllResolved reports whether every node of the tree is resolved.
func AllResolved(p Plan) bool {
	ok := true
	Walk(p, func(n Plan) bool {
		ok = ok && n.Resolved()
		return ok
	})
	return ok
}

// IsStreaming reports whether a scan below p (or p itself) grows.
func IsStreaming(p Plan) bool {
	found := false
	Walk(p, func(n Plan) bool {
		if s, ok := n.(*Scan); ok && s.Streaming {
			found = true
		}
		return !found
	})
	return found
}
