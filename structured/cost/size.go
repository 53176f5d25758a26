package cost

import (
	"math"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/structured/logical"
)

func equal(a, b *expr.Attr) expr.Expr {
	return &expr.Call{Fn: "=", Args: []expr.Expr{a, b}, Typ: column.Of(column.Bool), Null: a.Null || b.Null}
}

// Rows estimates the join of a set of relations. It does not depend on an order of joining, so that orders can be compared.
func (g *Graph) Rows(s Set) float64 {
	if n, ok := g.rows[s]; ok {
		return n
	}
	n := g.size(s)
	g.rows[s] = n
	return n
}

func (g *Graph) size(s Set) float64 {
	var in Set
	rows := 1.0
	for rest := s &^ g.halves(); rest != 0; {
		next := g.nextOf(in, rest)
		rows *= g.Rels[next].rel.Rows
		if in != 0 {
			rows /= g.choices(in, next)
		}
		in |= one(next)
		rest &^= one(next)
	}
	rows *= g.others(s)
	for i := range g.Rels {
		if s.has(i) && g.Rels[i].half() {
			rows *= g.passes(i)
		}
	}
	if s != 0 && rows < 1 && g.nonEmpty(s) {
		return 1
	}
	return rows
}

func (g *Graph) nonEmpty(s Set) bool {
	for i := range g.Rels {
		if s.has(i) && g.Rels[i].rel.Rows < 1 {
			return false
		}
	}
	return true
}

// halves are the relations that only take rows away.
func (g *Graph) halves() (s Set) {
	for i := range g.Rels {
		if g.Rels[i].half() {
			s |= one(i)
		}
	}
	return s
}

// nextOf is the first relation of rest that an equality joins with in, the first of all when there is none.
func (g *Graph) nextOf(in, rest Set) int {
	for r := rest; r != 0 && in != 0; r &^= one(r.least()) {
		if i := r.least(); g.connected(in, one(i)) {
			return i
		}
	}
	return rest.least()
}

// choices is from how many combinations of key values a row of relation n chooses when it is joined with a set.
func (g *Graph) choices(in Set, n int) float64 {
	total := 1.0
	shared := map[int]float64{} // by relation of the set: the choices of the classes that it shares with n
	count := map[int]int{}
	for i := range g.classes {
		c := g.classes[i]
		if c.rels&in == 0 || !c.rels.has(n) {
			continue
		}
		d := g.domain(c, in|one(n))
		total *= d
		for _, a := range c.attrs {
			if o := g.owner[a.ID]; in.has(o) {
				if count[o]++; count[o] == 1 {
					shared[o] = 1
				}
				shared[o] *= d
			}
		}
	}
	// A key of several columns has no more values than one of its two relations has rows.
	best := total
	for o, k := range count {
		if k < 2 {
			continue
		}
		limit := math.Min(g.tableRows(o), g.tableRows(n))
		if limit > 0 && shared[o] > limit {
			best = math.Min(best, total/shared[o]*limit)
		}
	}
	return math.Max(best, 1)
}

// tableRows is how many rows the tables behind a relation have.
func (g *Graph) tableRows(i int) float64 {
	n := 0.0
	for _, a := range g.Rels[i].Plan.Output() {
		n = math.Max(n, g.Rels[i].rel.cols[a.ID].Total)
	}
	return math.Max(n, g.Rels[i].rel.Rows)
}

// domain is how many different values the columns of a class choose from, those of relations in s. Bounds from above bound all
// that is equal to them; of what was counted, the greatest holds the others.
func (g *Graph) domain(c class, s Set) float64 {
	bound, most, unknown := math.Inf(1), 0.0, 0.0
	for _, a := range c.attrs {
		i := g.owner[a.ID]
		if !s.has(i) {
			continue
		}
		col := g.Rels[i].rel.cols[a.ID]
		switch {
		case col.Domain <= 0:
			unknown = math.Max(unknown, g.Rels[i].rel.Rows)
		case col.Counted:
			most = math.Max(most, col.Domain)
		default:
			bound = math.Min(bound, col.Domain)
		}
	}
	switch {
	case most > 0:
		return most
	case !math.IsInf(bound, 1):
		return bound
	}
	return math.Max(unknown, 1)
}

// others is the share of rows that the conditions keep which are no equalities of columns.
func (g *Graph) others(s Set) float64 {
	share := 1.0
	var both *Relation
	for _, p := range g.Preds {
		if p.Refs == 0 || !p.Refs.within(s) {
			continue
		}
		if _, _, ok := g.equality(p.Cond); ok {
			continue
		}
		if both == nil {
			both = g.beside()
		}
		share *= both.Share(p.Cond)
	}
	return share
}

// beside is a relation with the columns of all.
func (g *Graph) beside() *Relation {
	r := &Relation{cols: map[int64]Column{}}
	for i := range g.Rels {
		for id, c := range g.Rels[i].rel.cols {
			r.cols[id] = c
		}
	}
	return r
}

// leastPassing bounds the estimate of an anti join from below: what is thought to match may not.
const leastPassing = 0.05

// passes is the share of rows that a semi or anti join keeps.
func (g *Graph) passes(i int) float64 {
	m := &g.Rels[i]
	share := matching(g.beside(), m.rel, m.Cond)
	if m.Kind == logical.LeftAnti {
		return math.Max(1-share, leastPassing)
	}
	return share
}

// matching is the share of left's rows with a partner: how many of the keys on the left are among those on the right.
func matching(left, right *Relation, cond expr.Expr) float64 {
	if cond == nil {
		return 1
	}
	have, choose, total, other := 1.0, 1.0, math.Inf(1), 1.0
	for _, c := range expr.Conjuncts(cond) {
		l, r, ok := apart(c, left, right)
		if !ok {
			other = shareOfRest
			continue
		}
		d, from := right.cols[r.ID].Distinct, left.cols[l.ID]
		if d <= 0 || from.Domain <= 0 {
			return shareCompare
		}
		have, choose = have*d, choose*from.Domain
		total = math.Min(total, math.Max(from.Total, 1))
	}
	have, choose = math.Min(have, right.Rows), math.Min(choose, total)
	return math.Min(have/math.Max(choose, 1), 1) * other
}

// shareOfRest is the share of rows of which some partner satisfies a further condition.
const shareOfRest = 0.9

// apart takes an equality of a column of each side apart.
func apart(cond expr.Expr, left, right *Relation) (l, r *expr.Attr, ok bool) {
	c, is := cond.(*expr.Call)
	if !is || len(c.Args) != 2 || c.Fn != "=" && c.Fn != "==" && c.Fn != "<=>" {
		return nil, nil, false
	}
	l, ok1 := c.Args[0].(*expr.Attr)
	r, ok2 := c.Args[1].(*expr.Attr)
	if !ok1 || !ok2 {
		return nil, nil, false
	}
	if _, swap := right.cols[l.ID]; swap {
		l, r = r, l
	}
	_, ok1 = left.cols[l.ID]
	_, ok2 = right.cols[r.ID]
	return l, r, ok1 && ok2
}
