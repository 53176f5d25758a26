package sql

import (
	"github.com/streamflow/streamflow/structured/logical"
)

// atProcess reports whether a function of a table comes next: name(TABLE …).
func (p *parser) atProcess() bool {
	t, next := p.peek(), p.ahead(1)
	named := t.kind == quoted || t.kind == word && !t.is("STREAM")
	return named && next.kind == op && next.raw == "(" && p.ahead(2).is("TABLE") && (p.ahead(3).kind == word || p.ahead(3).kind == quoted || p.ahead(3).raw == "(")
}

// process is a function that handles a table's rows key by key (SQL:2016 calls it a polymorphic table function):
//
//	name ( TABLE [(] table or query [)] [PARTITION BY expression, … | PARTITION BY ( … )] [ORDER BY expression, …] )
func (p *parser) process() logical.Plan {
	t := p.peek()
	f := &logical.Process{Name: p.name("function"), Pos: t.pos}
	open := p.needSymbol("(")
	p.expect("TABLE")
	if p.atSymbol("(") {
		inner := p.needSymbol("(")
		if p.atQuery() || p.at("TABLE") {
			f.Child = p.query()
		} else {
			f.Child = p.from()
		}
		p.closing(")", inner)
	} else {
		f.Child = p.watermarkClause(p.table())
	}
	if p.accept("PARTITION", "BY") {
		f.Keys = p.exprs()
	}
	if p.accept("ORDER", "BY") {
		f.Order = p.orders()
	}
	p.closing(")", open)
	return f
}
