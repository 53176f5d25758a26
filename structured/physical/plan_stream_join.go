package physical

import (
	"fmt"
	"slices"
	"strings"

	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/rdd"
	"github.com/streamflow/streamflow/structured/logical"
)

// streamJoin plans a join of two streams:
//
//	drop late ─ exchange ─┐
//	                      ├─ join with what both sides hold ─ …
//	drop late ─ exchange ─┘
//
// Rows of both sides are held until the watermark says that no partner can come any more.
func (p *planner) streamJoin(l *logical.Join) (*Node, error) {
	left, right, b, err := p.joinInputs(l)
	if err != nil {
		return nil, err
	}
	s := &streamJoining{p: p, l: l, b: b}
	if s.changing(left, right) {
		return s.changeJoin(left, right)
	}
	if err := s.check(); err != nil {
		return nil, err
	}
	if s.joining, err = s.inputsOf(left, right); err != nil {
		return nil, err
	}
	return s.node(), nil
}

// joinInputs plans the sides and sets aside rows that come too late to be joined.
func (p *planner) joinInputs(l *logical.Join) (left, right *Node, b bounds, err error) {
	if left, err = p.plan(l.Left); err != nil {
		return nil, nil, b, err
	}
	if right, err = p.plan(l.Right); err != nil {
		return nil, nil, b, err
	}
	return p.timed(l, left, right)
}

// streamJoining is a join of two streams being planned.
type streamJoining struct {
	*joining
	p          *planner
	l          *logical.Join
	b          bounds
	leftUntil  int // columns of the sides' bounds, -1 for none
	rightUntil int
	leftTime   int // columns of the sides' event times, on which the other side's bounds rest
	rightTime  int
}

// keepsLeft and keepsRight: rows without a partner are put out too, once that is certain.
func keepsLeft(k logical.JoinKind) bool {
	return oneOf(k, logical.LeftOuter, logical.FullOuter, logical.LeftAnti)
}

func keepsRight(k logical.JoinKind) bool { return oneOf(k, logical.RightOuter, logical.FullOuter) }

// check refuses joins whose state would grow for ever, and those whose rows without a partner would never be certain.
func (s *streamJoining) check() error {
	switch {
	case s.needsLeft():
		return needsBound(s.l, "left")
	case s.needsRight():
		return needsBound(s.l, "right")
	case (s.b.left == nil || s.b.right == nil) && !s.p.unboundedAllowed():
		return unboundedJoin(s.l, s.b)
	}
	return nil
}

// needsLeft and needsRight: rows without a partner of that side are wanted, and nothing says when it is certain that they
// have none.
func (s *streamJoining) needsLeft() bool  { return keepsLeft(s.l.Kind) && s.b.left == nil }
func (s *streamJoining) needsRight() bool { return keepsRight(s.l.Kind) && s.b.right == nil }

// inputsOf finds keys and condition, and computes the bounds that are no columns.
func (s *streamJoining) inputsOf(left, right *Node) (*joining, error) {
	p := s.p
	outLeft, outRight := left.own(), right.own()
	left, lc, err := p.columns(left, append(s.b.left.columns(), s.b.right.rest()...))
	if err != nil {
		return nil, err
	}
	right, rc, err := p.columns(right, append(s.b.right.columns(), s.b.left.rest()...))
	if err != nil {
		return nil, err
	}
	s.leftUntil, s.leftTime = pairOf(lc, s.b.left != nil, s.b.right != nil)
	s.rightUntil, s.rightTime = pairOf(rc, s.b.right != nil, s.b.left != nil)
	j, err := p.joinOf(s.l, left, right)
	if err != nil {
		return nil, err
	}
	j.leftAttrs, j.rightAttrs = outLeft, outRight
	if j.op.half() {
		j.rightAttrs = nil
	}
	return j, nil
}

func (b *bound) columns() []expr.Expr {
	if b == nil {
		return nil
	}
	return []expr.Expr{b.at}
}

// rest is the column of the other side on which the bound rests.
func (b *bound) rest() []expr.Expr {
	if b == nil {
		return nil
	}
	return []expr.Expr{b.rests}
}

// pairOf takes apart what inputsOf asked columns for.
func pairOf(cols []int, first, second bool) (a, b int) {
	a, b = -1, -1
	if first {
		a, cols = cols[0], cols[1:]
	}
	if second {
		b = cols[0]
	}
	return a, b
}

// node makes the operator.
func (s *streamJoining) node() *Node {
	p, j := s.p, s.joining
	by := s.partitioning()
	lpart, rpart := pickInts(j.op.LeftKeys, by), pickInts(j.op.RightKeys, by)
	left, right := p.meeting(j.left, lpart), p.meeting(j.right, rpart)
	attrs := j.output()
	op := &StreamJoin{Kind: s.l.Kind, NullSafe: j.op.NullSafe, Cond: j.op.Cond, CondCols: j.op.CondCols, Out: schemaOf(attrs), Env: p.env, From: left.provenance()}
	op.Left = s.side(left, j.op.LeftKeys, lpart, j.leftAttrs, s.b.left, s.b.right, s.leftUntil, s.leftTime)
	op.Right = s.side(right, j.op.RightKeys, rpart, j.rightAttrs, s.b.right, s.b.left, s.rightUntil, s.rightTime)
	out := p.node("StreamJoin", s.detail(), attrs, left)
	out.Kids, out.Op = []*Node{left, right}, op
	out.Rows, out.Bytes = joinSize(left, right)
	out.props = props{stream: true, staged: true, marks: union(left.props.marks, right.props.marks), times: s.times(attrs)}
	if !keepsRight(s.l.Kind) {
		out.props.hash = survive(left.props.hash, attrs)
	}
	out.stateful = &StatefulOp{Bound: s.bound(), Unbounded: s.b.left == nil || s.b.right == nil}
	out.Notes = append(out.Notes, "state: "+out.stateful.Bound)
	return out
}

// partitioning chooses the keys, by number, that rows are spread by: those by which a side is spread already, if there are
// such, or all.
func (s *streamJoining) partitioning() []int {
	for _, side := range []struct {
		n    *Node
		keys []int
	}{{s.joining.left, s.op.LeftKeys}, {s.joining.right, s.op.RightKeys}} {
		if !side.n.props.staged || side.n.Parts != s.p.parts || len(side.n.props.hash) == 0 {
			continue
		}
		var by []int
		for _, id := range side.n.props.hash {
			k := slices.IndexFunc(side.keys, func(c int) bool { return side.n.Output[c].ID == id })
			if k >= 0 {
				by = append(by, k)
			}
		}
		if len(by) == len(side.n.props.hash) {
			return by
		}
	}
	return leading(len(s.op.LeftKeys))
}

func pickInts(list, at []int) []int {
	out := make([]int, len(at))
	for i, k := range at {
		out[i] = list[k]
	}
	return out
}

// meeting moves rows to where their partners are, unless they are there. Always it is in a later stage than those that follow
// event time.
func (p *planner) meeting(n *Node, keys []int) *Node {
	if n.props.staged && (n.Parts == 1 && (p.parts == 1 || len(keys) == 0) || len(keys) > 0 && n.partitionedAs(keys, p.parts)) {
		return n
	}
	if len(keys) == 0 {
		return p.exchange(n, rdd.Partitioner{Kind: rdd.Single, N: 1})
	}
	return p.exchange(n, hashBy(n, keys, p.parts))
}

func (s *streamJoining) side(n *Node, keys, part []int, out []*expr.Attr, own, other *bound, until, time int) JoinSide {
	side := JoinSide{In: schemaOf(n.Output), Keys: keys, Part: part, Out: positions(n.Output, out), Until: until, Time: time,
		Grain: own.grain(n.props.delay)}
	if own != nil {
		side.UntilAdd = own.add
	}
	if other != nil {
		side.TimeAdd = other.restsAdd
	}
	if own != nil && other != nil && own.rests.String() == other.at.String() {
		// A partner's time is at most the row's bound, and the partner's own bound lies a fixed distance after its time.
		side.Near, side.Reach = true, other.add-own.restsAdd
	}
	return side
}

// times are the event times of the output.
func (s *streamJoining) times(attrs []*expr.Attr) []timeAttr {
	return joinTimes(s.l.Kind, s.b, s.joining.left, s.joining.right, attrs)
}

// joinTimes are the event times that rows of a join have.
func joinTimes(kind logical.JoinKind, b bounds, left, right *Node, attrs []*expr.Attr) []timeAttr {
	lwait, rwait := int64(0), int64(0)
	if keepsLeft(kind) {
		lwait = max(b.left.grain(left.props.delay), 0)
	}
	if keepsRight(kind) {
		rwait = max(b.right.grain(right.props.delay), 0)
	}
	times := append(b.left.timesAfter(left.props.times, lwait), b.right.timesAfter(right.props.times, rwait)...)
	return keepTimes(times, attrs)
}

func (s *streamJoining) detail() string {
	keys := make([]string, len(s.op.LeftKeys))
	for i := range keys {
		keys[i] = fmt.Sprintf("%s = %s", s.joining.left.Output[s.op.LeftKeys[i]].Name, s.joining.right.Output[s.op.RightKeys[i]].Name)
	}
	d := fmt.Sprintf("%s [%s]", s.l.Kind, strings.Join(keys, ", "))
	if s.cond != "" {
		d += ", " + s.cond
	}
	return d
}

// bound says what bounds the state.
func (s *streamJoining) bound() string {
	return fmt.Sprintf("left rows %s, right rows %s", s.b.left.text(), s.b.right.text())
}

func (b *bound) text() string {
	switch {
	case b == nil:
		return "for ever"
	case b.add == 0:
		return fmt.Sprintf("until the watermark passes %s", plain(b.at))
	case b.add < 0:
		return fmt.Sprintf("until the watermark passes %s - %s", plain(b.at), micros(-b.add))
	}
	return fmt.Sprintf("until the watermark passes %s + %s", plain(b.at), micros(b.add))
}

// union is a and those of b that are not in it.
func union(a, b []*Node) []*Node {
	out := slices.Clone(a)
	for _, n := range b {
		if !slices.Contains(out, n) {
			out = append(out, n)
		}
	}
	return out
}
