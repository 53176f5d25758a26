package physical

import (
	"slices"

	"github.com/streamflow/streamflow/rdd"
)

// leaf is an exchange that the tasks of a stage read by reduce partition.
type leaf struct {
	x     *Node
	split bool
}

// lane is what belongs together of a stage: the tasks of one child of a union have nothing to do with those of another.
type lane struct {
	leaves []leaf
	kept   bool // it cannot be divided anew
}

// read decides what the tasks of the stage that ends in n read, once everything that they read has been measured.
func (a *adapting) read(n *Node) *Node {
	return a.divided(n, nil, true)
}

// divided divides the lane of n, and those of unions below it.
func (a *adapting) divided(n *Node, reads map[*Node]rereading, split bool) *Node {
	if reads == nil {
		l := lane{}
		l.collect(n, split)
		reads = a.reread(&l)
	}
	if n.Exchange != nil {
		if r, ok := reads[n]; ok {
			return r.apply(n)
		}
		return n
	}
	out := n
	for i, k := range n.Kids {
		below := reads
		if n.Bases != nil {
			below = nil // a lane of its own
		}
		now := a.divided(k, below, split && n.rowwise(i))
		if now == k {
			continue
		}
		if out == n {
			out = n.withKid(i, now)
		} else {
			out.Kids[i] = now
		}
	}
	return a.counted(out, n)
}

// rereading is what becomes of an exchange.
type rereading struct {
	reads []rdd.Read
	note  string
}

func (r rereading) apply(x *Node) *Node {
	e := *x.Exchange
	e.reads, e.read = r.reads, true
	out := *x
	out.Exchange, out.Notes = &e, append(slices.Clone(x.Notes), r.note)
	if r.reads != nil {
		out.Parts = len(r.reads)
	}
	return &out
}

// collect finds the leaves of a lane. split says that the rows below n may be divided over tasks, if each has the rest of what n's
// partition has.
func (l *lane) collect(n *Node, split bool) {
	switch {
	case n.Exchange != nil:
		if !n.Exchange.everywhere() {
			l.leaves = append(l.leaves, leaf{n, split})
		}
		return
	case n.empty:
		return
	case len(n.Kids) == 0 || n.placed():
		l.kept = true
		return
	case n.Bases != nil:
		l.kept = true // the union's children are divided each for itself
		return
	}
	for i, k := range n.Kids {
		ok := n.rowwise(i)
		if op, join := n.Op.(*HashJoin); join {
			ok = divisible(op.Kind, i)
		}
		l.collect(k, split && ok)
	}
}

// reread decides how the leaves of a lane are read; nil when that stays as it is or is not known yet.
func (a *adapting) reread(l *lane) map[*Node]rereading {
	out := map[*Node]rereading{}
	if l.kept || len(l.leaves) == 0 {
		return out
	}
	inputs := make([]laneInput, len(l.leaves))
	fixed := false
	for i, f := range l.leaves {
		e := f.x.Exchange
		if e.measured == nil || e.read {
			return out
		}
		fixed = fixed || e.Fixed
		inputs[i] = laneInput{e.measured, f.split && len(l.leaves) > 1}
		if len(e.measured.Sizes) != len(l.leaves[0].x.Exchange.measured.Sizes) {
			return out // a stage without tasks has no sizes
		}
	}
	if len(inputs[0].Sizes) == 0 {
		return out
	}
	conf := a.conf
	conf.Coalesce = conf.Coalesce && !fixed
	d := conf.divide(inputs, a.slots)
	for i, f := range l.leaves {
		r := rereading{note: d.summary(f.x, i)}
		if d.tasks != d.parts || d.sliced() {
			r.reads = d.reads[i]
		}
		out[f.x] = r
	}
	return out
}

// follows is how many partitions n has: as many as the child that its tasks read by partition.
func (n *Node) follows() int {
	parts := n.Parts
	for _, k := range n.Kids {
		switch {
		case k.Exchange != nil && k.Exchange.everywhere():
		case k.empty:
			parts = k.Parts
		default:
			return k.Parts
		}
	}
	return parts
}

// counted makes the number of partitions of n, a copy of old unless nothing has changed, follow from its children's.
func (a *adapting) counted(n, old *Node) *Node {
	parts, bases := n.Parts, n.Bases
	if n.Bases != nil {
		parts, bases = 0, make([]int, len(n.Kids))
		for i, k := range n.Kids {
			bases[i] = parts
			parts += k.Parts
		}
	} else {
		parts = n.follows()
	}
	op := n.Op
	if in, ok := n.Op.(*KeyFilterInput); ok {
		if makers := n.Kids[1].Kids[0].Parts; makers != in.Parts {
			c := *in
			c.Parts, op = makers, &c
		}
	}
	if parts == n.Parts && op == n.Op && slices.Equal(bases, n.Bases) {
		return n
	}
	if n == old {
		n = n.withKid(0, n.Kids[0])
	}
	n.Parts, n.Bases, n.Op = parts, bases, op
	return n
}
