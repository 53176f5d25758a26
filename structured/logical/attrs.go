package logical

import "github.com/streamflow/streamflow/expr"

// AttrOf is the attribute under which a projected expression is known above: an attribute is known by itself, an alias by
// its id. It is nil for expressions that have no name yet.
func AttrOf(e expr.Expr) *expr.Attr {
	switch e := e.(type) {
	case *expr.Attr:
		return e
	case *expr.Alias:
		if !e.Resolved() {
			return nil
		}
		return &expr.Attr{ID: e.ID, Name: e.Name, Typ: e.DataType(), Null: e.Nullable()}
	}
	return nil
}

func attrsOf(list []expr.Expr) []*expr.Attr {
	out := make([]*expr.Attr, 0, len(list))
	for _, e := range list {
		if a := AttrOf(e); a != nil {
			out = append(out, a)
		}
	}
	return out
}

// withNull returns attrs as they come out of the null-padded side of an outer join.
func withNull(attrs []*expr.Attr) []*expr.Attr {
	out := make([]*expr.Attr, len(attrs))
	for i, a := range attrs {
		c := *a
		c.Null = true
		out[i] = &c
	}
	return out
}

// qualified returns attrs as they are seen through a relation name, with new column names when there are any. Hidden
// columns keep theirs.
func qualified(attrs []*expr.Attr, qualifier, names []string) []*expr.Attr {
	out := make([]*expr.Attr, len(attrs))
	n := 0
	for i, a := range attrs {
		c := *a
		c.Qualifier = qualifier
		if !a.Hidden && n < len(names) {
			c.Name = names[n]
			n++
		}
		out[i] = &c
	}
	return out
}

func tagged(attrs []*expr.Attr, id int64) []*expr.Attr {
	out := make([]*expr.Attr, len(attrs))
	for i, a := range attrs {
		c := *a
		c.PlanIDs = append(append([]int64{}, a.PlanIDs...), id)
		out[i] = &c
	}
	return out
}

// Visible are the attributes that SELECT * means.
func Visible(attrs []*expr.Attr) []*expr.Attr {
	out := make([]*expr.Attr, 0, len(attrs))
	for _, a := range attrs {
		if !a.Hidden {
			out = append(out, a)
		}
	}
	return out
}

func resolved(list ...expr.Expr) bool {
	for _, e := range list {
		if e != nil && !e.Resolved() {
			return false
		}
	}
	return true
}

// exprsOf copies a typed list into a list of expressions; toExprs goes back.
func exprsOf[E expr.Expr](list []E) []expr.Expr {
	out := make([]expr.Expr, len(list))
	for i, e := range list {
		out[i] = e
	}
	return out
}

func toExprs[E expr.Expr](list []expr.Expr) []E {
	out := make([]E, len(list))
	for i, e := range list {
		out[i] = e.(E)
	}
	return out
}

// optional is the list of e, empty when e is nil.
func optional(e expr.Expr) []expr.Expr {
	if e == nil {
		return nil
	}
	return []expr.Expr{e}
}
