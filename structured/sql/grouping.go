package sql

import (
	"strings"

	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/structured/logical"
)

// maxGroupingSets bounds what CUBE and products of groupings may grow to.
const maxGroupingSets = 4096

// groupBy reads what follows GROUP BY into a: keys, and grouping sets if there are any.
//
//	a, b                         one grouping
//	a, ROLLUP (b, c)             the product: (a,b,c) (a,b) (a)
//	GROUPING SETS ((a, b), ())   as listed
//	a, b WITH CUBE               all subsets
func (p *parser) groupBy(a *logical.Aggregate) {
	t := p.peek()
	next := p.ahead(1)
	if t.is("ALL") && (next.kind == eof || next.kind == op && (next.raw == ";" || next.raw == ")") || notAlias[strings.ToUpper(next.raw)]) {
		p.take()
		a.Keys = []expr.Expr{&expr.Star{Pos: t.pos}}
		return
	}
	sets, plain := []groupingSet{nil}, true
	for {
		element, isPlain := p.groupingElement()
		plain = plain && isPlain
		sets = p.product(t, sets, element)
		if !p.symbol(",") {
			break
		}
	}
	switch at := p.peek(); {
	case p.accept("WITH", "CUBE"):
		sets, plain = p.cube(at, singles(sets[0])), false
	case p.accept("WITH", "ROLLUP"):
		sets, plain = rollup(singles(sets[0])), false
	case p.at("GROUPING", "SETS"):
		sets, _ = p.groupingElement()
		plain = false
	}
	if plain {
		a.Keys = sets[0]
		return
	}
	a.Keys, a.Sets = numbered(sets)
}

// groupingSet is the keys of one grouping.
type groupingSet []expr.Expr

// groupingElement is one element of GROUP BY as the sets that it stands for; plain when it is an expression.
func (p *parser) groupingElement() (sets []groupingSet, plain bool) {
	t := p.peek()
	next := p.ahead(1)
	switch {
	case p.accept("GROUPING", "SETS"):
		open := p.needSymbol("(")
		for {
			if p.atSymbol("(") {
				sets = append(sets, p.groupingUnit())
			} else {
				s, _ := p.groupingElement()
				sets = append(sets, s...)
			}
			if !p.symbol(",") {
				break
			}
		}
		p.closing(")", open)
		return sets, false
	case (t.is("CUBE") || t.is("ROLLUP")) && next.kind == op && next.raw == "(":
		p.take()
		open := p.needSymbol("(")
		var list []groupingSet
		for {
			if p.atSymbol("(") {
				list = append(list, p.groupingUnit())
			} else {
				list = append(list, groupingSet{p.expr()})
			}
			if !p.symbol(",") {
				break
			}
		}
		p.closing(")", open)
		if t.is("CUBE") {
			return p.cube(t, list), false
		}
		return rollup(list), false
	}
	return []groupingSet{{p.expr()}}, true
}

// groupingUnit is (a, b) or ().
func (p *parser) groupingUnit() groupingSet {
	open := p.needSymbol("(")
	if p.symbol(")") {
		return nil
	}
	list := p.exprs()
	p.closing(")", open)
	return list
}

// singles are the keys of a set, each by itself.
func singles(s groupingSet) []groupingSet {
	out := make([]groupingSet, len(s))
	for i, k := range s {
		out[i] = groupingSet{k}
	}
	return out
}

// cube is every selection of the units, the whole first.
func (p *parser) cube(t token, units []groupingSet) []groupingSet {
	if len(units) > 12 {
		panic(p.tooManySets(t))
	}
	var sets []groupingSet
	for mask := 0; mask < 1<<len(units); mask++ {
		var s groupingSet
		for i, u := range units {
			if mask>>(len(units)-1-i)&1 == 0 {
				s = append(s, u...)
			}
		}
		sets = append(sets, s)
	}
	return sets
}

// rollup is every beginning of the units, the whole first.
func rollup(units []groupingSet) []groupingSet {
	var sets []groupingSet
	for n := len(units); n >= 0; n-- {
		var s groupingSet
		for _, u := range units[:n] {
			s = append(s, u...)
		}
		sets = append(sets, s)
	}
	return sets
}

// product is every set of a joined with every set of b.
func (p *parser) product(t token, a, b []groupingSet) []groupingSet {
	if len(a)*len(b) > maxGroupingSets {
		panic(p.tooManySets(t))
	}
	var out []groupingSet
	for _, x := range a {
		for _, y := range b {
			out = append(out, append(x[:len(x):len(x)], y...))
		}
	}
	return out
}

func (p *parser) tooManySets(t token) error {
	return p.errorAt(t, "GROUPING_SIZE_LIMIT_EXCEEDED", "54000", "The grouping has more than %d sets.", maxGroupingSets).WithFix("Name the sets that are wanted: GROUPING SETS (…).")
}

// numbered are the different keys of all sets, and the sets as positions among them.
func numbered(sets []groupingSet) (keys []expr.Expr, out [][]int) {
	at := map[string]int{}
	for _, s := range sets {
		set := []int{}
		for _, k := range s {
			name := k.String()
			i, known := at[name]
			if !known {
				i = len(keys)
				at[name], keys = i, append(keys, k)
			}
			set = append(set, i)
		}
		out = append(out, set)
	}
	return keys, out
}
