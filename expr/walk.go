package expr

// Walk visits e and everything below it, parents first, until visit returns false for a node (whose children are skipped).
func Walk(e Expr, visit func(Expr) bool) {
	if e == nil || !visit(e) {
		return
	}
	for _, k := range e.Children() {
		Walk(k, visit)
	}
}

// Transform rewrites e from the leaves up: f sees each node after its children have been rewritten.
func Transform(e Expr, f func(Expr) Expr) Expr {
	out, _ := TransformErr(e, func(x Expr) (Expr, error) { return f(x), nil })
	return out
}

// TransformErr is Transform for a rewrite that may fail; the first error ends it.
func TransformErr(e Expr, f func(Expr) (Expr, error)) (Expr, error) {
	kids := e.Children()
	var changed []Expr
	for i, k := range kids {
		n, err := TransformErr(k, f)
		if err != nil {
			return nil, err
		}
		if n != k && changed == nil {
			changed = append([]Expr{}, kids...)
		}
		if changed != nil {
			changed[i] = n
		}
	}
	if changed != nil {
		e = e.WithChildren(changed)
	}
	return f(e)
}
