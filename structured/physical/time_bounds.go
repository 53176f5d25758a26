package physical

import (
	"math"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/structured/logical"
)

// Which rows of two streams may still find a partner follows from conditions that compare their times:
//
//	a.ts >= b.ts - 10     no a that is still to come joins b once the watermark has passed b.ts - 10
//	a.ts <= b.ts + 5      no b that is still to come joins a once it has passed a.ts - 5
//	a.w = b.w             neither joins once it has passed the window's end
//	b.ts <= a.expires     no b that is still to come joins a once it has passed a.expires
//
// A bound of one side rests on the event time of the other: rows of the other that are late by that time are set aside, so
// that what is joined does not depend on when state was dropped.

// bound says until when a row of one side may find partners that are still to come: until the watermark is at at + add.
type bound struct {
	at    expr.Expr // over the side's own columns
	add   int64
	own   timeAttr // at as event time of its own side
	isOwn bool

	rests     expr.Expr // the other side's event time, on which the bound rests: a column or a window's end
	restsAdd  int64
	restsTime timeAttr
}

// bounds are those of both sides, nil for a side that nothing bounds.
type bounds struct{ left, right *bound }

// timeBounds finds the bounds that a condition sets.
func timeBounds(cond expr.Expr, left, right *Node) bounds {
	var b bounds
	if cond == nil {
		return b
	}
	for _, c := range expr.Conjuncts(cond) {
		call, ok := c.(*expr.Call)
		if !ok || len(call.Args) != 2 {
			continue
		}
		switch call.Fn {
		case "=", "==", "<=>":
			b.compare(call, true, true, left, right)
		case "<", "<=":
			b.compare(call, true, false, left, right)
		case ">", ">=":
			b.compare(call, false, true, left, right)
		}
	}
	return b
}

// compare takes a comparison as l + c <= r (less) and l + c >= r (greater), for columns l of the left side and r of the right.
func (b *bounds) compare(call *expr.Call, less, greater bool, left, right *Node) {
	var s sum
	s.add(call.Args[0], 1)
	s.add(call.Args[1], -1)
	if len(s.terms) != 2 || s.terms[0].sign == s.terms[1].sign {
		return
	}
	l, r := s.terms[0], s.terms[1]
	if reads(l.e, right.Output) {
		l, r = r, l
	}
	if !reads(l.e, left.Output) || !reads(r.e, right.Output) || !l.e.DataType().Equal(r.e.DataType()) {
		return
	}
	c := s.c
	if l.sign < 0 {
		less, greater, c = greater, less, -c
	}
	lt, lok := plainTime(l.e, left.props.times)
	rt, rok := plainTime(r.e, right.props.times)
	le, re, ok := ends(l.e, r.e, lt, rt, lok && rok)
	if !ok {
		return
	}
	if less && lok {
		b.right = tighter(b.right, &bound{at: re, add: lt.lag - c, own: rt, isOwn: rok, rests: le, restsAdd: lt.lag, restsTime: lt})
	}
	if greater && rok {
		b.left = tighter(b.left, &bound{at: le, add: rt.lag + c, own: lt, isOwn: lok, rests: re, restsAdd: rt.lag, restsTime: rt})
	}
}

// ends replaces windows, which are equal when they end at the same time, by their ends. Only windows of one length compare
// so.
func ends(l, r expr.Expr, lt, rt timeAttr, both bool) (le, re expr.Expr, ok bool) {
	switch l.DataType().Kind {
	case column.Timestamp, column.TimestampNTZ:
		return l, r, true
	case column.Struct:
		if !both || lt.size == 0 || rt.size == 0 {
			return nil, nil, false
		}
		le, lerr := expr.GetField(l, "end")
		re, rerr := expr.GetField(r, "end")
		return le, re, lerr == nil && rerr == nil
	}
	return nil, nil, false
}

// tighter is the better of two bounds: one by the side's own event time, whose distance is known, and of these the nearer.
func tighter(a, b *bound) *bound {
	switch {
	case a == nil, b.isOwn && !a.isOwn, b.isOwn == a.isOwn && b.add-b.own.lag < a.add-a.own.lag:
		return b
	}
	return a
}

// slack is how far behind its own event time a row of the side may be joined.
func (b *bound) slack() int64 { return max(b.add-b.own.lag, 0) }

// timesAfter are the event times of a join's output: those of a side that its bound ties to the arrival of pairs. wait is
// how much later rows without a partner may be put out.
func (b *bound) timesAfter(times []timeAttr, wait int64) []timeAttr {
	if b == nil || !b.isOwn {
		return nil
	}
	var out []timeAttr
	for _, t := range times {
		if t.event == b.own.event {
			t.lag += b.slack() + wait
			t.exact = t.exact && wait == 0
			out = append(out, t)
		}
	}
	return out
}

// timed prepares two inputs that both follow event time for a join: the rows that a bound's other side counts on not to
// come are set aside. The watermark columns end here; what is above closes by event times of the joined rows.
func (p *planner) timed(l *logical.Join, left, right *Node) (*Node, *Node, bounds, error) {
	if len(left.props.times) == 0 || len(right.props.times) == 0 {
		return left, right, bounds{}, nil
	}
	b := timeBounds(l.Cond, left, right)
	var err error
	if left, err = p.inTime(left, b.right); err != nil {
		return nil, nil, b, err
	}
	right, err = p.inTime(right, b.left)
	return left, right, b, err
}

// inTime sets aside the rows of n that are late for the bound of the other side that rests on n's event time.
func (p *planner) inTime(n *Node, other *bound) (*Node, error) {
	if n.props.mark == nil {
		return n, nil
	}
	if other == nil {
		n.props.mark, n.props.offset, n.props.event = nil, nil, nil
		return n, nil
	}
	n, cols, err := p.columns(n, []expr.Expr{other.rests})
	if err != nil {
		return nil, err
	}
	n = p.dropLate(n, n.Output[cols[0]], other.restsAdd)
	n.props.offset, n.props.event = nil, nil
	return n, nil
}

// grain is by how much the bounds of stored rows are rounded up, so that rows that end at about the same time lie in one
// bucket: an eighth of how long a row stays. 0 is no rounding, adaptiveGrain when that is not known.
func (b *bound) grain(delay int64) int64 {
	switch {
	case b == nil, b.isOwn && b.own.exact:
		return 0
	case !b.isOwn:
		return adaptiveGrain
	}
	return powerBelow(max(b.slack(), delay, 8*minGrain) / 8)
}

const (
	minGrain      = 1 << 10 // about a millisecond
	adaptiveGrain = -1
)

// powerBelow is the largest power of two that is not above x >= 1.
func powerBelow(x int64) int64 {
	p := int64(1)
	for p <= x/2 && p < math.MaxInt64/4 {
		p *= 2
	}
	return p
}
