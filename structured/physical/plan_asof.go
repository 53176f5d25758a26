package physical

import (
	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/structured/logical"
)

// asof plans an as-of join: both sides by key, sorted by key and time, walked through together.
func (p *planner) asof(l *logical.AsofJoin) (*Node, error) {
	left, leftCols, err := p.asofSide(l.Left, l.LeftKeys, l.LeftTime)
	if err != nil {
		return nil, err
	}
	right, rightCols, err := p.asofSide(l.Right, l.RightKeys, l.RightTime)
	if err != nil {
		return nil, err
	}
	n := len(l.LeftKeys)
	lt, rt, timed := asofTimed(l, left, right)
	if timed {
		left, leftCols = p.asofInTime(left, leftCols, lt.lag)
		right, rightCols = p.asofInTime(right, rightCols, rt.lag)
	}
	switch {
	case left.props.stream && right.props.stream && timed:
		return p.streamAsof(l, left, leftCols, lt, right, rightCols, rt)
	case left.props.stream || right.props.stream:
		return nil, asofNeedsTimes(l, left, right)
	}
	alone := left.Parts == 1 && right.Parts == 1
	left, lk := p.asofSorted(left, leftCols, alone)
	right, rk := p.asofSorted(right, rightCols, alone)
	leftAttrs, rightAttrs := l.Left.Output(), l.Right.Output()
	attrs := append([]*expr.Attr{}, leftAttrs...)
	if l.Kind == logical.LeftOuter {
		attrs = append(attrs, nullable(rightAttrs)...)
	} else {
		attrs = append(attrs, rightAttrs...)
	}
	out := p.node("AsofJoin", asofDetail(l), attrs, left, right)
	op := &Asof{Keep: l.Kind == logical.LeftOuter, LeftKeys: lk[:n], RightKeys: rk[:n], LeftTime: leftCols[n], RightTime: rightCols[n], Direction: l.Direction, Strict: l.Strict,
		LeftOut: positions(left.Output, leftAttrs), RightOut: positions(right.Output, rightAttrs), RightTypes: schemaOf(right.Output), Out: schemaOf(attrs)}
	if t, ok := l.Tolerance.(*expr.Literal); ok {
		op.Tolerance = t.Value
	}
	out.Op = op
	if timed {
		out.props.times, out.props.marks = asofTimes(left.props.times, lt, rt.lag, attrs), union(left.props.marks, right.props.marks)
	}
	return out, nil
}

func strictly(strict bool) string {
	if strict {
		return " strictly"
	}
	return ""
}

// asofSide plans one side with its keys and time as columns, whose places it returns.
func (p *planner) asofSide(side logical.Plan, keys []expr.Expr, time expr.Expr) (*Node, []int, error) {
	n, err := p.plan(side)
	if err != nil {
		return nil, nil, err
	}
	return p.columns(n, append(append([]expr.Expr{}, keys...), time))
}

// asofSorted brings rows of equal keys together, unless both sides are alone in one partition, and sorts them by key and time.
func (p *planner) asofSorted(n *Node, cols []int, alone bool) (*Node, []column.SortKey) {
	by := cols[:len(cols)-1]
	switch {
	case alone:
	case len(by) == 0:
		n = p.gather(n)
	case !n.partitionedAs(by, p.parts):
		n = p.exchange(n, hashBy(n, by, p.parts))
	}
	keys := make([]column.SortKey, len(cols))
	names := make([]expr.Expr, len(cols))
	for i, c := range cols {
		keys[i] = column.SortKey{Col: c, NullsFirst: true}
		names[i] = n.Output[c]
	}
	out := p.node("Sort", listOf(names), n.Output, n)
	out.Op = &Sort{Keys: keys, Out: schemaOf(n.Output)}
	return out, keys
}
