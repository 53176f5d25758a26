package physical

import (
	"fmt"

	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/structured/logical"
)

// asofTimed are the event times by which both sides of an as-of join are joined, if they are such.
func asofTimed(l *logical.AsofJoin, left, right *Node) (lt, rt timeAttr, ok bool) {
	lt, lok := timeOf(l.LeftTime, left.props.times)
	rt, rok := timeOf(l.RightTime, right.props.times)
	return lt, rt, lok && rok && lt.size == 0 && rt.size == 0 && lt.lag >= 0 && rt.lag >= 0
}

// asofInTime sets aside the rows that are late by the time that they are joined by, the last of cols, in a stream and in its
// history alike.
func (p *planner) asofInTime(n *Node, cols []int, lag int64) (*Node, []int) {
	if n.props.mark == nil {
		return n, cols
	}
	attrs := make([]*expr.Attr, len(cols))
	for i, c := range cols {
		attrs[i] = n.Output[c]
	}
	n = p.dropLate(n, attrs[len(attrs)-1], lag)
	n.props.mark, n.props.offset, n.props.event = nil, nil, nil
	return n, positions(n.Output, attrs)
}

func asofNeedsTimes(l *logical.AsofJoin, left, right *Node) error {
	if left.props.stream != right.props.stream {
		return unsupported("An as-of join of a stream with a table", "Read both sides as streams.")
	}
	return unsupported("An as-of join of streams by other times than those of their watermarks",
		"Declare a watermark on both sides and compare their event times: MATCH_CONDITION (a.ts >= b.ts).")
}

// streamAsof plans the as-of join of two streams.
//
//	drop late ─ exchange ─┐
//	                      ├─ left rows wait for the watermark, versions are kept by key ─ …
//	drop late ─ exchange ─┘
func (p *planner) streamAsof(l *logical.AsofJoin, left *Node, lc []int, lt timeAttr, right *Node, rc []int, rt timeAttr) (*Node, error) {
	n := len(l.LeftKeys)
	tolerance := int64(-1)
	if t, ok := l.Tolerance.(*expr.Literal); ok {
		tolerance = t.Value.(int64)
	}
	if l.Direction != logical.Backward && tolerance < 0 {
		return nil, unsupported(fmt.Sprintf("An as-of join %s of streams without a tolerance", l.Direction),
			"Say how far off a partner may be: a row waits so long. Or look backward, MATCH_CONDITION (a.ts >= b.ts).")
	}
	if !p.unboundedAllowed() && !l.Versioned {
		return nil, unbounded("a version of each key of the as-of join's right side")
	}
	wait := rt.lag
	if l.Direction != logical.Backward {
		wait += tolerance
	}
	delay := left.props.delay
	grain := powerBelow(max(delay, 8*minGrain) / 8)
	leftAttrs, rightAttrs := left.visible(l.Left.Output()), right.visible(l.Right.Output())
	attrs := append([]*expr.Attr{}, leftAttrs...)
	if l.Kind == logical.LeftOuter {
		attrs = append(attrs, nullable(rightAttrs)...)
	} else {
		attrs = append(attrs, rightAttrs...)
	}
	left, right = p.meeting(left, lc[:n]), p.meeting(right, rc[:n])
	op := &StreamAsof{Keep: l.Kind == logical.LeftOuter, LeftTime: lc[n], RightTime: rc[n], Direction: l.Direction, Strict: l.Strict, Tolerance: tolerance,
		Wait: wait, Late: lt.lag, Grain: grain, Out: schemaOf(attrs),
		Left:  JoinSide{In: schemaOf(left.Output), Keys: lc[:n], Part: lc[:n], Out: positions(left.Output, leftAttrs), Until: -1, Time: -1},
		Right: JoinSide{In: schemaOf(right.Output), Keys: rc[:n], Part: rc[:n], Out: positions(right.Output, rightAttrs), Until: -1, Time: -1}}
	out := p.node("StreamAsof", asofDetail(l), attrs, left)
	out.Kids, out.Op = []*Node{left, right}, op
	out.Rows, out.Bytes = left.Rows, -1
	out.props = props{stream: true, staged: true, marks: union(left.props.marks, right.props.marks), hash: survive(left.props.hash, attrs),
		times: asofTimes(left.props.times, lt, wait+grain, attrs)}
	out.stateful = &StatefulOp{Unbounded: !l.Versioned,
		Bound: fmt.Sprintf("left rows until the watermark passes %s; of the right side the version of each key that is valid at the watermark, and those after it", plain(l.LeftTime))}
	return out, nil
}

// asofTimes are the event times of the output: the left row's, wait later.
func asofTimes(times []timeAttr, lt timeAttr, wait int64, attrs []*expr.Attr) []timeAttr {
	var out []timeAttr
	for _, t := range times {
		if t.event == lt.event {
			t.lag, t.exact = t.lag+max(wait-lt.lag, 0), false
			out = append(out, t)
		}
	}
	return keepTimes(out, attrs)
}

// visible are those of attrs that n has.
func (n *Node) visible(attrs []*expr.Attr) []*expr.Attr {
	var out []*expr.Attr
	for _, a := range attrs {
		if indexOf(n.Output, a.ID) >= 0 {
			out = append(out, a)
		}
	}
	return out
}

func asofDetail(l *logical.AsofJoin) string {
	return fmt.Sprintf("%s %s%s, %s to %s", l.Kind, l.Direction, strictly(l.Strict), plain(l.LeftTime), plain(l.RightTime))
}
