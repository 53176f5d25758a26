package cost

import (
	"math"

	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/structured/logical"
)

// join estimates a join; a tree of inner joins as a whole.
func (e *Estimator) join(j *logical.Join) *Relation {
	if g, ok := e.Flatten(j); ok {
		return g.result()
	}
	left, right := e.Of(j.Left), e.Of(j.Right)
	inner := &logical.Join{Kind: logical.Inner, Left: j.Left, Right: j.Right, Cond: j.Cond}
	pairs := 0.0
	if g, ok := e.Flatten(inner); ok {
		pairs = g.Rows(g.all())
	} else {
		pairs = math.Max(left.Rows, right.Rows)
	}
	out := &Relation{Known: left.Known && right.Known, cols: map[int64]Column{}}
	switch j.Kind {
	case logical.LeftOuter:
		out.Rows = math.Max(pairs, left.Rows)
	case logical.RightOuter:
		out.Rows = math.Max(pairs, right.Rows)
	case logical.FullOuter:
		out.Rows = math.Max(pairs, left.Rows+right.Rows)
	case logical.LeftSemi:
		out.Rows = left.Rows * matching(left, right, j.Cond)
	case logical.LeftAnti:
		out.Rows = left.Rows * math.Max(1-matching(left, right, j.Cond), leastPassing)
	default:
		out.Rows = pairs
	}
	out.take(left, out.Rows)
	if j.Kind != logical.LeftSemi && j.Kind != logical.LeftAnti {
		out.take(right, out.Rows)
	}
	return out
}

// take adds the columns of a side that has become rows rows.
func (r *Relation) take(side *Relation, rows float64) {
	for id, c := range side.resized(rows).cols {
		r.cols[id] = c
	}
}

// result is the relation that the graph's join makes.
func (g *Graph) result() *Relation {
	out := &Relation{Rows: g.Rows(g.all()), Known: g.Known(), cols: map[int64]Column{}}
	for i := range g.Rels {
		if !g.Rels[i].half() {
			out.take(g.Rels[i].rel, out.Rows)
		}
	}
	for _, c := range g.classes {
		g.equate(out, c)
	}
	return out
}

// equate gives the columns of a class the fewest different values of any.
func (g *Graph) equate(out *Relation, c class) {
	fewest := math.Inf(1)
	for _, a := range c.attrs {
		if d := out.cols[a.ID].Distinct; d > 0 {
			fewest = math.Min(fewest, d)
		}
	}
	if math.IsInf(fewest, 1) {
		return
	}
	for _, a := range c.attrs {
		col := out.cols[a.ID]
		col.Distinct, col.Nulls = fewest, 0
		out.cols[a.ID] = col
	}
}

// Bytes estimates the size of what p makes, in batches.
func (e *Estimator) Bytes(p logical.Plan, attrs []*expr.Attr) float64 { return e.Of(p).Bytes(attrs) }
