package sql

import (
	"strings"

	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/structured/logical"
)

// predicate extends left by IS …, [NOT] IN, [NOT] BETWEEN or [NOT] LIKE and its kin; ok is false when none comes next.
func (p *parser) predicate(left expr.Expr) (e expr.Expr, ok bool) {
	t := p.peek()
	p.expected("operator")
	if p.at("IS") {
		p.take()
		return p.isPredicate(t, left), true
	}
	not := p.at("NOT") && p.isPredicateWord(p.ahead(1))
	if not {
		p.take()
	}
	w := p.peek()
	if !p.isPredicateWord(w) {
		return nil, false
	}
	p.take()
	switch strings.ToUpper(w.raw) {
	case "IN":
		e = p.in(t, left)
	case "BETWEEN":
		e = p.between(t, left)
	case "LIKE":
		e = p.like(t, "like", left)
	case "ILIKE":
		e = p.like(t, "ilike", left)
	default: // RLIKE, REGEXP
		e = p.call(t, "rlike", left, p.binary(powPredicate+1))
	}
	if not {
		e = p.call(t, "not", e)
	}
	return e, true
}

var predicateWords = set("IN BETWEEN LIKE ILIKE RLIKE REGEXP")

func (p *parser) isPredicateWord(t token) bool {
	return t.kind == word && predicateWords[strings.ToUpper(t.raw)]
}

// isPredicate is what follows IS.
func (p *parser) isPredicate(t token, left expr.Expr) expr.Expr {
	not := p.accept("NOT")
	var e expr.Expr
	switch {
	case p.accept("NULL"), p.accept("UNKNOWN"):
		if not {
			return p.call(t, "isnotnull", left)
		}
		return p.call(t, "isnull", left)
	case p.accept("TRUE"):
		e = p.call(t, "<=>", left, expr.Lit(true))
	case p.accept("FALSE"):
		e = p.call(t, "<=>", left, expr.Lit(false))
	case p.accept("DISTINCT", "FROM"):
		e = p.call(t, "<=>", left, p.binary(powPredicate+1))
		not = !not
	default:
		p.fail()
	}
	if not {
		return p.call(t, "not", e)
	}
	return e
}

func (p *parser) in(t token, left expr.Expr) expr.Expr {
	open := p.needSymbol("(")
	if p.atQuery() {
		q := p.query()
		p.closing(")", open)
		return &logical.Subquery{Kind: logical.InSubquery, Value: left, Query: q, Pos: t.pos}
	}
	args := append([]expr.Expr{left}, p.exprs()...)
	p.closing(")", open)
	return p.call(t, "in", args...)
}

func (p *parser) between(t token, left expr.Expr) expr.Expr {
	lo := p.binary(powPredicate + 1)
	p.expect("AND")
	hi := p.binary(powPredicate + 1)
	return p.call(t, "and", p.call(t, ">=", left, lo), p.call(t, "<=", left, hi))
}

// like is LIKE pattern [ESCAPE 'c'], or LIKE ANY | SOME | ALL (patterns).
func (p *parser) like(t token, fn string, left expr.Expr) expr.Expr {
	join := ""
	switch {
	case p.accept("ANY"), p.accept("SOME"):
		join = "or"
	case p.accept("ALL"):
		join = "and"
	}
	if join != "" {
		open := p.needSymbol("(")
		list := p.exprs()
		p.closing(")", open)
		e := p.call(t, fn, left, list[0])
		for _, pattern := range list[1:] {
			e = p.call(t, join, e, p.call(t, fn, left, pattern))
		}
		return e
	}
	args := []expr.Expr{left, p.binary(powPredicate + 1)}
	if p.accept("ESCAPE") {
		at := p.peek()
		c := p.str()
		if len([]rune(c)) != 1 {
			panic(p.errorAt(at, "INVALID_ESCAPE_CHAR", "42604", "ESCAPE wants one character, not %s.", at.show()).
				WithFix(`Write ESCAPE '/' or another single character.`))
		}
		args = append(args, expr.Lit(c))
	}
	return p.call(t, fn, args...)
}
