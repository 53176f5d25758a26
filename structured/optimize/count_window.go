package optimize

import (
	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/structured/connector"
	"github.com/streamflow/streamflow/structured/logical"
)

// countWindows turns count_window(…) among the grouping keys into windows of the numbers that the rows of the other keys have:
//
//	Window rows 1..n of number
//	+- Over count(1) AS number, partitioned by the other keys, in the order of time, or of the log
//	   +- child
func (a *analyzer) countWindows(p *logical.Aggregate, keys []expr.Expr, child logical.Plan) ([]expr.Expr, logical.Plan, error) {
	call := findCountWindow(keys)
	if call == nil {
		return keys, child, nil
	}
	text := same(call)
	var partition []expr.Expr
	for _, k := range keys {
		switch c := findCountWindow([]expr.Expr{k}); {
		case p.Sets != nil || c != nil && same(c) != text || c == nil && holdsWindow(k):
			return nil, nil, at(usererr.New("UNSUPPORTED_FEATURE.MULTIPLE_TIME_WINDOWS", "0A000", "A query can assign rows to one kind of window only, and windows of rows stand in a plain GROUP BY.").
				WithFix("Put the other window into a subquery."), a.place(call))
		case c == nil:
			partition = append(partition, k)
		}
	}
	order, err := a.countOrder(call, child)
	if err != nil {
		return nil, nil, err
	}
	number := &expr.Alias{ID: expr.NewID(), Name: "_number", Child: &expr.Over{Partition: partition, Order: order,
		Fn:    &expr.Agg{Fn: "count", Args: []expr.Expr{expr.Lit(int64(1))}, Typ: column.Of(column.Int64)},
		Frame: &expr.Frame{Rows: true, Start: expr.Bound{Kind: expr.UnboundedPreceding}, End: expr.Bound{Kind: expr.CurrentRow}}}}
	w := &logical.Window{Rows: text, Time: logical.AttrOf(number), Size: wholeNumber(call.Args[1]), Slide: wholeNumber(call.Args[2]),
		Attr: &expr.Attr{ID: expr.NewID(), Name: call.Fn, Typ: call.Typ}, Child: &logical.Over{List: []expr.Expr{number}, Child: child, Final: true}}
	out := make([]expr.Expr, len(keys))
	for i, k := range keys {
		out[i] = expr.Transform(k, func(x expr.Expr) expr.Expr {
			if c, ok := x.(*expr.Call); ok && c.Fn == "count_window" {
				return w.Attr
			}
			return x
		})
	}
	return out, w, nil
}

// countOrder is the order in which rows are counted: that of time, and among equal times that of the log, or of the rows'
// values where they have no place in a log; without a time the order of a partition of the log.
func (a *analyzer) countOrder(call *expr.Call, child logical.Plan) ([]*expr.SortOrder, error) {
	partition, offset := hiddenAttr(child, connector.ColPartition), hiddenAttr(child, connector.ColOffset)
	var list []*expr.SortOrder
	add := func(e expr.Expr) { list = append(list, &expr.SortOrder{Child: e, NullsFirst: true}) }
	if l, none := call.Args[0].(*expr.Literal); none && l.Value == nil {
		if offset == nil {
			return nil, at(usererr.New("COUNT_WINDOW_ORDER", "42K09", "Windows of rows need an order of the rows, and these have no place in a log.").
				WithFix("Count them in the order of a time: count_window(ts, 100)."), a.place(call))
		}
		add(offset)
		return list, nil
	}
	add(call.Args[0])
	if partition != nil && offset != nil {
		add(partition)
		add(offset)
		return list, nil
	}
	for _, o := range child.Output() {
		switch {
		case o.Hidden:
		case o.Typ.Kind == column.List, o.Typ.Kind == column.Map, o.Typ.Kind == column.Struct:
		default:
			add(o)
		}
	}
	return list, nil
}

func hiddenAttr(p logical.Plan, name string) *expr.Attr {
	for _, o := range p.Output() {
		if o.Hidden && o.Name == name {
			return o
		}
	}
	return nil
}

func findCountWindow(list []expr.Expr) (found *expr.Call) {
	for _, e := range list {
		expr.Walk(e, func(x expr.Expr) bool {
			if c, ok := x.(*expr.Call); ok && c.Fn == "count_window" && found == nil {
				found = c
			}
			return found == nil
		})
	}
	return found
}

func holdsWindow(e expr.Expr) (found bool) {
	expr.Walk(e, func(x expr.Expr) bool {
		c, ok := x.(*expr.Call)
		found = found || ok && isWindowCall(c)
		return !found
	})
	return found
}

func wholeNumber(e expr.Expr) int64 {
	l, ok := e.(*expr.Literal)
	if !ok || l.Typ.Kind != column.Int64 {
		panic("BUG: a number of rows was resolved to " + e.String())
	}
	return l.Value.(int64)
}

func countWindowPlace(where expr.Pos) error {
	return at(usererr.New("UNSUPPORTED_FEATURE.COUNT_WINDOW", "0A000", "count_window counts the rows of a group, and stands in GROUP BY only.").
		WithFix("Write GROUP BY key, count_window(ts, 100)."), where)
}
