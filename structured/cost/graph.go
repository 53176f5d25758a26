package cost

import (
	"math/bits"

	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/structured/logical"
)

// Set is a set of a graph's relations, by position.
type Set uint64

func (s Set) has(i int) bool    { return s&(1<<uint(i)) != 0 }
func (s Set) within(t Set) bool { return s&^t == 0 }
func (s Set) size() int         { return bits.OnesCount64(uint64(s)) }
func (s Set) least() int        { return bits.TrailingZeros64(uint64(s)) }
func one(i int) Set             { return 1 << uint(i) }

// maxRelations is how many relations a graph may have; what is beyond stays a relation of its own.
const maxRelations = 48

// Graph is a tree of inner joins taken apart: relations, and the conditions between them. Semi and anti joins within the tree
// are relations too that only take rows away: each may stand wherever what its condition reads is there.
type Graph struct {
	Rels    []Member
	Preds   []Pred
	Written *Tree // the tree as it was

	est     *Estimator
	owner   map[int64]int // attribute id -> relation
	classes []class
	rows    map[Set]float64
}

// Member is a relation of a graph.
type Member struct {
	Plan logical.Plan
	Kind logical.JoinKind // Inner, or LeftSemi or LeftAnti for one that only takes rows away
	Cond expr.Expr        // its condition then
	Need Set              // and the relations that the condition reads
	rel  *Relation
}

// half: the relation only takes rows away.
func (m *Member) half() bool { return m.Kind != logical.Inner }

// Pred is a condition and the relations that it reads.
type Pred struct {
	Cond expr.Expr
	Refs Set
}

// class is attributes that the conditions make equal.
type class struct {
	attrs []*expr.Attr
	rels  Set
}

// Tree is an order of joining: a relation, or the join of two trees, of which the second may be a semi or anti join's.
type Tree struct {
	Rel         int // when Left is nil
	Left, Right *Tree
	Set         Set
}

// Flatten takes the joins at the top of p apart; ok is false when there are none.
func (e *Estimator) Flatten(p logical.Plan) (*Graph, bool) {
	g := &Graph{est: e, owner: map[int64]int{}, rows: map[Set]float64{}}
	if joinOf(p) == nil {
		return nil, false
	}
	g.Written = g.add(p)
	g.classify()
	return g, true
}

// joinOf is p as a join that may be reordered, seen through projections that only leave columns out; nil when it is none.
// Hints are orders, streams have state in an order of their own, and conditions of chance must see the rows they saw.
func joinOf(p logical.Plan) *logical.Join {
	switch p := p.(type) {
	case *logical.Join:
		switch p.Kind {
		case logical.Inner, logical.Cross, logical.LeftSemi, logical.LeftAnti:
		default:
			return nil
		}
		if p.Hint != "" || p.Cond != nil && !expr.Deterministic(p.Cond) || logical.IsStreaming(p) {
			return nil
		}
		return p
	case *logical.Project:
		for _, x := range p.List {
			if _, ok := x.(*expr.Attr); !ok {
				return nil
			}
		}
		return joinOf(p.Child)
	}
	return nil
}

func (g *Graph) add(p logical.Plan) *Tree {
	j := joinOf(p)
	if j == nil || len(g.Rels) >= maxRelations {
		return g.relation(Member{Plan: p})
	}
	left := g.add(j.Left)
	var right *Tree
	if j.Kind == logical.LeftSemi || j.Kind == logical.LeftAnti {
		m := Member{Plan: j.Right, Kind: j.Kind, Cond: j.Cond, Need: left.Set}
		if j.Cond != nil {
			if refs := g.refs(j.Cond) & left.Set; refs != 0 {
				m.Need = refs
			}
		}
		right = g.relation(m)
	} else {
		right = g.add(j.Right)
		if j.Cond != nil {
			for _, c := range expr.Conjuncts(j.Cond) {
				g.Preds = append(g.Preds, Pred{c, g.refs(c)})
			}
		}
	}
	return &Tree{Left: left, Right: right, Set: left.Set | right.Set}
}

func (g *Graph) relation(m Member) *Tree {
	i := len(g.Rels)
	m.rel = g.est.Of(m.Plan)
	g.Rels = append(g.Rels, m)
	if !m.half() {
		for _, a := range m.Plan.Output() {
			g.owner[a.ID] = i
		}
	}
	return &Tree{Rel: i, Set: one(i)}
}

// refs are the relations that an expression reads.
func (g *Graph) refs(e expr.Expr) (s Set) {
	expr.Walk(e, func(x expr.Expr) bool {
		if a, ok := x.(*expr.Attr); ok {
			if i, have := g.owner[a.ID]; have {
				s |= one(i)
			}
		}
		return true
	})
	return s
}

// Known reports whether all row counts are more than guesses.
func (g *Graph) Known() bool {
	for i := range g.Rels {
		if !g.Rels[i].rel.Known {
			return false
		}
	}
	return true
}

// all is the set of all relations.
func (g *Graph) all() Set { return one(len(g.Rels)) - 1 }

// equality is cond as an equality of two columns of different relations.
func (g *Graph) equality(cond expr.Expr) (a, b *expr.Attr, ok bool) {
	c, is := cond.(*expr.Call)
	if !is || len(c.Args) != 2 || c.Fn != "=" && c.Fn != "==" {
		return nil, nil, false
	}
	a, ok1 := c.Args[0].(*expr.Attr)
	b, ok2 := c.Args[1].(*expr.Attr)
	if !ok1 || !ok2 || !a.Typ.Equal(b.Typ) {
		return nil, nil, false
	}
	i, ok1 := g.owner[a.ID]
	j, ok2 := g.owner[b.ID]
	return a, b, ok1 && ok2 && i != j
}

// classify finds the classes of equal columns.
func (g *Graph) classify() {
	for _, p := range g.Preds {
		a, b, ok := g.equality(p.Cond)
		if !ok {
			continue
		}
		i, j := g.classOf(a), g.classOf(b)
		if i == j {
			continue
		}
		g.classes[i].attrs = append(g.classes[i].attrs, g.classes[j].attrs...)
		g.classes[i].rels |= g.classes[j].rels
		g.classes = append(g.classes[:j], g.classes[j+1:]...)
	}
}

// classOf is the position of a's class, which is made when there is none.
func (g *Graph) classOf(a *expr.Attr) int {
	for i := range g.classes {
		for _, x := range g.classes[i].attrs {
			if x.ID == a.ID {
				return i
			}
		}
	}
	g.classes = append(g.classes, class{[]*expr.Attr{a}, one(g.owner[a.ID])})
	return len(g.classes) - 1
}

// connected reports whether some equality joins two sets: of columns, or of expressions that each read one of them.
func (g *Graph) connected(a, b Set) bool {
	for i := range g.classes {
		if r := g.classes[i].rels; r&a != 0 && r&b != 0 {
			return true
		}
	}
	for _, p := range g.Preds {
		if p.Refs&a != 0 && p.Refs&b != 0 && p.Refs.within(a|b) && g.keys(p.Cond, a, b) {
			return true
		}
	}
	return false
}

// keys reports whether cond compares an expression over one set with one over the other.
func (g *Graph) keys(cond expr.Expr, a, b Set) bool {
	c, ok := cond.(*expr.Call)
	if !ok || len(c.Args) != 2 || c.Fn != "=" && c.Fn != "==" && c.Fn != "<=>" {
		return false
	}
	l, r := g.refs(c.Args[0]), g.refs(c.Args[1])
	return l != 0 && r != 0 && (l.within(a) && r.within(b) || l.within(b) && r.within(a))
}

// Conds are the conditions that a join of two sets has to make: one equality for each class of columns with members on both
// sides, and what reads both sides and nothing else.
func (g *Graph) Conds(a, b Set) []expr.Expr {
	var out []expr.Expr
	chosen := make([]bool, len(g.classes))
	for _, p := range g.Preds {
		if p.Refs.within(a) || p.Refs.within(b) || !p.Refs.within(a|b) {
			continue
		}
		if x, _, ok := g.equality(p.Cond); ok {
			i := g.classOf(x)
			if chosen[i] {
				continue // implied by the one before and what each side has made equal
			}
			chosen[i] = true
		}
		out = append(out, p.Cond)
	}
	for i := range g.classes {
		if c := g.classes[i]; !chosen[i] && c.rels&a != 0 && c.rels&b != 0 {
			out = append(out, equal(g.memberIn(c, a), g.memberIn(c, b)))
		}
	}
	return out
}

// memberIn is an attribute of the class that a relation of the set has.
func (g *Graph) memberIn(c class, s Set) *expr.Attr {
	for _, a := range c.attrs {
		if s.has(g.owner[a.ID]) {
			return a
		}
	}
	panic("BUG: cost: a class has no member where it was found")
}

// Loose are the conditions that read no relation at all.
func (g *Graph) Loose() (out []expr.Expr) {
	for _, p := range g.Preds {
		if p.Refs == 0 {
			out = append(out, p.Cond)
		}
	}
	return out
}

// Own are the conditions that read a single relation, of which the written tree had some above it.
func (g *Graph) Own(i int) (out []expr.Expr) {
	for _, p := range g.Preds {
		if p.Refs == one(i) {
			out = append(out, p.Cond)
		}
	}
	return out
}

// Output are the attributes of all relations but those that only take rows away.
func (g *Graph) Output() (out []*expr.Attr) {
	for i := range g.Rels {
		if !g.Rels[i].half() {
			out = append(out, g.Rels[i].Plan.Output()...)
		}
	}
	return out
}

// SameTree reports whether a child of p belongs to the tree of joins that p is part of.
func (e *Estimator) SameTree(p, kid logical.Plan) bool {
	if _, project := p.(*logical.Project); project {
		return joinOf(p) != nil
	}
	j, ok := p.(*logical.Join)
	if !ok || joinOf(p) == nil || joinOf(kid) == nil {
		return false
	}
	return kid == j.Left || j.Kind == logical.Inner || j.Kind == logical.Cross
}
