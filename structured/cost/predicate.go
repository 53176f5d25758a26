package cost

import (
	"math"
	"strings"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/structured/stats"
)

// Shares of rows that conditions are taken to keep when nothing is known of their columns.
const (
	shareEqual   = 0.05
	shareRange   = 1.0 / 3
	shareCompare = 0.5 // of a column with another
	sharePrefix  = 0.05
	shareLike    = 0.1
	shareOther   = 0.25
)

// Filter is the relation under a condition.
func (r *Relation) Filter(cond expr.Expr) *Relation {
	share := 1.0
	list := expr.Conjuncts(cond)
	out := *r
	out.cols = make(map[int64]Column, len(r.cols))
	for id, c := range r.cols {
		out.cols[id] = c
	}
	ranges := map[int64]bool{}
	for _, e := range list {
		if a, low, high, ok := bounded(e); ok && r.cols[a.ID].Ranged {
			out.confine(a.ID, low, high)
			ranges[a.ID] = true
			continue
		}
		share *= r.Share(e)
		out.restrict(e)
	}
	for id := range ranges { // x >= 1 AND x < 3 is one range
		share *= rangeShare(r.cols[id], out.cols[id])
	}
	rows := r.Rows * share
	if r.Rows >= 1 {
		rows = math.Max(rows, 1)
	}
	return out.resized(rows)
}

// confine narrows a column to the values between two bounds.
func (r *Relation) confine(id int64, low, high float64) {
	c := r.cols[id]
	was := c.High - c.Low
	c.Low, c.High = math.Max(c.Low, low), math.Min(c.High, high)
	if c.High < c.Low {
		c.High = c.Low
	}
	if was > 0 {
		c.Domain = math.Max(c.Domain*(c.High-c.Low)/was, math.Min(c.Domain, 1))
	}
	c.Nulls = 0
	r.cols[id] = c
}

// rangeShare is the share of rows whose value lies between the bounds that are left of a column's.
func rangeShare(was, now Column) float64 {
	span := was.High - was.Low
	share := 1.0
	if span > 0 {
		share = (now.High - now.Low) / span
	}
	if was.Distinct > 0 {
		share = math.Max(share, 1/was.Distinct)
	}
	return math.Min(share, 1) * (1 - was.Nulls)
}

// restrict notes what a condition that is no range says of its column.
func (r *Relation) restrict(e expr.Expr) {
	c, ok := e.(*expr.Call)
	if !ok || len(c.Args) == 0 {
		return
	}
	a, ok := c.Args[0].(*expr.Attr)
	if !ok {
		return
	}
	col, have := r.cols[a.ID]
	if !have {
		return
	}
	switch c.Fn {
	case "=", "==", "in":
		n := float64(max(len(c.Args)-1, 1))
		if col.Domain == 0 || n < col.Domain {
			col.Domain = n
		}
		if col.Distinct == 0 || n < col.Distinct {
			col.Distinct = n
		}
		col.Nulls = 0
	case "isnotnull":
		col.Nulls = 0
	}
	r.cols[a.ID] = col
}

var mirrored = map[string]string{"=": "=", "==": "==", "<": ">", "<=": ">=", ">": "<", ">=": "<=", "!=": "!=", "<=>": "<=>"}

// sides takes a comparison of a column with a constant apart.
func sides(e expr.Expr) (op string, a *expr.Attr, place float64, known, ok bool) {
	c, is := e.(*expr.Call)
	if !is || len(c.Args) != 2 || mirrored[c.Fn] == "" {
		return "", nil, 0, false, false
	}
	op = c.Fn
	left, right := c.Args[0], c.Args[1]
	if _, is := right.(*expr.Attr); is {
		left, right, op = right, left, mirrored[op]
	}
	a, is = left.(*expr.Attr)
	if !is {
		return "", nil, 0, false, false
	}
	v, constant := literal(right)
	if !constant {
		return "", nil, 0, false, false
	}
	place, known = stats.Place(v.Value, v.Typ)
	return op, a, place, known && (v.Typ.Equal(a.Typ) || v.Typ.IsNumeric() && a.Typ.IsNumeric()), true
}

// literal is e as a constant, computed where it can be without a session.
func literal(e expr.Expr) (*expr.Literal, bool) {
	l, ok := e.(*expr.Literal)
	if ok {
		return l, true
	}
	if len(e.Children()) == 0 {
		return nil, false
	}
	l, ok = expr.FoldIn(&expr.Context{ANSI: true}, e).(*expr.Literal)
	return l, ok
}

// bounded is a comparison as a range of its column.
func bounded(e expr.Expr) (a *expr.Attr, low, high float64, ok bool) {
	op, a, place, known, ok := sides(e)
	if !ok || !known {
		return nil, 0, 0, false
	}
	low, high = math.Inf(-1), math.Inf(1)
	switch op {
	case "<", "<=":
		high = place
	case ">", ">=":
		low = place
	default:
		return nil, 0, 0, false
	}
	return a, low, high, true
}

// Share is the share of rows for which a condition is true, between 0 and 1.
func (r *Relation) Share(e expr.Expr) float64 {
	switch e := e.(type) {
	case *expr.Literal:
		if e.Value == true {
			return 1
		}
		return 0
	case *expr.Attr:
		return shareCompare
	case *expr.Call:
		return r.shareCall(e)
	}
	return shareOther
}

func (r *Relation) shareCall(c *expr.Call) float64 {
	switch c.Fn {
	case "and":
		return r.Share(c.Args[0]) * r.Share(c.Args[1])
	case "or":
		a, b := r.Share(c.Args[0]), r.Share(c.Args[1])
		return a + b - a*b
	case "not":
		return 1 - r.Share(c.Args[0])
	case "isnotnull":
		return 1 - r.nulls(c.Args[0])
	case "isnull":
		return r.nulls(c.Args[0])
	case "in":
		return math.Min(float64(len(c.Args)-1)*r.shareEqual(c.Args[0]), 1)
	case "startswith":
		return sharePrefix
	case "like":
		return shareOfLike(c)
	case "contains", "endswith", "rlike", "ilike":
		return shareLike
	}
	return r.shareComparison(c)
}

// nulls is the share of rows in which an expression is null.
func (r *Relation) nulls(e expr.Expr) float64 {
	if a, ok := e.(*expr.Attr); ok {
		return r.cols[a.ID].Nulls
	}
	return 0
}

func shareOfLike(c *expr.Call) float64 {
	if len(c.Args) > 1 {
		if l, ok := c.Args[1].(*expr.Literal); ok {
			if s, ok := l.Value.(string); ok && s != "" && !strings.ContainsAny(s[:1], "%_") {
				return sharePrefix
			}
		}
	}
	return shareLike
}

// shareEqual is the share of rows in which an expression has one certain value.
func (r *Relation) shareEqual(e expr.Expr) float64 {
	a, ok := e.(*expr.Attr)
	if !ok {
		return shareEqual
	}
	c := r.cols[a.ID]
	switch {
	case c.Distinct >= 1:
		return (1 - c.Nulls) / c.Distinct
	case a.Typ.Kind == column.Bool:
		return shareCompare
	}
	return shareEqual
}

func (r *Relation) shareComparison(c *expr.Call) float64 {
	if len(c.Args) != 2 || mirrored[c.Fn] == "" {
		return shareOther
	}
	op, a, place, known, ok := sides(c)
	if !ok {
		return r.shareColumns(c)
	}
	col := r.cols[a.ID]
	if known && col.Deviation > 0 {
		return col.tail(op, place)
	}
	switch op {
	case "=", "==", "<=>":
		if known && col.Ranged && (place < col.Low || place > col.High) {
			return 0
		}
		return r.shareEqual(a)
	case "!=":
		return math.Max(1-col.Nulls-r.shareEqual(a), 0)
	}
	if !known || !col.Ranged {
		return shareRange
	}
	_, low, high, _ := bounded(c)
	now := col
	now.Low, now.High = math.Max(col.Low, low), math.Max(math.Min(col.High, high), math.Max(col.Low, low))
	if now.Low > col.High || now.High < col.Low {
		return 0
	}
	return rangeShare(col, now)
}

// shareColumns is for comparisons of what is no constant.
func (r *Relation) shareColumns(c *expr.Call) float64 {
	switch c.Fn {
	case "=", "==", "<=>":
		return math.Min(r.shareEqual(c.Args[0]), r.shareEqual(c.Args[1]))
	case "!=":
		return 1 - math.Min(r.shareEqual(c.Args[0]), r.shareEqual(c.Args[1]))
	}
	return shareCompare
}
