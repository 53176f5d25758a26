package cost

import (
	"math"

	"github.com/streamflow/streamflow/expr"
)

// plan is the cheapest tree of a set so far: the two sets that it joins.
type plan struct {
	left, right Set
	cost        float64
	ok          bool
}

// enumerate looks at all trees over the relations of s that cross nothing which is not connected, from small sets to large
// ones (dynamic programming over subsets). It returns nil when there is no such tree.
func (g *Graph) enumerate(s Set) *Tree {
	best := map[Set]plan{}
	var members []Set
	for r := s; r != 0; r &^= one(r.least()) {
		members = append(members, one(r.least()))
	}
	n := uint(len(members))
	full := func(bits uint) (out Set) {
		for i := uint(0); i < n; i++ {
			if bits&(1<<i) != 0 {
				out |= members[i]
			}
		}
		return out
	}
	sets := make([]Set, 1<<n)
	for b := uint(1); b < 1<<n; b++ {
		sets[b] = full(b)
		if b&(b-1) == 0 {
			if !g.Rels[sets[b].least()].half() {
				best[sets[b]] = plan{ok: true}
			}
			continue
		}
		g.split(b, sets, best)
	}
	if !best[s].ok {
		return nil
	}
	return tree(s, best)
}

// split finds the cheapest way to make the set of bits b of two smaller ones.
func (g *Graph) split(b uint, sets []Set, best map[Set]plan) {
	s := sets[b]
	var found plan
	for sub := (b - 1) & b; sub > 0; sub = (sub - 1) & b {
		l, r := sets[sub], sets[b&^sub]
		pl := best[l]
		if !pl.ok || found.ok && pl.cost >= found.cost {
			continue
		}
		c := pl.cost
		if r.size() == 1 && g.Rels[r.least()].half() {
			if !g.Rels[r.least()].Need.within(l) {
				continue
			}
		} else {
			pr := best[r]
			if !pr.ok || l > r || !g.connected(l, r) {
				continue
			}
			c += pr.cost
		}
		if c += g.cost(l, r); !found.ok || c < found.cost {
			found = plan{l, r, c, true}
		}
	}
	if found.ok {
		best[s] = found
	}
}

func tree(s Set, best map[Set]plan) *Tree {
	if s.size() == 1 {
		return &Tree{Rel: s.least(), Set: s}
	}
	p := best[s]
	return pair(tree(p.left, best), tree(p.right, best))
}

// greedy joins, again and again, the two trees whose join costs least (greedy operator ordering), connected ones before all
// others; what only takes rows away is applied as soon as it pays for itself, at the latest at the end.
func (g *Graph) greedy(s Set) *Tree {
	var trees []*Tree
	var halves []int
	for r := s; r != 0; r &^= one(r.least()) {
		if i := r.least(); g.Rels[i].half() {
			halves = append(halves, i)
		} else {
			trees = append(trees, &Tree{Rel: i, Set: one(i)})
		}
	}
	for {
		for i, t := range trees {
			trees[i], halves = g.reduce(t, halves, len(trees) == 1)
		}
		if len(trees) == 1 {
			return trees[0]
		}
		i, j := g.cheapest(trees)
		trees[i] = pair(trees[i], trees[j])
		trees = append(trees[:j], trees[j+1:]...)
	}
}

// worthwhile is the share of rows up to which a semi or anti join is applied at once.
const worthwhile = 0.5

func (g *Graph) reduce(t *Tree, halves []int, last bool) (*Tree, []int) {
	var rest []int
	for _, h := range halves {
		if g.Rels[h].Need.within(t.Set) && (last || g.passes(h) <= worthwhile) {
			t = pair(t, &Tree{Rel: h, Set: one(h)})
		} else {
			rest = append(rest, h)
		}
	}
	return t, rest
}

func (g *Graph) cheapest(trees []*Tree) (i, j int) {
	least, joined := math.Inf(1), false
	for a := range trees {
		for b := a + 1; b < len(trees); b++ {
			connected := g.connected(trees[a].Set, trees[b].Set)
			if joined && !connected {
				continue
			}
			if c := g.cost(trees[a].Set, trees[b].Set); connected && !joined || c < least {
				i, j, least, joined = a, b, c, connected
			}
		}
	}
	return i, j
}

// hasKey reports whether a semi or anti join's condition compares something with a column of its own.
func hasKey(m *Member) bool {
	for _, c := range expr.Conjuncts(m.Cond) {
		if call, ok := c.(*expr.Call); ok && (call.Fn == "=" || call.Fn == "==" || call.Fn == "<=>") {
			return true
		}
	}
	return false
}
