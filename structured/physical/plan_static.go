package physical

import (
	"fmt"

	"github.com/streamflow/streamflow/structured/logical"
)

// staticJoin plans a join of a stream with a table. The table is read inside each task once and kept; the stream probes.
func (p *planner) staticJoin(l *logical.Join, streamLeft bool) (*Node, error) {
	allowed := oneOf(l.Kind, logical.Inner, logical.LeftOuter, logical.LeftSemi, logical.LeftAnti, logical.Cross)
	if !streamLeft {
		allowed = oneOf(l.Kind, logical.Inner, logical.RightOuter, logical.Cross)
	}
	if !allowed {
		return nil, unsupported(fmt.Sprintf("A %s join that keeps all rows of the table beside a stream", l.Kind),
			"Keep the rows of the stream: put it on the left of a LEFT join or on the right of a RIGHT join.")
	}
	fixed := &planner{ctx: p.ctx, opt: p.opt, parts: 1, static: true, env: p.env, est: p.est, logged: map[*logical.Scan]bool{}}
	leftPlanner, rightPlanner := p, fixed
	if !streamLeft {
		leftPlanner, rightPlanner = fixed, p
	}
	left, err := leftPlanner.plan(l.Left)
	if err != nil {
		return nil, err
	}
	right, err := rightPlanner.plan(l.Right)
	if err != nil {
		return nil, err
	}
	j, err := p.joinOf(l, left, right)
	if err != nil {
		return nil, err
	}
	if l.Cond != nil {
		if err := p.stable(j.streamSide(streamLeft), l.Cond); err != nil {
			return nil, err
		}
	}
	j.how = "table kept in each task"
	stream, table := j.left, j.right
	j.op.BuildLeft = !streamLeft
	if !streamLeft {
		stream, table = j.right, j.left
	}
	number(table, "static.")
	j.op.Static = staticOf(table)
	j.inputs = []*Node{stream}
	out := j.node(p)
	out.fixed = table
	out.weighs = true // a row and its retraction find the same rows of the table
	if !j.op.half() {
		out.props.upsert = nil // a row may find several
	}
	return out, nil
}

func (j *joining) streamSide(left bool) *Node {
	if left {
		return j.left
	}
	return j.right
}

// staticOf is a subplan as a tree that runs inside a task.
func staticOf(n *Node) *Static {
	s := &Static{ID: n.ID, Op: n.Op, Out: schemaOf(n.Output)}
	if n.source != nil {
		s.Splits = flatten(n.source.Scan.Splits)
	}
	for _, k := range n.Kids {
		s.Kids = append(s.Kids, staticOf(k))
	}
	return s
}
