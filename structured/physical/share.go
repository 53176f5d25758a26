package physical

import (
	"fmt"
	"slices"

	"github.com/zeebo/xxh3"

	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/internal/codec"
	"github.com/streamflow/streamflow/rdd"
	"github.com/streamflow/streamflow/structured/logical"
)

// A program may ask for the same rows twice, as for the counts of each window and the greatest of them. What computes them is
// then there once, and its rows go to several operators:
//
//	counts ─ max ─┐                     ┌─ max ─┐
//	              ├─ join      counts ──┤       ├─ join
//	counts ───────┘                     └───────┘
//
// Sharing ends at an exchange, since only its rows can be read twice: at one that is there, or at one that is put above an
// operator with state, which keeps its rows where they are. Rows that are late are set aside once.

// share makes one of subplans that are the same. It looks at programs with event time and at streams, in a stream and in its
// history alike.
func (p *planner) share(root *Node, plan logical.Plan) *Node {
	timed := p.opt.Streaming
	root.Walk(func(n *Node) { timed = timed || n.watermark != nil })
	if !timed || !deterministic(plan) {
		return root
	}
	s := &sharing{p: p, same: map[*Node]xxh3.Uint128{}, first: map[xxh3.Uint128]*Node{}, count: map[xxh3.Uint128]int{}, over: map[*Node]*Node{}}
	s.sign(root)
	s.find(root)
	s.replace(root)
	stays := map[*Node]bool{}
	root.Walk(func(n *Node) { stays[n] = true })
	root.Walk(func(n *Node) { n.props.marks = s.firsts(n.props.marks, stays) })
	return root
}

func deterministic(plan logical.Plan) bool {
	all := true
	logical.Walk(plan, func(l logical.Plan) bool {
		for _, e := range l.Exprs() {
			all = all && expr.Deterministic(e)
		}
		return all
	})
	return all
}

// sharing finds subplans that are the same: operators, as they are encoded, over inputs that are the same.
type sharing struct {
	p     *planner
	same  map[*Node]xxh3.Uint128
	first map[xxh3.Uint128]*Node // of those that are the same, the first
	count map[xxh3.Uint128]int
	over  map[*Node]*Node // the exchange above a first node with state
}

// signature is what two nodes have alike when they compute the same.
type signature struct {
	Kind     string
	Op       rdd.Operator
	Exchange *Exchange
	Kids     []string
	Bases    []int
	Parts    int
	Table    string
	Start    string
	Splits   [][]rdd.Split
	Name     string
	TTL      int64
}

func (s *sharing) sign(n *Node) xxh3.Uint128 {
	if h, ok := s.same[n]; ok {
		return h
	}
	g := signature{Kind: n.Kind, Op: n.Op, Exchange: n.Exchange, Bases: n.Bases, Parts: n.Parts}
	for _, k := range n.Kids {
		h := s.sign(k)
		g.Kids = append(g.Kids, fmt.Sprintf("%x%x", h.Hi, h.Lo))
	}
	if src := n.source; src != nil {
		g.Start = fmt.Sprint(src.Start)
		if src.Table != nil {
			g.Table = src.Table.Provider() + " " + src.Table.Name()
		}
		if src.Stream == nil {
			g.Splits = src.Scan.Splits
		}
	}
	if n.stateful != nil {
		g.Name, g.TTL = n.stateful.Name, n.stateful.TTL
	}
	h := xxh3.Hash128(codec.EncodeAs(g))
	s.same[n] = h
	return h
}

// find counts the nodes that are the same and can be shared, from the top down: what lies below a second one goes with it.
func (s *sharing) find(n *Node) {
	h := s.same[n]
	if _, ok := s.staying(n); ok || n.Exchange != nil {
		if s.count[h]++; s.count[h] > 1 {
			return
		}
		s.first[h] = n
	} else if s.first[h] == nil {
		s.first[h] = n
	}
	for _, k := range n.Kids {
		s.find(k)
	}
}

// staying is how the rows of a node with state are partitioned, so that they stay where they are. Over history, where there is
// no state, it is that of a node in one partition that sets aside late rows.
func (s *sharing) staying(n *Node) (by rdd.Partitioner, ok bool) {
	switch {
	case n.stateful == nil && (s.p.opt.Streaming || n.Parts > 1 || !n.dropsLate()):
		return by, false
	case n.Parts == 1:
		return rdd.Partitioner{Kind: rdd.Single, N: 1}, true
	}
	by = rdd.Partitioner{Kind: rdd.Hash, N: n.Parts}
	for _, id := range n.props.hash {
		c := indexOf(n.Output, id)
		if c < 0 {
			return by, false
		}
		by.Keys = append(by.Keys, c)
	}
	return by, len(by.Keys) > 0
}

// replace puts the first of nodes that are the same in the place of the others.
func (s *sharing) replace(n *Node) {
	for i, k := range n.Kids {
		n.Kids[i] = s.shared(k)
	}
}

func (s *sharing) shared(n *Node) *Node {
	h := s.same[n]
	if s.count[h] < 2 {
		s.replace(n)
		return n
	}
	first := s.first[h]
	if n == first {
		s.replace(n)
	}
	if n.Exchange != nil {
		return first
	}
	return s.above(first)
}

// above is the exchange over a node with state that is shared.
func (s *sharing) above(n *Node) *Node {
	if x := s.over[n]; x != nil {
		return x
	}
	by, _ := s.staying(n)
	x := s.p.exchange(n, by)
	x.Detail += ", shared"
	s.over[n] = x
	return x
}

// firsts are the nodes that stand in the place of those of a list: those that stay in the plan, and the first of what does not.
// Two that are the same and stay read their sources one by one, and so each has clocks of its own.
func (s *sharing) firsts(list []*Node, stays map[*Node]bool) []*Node {
	var out []*Node
	for _, n := range list {
		if first := s.first[s.same[n]]; first != nil && !stays[n] {
			n = first
		}
		if !slices.Contains(out, n) {
			out = append(out, n)
		}
	}
	return out
}

func (n *Node) dropsLate() (found bool) {
	n.Walk(func(k *Node) { found = found || k.Kind == "DropLate" })
	return found
}
