package sql

import (
	"strings"

	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/structured/logical"
)

// primary is an operand: a literal, a name, a call, or something in brackets.
func (p *parser) primary() expr.Expr {
	t := p.peek()
	switch t.kind {
	case number:
		p.take()
		return p.numberLit(t, false)
	case text:
		return expr.Lit(p.str())
	case quoted:
		return p.nameOrCall()
	case word:
		return p.wordOperand(t)
	case op:
		return p.symbolOperand(t)
	}
	p.expected("expression")
	p.fail()
	return nil
}

func (p *parser) symbolOperand(t token) expr.Expr {
	switch t.raw {
	case "(":
		return p.bracketed(t)
	case "*":
		p.take()
		return &expr.Star{Pos: t.pos, Except: p.starExcept()}
	case "?", ":":
		return p.param(t)
	}
	p.expected("expression")
	p.fail()
	return nil
}

// starExcept is EXCEPT (columns) behind a star; EXCEPT (query) is another thing.
func (p *parser) starExcept() []string {
	next := p.ahead(2)
	if !p.at("EXCEPT") || p.ahead(1).raw != "(" || next.kind == op || next.is("SELECT") || next.is("WITH") || next.is("VALUES") || next.is("FROM") || next.is("TABLE") {
		return nil
	}
	p.take()
	return p.nameList("column name")
}

// bracketed is (expression), or (a, b) which is a struct.
func (p *parser) bracketed(open token) expr.Expr {
	p.take()
	if p.atQuery() && !p.atSymbol("(") {
		q := p.query()
		p.closing(")", open)
		return &logical.Subquery{Query: q, Pos: open.pos}
	}
	first := p.namedExpr()
	if !p.atSymbol(",") {
		p.closing(")", open)
		if p.atSymbol("->") {
			return p.lambda(open, []expr.Expr{first})
		}
		return first
	}
	list := []expr.Expr{first}
	for p.symbol(",") {
		list = append(list, p.namedExpr())
	}
	p.closing(")", open)
	if p.atSymbol("->") {
		return p.lambda(open, list)
	}
	return p.call(open, "struct", list...)
}

// lambda is what follows the parameters of x -> body and (x, y) -> body.
func (p *parser) lambda(at token, params []expr.Expr) expr.Expr {
	l := &expr.UnresolvedLambda{Pos: at.pos}
	for _, e := range params {
		u, ok := e.(*expr.UnresolvedAttr)
		if !ok || len(u.Parts) != 1 {
			panic(p.errorAt(at, "INVALID_LAMBDA_FUNCTION_CALL.PARAMETER_DOES_NOT_ACCEPT_LAMBDA_FUNCTION", "42K0D", "A function's parameters are names.").WithFix("Write x -> … or (x, y) -> …."))
		}
		l.Params = append(l.Params, u.Parts[0])
	}
	p.needSymbol("->")
	l.Body = p.expr()
	return l
}

// param is ? or :name, replaced by its value.
func (p *parser) param(t token) expr.Expr {
	p.take()
	if t.raw == "?" {
		if p.marks >= len(p.params.Positional) {
			panic(p.errorAt(t, "UNBOUND_SQL_PARAMETER", "42P02", "There is no value for parameter %d.", p.marks+1).
				WithFix("Pass one value for each ? of the statement."))
		}
		p.marks++
		return p.params.Positional[p.marks-1]
	}
	name := p.name("parameter name")
	e, ok := p.params.Named[name]
	if !ok {
		panic(p.errorAt(t, "UNBOUND_SQL_PARAMETER", "42P02", "There is no value for parameter :%s.", name).
			With("name", name).WithFix("Pass a value under the name %q.", name))
	}
	return e
}

// wordOperand is an operand that begins with a word: a keyword's construct where its continuation fits, else a name.
func (p *parser) wordOperand(t token) expr.Expr {
	next := p.ahead(1)
	open := next.kind == op && next.raw == "("
	switch w := strings.ToUpper(t.raw); {
	case w == "NULL" && !open:
		p.take()
		return expr.Lit(nil)
	case (w == "TRUE" || w == "FALSE") && !open:
		p.take()
		return expr.Lit(w == "TRUE")
	case w == "CASE":
		return p.caseExpr()
	case p.atSemantics():
		return p.semantics()
	case w == "INTERVAL" && p.intervalAhead(next):
		return p.interval()
	case next.kind == text && typedLiterals[w]:
		return p.typedLit(w)
	case open && specials[w] != nil:
		return specials[w](p)
	case !open && constants[w] != "":
		p.take()
		return p.call(t, constants[w])
	case w == "EXISTS" && open:
		return p.exists(t)
	case next.kind == op && next.raw == "->":
		p.take()
		return p.lambda(t, []expr.Expr{&expr.UnresolvedAttr{Parts: []string{t.val}, Pos: t.pos}})
	case notOperand[w], w == "END" && p.cases > 0:
		p.expected("expression")
		p.fail()
	}
	return p.nameOrCall()
}

// exists is EXISTS (query), or the function exists over an array.
func (p *parser) exists(t token) expr.Expr {
	p.take()
	if p.take(); !p.atQuery() {
		p.i--
		return p.funcCall(t, strings.ToLower(t.raw))
	}
	q := p.query()
	p.closing(")", p.toks[p.i-1])
	return &logical.Subquery{Kind: logical.ExistsSubquery, Query: q, Pos: t.pos}
}

// constants are functions that SQL writes without brackets.
var constants = map[string]string{"CURRENT_DATE": "current_date", "CURRENT_TIMESTAMP": "current_timestamp", "LOCALTIMESTAMP": "localtimestamp", "CURRENT_TIME": "current_time"}

// nameOrCall is a column, table.*, or a function call.
func (p *parser) nameOrCall() expr.Expr {
	t := p.peek()
	parts := []string{p.name("expression")}
	for p.atSymbol(".") {
		next := p.ahead(1)
		if next.kind == op && next.raw == "*" {
			p.take()
			p.take()
			return &expr.Star{Qualifier: parts, Pos: t.pos, Except: p.starExcept()}
		}
		if next.kind != word && next.kind != quoted {
			p.take()
			p.expected("name")
			p.fail()
		}
		p.take()
		parts = append(parts, p.take().val)
	}
	if p.atSymbol("(") {
		return p.funcCall(t, strings.Join(parts, "."))
	}
	return &expr.UnresolvedAttr{Parts: parts, Pos: t.pos}
}

// funcCall is the argument list of a call and what may follow it.
func (p *parser) funcCall(t token, name string) expr.Expr {
	c := &expr.UnresolvedCall{Name: name, Pos: t.pos}
	open := p.needSymbol("(")
	if !p.symbol(")") {
		if p.accept("DISTINCT") {
			c.Distinct = true
		} else {
			p.accept("ALL")
		}
		c.Args = p.args()
		p.ignoreNulls(c)
		p.closing(")", open)
	}
	if len(c.Args) == 1 && !c.Distinct && strings.EqualFold(name, "count") {
		if s, ok := c.Args[0].(*expr.Star); ok && len(s.Qualifier) == 0 {
			c.Args[0] = expr.Lit(1)
		}
	}
	return p.callTail(c)
}

func (p *parser) args() []expr.Expr {
	var list []expr.Expr
	for {
		if t := p.ahead(1); t.kind == op && t.raw == "=>" {
			list = append(list, p.namedArg())
			if !p.symbol(",") {
				return list
			}
			continue
		}
		list = append(list, p.namedExpr())
		if !p.symbol(",") {
			return list
		}
	}
}

// namedArg is name => value.
func (p *parser) namedArg() expr.Expr {
	at := p.peek()
	a := &expr.NamedArg{Name: p.name("a parameter"), Pos: at.pos}
	p.take()
	a.Value = p.namedExpr()
	return a
}

// ignoreNulls is IGNORE NULLS | RESPECT NULLS of first, last, any_value, nth_value, lag and lead: their last argument.
func (p *parser) ignoreNulls(c *expr.UnresolvedCall) {
	switch {
	case p.accept("IGNORE", "NULLS"):
		if n := strings.ToLower(c.Name); n == "lag" || n == "lead" {
			for _, def := range []*expr.Literal{expr.Lit(1), expr.Lit(nil)}[min(2, max(0, len(c.Args)-1)):] {
				c.Args = append(c.Args, def)
			}
		}
		c.Args = append(c.Args, expr.Lit(true))
	case p.accept("RESPECT", "NULLS"):
	}
}

// callTail is FILTER (WHERE …), OVER (…), and the clauses that are refused.
func (p *parser) callTail(c *expr.UnresolvedCall) expr.Expr {
	p.ignoreNulls(c)
	t := p.peek()
	if p.accept("WITHIN", "GROUP") {
		p.withinGroup(t, c)
	}
	if p.at("FILTER") && p.ahead(1).raw == "(" {
		p.take()
		open := p.needSymbol("(")
		p.expect("WHERE")
		c.Filter = p.expr()
		p.closing(")", open)
	}
	if p.at("OVER") && (p.ahead(1).raw == "(" || p.ahead(1).kind == word || p.ahead(1).kind == quoted) {
		return p.over(c)
	}
	return c
}

// caseExpr is CASE [x] WHEN … THEN … [ELSE …] END.
func (p *parser) caseExpr() expr.Expr {
	t := p.expect("CASE")
	p.cases++
	defer func() { p.cases-- }()
	var subject expr.Expr
	if !p.at("WHEN") {
		subject = p.expr()
	}
	c := &expr.Case{}
	for p.accept("WHEN") {
		at := p.peek()
		w := p.expr()
		if subject != nil {
			w = p.call(at, "=", subject, w)
		}
		p.expect("THEN")
		c.Whens = append(c.Whens, w)
		c.Thens = append(c.Thens, p.expr())
	}
	if len(c.Whens) == 0 {
		p.fail()
	}
	if p.accept("ELSE") {
		c.Else = p.expr()
	}
	if !p.accept("END") {
		p.failOpen(t)
	}
	return c
}

// atQuery reports whether a query begins here.
func (p *parser) atQuery() bool {
	i := p.i
	for p.toks[i].kind == op && p.toks[i].raw == "(" {
		i++
	}
	t := p.toks[i]
	next := p.toks[min(i+1, len(p.toks)-1)]
	return t.is("SELECT") || t.is("WITH") && next.kind == word || t.is("FROM") && (next.kind == word || next.kind == quoted) || t.is("VALUES") && next.raw == "("
}
