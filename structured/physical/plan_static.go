package physical

import (
	"context"
	"fmt"

	"github.com/streamflow/streamflow/rdd"
	"github.com/streamflow/streamflow/structured/connector"
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
	p.tables++
	prefix := "static."
	if p.tables > 1 {
		prefix = fmt.Sprintf("static%d.", p.tables)
	}
	number(table, prefix)
	j.op.Static = staticOf(table)
	if p.refresh > 0 {
		if err := p.appendOnly(stream, "A join with a table that is read again"); err != nil {
			return nil, err
		}
		p.readAgain(table, j.op.Static)
		j.how = fmt.Sprintf("table read again every %s", micros(p.refresh))
	}
	j.inputs = []*Node{stream}
	out := j.node(p)
	out.fixed = table
	out.weighs = true // a row and its retraction find the same rows of the table
	if !j.op.half() {
		out.props.upsert = nil // a row may find several
	}
	return out, nil
}

// LookupRefresh is the setting of how old a table that is joined to a stream may become before it is read again: '10 seconds'.
// Without it, or with 0, tables stay as they were when the query was planned.
const LookupRefresh = "streamflow.lookup.refresh"

// Refresh is a table that is joined to a stream and read again while the query runs.
type Refresh struct {
	Op    string // of its scan: runs bind Splits[Op]
	Every int64  // microseconds
	Read  func(context.Context) ([][]rdd.Split, error)
}

// readAgain notes that the scans of a table are planned again while the query runs.
func (p *planner) readAgain(table *Node, s *Static) {
	s.Refreshed = true
	table.Walk(func(n *Node) {
		src := n.source
		if src == nil || src.Table == nil {
			return
		}
		from := src.Table.(connector.BatchReader)
		p.refreshes = append(p.refreshes, Refresh{Op: n.ID, Every: p.refresh, Read: func(ctx context.Context) ([][]rdd.Split, error) {
			scan, err := from.PlanScan(ctx, src.request)
			if err != nil {
				return nil, err
			}
			return [][]rdd.Split{flatten(scan.Splits)}, nil
		}})
	})
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
