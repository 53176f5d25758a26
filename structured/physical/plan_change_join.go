package physical

import (
	"slices"

	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/structured/connector"
)

// changing reports whether the rows of the join may be taken back: because those of an input may, or because rows without a
// partner are put out though one may still come, which only a result that changes can make good.
func (s *streamJoining) changing(left, right *Node) bool {
	if left.props.changes != nil || right.props.changes != nil {
		return true
	}
	return s.p.opt.OutputMode != connector.Append && (s.needsLeft() || s.needsRight())
}

// changeJoin plans a join that holds the rows of both sides and puts out changes.
func (s *streamJoining) changeJoin(left, right *Node) (*Node, error) {
	p := s.p
	if !p.unboundedAllowed() {
		return nil, unboundedJoin(s.l, bounds{})
	}
	outLeft, outRight := left.own(), right.own()
	j, err := p.joinOf(s.l, left, right)
	if err != nil {
		return nil, err
	}
	j.leftAttrs, j.rightAttrs = outLeft, outRight
	if j.op.half() {
		j.rightAttrs = nil
	}
	s.joining = j
	if err := p.stable(j.left, s.condition()...); err != nil {
		return nil, err
	}
	by := s.partitioning()
	lpart, rpart := pickInts(j.op.LeftKeys, by), pickInts(j.op.RightKeys, by)
	left, right = p.meeting(j.left, lpart), p.meeting(j.right, rpart)
	change := changeAttr()
	attrs := append(j.output(), change)
	op := &ChangeJoin{Kind: s.l.Kind, NullSafe: j.op.NullSafe, Cond: j.op.Cond, CondCols: j.op.CondCols, Out: schemaOf(attrs), Env: p.env,
		From: left.provenance(), LeftWeight: weightOf(left), RightWeight: weightOf(right)}
	op.Left = JoinSide{In: schemaOf(left.Output), Keys: j.op.LeftKeys, Part: lpart, Out: positions(left.Output, j.leftAttrs), Until: -1, Time: -1}
	op.Right = JoinSide{In: schemaOf(right.Output), Keys: j.op.RightKeys, Part: rpart, Out: positions(right.Output, j.rightAttrs), Until: -1, Time: -1}
	out := p.node("ChangeJoin", s.detail(), attrs, left)
	out.Kids, out.Op, out.weighs = []*Node{left, right}, op, true
	out.Rows, out.Bytes = joinSize(left, right)
	out.props = props{stream: true, staged: true, stateful: true, marks: union(left.props.marks, right.props.marks), changes: change,
		upsert: s.upsert(left, right, attrs)}
	if !keepsRight(s.l.Kind) {
		out.props.hash = survive(left.props.hash, attrs)
	}
	out.stateful = &StatefulOp{Bound: "none: all rows of both sides are kept", Unbounded: true}
	return out, nil
}

// condition is the join's condition, as a list.
func (s *streamJoining) condition() []expr.Expr {
	if s.l.Cond == nil {
		return nil
	}
	return []expr.Expr{s.l.Cond}
}

// weightOf is the column with the weights of n's rows, -1 when each counts once.
func weightOf(n *Node) int {
	if n.props.changes == nil {
		return -1
	}
	return indexOf(n.Output, n.props.changes.ID)
}

// upsert are the columns that identify a row of the result: those of both sides, if both are known.
func (s *streamJoining) upsert(left, right *Node, attrs []*expr.Attr) []*expr.Attr {
	key := slices.Clone(left.props.upsert)
	if !s.op.half() {
		if len(right.props.upsert) == 0 {
			return nil
		}
		key = append(key, right.props.upsert...)
	}
	if len(left.props.upsert) == 0 {
		return nil
	}
	for _, k := range key {
		if indexOf(attrs, k.ID) < 0 {
			return nil
		}
	}
	return key
}
