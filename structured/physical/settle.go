package physical

import (
	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
)

// Settle is how far event time must move on beyond the last row, microseconds, before nothing in the plan waits for later rows:
// the length of windows, sessions and joins, one above the other.
func (p *Physical) Settle() int64 {
	_, need := settle(p.Root)
	return need
}

// settle is how far event time of the rows of n may be beyond that of the sources' rows, and how far the watermark must be for
// the operators up to n.
func settle(n *Node) (reach, need int64) {
	for _, k := range n.Kids {
		r, w := settle(k)
		reach, need = max(reach, r), max(need, w)
	}
	extra := int64(0)
	switch op := n.Op.(type) {
	case *WindowTime:
		reach += max(op.Size, op.Cumulate)
	case *SessionTime:
		reach += op.longest()
	case *StatefulAggregate:
		extra = op.Late
	case *StatefulSession:
		extra = op.Late
	case *StatefulDedup:
		return reach, need // puts nothing out later
	case *StreamJoin:
		extra = max(op.Left.UntilAdd, op.Right.UntilAdd, 0) + max(op.Left.Grain, op.Right.Grain, 0)
	case *StreamAsof:
		extra = op.Wait + op.Grain
	case *StatefulMatch:
		extra = op.Pattern.Within
	}
	if n.stateful != nil {
		need = max(need, reach+n.stateful.Lag+extra)
	}
	return reach, need
}

// longest is the longest gap that the operator is known to give.
func (s *SessionTime) longest() int64 { return max(s.Gap, s.GapMax) }

// longestInterval is the greatest of the constant lengths of time that an expression holds: where they are the branches of a
// CASE, the greatest that it gives.
func longestInterval(e expr.Expr) (us int64) {
	expr.Walk(e, func(x expr.Expr) bool {
		if l, ok := x.(*expr.Literal); ok && l.Typ.Kind == column.IntervalDT && l.Value != nil {
			us = max(us, l.Value.(int64))
		}
		return true
	})
	return us
}
