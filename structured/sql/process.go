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
//	name ( TABLE [(] table or query [)] [PARTITION BY expression, … | PARTITION BY ( … )] [ORDER BY expression, …]
//	    [, INITIAL TABLE … PARTITION BY expression, …] [, BROADCAST TABLE … [ORDER BY expression]] )
func (p *parser) process() logical.Plan {
	t := p.peek()
	f := &logical.Process{Name: p.name("function"), Pos: t.pos}
	open := p.needSymbol("(")
	f.Child = p.processTable()
	if p.accept("PARTITION", "BY") {
		f.Keys = p.exprs()
	}
	if p.accept("ORDER", "BY") {
		f.Order = p.orders()
	}
	for p.symbol(",") {
		p.processInput(f)
	}
	p.closing(")", open)
	return f
}

// processTable is TABLE name, or TABLE ( query ).
func (p *parser) processTable() (child logical.Plan) {
	p.expect("TABLE")
	if !p.atSymbol("(") {
		return p.watermarkClause(p.table())
	}
	inner := p.needSymbol("(")
	if p.atQuery() || p.at("TABLE") {
		child = p.query()
	} else {
		child = p.from()
	}
	p.closing(")", inner)
	return child
}

// processInput is another input of a function: INITIAL TABLE … or BROADCAST TABLE …, each once.
func (p *parser) processInput(f *logical.Process) {
	in := &logical.ProcessInput{}
	switch {
	case f.Initial == nil && p.accept("INITIAL"):
		f.Initial = in
	case f.Broadcast == nil && p.accept("BROADCAST"):
		f.Broadcast = in
	default:
		p.fail()
	}
	in.Child = p.processTable()
	if in == f.Initial {
		p.expect("PARTITION")
		p.expect("BY")
		in.Keys = p.exprs()
	} else if p.accept("ORDER", "BY") {
		in.Order = p.orders()
	}
}
