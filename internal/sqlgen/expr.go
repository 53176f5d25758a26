package sqlgen

import (
	"fmt"
	"math/rand/v2"
)

// gen makes random queries.
type gen struct {
	*rand.Rand
	tables int // aliases given out
}

// relation is an alias with columns that may be named.
type relation struct {
	alias string
	cols  []col
}

type col struct {
	name string
	of   kind
}

func (g *gen) pick(list ...string) string { return list[g.IntN(len(list))] }

// column is a column of the kind, or a constant when there is none.
func (g *gen) column(k kind, in []relation) Pair {
	var all []string
	for _, r := range in {
		for _, c := range r.cols {
			if c.of == k {
				all = append(all, r.alias+"."+c.name)
			}
		}
	}
	if len(all) == 0 {
		return g.constant(k)
	}
	return same(all[g.IntN(len(all))])
}

func (g *gen) constant(k kind) Pair {
	switch k {
	case integer:
		return same(fmt.Sprint(g.IntN(7) - 1))
	case double:
		return two("%sD", "CAST(%s AS DOUBLE)", same(fmt.Sprintf("%d.%d", g.IntN(4), 5*g.IntN(2))))
	case text:
		return same(g.pick("'p'", "'qz'", "''", "'r'", "'A b'"))
	case boolean:
		return same(g.pick("true", "false"))
	case date:
		return same(g.pick("DATE '2024-01-31'", "DATE '2024-02-29'", "DATE '2023-12-01'"))
	}
	return same(g.pick("CAST(1.25 AS DECIMAL(10,2))", "CAST(0 AS DECIMAL(10,2))"))
}

// expr is an expression of a kind over relations.
func (g *gen) expr(k kind, in []relation, depth int) Pair {
	if depth <= 0 || g.IntN(4) == 0 {
		if g.IntN(4) == 0 {
			return g.constant(k)
		}
		return g.column(k, in)
	}
	sub := func(k kind) Pair { return g.expr(k, in, depth-1) }
	switch g.IntN(8) {
	case 0:
		return of("CASE WHEN %s THEN %s ELSE %s END", sub(boolean), sub(k), sub(k))
	case 1:
		return of("coalesce(%s, %s)", sub(k), sub(k))
	case 2:
		return of("nullif(%s, %s)", sub(k), sub(k))
	case 3:
		if k != boolean {
			return of(g.pick("greatest(%s, %s)", "least(%s, %s)"), sub(k), sub(k))
		}
	}
	switch k {
	case integer:
		return g.integer(sub)
	case double:
		return g.double(sub)
	case text:
		return g.text(sub)
	case boolean:
		return g.boolean(sub)
	case date:
		switch g.IntN(3) {
		case 0:
			return of("last_day(%s)", sub(date))
		case 1:
			return two("date_add(%s, CAST(%s %% 100 AS INT))", "(%s + CAST(%s %% 100 AS INTEGER))", sub(date), sub(integer))
		}
		return two("trunc(%s, 'MM')", "CAST(date_trunc('month', %s) AS DATE)", sub(date))
	}
	switch g.IntN(3) {
	case 0:
		return of("CAST((%s + %s) AS DECIMAL(10,2))", g.column(exact, in), g.constant(exact))
	case 1:
		return of("abs(%s)", sub(exact))
	}
	return of("(- %s)", sub(exact))
}

func (g *gen) integer(sub func(kind) Pair) Pair {
	small := func() Pair { return of("(%s %% 1000)", sub(integer)) }
	switch g.IntN(10) {
	case 0:
		return of("(%s + %s)", small(), small())
	case 1:
		return of("(%s - %s)", small(), small())
	case 2:
		return of("(%s * %s)", small(), small())
	case 3:
		return of("abs(%s)", small())
	case 4:
		return of("length(%s)", sub(text))
	case 5:
		return of("year(%s)", sub(date))
	case 6:
		return two("datediff(%s, %s)", "(%s - %s)", sub(date), sub(date))
	case 7:
		return two("instr(%s, %s)", "strpos(%s, %s)", sub(text), same("'z'"))
	case 8:
		return two("(%s div %s)", "(%s // %s)", small(), same(g.pick("2", "3", "7")))
	}
	return of("CAST(%s AS INT)", sub(boolean))
}

func (g *gen) double(sub func(kind) Pair) Pair {
	switch g.IntN(7) {
	case 0:
		return of("(%s + %s)", sub(double), sub(double))
	case 1:
		return of("(%s - %s)", sub(double), sub(double))
	case 2:
		return of("(%s / %s)", sub(double), g.nonZero())
	case 3:
		return of("sqrt(abs(%s))", sub(double))
	case 4:
		return of("CAST(%s AS DOUBLE)", sub(integer))
	case 5:
		return of("round(%s, 1)", sub(double))
	}
	return of("CAST(%s AS DOUBLE)", sub(exact))
}

func (g *gen) nonZero() Pair {
	return two("%sD", "CAST(%s AS DOUBLE)", same(g.pick("2.0", "0.5", "8.0")))
}

func (g *gen) text(sub func(kind) Pair) Pair {
	switch g.IntN(9) {
	case 0:
		return of("upper(%s)", sub(text))
	case 1:
		return of("lower(%s)", sub(text))
	case 2:
		return of("(%s || %s)", sub(text), sub(text))
	case 3:
		return of("substr(%s, %s, 2)", sub(text), same(g.pick("1", "2", "3")))
	case 4:
		return of("replace(%s, 'z', %s)", sub(text), same(g.pick("'y'", "''", "'zz'")))
	case 5:
		return of("trim(%s)", sub(text))
	case 6:
		return of("reverse(%s)", sub(text))
	case 7:
		return two("CAST(%s AS STRING)", "CAST(%s AS VARCHAR)", sub(integer))
	}
	return of("lpad(%s, 3, '-')", sub(text))
}

func (g *gen) boolean(sub func(kind) Pair) Pair {
	k := kind(g.IntN(int(kinds)))
	switch g.IntN(8) {
	case 0:
		return of("(%s AND %s)", sub(boolean), sub(boolean))
	case 1:
		return of("(%s OR %s)", sub(boolean), sub(boolean))
	case 2:
		return of("(NOT %s)", sub(boolean))
	case 3:
		return of("(%s IS "+g.pick("NULL", "NOT NULL")+")", sub(k))
	case 4:
		return of("(%s "+g.pick("IN", "NOT IN")+" (%s, %s))", sub(k), g.constant(k), g.constant(k))
	case 5:
		return of("(%s LIKE %s)", sub(text), same(g.pick("'p%'", "'%z'", "'_'", "'%'")))
	case 6:
		return two("(%s <=> %s)", "(%s IS NOT DISTINCT FROM %s)", sub(k), sub(k))
	}
	return of("(%s "+g.pick("=", "<>", "<", "<=", ">", ">=")+" %s)", sub(k), sub(k))
}
