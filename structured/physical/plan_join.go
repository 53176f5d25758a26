package physical

import (
	"fmt"

	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/structured/logical"
)

// join plans a join: conjuncts that compare one side with the other become keys, what remains a condition.
func (p *planner) join(l *logical.Join) (*Node, error) {
	if p.opt.Streaming && !p.static {
		ls, rs := hasStream(l.Left), hasStream(l.Right)
		switch {
		case ls && rs:
			return p.streamJoin(l)
		case ls || rs:
			return p.staticJoin(l, ls)
		}
	}
	left, right, b, err := p.joinInputs(l)
	if err != nil {
		return nil, err
	}
	times := left.props.times != nil && right.props.times != nil
	j, err := p.joinOf(l, left, right)
	if err != nil {
		return nil, err
	}
	p.choose(j, l.Hint)
	out := j.node(p)
	if times {
		out.props.times = joinTimes(l.Kind, b, left, right, out.Output)
		out.props.marks = union(left.props.marks, right.props.marks)
	}
	return out, nil
}

// joining is a join being planned.
type joining struct {
	l           *logical.Join
	left, right *Node
	leftAttrs   []*expr.Attr // the columns that are output
	rightAttrs  []*expr.Attr
	op          *HashJoin
	how         string
	merge       bool // the inputs are sorted, and merged
	inputs      []*Node
	cond        string
	why         string // of how, "" when there was no choice
}

// joinOf finds keys and condition and computes the keys that are not columns.
func (p *planner) joinOf(l *logical.Join, left, right *Node) (*joining, error) {
	j := &joining{l: l, leftAttrs: left.Output, rightAttrs: right.Output}
	var lk, rk []expr.Expr
	var nullSafe []bool
	var rest []expr.Expr
	if l.Cond != nil {
		for _, c := range expr.Conjuncts(l.Cond) {
			a, b, safe, ok := equalSides(c, left.Output, right.Output)
			if !ok {
				rest = append(rest, c)
				continue
			}
			lk, rk, nullSafe = append(lk, a), append(rk, b), append(nullSafe, safe)
		}
	}
	j.op = &HashJoin{Kind: l.Kind, NullSafe: nullSafe, Env: p.env}
	var err error
	if j.left, j.op.LeftKeys, err = p.columns(left, lk); err != nil {
		return nil, err
	}
	if j.right, j.op.RightKeys, err = p.columns(right, rk); err != nil {
		return nil, err
	}
	if j.op.half() {
		j.rightAttrs = nil
	}
	if len(rest) > 0 {
		return j, j.condition(expr.AndAll(rest))
	}
	return j, nil
}

// equalSides splits a = b or a <=> b whose sides read different inputs.
func equalSides(c expr.Expr, left, right []*expr.Attr) (a, b expr.Expr, nullSafe, ok bool) {
	call, is := c.(*expr.Call)
	if !is || len(call.Args) != 2 || call.Fn != "=" && call.Fn != "==" && call.Fn != "<=>" {
		return nil, nil, false, false
	}
	a, b = call.Args[0], call.Args[1]
	if reads(b, left) && reads(a, right) {
		a, b = b, a
	}
	ok = reads(a, left) && reads(b, right) && a.DataType().Equal(b.DataType())
	return a, b, call.Fn == "<=>", ok
}

// reads reports whether e reads columns, and only those of attrs.
func reads(e expr.Expr, attrs []*expr.Attr) bool {
	some, all := false, true
	expr.Walk(e, func(x expr.Expr) bool {
		if a, ok := x.(*expr.Attr); ok {
			some = true
			all = all && indexOf(attrs, a.ID) >= 0
		}
		return true
	})
	return some && all
}

// condition binds what keys do not decide to the columns that it reads.
func (j *joining) condition(cond expr.Expr) error {
	both := append(append([]*expr.Attr{}, j.left.Output...), j.right.Output...)
	var attrs []*expr.Attr
	for i, a := range both {
		if refers(cond, a.ID) {
			j.op.CondCols = append(j.op.CondCols, i)
			attrs = append(attrs, a)
		}
	}
	var err error
	j.op.Cond, err = expr.Bind(cond, attrs)
	j.cond = plain(cond)
	return err
}

// shuffle brings rows of equal keys of both sides together; without keys, all rows of both.
func (j *joining) shuffle(p *planner) {
	j.how = "shuffle"
	l, r := j.left, j.right
	switch {
	case len(j.op.LeftKeys) == 0:
		l, r = p.gather(l), p.gather(r)
	default:
		if !l.partitionedAs(j.op.LeftKeys, p.parts) {
			l = p.exchange(l, hashBy(l, j.op.LeftKeys, p.parts))
		}
		if !r.partitionedAs(j.op.RightKeys, p.parts) {
			r = p.exchange(r, hashBy(r, j.op.RightKeys, p.parts))
		}
	}
	j.inputs = []*Node{l, r}
}

// node makes the operator. Its properties are the probe side's.
func (j *joining) node(p *planner) *Node {
	attrs := j.output()
	probe, build := j.inputs[0], j.inputs[len(j.inputs)-1]
	if j.op.BuildLeft {
		probe, build = build, probe
	}
	kind := "HashJoin"
	if j.merge {
		kind = "MergeJoin"
	}
	out := p.node(kind, j.detail(), attrs, probe)
	out.adoptMark(build)
	out.Kids = j.inputs
	if j.why != "" {
		out.Notes = append(out.Notes, j.why)
	}
	out.Rows, out.Bytes = joinSize(probe, build)
	op := j.op
	op.LeftOut, op.RightOut = positions(j.left.Output, j.leftAttrs), positions(j.right.Output, j.rightAttrs)
	op.Left, op.Right, op.Out = schemaOf(j.left.Output), schemaOf(j.right.Output), schemaOf(attrs)
	op.From = probe.provenance()
	out.Op, out.joining = op, j
	if j.merge {
		out.Op, out.joining = &MergeJoin{Join: op}, nil
	}
	if j.op.half() && j.op.BuildLeft {
		out.props.hash = survive(build.props.hash, attrs) // the rows are the build side's
	}
	if j.op.keepsBuild() {
		out.props.hash = nil // rows without a partner have no key of the probe side
	}
	return out
}

// adoptMark keeps what decides lateness when it comes from the build side. A row carries its watermark with it, so it is as
// late after any exchange as it was before.
func (n *Node) adoptMark(build *Node) {
	from := build.props
	if n.props.mark != nil || from.mark == nil {
		return
	}
	n.props.mark, n.props.event, n.props.delay, n.props.offset = from.mark, from.event, from.delay, from.offset
	n.props.origins, n.props.marks = from.origins, from.marks
	n.props.keepOnly(n.Output)
}

// output are the columns, nullable where a row of the other side may have no partner.
func (j *joining) output() []*expr.Attr {
	left, right := j.leftAttrs, j.rightAttrs
	if oneOf(j.l.Kind, logical.RightOuter, logical.FullOuter) {
		left = nullable(left)
	}
	if oneOf(j.l.Kind, logical.LeftOuter, logical.FullOuter) {
		right = nullable(right)
	}
	return append(append([]*expr.Attr{}, left...), right...)
}

func nullable(attrs []*expr.Attr) []*expr.Attr {
	out := make([]*expr.Attr, len(attrs))
	for i, a := range attrs {
		c := *a
		c.Null = true
		out[i] = &c
	}
	return out
}

func joinSize(probe, build *Node) (rows, bytes int64) {
	if probe.Rows < 0 || build.Rows < 0 || probe.Bytes < 0 || build.Bytes < 0 {
		return -1, -1
	}
	return max(probe.Rows, build.Rows), probe.Bytes + build.Bytes
}

func (j *joining) detail() string {
	keys := make([]string, len(j.op.LeftKeys))
	for i := range keys {
		keys[i] = fmt.Sprintf("%s = %s", j.left.Output[j.op.LeftKeys[i]].Name, j.right.Output[j.op.RightKeys[i]].Name)
	}
	d := fmt.Sprintf("%s %v, %s", j.l.Kind, keys, j.how)
	if j.cond != "" {
		d += ", " + j.cond
	}
	side := "right"
	if j.op.BuildLeft {
		side = "left"
	}
	return d + ", build " + side
}
