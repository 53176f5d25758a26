package optimize

import (
	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/structured/logical"
)

// combineFilters makes one filter of two, the lower one's conditions first.
var combineFilters = overFilter(func(f *logical.Filter, in *logical.Filter) logical.Plan {
	if !expr.Deterministic(f.Cond) || !expr.Deterministic(in.Cond) {
		return f
	}
	conds := distinct(append(conjuncts(in.Cond), conjuncts(f.Cond)...))
	return &logical.Filter{Cond: allOf(conds), Child: in.Child}
})

// pruneFilters drops conditions that are always true, and all rows below one that never is.
var pruneFilters = up(func(f *logical.Filter) logical.Plan {
	list := conjuncts(f.Cond)
	_, rest := split(list, func(e expr.Expr) bool { return isLiteral(e, true) })
	for _, e := range rest {
		if isLiteral(e, false) || isLiteral(e, nil) {
			if logical.IsStreaming(f) {
				return f // the stream still has to be followed for its end
			}
			return empty(f.Output())
		}
	}
	if len(rest) == len(list) {
		return f
	}
	return filtered(f.Child, rest)
})

// empty is a relation of the attributes without rows.
func empty(attrs []*expr.Attr) *logical.Local {
	s := &column.Schema{}
	for _, a := range attrs {
		s.Fields = append(s.Fields, column.Field{Name: a.Name, Type: a.Typ, Nullable: a.Null})
	}
	return &logical.Local{Schema: s, Attrs: attrs}
}

func isEmpty(p logical.Plan) bool {
	l, ok := p.(*logical.Local)
	if !ok {
		return false
	}
	for _, b := range l.Batches {
		if b.N > 0 {
			return false
		}
	}
	return true
}

// emptyRelations spreads emptiness: what reads no rows makes none, but for a global aggregate.
func emptyRelations(p logical.Plan) logical.Plan {
	return logical.TransformUp(p, func(n logical.Plan) logical.Plan {
		if makesNothing(n) {
			return empty(n.Output())
		}
		return n
	})
}

func makesNothing(n logical.Plan) bool {
	switch n := n.(type) {
	case *logical.Limit:
		return n.N == 0 && !logical.IsStreaming(n) || isEmpty(n.Child)
	case *logical.Aggregate:
		return len(n.Keys) > 0 && isEmpty(n.Child)
	case *logical.Join:
		left, right := isEmpty(n.Left), isEmpty(n.Right)
		switch n.Kind {
		case logical.Inner, logical.Cross, logical.LeftSemi:
			return (left || right) && !logical.IsStreaming(n)
		case logical.LeftOuter, logical.LeftAnti:
			return left && !logical.IsStreaming(n)
		case logical.RightOuter:
			return right && !logical.IsStreaming(n)
		}
		return left && right
	case *logical.Project, *logical.Filter, *logical.Sort, *logical.Dedup, *logical.Tail, *logical.Sample, *logical.Repartition, *logical.Generate, *logical.Over, *logical.Expand, *logical.Window, *logical.Watermark:
		return isEmpty(n.Children()[0])
	}
	return false
}
