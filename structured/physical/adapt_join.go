package physical

import (
	"fmt"
	"slices"

	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/structured/logical"
)

// divisible reports whether the rows of one side of a join may be divided over tasks in any way, if each has the other side whole.
func divisible(kind logical.JoinKind, side int) bool {
	if side == 0 {
		return slices.Contains(broadcastRight, kind)
	}
	return slices.Contains(broadcastLeft, kind)
}

// mayBroadcast reports whether a side may be given to every task.
func mayBroadcast(kind logical.JoinKind, side int) bool { return divisible(kind, 1-side) }

// joinSides decides anew how the sides of a join meet, of which at least one has been measured:
//
//	HashJoin shuffle                     HashJoin broadcast right
//	├─ Exchange hash(a)          ─▶      ├─ probe
//	│  └─ probe                          └─ Exchange hash(b), whole
//	└─ Exchange hash(b), 90 rows            └─ build
//	   └─ build
//
// The exchange of the probe side is left out, which is only worth something as long as its stage has not begun.
func (a *adapting) joinSides(n *Node, free bool) *Node {
	j := n.joining
	if j == nil || !a.bothCut(n) || j.l.Hint == "shuffle_hash" {
		return n
	}
	build := 1
	if j.op.BuildLeft {
		build = 0
	}
	for _, side := range []int{build, 1 - build} {
		if out := a.withoutRows(n, side, free); out != n {
			return out
		}
		if free && a.worthBroadcast(n, side) {
			return a.broadcastSide(n, side)
		}
	}
	l, r := n.Kids[0], n.Kids[1]
	if l.Exchange.measured == nil || r.Exchange.measured == nil {
		if free && a.awaits(n, build) {
			return a.holdBack(n, 1-build)
		}
		return n
	}
	return a.turned(n)
}

// bothCut reports whether both sides of a join come through exchanges by key.
func (a *adapting) bothCut(n *Node) bool {
	for _, k := range n.Kids {
		if k.Exchange == nil || k.Exchange.Broadcast || k.Exchange.whole {
			return false
		}
	}
	return len(n.Kids) == 2
}

// worthBroadcast compares what is left to do either way. The side is measured, and its shuffle paid for; the other side's is not, if
// its stage has not begun.
func (a *adapting) worthBroadcast(n *Node, side int) bool {
	x, y := n.Kids[side], n.Kids[1-side]
	m := x.Exchange.measured
	if m == nil || !mayBroadcast(n.joining.l.Kind, side) || m.Total.Bytes > a.conf.Broadcast || a.begun(y) {
		return false
	}
	probe := y.Kids[0]
	if probe.Rows < 0 {
		return true // nothing is known of the other side but that this one is small
	}
	built, other := float64(m.Total.Rows), float64(probe.Rows)
	cut := costShuffle*other/a.atATime(probe.Parts) + (costBuild*built+costProbe*other)/a.atATime(x.Parts)
	given := costBuild*built*float64(probe.Parts)/a.atATime(probe.Parts) + costProbe*other/a.atATime(probe.Parts)
	return given < cut
}

// atATime is how many of some tasks run at a time.
func (a *adapting) atATime(tasks int) float64 { return float64(max(min(tasks, a.slots), 1)) }

// awaits reports whether a side that is not measured yet may turn out to be so small that the other side need not be cut.
func (a *adapting) awaits(n *Node, side int) bool {
	x, y := n.Kids[side], n.Kids[1-side]
	if x.Exchange.measured != nil || !mayBroadcast(n.joining.l.Kind, side) || a.conf.Broadcast < 0 || a.begun(y) {
		return false
	}
	if x.Bytes < 0 {
		return true
	}
	factor := int64(awaitUnknown)
	if x.counted {
		factor = awaitCounted
	}
	return x.Bytes <= factor*a.conf.Broadcast && (y.Bytes < 0 || x.Bytes < y.Bytes)
}

// By how much an estimate may be above the threshold, and yet the other side waits: what filters, joins and groupings leave is often
// estimated too high, and less so where statistics know the tables.
const (
	awaitUnknown = 4
	awaitCounted = 2
)

// holdBack lets the stage below a side wait until the other side is measured.
func (a *adapting) holdBack(n *Node, side int) *Node {
	y := n.Kids[side]
	if y.Exchange.later {
		return n
	}
	e := *y.Exchange
	e.later = true
	held := *y
	held.Exchange = &e
	return n.withKid(side, &held)
}

// broadcastSide gives a measured side to every task of the other one.
func (a *adapting) broadcastSide(n *Node, side int) *Node {
	x, y := n.Kids[side], n.Kids[1-side]
	e := *x.Exchange
	e.whole, e.later = true, false
	whole := *x
	whole.Exchange = &e
	whole.Notes = append(slices.Clone(x.Notes), fmt.Sprintf("measured: %s; every task reads all", e.measured.text()))
	out := n.withKid(side, &whole)
	out.Kids[1-side] = y.Kids[0]
	out = a.rebuilt(out, side == 0, "broadcast "+joinSide(side))
	out.Notes = append(out.Notes, fmt.Sprintf("adapted: the %s side has %s; the other side is not cut", joinSide(side), e.measured.text()))
	return out
}

func joinSide(side int) string { return []string{"left", "right"}[side] }

// turned builds the table of the side that has turned out to be a good deal smaller.
func (a *adapting) turned(n *Node) *Node {
	j := n.joining
	if len(j.op.Publish) > 0 {
		return n // the other side looks for this side's keys
	}
	l, r := n.Kids[0].Exchange.measured.Total.Rows, n.Kids[1].Exchange.measured.Total.Rows
	left := l < r/2
	if left == j.op.BuildLeft || !left && (r >= l/2 || j.op.half() && r == 0) {
		return n
	}
	out := a.rebuilt(n.withKid(0, n.Kids[0]), left, j.how)
	out.Notes = append(out.Notes, fmt.Sprintf("adapted: sides of %d and %d rows, so the table is built of the %s one", l, r, joinSide(sideOf(left))))
	return out
}

func sideOf(left bool) int {
	if left {
		return 0
	}
	return 1
}

// rebuilt gives a join, which is a copy, another build side or another way in which the sides meet.
func (a *adapting) rebuilt(n *Node, buildLeft bool, how string) *Node {
	j := *n.joining
	op := *j.op
	if op.BuildLeft != buildLeft {
		op.BuildLeft, op.Publish = buildLeft, nil
		probe := n.Kids[1]
		if !buildLeft {
			probe = n.Kids[0]
		}
		op.From = probe.provenance()
	}
	j.op, j.how = &op, how
	n.Op, n.joining, n.Detail = &op, &j, j.detail()
	return n
}

// withoutRows replaces a join that has no rows, because one side has turned out to have none: the other side is not read.
func (a *adapting) withoutRows(n *Node, side int, free bool) *Node {
	m := n.Kids[side].Exchange.measured
	kind := n.joining.l.Kind
	none := kind == logical.Inner || kind == logical.LeftSemi || kind == logical.LeftOuter && side == 0 || kind == logical.LeftAnti && side == 0 ||
		kind == logical.RightOuter && side == 1
	if m == nil || m.Total.Rows > 0 || !none || a.begun(n.Kids[1-side]) {
		return n
	}
	out := &Node{ID: n.ID, Kind: "Empty", Detail: fmt.Sprintf("is empty: its %s side, %s, has no rows", joinSide(side), n.Kids[side].ID), Output: n.Output,
		Op: &Local{Out: schemaOf(n.Output), Cols: allOf(n.Output)}, Parts: n.Parts, props: n.props, empty: true}
	if free {
		out.Parts = 1
	}
	return out
}

func allOf(attrs []*expr.Attr) []int {
	out := make([]int, len(attrs))
	for i := range out {
		out[i] = i
	}
	return out
}
