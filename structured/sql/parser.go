package sql

import (
	"strings"

	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/structured/logical"
)

// maxDepth bounds nesting, so that no text can exhaust the stack here or in the tree walks that follow.
const maxDepth = 400

// parser walks the tokens. Rules that find a mistake panic with a *usererr.Error, which the entry points recover: a
// mistake ends the whole parse, and rules stay readable without an error test after each call.
type parser struct {
	src     string
	toks    []token
	i       int
	depth   int
	params  Params
	marks   int // ? markers seen
	cases   int // CASE expressions open, in which END is a keyword
	matches int // MATCH_RECOGNIZE clauses open, in which RUNNING and FINAL are keywords

	temporal bool // FOR SYSTEM_TIME may follow the table that is read

	// What the grammar could have used at token wantAt, collected as rules try and fail: the "expected" of an error.
	wantAt int
	want   []string

	named []namedOver // OVERs whose windows a WINDOW clause is to define

	// alias is the token of the last alias written without AS: a misspelt keyword usually ends up there.
	alias int
}

// Params are values for the parameters of a statement: ? by position, :name by name.
type Params struct {
	Positional []expr.Expr
	Named      map[string]expr.Expr
}

// Parse reads one statement. A semicolon may follow it.
func Parse(src string) (logical.Plan, error) { return ParseWith(src, Params{}) }

// ParseWith is Parse with values for parameters.
func ParseWith(src string, params Params) (plan logical.Plan, err error) {
	err = run(src, params, func(p *parser) {
		plan = p.statement()
		p.symbol(";")
		p.end("end of statement")
	})
	return plan, err
}

// ParseExpr reads one expression, which may carry AS name.
func ParseExpr(src string) (e expr.Expr, err error) {
	err = run(src, Params{}, func(p *parser) {
		e = p.namedExpr()
		p.end("end of expression")
	})
	return e, err
}

// run parses src by rule and returns the mistake that it stumbled over, if any.
func run(src string, params Params, rule func(*parser)) (err error) {
	p := &parser{src: src, toks: lex(src), params: params, alias: -1}
	defer func() {
		switch r := recover().(type) {
		case nil:
		case *usererr.Error:
			err = r
		default:
			panic(r)
		}
	}()
	rule(p)
	if len(p.named) > 0 {
		return p.noWindow(p.named[0].name)
	}
	return nil
}

func (p *parser) peek() token { return p.toks[p.i] }

// ahead is the n-th token from here; past the end it is the eof token.
func (p *parser) ahead(n int) token { return p.toks[min(p.i+n, len(p.toks)-1)] }

func (p *parser) take() token {
	t := p.toks[p.i]
	if t.kind != eof {
		p.i++
	}
	return t
}

// expected notes that the grammar could have continued with what, at the current token.
func (p *parser) expected(what string) {
	if p.wantAt != p.i {
		p.wantAt, p.want = p.i, p.want[:0]
	}
	for _, w := range p.want {
		if w == what {
			return
		}
	}
	p.want = append(p.want, what)
}

// at reports whether the words come next, as keywords.
func (p *parser) at(words ...string) bool {
	for k, w := range words {
		if t := p.ahead(k); t.kind != word || !strings.EqualFold(t.raw, w) {
			return false
		}
	}
	return true
}

// accept takes the words if they come next.
func (p *parser) accept(words ...string) bool {
	if p.at(words...) {
		p.i += len(words)
		return true
	}
	p.expected(strings.Join(words, " "))
	return false
}

// expect takes the words or fails.
func (p *parser) expect(words ...string) token {
	t := p.peek()
	for _, w := range words {
		if !p.accept(w) {
			p.fail()
		}
	}
	return t
}

// atSymbol reports whether the operator comes next; symbol takes it if so; needSymbol takes it or fails.
func (p *parser) atSymbol(s string) bool {
	t := p.peek()
	return t.kind == op && t.raw == s
}

func (p *parser) symbol(s string) bool {
	if p.atSymbol(s) {
		p.i++
		return true
	}
	p.expected("'" + s + "'")
	return false
}

func (p *parser) needSymbol(s string) token {
	t := p.peek()
	if !p.symbol(s) {
		p.fail()
	}
	return t
}

// closing takes the bracket that ends what open began, or says where that was.
func (p *parser) closing(s string, open token) {
	if !p.symbol(s) {
		p.failOpen(open)
	}
}

func (p *parser) end(what string) {
	p.expected(what)
	if p.peek().kind != eof {
		p.fail()
	}
}

// nested guards a recursive rule.
func (p *parser) nested() func() {
	p.depth++
	if p.depth > maxDepth {
		t := p.peek()
		panic(p.errorAt(t, "PARSE_TOO_DEEP", "42601", "The statement nests deeper than %d levels at %s.", maxDepth, t.show()).
			WithFix("Split it into views or common table expressions."))
	}
	return func() { p.depth-- }
}

// name takes an identifier: any word or quoted name.
func (p *parser) name(what string) string {
	t := p.peek()
	if t.kind != word && t.kind != quoted {
		p.expected(what)
		p.fail()
	}
	p.i++
	return t.val
}

// names takes a dotted name.
func (p *parser) names(what string) []string {
	parts := []string{p.name(what)}
	for p.symbol(".") {
		parts = append(parts, p.name("name"))
	}
	return parts
}

// nameList takes (a, b, c).
func (p *parser) nameList(what string) []string {
	open := p.needSymbol("(")
	list := []string{p.name(what)}
	for p.symbol(",") {
		list = append(list, p.name(what))
	}
	p.closing(")", open)
	return list
}

// str takes a string literal; literals in a row are one.
func (p *parser) str() string {
	if p.peek().kind != text {
		p.expected("string")
		p.fail()
	}
	s := p.take().val
	for p.peek().kind == text {
		s += p.take().val
	}
	return s
}
