package physical

import (
	"fmt"
	"slices"
	"strings"

	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/internal/codec"
	"github.com/streamflow/streamflow/rdd"
)

// Adaptive is a batch plan that is planned on while it runs, as Spark's adaptive execution does. The stage below an exchange tells how
// much it wrote; what lies above, as far as it has not begun, is changed by that:
//
//   - small reduce partitions that are neighbours are read by one task (adapt_divide.go)
//   - reduce partitions of a join that are much larger than the others are cut in slices
//   - a side of a join that is small is given to every task of the other side, which is not cut then (adapt_join.go)
//   - what one task makes is not moved again (adapt_merge.go)
//   - a join one side of which has no rows is not computed, and the table is built of the side that is smaller
//
// Measure is a function of plan and measurements: nothing is run or read here. A plan is never changed but copied along the
// path to what changes, so that the graph below stages that have begun stays the same.
type Adaptive struct {
	plan  *Physical
	conf  AdaptiveConf
	slots int

	lower lowering
	nodes map[*rdd.RDD]*Node    // of lower
	known map[written]*Measured // what was written
	began map[*Node]bool        // nodes that a stage that has begun ends in
}

// written names what a stage writes: the rows of a node, in a way.
type written struct {
	below *Node
	how   string
}

func writtenBelow(x *Node) written { return written{x.Kids[0], x.Exchange.text()} }

// text tells ways to move rows apart.
func (e *Exchange) text() string {
	if e.Broadcast {
		return "broadcast"
	}
	return string(codec.EncodeAs(e.Partitioner))
}

// Adaptive is the plan for adaptive execution on a number of slots; nil when there is nothing to adapt: the plan is a stream's or a
// program's over event time, has no exchange into several partitions, or the session does not want it.
func (p *Physical) Adaptive(slots int) *Adaptive {
	if !p.Adapts() {
		return nil
	}
	plan := *p
	plan.Root = standing(p.Root, map[*Node]*Node{})
	a := &Adaptive{plan: &plan, conf: p.adaptive, slots: max(slots, 1), lower: lowering{}, nodes: map[*rdd.RDD]*Node{}, known: map[written]*Measured{}, began: map[*Node]bool{}}
	a.adapt() // sides of joins may have to wait
	return a
}

// standing is a plan in which every stage ends in an operator: lowering would put one there anew each time.
func standing(n *Node, done map[*Node]*Node) *Node {
	if out := done[n]; out != nil {
		return out
	}
	out := n
	for i, k := range n.Kids {
		now := standing(k, done)
		if k.Exchange != nil && n.Exchange == nil && n.Bases == nil {
			now = now.Kids[0] // above stands an operator of the stage that reads it
		}
		if now != k {
			if out == n {
				out = n.withKid(i, now)
			} else {
				out.Kids[i] = now
			}
		}
	}
	done[n] = passOver(out)
	return done[n]
}

// Adapts reports whether the plan may change while it runs.
func (p *Physical) Adapts() bool {
	if p.Streaming || !p.adaptive.Enabled || len(p.Watermarks)+len(p.Stateful) > 0 {
		return false
	}
	some := false
	p.Root.Walk(func(n *Node) {
		some = some || n.Exchange != nil && !n.Exchange.Broadcast && n.Exchange.Partitioner.N > 1
	})
	return some
}

// Plan is the plan as it is now.
func (a *Adaptive) Plan() *Physical { return a.plan }

// Root is the graph of the plan as it is now. What has not changed since the last call is the same.
func (a *Adaptive) Root() *rdd.RDD {
	r := a.lower.rdd(a.plan.Root)
	for n, x := range a.lower {
		a.nodes[x] = n
	}
	return r
}

// Begin notes that the stage that ends in root has begun: it will not change any more.
func (a *Adaptive) Begin(root *rdd.RDD) { a.began[a.nodes[root]] = true }

// Measure takes in what the stage that ends in root wrote, cut by a partitioner, and plans anew what lies above.
func (a *Adaptive) Measure(root *rdd.RDD, by rdd.Partitioner, m *Measured) {
	a.known[written{a.nodes[root], string(codec.EncodeAs(by))}] = m
	a.adapt()
}

// adapt plans anew what has not begun.
func (a *Adaptive) adapt() {
	r := adapting{Adaptive: a, done: map[*Node]*Node{}, before: countReaders(a.plan.Root), readers: map[*Node]int{}}
	p := *a.plan
	if p.Root = r.stage(a.plan.Root); p.Root != a.plan.Root {
		a.plan = &p
	}
}

// adapting is one pass over the plan.
type adapting struct {
	*Adaptive
	done    map[*Node]*Node // nodes that stages end in
	before  map[*Node]int   // how many operators read what exchanges carry, in the plan as it was
	readers map[*Node]int   // and in the plan as it becomes
}

func (a *adapting) begun(x *Node) bool { return a.began[x.Kids[0]] }

// stage adapts the stage that ends in n, and those below.
func (a *adapting) stage(n *Node) *Node {
	if a.began[n] {
		return n
	}
	if out := a.done[n]; out != nil {
		return out
	}
	out := a.read(a.merged(a.within(n, true)))
	a.done[n] = out
	return out
}

// within adapts what lies between n and the exchanges that its stage reads. free says that what is above in the stage gives the same
// however its rows are divided over tasks.
func (a *adapting) within(n *Node, free bool) *Node {
	if n.Exchange != nil {
		return a.exchange(n)
	}
	out := n
	for i, k := range n.Kids {
		if now := a.within(k, free && n.rowwise(i)); now != k {
			if out == n {
				out = n.withKid(i, now)
			} else {
				out.Kids[i] = now
			}
		}
	}
	if out != n {
		out.reestimate(n)
	}
	return a.joinSides(out, free)
}

// exchange adapts the stage below an exchange, or notes what it wrote.
func (a *adapting) exchange(x *Node) *Node {
	if !a.begun(x) {
		below := a.stage(x.Kids[0])
		a.readers[below] = a.before[x.Kids[0]]
		if below != x.Kids[0] {
			out := x.withKid(0, below)
			out.Rows, out.Bytes = below.Rows, below.Bytes
			x = out
		}
		if x.Exchange.later {
			e, out := *x.Exchange, *x
			e.later = false
			out.Exchange, x = &e, &out
		}
		return x
	}
	m := a.known[writtenBelow(x)]
	if m == nil || x.Exchange.measured != nil || x.Exchange.Broadcast {
		return x
	}
	e := *x.Exchange
	e.measured, e.later = m, false
	out := *x
	out.Exchange, out.Rows, out.Bytes = &e, m.Total.Rows, m.Total.Bytes
	return &out
}

// withKid is a copy of n with another child.
func (n *Node) withKid(i int, k *Node) *Node {
	out := *n
	out.Kids, out.Notes = slices.Clone(n.Kids), slices.Clone(n.Notes)
	out.Kids[i] = k
	return &out
}

// reestimate corrects the estimates of a copy of old by what has become known of its children: they grow and shrink with them.
func (n *Node) reestimate(old *Node) {
	share := 1.0
	for i, k := range n.Kids {
		if was := old.Kids[i]; k != was && was.Rows > 0 && k.Rows >= 0 {
			share *= float64(k.Rows) / float64(was.Rows)
		}
	}
	if n.Rows >= 0 && share != 1 {
		n.Rows, n.Bytes = int64(float64(n.Rows)*share), int64(float64(n.Bytes)*share)
	}
}

// rowwise reports whether the operator gives the same rows however those of its i-th child are divided over tasks.
func (n *Node) rowwise(i int) bool {
	switch op := n.Op.(type) {
	case *Filter, *Project, *Pass, *Expand, *Generate, *Union, *Sink, *KeyFilterBuild:
		return !n.placed()
	case *KeyFilterInput:
		return i == 0
	case *Dedup:
		return op.Partial
	case *HashAggregate:
		return !op.Final && !op.Whole
	case *HashJoin:
		return len(n.Kids) == 2 && n.Kids[1-i].Exchange != nil && n.Kids[1-i].Exchange.everywhere() && divisible(op.Kind, i)
	}
	return false
}

// everywhere reports whether every task reads all rows.
func (e *Exchange) everywhere() bool { return e.Broadcast || e.whole }

// placed reports whether what the operator gives depends on the task that it is in.
func (n *Node) placed() bool {
	switch op := n.Op.(type) {
	case *Sample:
		return true
	case *Filter:
		return op.Cond != nil && !expr.Deterministic(op.Cond)
	case *Project:
		return slices.ContainsFunc(op.List, func(e expr.Expr) bool { return !expr.Deterministic(e) })
	}
	return false
}

// summary says what was measured of an input and how its rows are read.
func (d *division) summary(x *Node, input int) string {
	s := "measured: " + x.Exchange.measured.text()
	if d.tasks != d.parts {
		s += fmt.Sprintf("; %d partitions are read by %d task%s", d.parts, d.tasks, plural(d.tasks))
	}
	if skew := d.skew[input]; len(skew) > 0 {
		s += "; skewed: " + strings.Join(skew, ", ")
	}
	return s
}
