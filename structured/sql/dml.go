package sql

import (
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/structured/logical"
)

// deleteFrom is DELETE FROM t [[AS] alias] [WHERE condition]; truncate is TRUNCATE TABLE t.
func (p *parser) deleteFrom() logical.Plan {
	p.take()
	p.expect("FROM")
	d := &logical.Delete{Pos: p.peek().pos}
	d.Table, d.Alias = p.target()
	if p.accept("WHERE") {
		d.Where = p.expr()
	}
	return d
}

func (p *parser) truncate() logical.Plan {
	p.take()
	p.expect("TABLE")
	t := p.peek()
	d := &logical.Delete{Table: p.names("table name"), Pos: t.pos}
	if t := p.peek(); p.at("PARTITION") {
		panic(p.unsupported(t, "TRUNCATE_PARTITION", "TRUNCATE of a partition").WithFix("Write DELETE FROM … WHERE …."))
	}
	return d
}

// update is UPDATE t [[AS] alias] SET a = 1, b = DEFAULT [WHERE condition].
func (p *parser) update() logical.Plan {
	p.take()
	u := &logical.Update{Pos: p.peek().pos}
	u.Table, u.Alias = p.target()
	p.expect("SET")
	u.Set = p.assignments()
	if p.accept("WHERE") {
		u.Where = p.expr()
	}
	return u
}

// target is the table to be changed and its alias.
func (p *parser) target() (table []string, alias string) {
	table = p.names("table name")
	if p.accept("AS") {
		return table, p.name("alias")
	}
	alias, _ = p.implicitAlias()
	return table, alias
}

func (p *parser) assignments() []logical.Assignment {
	var list []logical.Assignment
	for {
		t := p.peek()
		a := logical.Assignment{Column: p.names("column name"), Pos: t.pos}
		if !p.symbol("==") {
			p.needSymbol("=")
		}
		a.Value = p.assigned()
		list = append(list, a)
		if !p.symbol(",") {
			return list
		}
	}
}

// assigned is a value, or DEFAULT, which is nil.
func (p *parser) assigned() expr.Expr {
	if next := p.ahead(1); p.at("DEFAULT") && (next.kind != op || next.raw == "," || next.raw == ")" || next.raw == ";") {
		p.take()
		return nil
	}
	return p.expr()
}

// merge is MERGE INTO t [[AS] alias] USING relation ON condition, and cases.
func (p *parser) merge() logical.Plan {
	p.take()
	if t := p.peek(); p.accept("WITH", "SCHEMA", "EVOLUTION") {
		panic(p.unsupported(t, "MERGE_SCHEMA_EVOLUTION", "MERGE WITH SCHEMA EVOLUTION").WithFix("Write ALTER TABLE … ADD COLUMN first."))
	}
	p.expect("INTO")
	m := &logical.Merge{Pos: p.peek().pos}
	m.Table, m.Alias = p.target()
	p.expect("USING")
	m.Source = p.relation()
	p.expect("ON")
	m.On = p.expr()
	for p.at("WHEN") {
		m.Cases = append(m.Cases, p.mergeCase())
	}
	if len(m.Cases) == 0 {
		p.expect("WHEN")
	}
	return m
}

// mergeCase is WHEN [NOT] MATCHED [BY TARGET | BY SOURCE] [AND condition] THEN action.
func (p *parser) mergeCase() logical.MergeCase {
	t := p.expect("WHEN")
	c := logical.MergeCase{Pos: t.pos}
	if p.accept("NOT") {
		c.When = logical.NotMatched
	}
	p.expect("MATCHED")
	if c.When == logical.NotMatched && !p.accept("BY", "TARGET") && p.accept("BY", "SOURCE") {
		c.When = logical.NotMatchedBySource
	}
	if p.accept("AND") {
		c.Cond = p.expr()
	}
	p.expect("THEN")
	if c.When == logical.NotMatched {
		p.mergeInsert(&c)
		return c
	}
	if c.Delete = p.accept("DELETE"); c.Delete {
		return c
	}
	p.expect("UPDATE", "SET")
	if p.atSymbol("*") {
		p.take()
		c.All = true
		return c
	}
	c.Set = p.assignments()
	return c
}

// mergeInsert is INSERT * or INSERT (columns) VALUES (values).
func (p *parser) mergeInsert(c *logical.MergeCase) {
	p.expect("INSERT")
	if p.symbol("*") {
		c.All = true
		return
	}
	at := p.needSymbol("(")
	for {
		t := p.peek()
		c.Set = append(c.Set, logical.Assignment{Column: p.names("column name"), Pos: t.pos})
		if !p.symbol(",") {
			break
		}
	}
	p.closing(")", at)
	p.expect("VALUES")
	open := p.needSymbol("(")
	n := 0
	for {
		v := p.assigned()
		if n < len(c.Set) {
			c.Set[n].Value = v
		}
		n++
		if !p.symbol(",") {
			break
		}
	}
	p.closing(")", open)
	if n != len(c.Set) {
		panic(p.errorAt(at, "INSERT_COLUMN_ARITY_MISMATCH.NOT_ENOUGH_DATA_COLUMNS", "21S01", "INSERT names %d columns, but has %d values.", len(c.Set), n).WithFix("Give each column a value."))
	}
}
