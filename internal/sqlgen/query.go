package sqlgen

import (
	"fmt"
	"math/rand/v2"
)

// Query is the query of a seed and number, over the tables of Tables.
func Query(seed, number uint64) Pair {
	g := &gen{Rand: rand.New(rand.NewPCG(seed, number))}
	q, _ := g.query(2, nil)
	q.Name = "query"
	return q
}

// query is a SELECT, and the kinds of its columns c0, c1, …
func (g *gen) query(depth int, outer []relation) (Pair, []kind) {
	switch g.IntN(6) {
	case 0:
		if depth > 0 {
			return g.setOp(depth)
		}
	case 1, 2:
		return g.grouped(depth, outer)
	case 3:
		return g.windowed(depth)
	}
	return g.plain(depth, outer)
}

// from is a relation, or several joined.
func (g *gen) from(depth int) (Pair, []relation) {
	one, r := g.relation(depth)
	in := []relation{r}
	for range g.IntN(3) {
		if len(in) > 2 {
			break
		}
		next, r := g.relation(depth - 1)
		both := append(in[:len(in):len(in)], r)
		kind := g.pick("JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN")
		cond := g.joinCondition(in, r)
		one = of("%s "+kind+" %s ON %s", one, next, cond)
		in = both
	}
	return one, in
}

func (g *gen) joinCondition(in []relation, r relation) Pair {
	k := g.pickKind(integer, text, date)
	eq := of("%s = %s", g.column(k, in), g.column(k, []relation{r}))
	if g.IntN(3) == 0 {
		return of("%s AND %s", eq, g.expr(boolean, append(in[:len(in):len(in)], r), 1))
	}
	return eq
}

func (g *gen) pickKind(list ...kind) kind { return list[g.IntN(len(list))] }

func (g *gen) relation(depth int) (Pair, relation) {
	g.tables++
	alias := fmt.Sprintf("r%d", g.tables)
	r := relation{alias: alias}
	if depth > 0 && g.IntN(4) == 0 {
		q, types := g.query(depth-1, nil)
		for i, k := range types {
			r.cols = append(r.cols, col{fmt.Sprintf("c%d", i), k})
		}
		return of("(%s) AS "+alias, q), r
	}
	for _, c := range columns {
		r.cols = append(r.cols, col{c.name, c.of})
	}
	return same(g.pick("t", "u", "v") + " AS " + alias), r
}

func (g *gen) where(in, outer []relation, depth int) Pair {
	switch g.IntN(4) {
	case 0:
		return Pair{}
	case 1:
		if depth > 0 {
			return of(" WHERE %s", g.subquery(in, depth-1))
		}
	}
	return of(" WHERE %s", g.expr(boolean, append(in[:len(in):len(in)], outer...), 2))
}

// subquery is a condition with a query in it, which may read the columns around it.
func (g *gen) subquery(in []relation, depth int) Pair {
	_, r := g.relation(0)
	table := same(g.pick("t", "u", "v") + " AS " + r.alias)
	k := g.pickKind(integer, text, date)
	match := of("%s = %s", g.column(k, []relation{r}), g.column(k, in))
	extra := g.expr(boolean, []relation{r}, 1)
	switch g.IntN(4) {
	case 0:
		return of(g.pick("EXISTS", "NOT EXISTS")+" (SELECT 1 FROM %s WHERE %s AND %s)", table, match, extra)
	case 1:
		return of("%s "+g.pick("IN", "NOT IN")+" (SELECT %s FROM %s WHERE %s)", g.column(k, in), g.column(k, []relation{r}), table, extra)
	case 2:
		return of("%s "+g.pick("<", ">", "=")+" (SELECT "+g.pick("max", "min")+"(%s) FROM %s WHERE %s)", g.column(k, in), g.column(k, []relation{r}), table, match)
	}
	return of("%s < (SELECT count(*) FROM %s WHERE %s AND %s)", g.column(integer, in), table, match, extra)
}

func (g *gen) plain(depth int, outer []relation) (Pair, []kind) {
	from, in := g.from(depth)
	list, types := g.list(in)
	distinct := ""
	if g.IntN(5) == 0 {
		distinct = "DISTINCT "
	}
	q := of("SELECT "+distinct+"%s FROM %s%s", list, from, g.where(in, outer, depth))
	return g.limited(q, len(types)), types
}

// limited is a query of all or, in an order that leaves no choice, of the first rows.
func (g *gen) limited(q Pair, n int) Pair {
	if g.IntN(5) > 0 {
		return q
	}
	order := ""
	for i := range n {
		if i > 0 {
			order += ", "
		}
		order += fmt.Sprintf("c%d ", i) + g.pick("ASC", "DESC") + g.pick(" NULLS FIRST", " NULLS LAST")
	}
	g.tables++
	return of(fmt.Sprintf("SELECT * FROM (%%s) AS l%d ORDER BY %s LIMIT %d", g.tables, order, g.IntN(20)), q)
}

func (g *gen) list(in []relation) (Pair, []kind) {
	var items []Pair
	var types []kind
	for i := range 1 + g.IntN(4) {
		k := kind(g.IntN(int(kinds)))
		items = append(items, of(fmt.Sprintf("%%s AS c%d", i), g.expr(k, in, 2)))
		types = append(types, k)
	}
	return joined(items, ", "), types
}

// aggregate is an aggregate and its kind. Sums of doubles are of halves, which are exact.
func (g *gen) aggregate(in []relation) (Pair, kind) {
	filter := Pair{}
	if g.IntN(4) == 0 {
		filter = of(" FILTER (WHERE %s)", g.expr(boolean, in, 1))
	}
	k := g.pickKind(integer, double, text, date, exact)
	switch g.IntN(7) {
	case 0:
		return of("count(*)%s", filter), integer
	case 1:
		return of("count(%s)%s", g.expr(k, in, 1), filter), integer
	case 2:
		return of("count(DISTINCT %s)%s", g.expr(k, in, 1), filter), integer
	case 3:
		return of("sum(%s %% 1000)%s", g.expr(integer, in, 1), filter), integer
	case 4:
		return of("avg(%s)%s", g.column(double, in), filter), double
	case 5:
		return of(g.pick("bool_and", "bool_or")+"(%s)%s", g.expr(boolean, in, 1), filter), boolean
	}
	return of(g.pick("min", "max")+"(%s)%s", g.expr(k, in, 1), filter), k
}

func (g *gen) grouped(depth int, outer []relation) (Pair, []kind) {
	from, in := g.from(depth)
	var keys, items []Pair
	var types []kind
	for i := range g.IntN(3) {
		k := kind(g.IntN(int(kinds)))
		e := g.expr(k, in, 1)
		items = append(items, of(fmt.Sprintf("%%s AS c%d", i), e))
		keys = append(keys, same(fmt.Sprint(i+1)))
		types = append(types, k)
	}
	for range 1 + g.IntN(3) {
		e, k := g.aggregate(in)
		items = append(items, of(fmt.Sprintf("%%s AS c%d", len(items)), e))
		types = append(types, k)
	}
	q := of("SELECT %s FROM %s%s", joined(items, ", "), from, g.where(in, outer, depth))
	if len(keys) > 0 {
		q = of("%s GROUP BY %s", q, joined(keys, ", "))
	}
	if g.IntN(4) == 0 {
		e, _ := g.aggregate(in)
		q = of("%s HAVING %s IS NOT NULL", q, e)
	}
	return q, types
}

// windowed has window functions whose order leaves no choice: ties have equal values.
func (g *gen) windowed(depth int) (Pair, []kind) {
	from, in := g.from(0)
	k := g.pickKind(integer, text, date)
	part, key := g.column(g.pickKind(integer, text, boolean), in), g.column(k, in)
	order := of("PARTITION BY %s ORDER BY %s "+g.pick("ASC", "DESC")+g.pick(" NULLS FIRST", " NULLS LAST"), part, key)
	items := []Pair{of("%s AS c0", part), of("%s AS c1", key)}
	types := []kind{unknown, k}
	for i := range 1 + g.IntN(2) {
		f, t := Pair{}, integer
		switch g.IntN(5) {
		case 0:
			f = of(g.pick("rank()", "dense_rank()")+" OVER (%s)", order)
		case 1:
			f = of("count(%s) OVER (%s)", g.expr(integer, in, 1), order)
		case 2:
			f = of("sum(%s %% 1000) OVER (%s RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)", g.column(integer, in), order)
		case 3:
			f, t = of(g.pick("min", "max")+"(%s) OVER (PARTITION BY %s)", g.column(k, in), part), k
		case 4:
			f, t = of("round(cume_dist() OVER (%s), 6)", order), double
		}
		items = append(items, of(fmt.Sprintf("%%s AS c%d", i+2), f))
		types = append(types, t)
	}
	q := of("SELECT %s FROM %s", joined(items, ", "), from)
	return q, types
}

// unknown is the kind of a column that no expression asks for.
const unknown kind = -1

func (g *gen) setOp(depth int) (Pair, []kind) {
	var types []kind
	for range 1 + g.IntN(3) {
		types = append(types, kind(g.IntN(int(kinds))))
	}
	side := func() Pair {
		from, in := g.from(depth - 1)
		var items []Pair
		for i, k := range types {
			items = append(items, of(fmt.Sprintf("%%s AS c%d", i), g.expr(k, in, 1)))
		}
		return of("SELECT %s FROM %s%s", joined(items, ", "), from, g.where(in, nil, 0))
	}
	op := g.pick("UNION", "UNION ALL", "INTERSECT", "EXCEPT", "INTERSECT ALL", "EXCEPT ALL")
	return of("%s "+op+" %s", side(), side()), types
}
