package optimize

import (
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/structured/logical"
)

// watermarksAtSources moves a watermark that is declared above an operator which brings rows of several partitions together
// down to the sources that its column comes from: only there rows have an order, from which it follows which are late. Right
// above row by row operators it stays where it was declared.
//
//	Watermark ts                Join
//	+- Join            ──▶      :- Watermark ts
//	   :- a [ts]                :  +- a
//	   +- b                     +- b
func watermarksAtSources(p logical.Plan) logical.Plan {
	return logical.TransformUp(p, func(n logical.Plan) logical.Plan {
		w, ok := n.(*logical.Watermark)
		if !ok {
			return n
		}
		col, ok := w.Col.(*expr.Attr)
		if !ok {
			return n
		}
		if out, moved := sinkWatermark(w.Child, col, w.Delay); moved {
			return out
		}
		return n
	})
}

// sinkWatermark is p with a watermark on its column col as near to the sources as it goes; moved reports whether it has passed an
// operator that it could not stay above.
func sinkWatermark(p logical.Plan, col *expr.Attr, delay int64) (out logical.Plan, moved bool) {
	here := func() (logical.Plan, bool) { return &logical.Watermark{Col: col, Delay: delay, Child: p}, false }
	kids := p.Children()
	switch x := p.(type) {
	case *logical.Watermark:
		return sinkWatermark(x.Child, col, delay) // the one above takes its place
	case *logical.Project:
		below := passedOn(x.List, col)
		if below == nil {
			return here()
		}
		kid, moved := sinkWatermark(kids[0], below, delay)
		return p.WithChildren([]logical.Plan{kid}), moved
	case *logical.Filter, *logical.Generate, *logical.Sample, *logical.Dedup, *logical.Repartition, *logical.Over:
		if !hasAttr(kids[0], col) {
			return here()
		}
		kid, moved := sinkWatermark(kids[0], col, delay)
		switch p.(type) {
		case *logical.Dedup, *logical.Repartition, *logical.Over:
			moved = true
		}
		return p.WithChildren([]logical.Plan{kid}), moved
	case *logical.Join, *logical.AsofJoin:
		for i, k := range kids {
			if hasAttr(k, col) {
				next := append([]logical.Plan{}, kids...)
				next[i], _ = sinkWatermark(k, col, delay)
				return p.WithChildren(next), true
			}
		}
	case *logical.Union:
		return unionWatermark(x, col, delay)
	}
	return here()
}

// unionWatermark declares the column on each side of a union.
func unionWatermark(u *logical.Union, col *expr.Attr, delay int64) (logical.Plan, bool) {
	for i, a := range u.Output() {
		if a.ID != col.ID {
			continue
		}
		next := make([]logical.Plan, len(u.Kids))
		for k, kid := range u.Kids {
			next[k], _ = sinkWatermark(kid, kid.Output()[i], delay)
		}
		return u.WithChildren(next), true
	}
	return &logical.Watermark{Col: col, Delay: delay, Child: u}, false
}

// passedOn is the column that a projection hands on as col, nil when it computes it.
func passedOn(list []expr.Expr, col *expr.Attr) *expr.Attr {
	for _, e := range list {
		if a := logical.AttrOf(e); a != nil && a.ID == col.ID {
			below, _ := unalias(e).(*expr.Attr)
			return below
		}
	}
	return nil
}

func hasAttr(p logical.Plan, col *expr.Attr) bool {
	for _, a := range p.Output() {
		if a.ID == col.ID {
			return true
		}
	}
	return false
}
