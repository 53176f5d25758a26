package sql

import (
	"strconv"
	"strings"

	"github.com/streamflow/streamflow/expr"
)

// withinGroup is WITHIN GROUP (ORDER BY key) of an aggregate that works on values in order. The key becomes an argument of
// percentile_cont, percentile_disc and mode; listagg is written over a sorted list.
func (p *parser) withinGroup(t token, c *expr.UnresolvedCall) {
	open := p.needSymbol("(")
	p.expect("ORDER", "BY")
	orders := p.orders()
	p.closing(")", open)
	name := strings.ToLower(c.Name)
	one := func(args int) {
		if len(orders) != 1 || len(c.Args) != args {
			panic(p.errorAt(t, "INVALID_WITHIN_GROUP_EXPRESSION.WRONG_NUM_ORDERINGS", "42K0K", "Invalid function %s with WITHIN GROUP: it takes %d arguments before and one key in ORDER BY.", name, args).
				WithFix("Write percentile_cont(0.5) WITHIN GROUP (ORDER BY x)."))
		}
	}
	switch name {
	case "percentile_cont", "percentile_disc":
		one(1)
		c.Args = []expr.Expr{orders[0].Child, c.Args[0]}
		if orders[0].Desc {
			c.Args = append(c.Args, expr.Lit(true))
		}
	case "mode":
		one(0)
		c.Args = []expr.Expr{orders[0].Child}
	case "listagg", "string_agg":
		p.sortedList(t, c, orders)
	default:
		panic(p.errorAt(t, "INVALID_WITHIN_GROUP_EXPRESSION.MISMATCH_WITH_DISTINCT_INPUT", "42K0K", "The function %s takes no WITHIN GROUP (ORDER BY …).", name).
			WithFix("listagg, percentile_cont, percentile_disc and mode do."))
	}
}

// sortedList makes listagg(x, sep) a text of the list of (keys, x), sorted. Keys go all up or all down.
func (p *parser) sortedList(t token, c *expr.UnresolvedCall, orders []*expr.SortOrder) {
	if c.Distinct || len(c.Args) == 0 || len(c.Args) > 2 {
		panic(p.unsupported(t, "WITHIN_GROUP_DISTINCT", "DISTINCT with WITHIN GROUP").WithFix("Write array_join(array_sort(collect_set(x)), sep)."))
	}
	row := []expr.Expr{}
	for _, o := range orders {
		if o.Desc != orders[0].Desc || o.NullsFirst == o.Desc {
			panic(p.unsupported(t, "WITHIN_GROUP_ORDER", "listagg with keys that go up and down, or nulls elsewhere than Spark puts them"))
		}
		row = append(row, expr.Lit("key"+strconv.Itoa(len(row))), o.Child)
	}
	x := c.Args[0]
	row = append(row, expr.Lit("value"), p.call(t, "string", x))
	sep := expr.Expr(expr.Lit(""))
	if len(c.Args) == 2 {
		sep = c.Args[1]
	}
	list := p.call(t, "array_sort", &expr.UnresolvedCall{Name: "collect_list", Args: []expr.Expr{p.call(t, "if", p.call(t, "isnull", x), expr.Lit(nil), p.call(t, "named_struct", row...))}, Filter: c.Filter, Pos: t.pos})
	if orders[0].Desc {
		list = p.call(t, "reverse", list)
	}
	last := &expr.UnresolvedLambda{Params: []string{"_row"}, Body: &expr.UnresolvedExtract{Child: &expr.UnresolvedAttr{Parts: []string{"_row"}}, Key: expr.Lit("value")}, Pos: t.pos}
	joined := p.call(t, "array_join", p.call(t, "transform", list, last), sep)
	none := p.call(t, "=", &expr.UnresolvedCall{Name: "count", Args: []expr.Expr{x}, Filter: c.Filter, Pos: t.pos}, expr.Lit(0))
	*c = expr.UnresolvedCall{Name: "if", Args: []expr.Expr{none, expr.Lit(nil), joined}, Pos: c.Pos}
}
