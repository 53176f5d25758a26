package optimize

import (
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/internal/usererr"
)

// setSets notes the grouping sets; attrs are the attributes of the keys that sets count.
func (g *grouping) setSets(sets [][]int, attrs []*expr.Attr) {
	at := map[int64]int{}
	for i, k := range g.keyAttrs {
		at[k.ID] = i
	}
	for _, s := range sets {
		set := []int{}
		for _, k := range s {
			set = append(set, at[attrs[k].ID])
		}
		g.sets = append(g.sets, set)
	}
}

func isGroupingCall(e expr.Expr) bool {
	c, ok := e.(*expr.Call)
	return ok && (c.Fn == "grouping" || c.Fn == "grouping_id")
}

// groupingCall computes grouping(key), 1 where the row's set leaves the key out, and grouping_id(), all of them as bits, from the
// number of the row's set.
func (g *grouping) groupingCall(c *expr.Call) (expr.Expr, error) {
	if g.tag == nil {
		return nil, noGroupingSets(c)
	}
	of := g.keyAttrs
	if len(c.Args) > 0 {
		of = nil
		for _, a := range c.Args {
			k := g.keyOf(a)
			if k == nil {
				return nil, at(usererr.New("GROUPING_COLUMN_MISMATCH", "42803", "%s is none of the columns that are grouped by.", plainName(a)).
					WithFix("Use an expression of GROUP BY."), g.a.place(a))
			}
			of = append(of, k)
		}
	}
	out := &expr.Case{}
	for i, set := range g.sets {
		here := map[int64]bool{}
		for _, k := range set {
			here[g.keyAttrs[k].ID] = true
		}
		bits := int64(0)
		for _, k := range of {
			bits <<= 1
			if !here[k.ID] {
				bits |= 1
			}
		}
		is, err := expr.ResolveCall(&expr.UnresolvedCall{Name: "=", Args: []expr.Expr{g.tag, expr.Lit(i)}})
		if err != nil {
			return nil, err
		}
		out.Whens, out.Thens = append(out.Whens, is), append(out.Thens, &expr.Literal{Value: bits, Typ: c.Typ})
	}
	out.Else = &expr.Literal{Value: int64(0), Typ: c.Typ}
	return out, nil
}

// keyOf is the key that an expression is: as it was written, or as the list has it.
func (g *grouping) keyOf(e expr.Expr) *expr.Attr {
	if k := g.keys[same(e)]; k != nil {
		return k
	}
	at, ok := e.(*expr.Attr)
	if !ok {
		return nil
	}
	for _, k := range g.keyAttrs {
		if k.ID == at.ID {
			return k
		}
	}
	return nil
}

func noGroupingSets(c *expr.Call) error {
	return usererr.New("UNSUPPORTED_GROUPING_EXPRESSION", "42K0E", "%s has a meaning only with GROUPING SETS, CUBE or ROLLUP.", c.Fn).
		WithFix("Group by one of them, or leave %s out.", c.Fn)
}

// groupingOutside refuses grouping functions where there is no grouping.
func groupingOutside(list []expr.Expr) error {
	for _, e := range list {
		var found *expr.Call
		expr.Walk(e, func(x expr.Expr) bool {
			if isGroupingCall(x) {
				found = x.(*expr.Call)
			}
			return found == nil
		})
		if found != nil {
			return noGroupingSets(found)
		}
	}
	return nil
}
