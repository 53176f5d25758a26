package sql

import (
	"strings"

	"github.com/streamflow/streamflow/expr"
)

// Binding powers, loosest first. An operator's operands bind tighter than the operator itself.
const (
	powOr = iota + 1
	powAnd
	powNot
	powPredicate // comparisons, IN, LIKE, BETWEEN, IS
	powBitOr
	powBitXor
	powBitAnd
	powShift
	powAdd
	powMul
	powUnary
)

// infixes maps an operator symbol to its power and the function that it calls.
var infixes = map[string]struct {
	pow int
	fn  string
}{
	"=": {powPredicate, "="}, "==": {powPredicate, "="}, "<=>": {powPredicate, "<=>"}, "<>": {powPredicate, "!="}, "!=": {powPredicate, "!="},
	"<": {powPredicate, "<"}, "<=": {powPredicate, "<="}, ">": {powPredicate, ">"}, ">=": {powPredicate, ">="},
	"|": {powBitOr, "|"}, "^": {powBitXor, "^"}, "&": {powBitAnd, "&"},
	"<<": {powShift, "shiftleft"}, ">>": {powShift, "shiftright"}, ">>>": {powShift, "shiftrightunsigned"},
	"+": {powAdd, "+"}, "-": {powAdd, "-"}, "||": {powAdd, "||"},
	"*": {powMul, "*"}, "/": {powMul, "/"}, "%": {powMul, "%"},
}

func (p *parser) expr() expr.Expr { return p.binary(powOr) }

// namedExpr is an expression with an optional alias.
func (p *parser) namedExpr() expr.Expr {
	e := p.expr()
	if p.accept("AS") {
		if p.atSymbol("(") {
			names := p.nameList("alias")
			return &expr.Alias{Child: e, Name: names[0], Names: names}
		}
		return &expr.Alias{Child: e, Name: p.name("alias")}
	}
	if name, ok := p.implicitAlias(); ok {
		return &expr.Alias{Child: e, Name: name}
	}
	return e
}

// exprs is a list of one or more expressions.
func (p *parser) exprs() []expr.Expr {
	list := []expr.Expr{p.expr()}
	for p.comma() {
		list = append(list, p.expr())
	}
	return list
}

// comma takes a comma after which a list goes on: not one after which another input of a function of a table comes.
func (p *parser) comma() bool {
	if next := p.ahead(1); p.atSymbol(",") && (next.is("INITIAL") || next.is("BROADCAST")) && p.ahead(2).is("TABLE") {
		return false
	}
	return p.symbol(",")
}

// binary parses an expression whose operators bind at least as tightly as pow.
func (p *parser) binary(pow int) expr.Expr {
	defer p.nested()()
	left := p.unary(pow)
	for {
		next, ok := p.infix(left, pow)
		if !ok {
			return left
		}
		left = next
	}
}

// infix extends left by one operator that binds at least as tightly as pow.
func (p *parser) infix(left expr.Expr, pow int) (expr.Expr, bool) {
	t := p.peek()
	switch t.kind {
	case op:
		o, ok := infixes[t.raw]
		if !ok || o.pow < pow {
			return nil, false
		}
		p.take()
		return p.call(t, o.fn, left, p.binary(o.pow+1)), true
	case word:
		return p.wordInfix(left, pow)
	}
	return nil, false
}

func (p *parser) wordInfix(left expr.Expr, pow int) (expr.Expr, bool) {
	t := p.peek()
	switch strings.ToUpper(t.raw) {
	case "OR":
		if pow > powOr {
			return nil, false
		}
		p.take()
		return p.call(t, "or", left, p.binary(powOr+1)), true
	case "AND":
		if pow > powAnd {
			return nil, false
		}
		p.take()
		return p.call(t, "and", left, p.binary(powAnd+1)), true
	case "DIV":
		if pow > powMul {
			return nil, false
		}
		p.take()
		return p.call(t, "div", left, p.binary(powMul+1)), true
	}
	if pow > powPredicate {
		return nil, false
	}
	return p.predicate(left)
}

// unary is NOT, a sign, or an operand with what is attached to it.
func (p *parser) unary(pow int) expr.Expr {
	t := p.peek()
	switch {
	case pow <= powNot && p.at("NOT"):
		p.take()
		return p.call(t, "not", p.binary(powNot))
	case pow <= powNot && p.atSymbol("!"):
		p.take()
		return p.call(t, "not", p.binary(powNot))
	case p.at("NOT") && p.ahead(1).kind != op:
		p.fail()
	case p.atSymbol("-"):
		p.take()
		if n := p.peek(); n.kind == number {
			p.take()
			return p.postfix(p.numberLit(n, true))
		}
		return p.call(t, "negative", p.binary(powUnary))
	case p.atSymbol("+"):
		p.take()
		return p.call(t, "positive", p.binary(powUnary))
	case p.atSymbol("~"):
		p.take()
		return p.call(t, "~", p.binary(powUnary))
	}
	return p.postfix(p.primary())
}

// postfix attaches [key], .field and ::type.
func (p *parser) postfix(e expr.Expr) expr.Expr {
	for {
		t := p.peek()
		switch {
		case p.atSymbol("["):
			p.take()
			key := p.expr()
			p.closing("]", t)
			e = &expr.UnresolvedExtract{Child: e, Key: key, Pos: t.pos}
		case p.atSymbol("."):
			p.take()
			field := p.peek()
			e = &expr.UnresolvedExtract{Child: e, Key: expr.Lit(p.name("field name")), Pos: field.pos}
		case p.atSymbol(":") && p.pathAhead():
			p.take()
			e = p.variantPath(e, t)
		case p.atSymbol("::"):
			p.take()
			e = &expr.Cast{Child: e, To: p.dataType()}
		default:
			return e
		}
	}
}

// call is a function call written at t.
func (p *parser) call(t token, fn string, args ...expr.Expr) expr.Expr {
	return &expr.UnresolvedCall{Name: fn, Args: args, Pos: t.pos}
}
