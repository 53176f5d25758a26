package cost

import "math"

// Costs of a hash join for each row, in units of a row looked up. They are ratios measured with structured/physical's joins.
const (
	costBuild   = 2.0 // a row put into the table
	costProbe   = 1.0 // a row looked up
	costOut     = 0.5 // a row put out
	costNested  = 0.3 // a pair looked at where there is no key
	costShuffle = 2.0 // a row moved to another task
)

// sharedRows is up to how many rows a side is given to every task rather than both sides cut by key.
const sharedRows = 4e6

// exhaustive is up to how many relations all orders are looked at.
const exhaustive = 11

// Cost is what a join of two sets costs, beyond what they cost themselves.
func (g *Graph) cost(a, b Set) float64 {
	l, r := g.input(a), g.input(b)
	build, probe := math.Min(l, r), math.Max(l, r)
	out := g.Rows(a | b)
	if !g.joined(a, b) {
		return costNested*build*probe + costBuild*build + costOut*out
	}
	c := costBuild*build + costProbe*probe + costOut*out
	if build > sharedRows {
		c += costShuffle * (build + probe)
	}
	return c
}

// input is the number of rows that a set brings to a join. A relation that only takes rows away brings its own.
func (g *Graph) input(s Set) float64 {
	if s.size() == 1 {
		if m := &g.Rels[s.least()]; m.half() {
			return m.rel.Rows
		}
	}
	return g.Rows(s)
}

// joined reports whether b joins with a by a key.
func (g *Graph) joined(a, b Set) bool {
	if b.size() == 1 {
		if m := &g.Rels[b.least()]; m.half() {
			return m.Cond != nil && hasKey(m)
		}
	}
	return g.connected(a, b)
}

// CostOf is what a tree costs.
func (g *Graph) CostOf(t *Tree) float64 {
	if t.Left == nil {
		return 0
	}
	return g.CostOf(t.Left) + g.CostOf(t.Right) + g.cost(t.Left.Set, t.Right.Set)
}

// Order is the cheapest tree found. Relations that conditions connect are never crossed with others first.
func (g *Graph) Order() *Tree {
	var done []*Tree
	for _, part := range g.components() {
		done = append(done, g.best(part))
	}
	for len(done) > 1 { // unconnected parts: the smallest first
		i, j := g.smallest(done)
		done[i] = pair(done[i], done[j])
		done = append(done[:j], done[j+1:]...)
	}
	return g.withRest(done[0])
}

func pair(a, b *Tree) *Tree { return &Tree{Left: a, Right: b, Set: a.Set | b.Set} }

// smallest are the two trees with the fewest rows, in order.
func (g *Graph) smallest(list []*Tree) (i, j int) {
	i, j = 0, 1
	least := math.Inf(1)
	for a := range list {
		for b := a + 1; b < len(list); b++ {
			if n := g.Rows(list[a].Set) * g.Rows(list[b].Set); n < least {
				i, j, least = a, b, n
			}
		}
	}
	return i, j
}

// components are the sets of relations that conditions connect, with what only takes rows of one of them away.
func (g *Graph) components() []Set {
	var out []Set
	for rest := g.all() &^ g.halves(); rest != 0; {
		s := one(rest.least())
		for grown := true; grown; {
			grown = false
			for r := rest &^ s; r != 0; r &^= one(r.least()) {
				if g.touches(s, one(r.least())) {
					s |= one(r.least())
					grown = true
				}
			}
		}
		rest &^= s
		for i := range g.Rels {
			if m := &g.Rels[i]; m.half() && m.Need.within(s) {
				s |= one(i)
			}
		}
		out = append(out, s)
	}
	return out
}

// touches reports whether some condition reads both sets, whatever else it reads.
func (g *Graph) touches(a, b Set) bool {
	for _, p := range g.Preds {
		if p.Refs&a != 0 && p.Refs&b != 0 {
			return true
		}
	}
	return false
}

// withRest puts on top what takes rows of several components away.
func (g *Graph) withRest(t *Tree) *Tree {
	for i := range g.Rels {
		if !t.Set.has(i) {
			t = pair(t, &Tree{Rel: i, Set: one(i)})
		}
	}
	return t
}

func (g *Graph) best(s Set) *Tree {
	if s.size() <= exhaustive {
		if t := g.enumerate(s); t != nil {
			return t
		}
	}
	return g.greedy(s)
}

// Connected is the written tree when it crosses nothing that conditions connect; else the relations in the order in which they
// were written, but each after one that it is connected with. It needs no estimates.
func (g *Graph) Connected() *Tree {
	if !g.Crosses(g.Written) {
		return g.Written
	}
	var t *Tree
	for rest := g.all() &^ g.halves(); rest != 0; {
		var in Set
		if t != nil {
			in = t.Set
		}
		next := g.nextOf(in, rest)
		leaf := &Tree{Rel: next, Set: one(next)}
		if rest &^= one(next); t == nil {
			t = leaf
		} else {
			t = pair(t, leaf)
		}
	}
	return g.withRest(t)
}

// Crosses reports whether some join of the tree is without a key though its relations have one with others of the tree.
func (g *Graph) Crosses(t *Tree) bool {
	if t.Left == nil {
		return false
	}
	if g.Crosses(t.Left) || g.Crosses(t.Right) {
		return true
	}
	half := t.Right.Left == nil && g.Rels[t.Right.Rel].half()
	return !half && !g.joined(t.Left.Set, t.Right.Set) && (g.connected(t.Right.Set, g.all()&^t.Right.Set) || g.connected(t.Left.Set, g.all()&^t.Left.Set))
}
