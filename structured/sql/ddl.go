package sql

import (
	"strings"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/structured/logical"
)

// create is CREATE [OR REPLACE] followed by a table, a view or a streaming query.
func (p *parser) create() logical.Plan {
	p.take()
	replace := p.accept("OR", "REPLACE")
	t := p.peek()
	p.accept("GLOBAL")
	temp := p.accept("TEMPORARY") || p.accept("TEMP")
	switch {
	case p.accept("VIEW"):
		return p.createView(replace, temp)
	case p.at("MATERIALIZED", "VIEW"):
		if replace {
			panic(p.unsupported(t, "STATEMENT", "CREATE OR REPLACE MATERIALIZED VIEW").WithFix("Write DROP MATERIALIZED VIEW name first."))
		}
		p.accept("MATERIALIZED", "VIEW")
		return p.createMaterialized()
	case p.accept("FUNCTION"):
		return p.createFunction(replace, temp)
	case !temp && !replace && p.acceptDatabase():
		return p.createDatabase()
	case p.accept("EXTERNAL", "TABLE"):
		return p.createTable(replace)
	case p.at("MATERIALIZED"), p.at("EXTERNAL"), p.at("INDEX"):
		panic(p.unsupported(p.peek(), "STATEMENT", "CREATE "+strings.ToUpper(p.peek().raw)))
	case temp:
		if p.at("TABLE") {
			panic(p.unsupported(t, "STATEMENT", "CREATE TEMPORARY TABLE").WithFix("Create a temporary view."))
		}
		p.fail()
	case p.accept("TABLE"):
		return p.createTable(replace)
	case p.accept("STREAMING", "QUERY"):
		return p.createStream(replace)
	case p.accept("SAVEPOINT"):
		return p.savepoint(logical.CreateSavepoint)
	case p.accept("STREAMING", "TABLE"):
		panic(p.unsupported(t, "STATEMENT", "CREATE STREAMING TABLE").WithFix("Create a table, then CREATE STREAMING QUERY name AS INSERT INTO it SELECT …."))
	}
	p.fail()
	return nil
}

// createMaterialized is what follows CREATE MATERIALIZED VIEW: name [OPTIONS (…)] AS query.
func (p *parser) createMaterialized() logical.Plan {
	v := &logical.CreateMaterialized{Options: map[string]string{}, Pos: p.peek().pos}
	v.Name = p.nameOrString()
	if p.accept("OPTIONS") {
		p.options(v.Options)
	}
	p.expect("AS")
	v.Query = p.query()
	return v
}

func (p *parser) createView(replace, temp bool) logical.Plan {
	v := &logical.CreateView{Temporary: temp, OrReplace: replace}
	if at := p.peek(); p.accept("IF", "NOT", "EXISTS") {
		panic(p.unsupported(at, "STATEMENT", "CREATE VIEW IF NOT EXISTS").WithFix("Write CREATE OR REPLACE VIEW."))
	}
	v.Pos = p.peek().pos
	v.Name = p.names("view name")
	if p.atSymbol("(") {
		open := p.take()
		for {
			v.Columns = append(v.Columns, p.name("column name"))
			p.comment()
			if !p.symbol(",") {
				break
			}
		}
		p.closing(")", open)
	}
	p.comment()
	p.expect("AS")
	start := p.peek().off
	v.Query = p.query()
	v.SQL = p.src[start:p.toks[p.i-1].end]
	return v
}

// createTable is CREATE TABLE [IF NOT EXISTS] t [(columns)] and its clauses in any order, then AS query.
func (p *parser) createTable(replace bool) logical.Plan {
	c := &logical.CreateTable{OrReplace: replace, Options: map[string]string{}}
	c.IfNotExists = p.accept("IF", "NOT", "EXISTS")
	c.Pos = p.peek().pos
	c.Name = p.names("table name")
	if p.atSymbol("(") {
		p.columns(c)
	}
	for p.tableClause(c) {
	}
	as := p.accept("AS")
	if as || p.at("SELECT") || p.at("WITH") {
		if len(c.Columns) > 0 && c.Watermark == nil {
			panic(p.errorAt(p.peek(), "INVALID_STATEMENT_OR_CLAUSE", "42601", "A table made AS a query takes its columns from the query.").WithFix("Leave out the column list."))
		}
		c.As = p.query()
	}
	return c
}

func (p *parser) columns(c *logical.CreateTable) {
	open := p.needSymbol("(")
	for {
		if p.at("WATERMARK", "FOR") {
			c.Watermark = p.watermarkFor(c.Watermark)
		} else {
			p.columnDef(c)
		}
		if !p.symbol(",") {
			break
		}
	}
	p.closing(")", open)
	if c.Watermark == nil {
		return
	}
	col := c.Watermark.Col.(*expr.UnresolvedAttr)
	for _, f := range c.Columns {
		if strings.EqualFold(f.Name, col.Parts[0]) {
			if f.Type.Kind != column.Timestamp {
				panic(p.placed(col.Pos, usererr.New("EVENT_TIME_IS_NOT_ON_TIMESTAMP_TYPE", "42K09", "The event time `%s` has type %s.", col.Parts[0], strings.ToUpper(f.Type.String())).
					WithFix("Declare the column as TIMESTAMP.")))
			}
			return
		}
	}
	if len(c.Columns) > 0 {
		panic(p.placed(col.Pos, usererr.New("UNRESOLVED_COLUMN.WITHOUT_SUGGESTION", "42703", "WATERMARK FOR names `%s`, which is no column of this table.", col.Parts[0]).
			WithFix("Name a TIMESTAMP column of the list.")))
	}
}

// placed puts an error at a place in the text.
func (p *parser) placed(pos expr.Pos, e *usererr.Error) *usererr.Error {
	e.Text = p.src
	return e.At(pos.Line, pos.Col)
}

func (p *parser) columnDef(c *logical.CreateTable) {
	t := p.peek()
	f := column.Field{Name: p.name("column name"), Nullable: true}
	for _, g := range c.Columns {
		if strings.EqualFold(f.Name, g.Name) {
			panic(p.errorAt(t, "COLUMN_ALREADY_EXISTS", "42711", "The column `%s` stands twice.", f.Name).With("columnName", f.Name).WithFix("Give each column its own name."))
		}
	}
	f.Type = p.dataType()
	for {
		switch t := p.peek(); {
		case p.accept("NOT", "NULL"):
			f.Nullable = false
		case p.accept("COMMENT"):
			p.str()
		case p.at("DEFAULT"), p.at("GENERATED"), p.at("PRIMARY"), p.at("CHECK"):
			panic(p.unsupported(t, "COLUMN_CONSTRAINT", strings.ToUpper(t.raw)+" of a column"))
		default:
			c.Columns = append(c.Columns, f)
			return
		}
	}
}

// watermarkFor is WATERMARK FOR col AS col [- INTERVAL …].
func (p *parser) watermarkFor(before *logical.Watermark) *logical.Watermark {
	at := p.expect("WATERMARK", "FOR")
	if before != nil {
		panic(p.errorAt(at, "INVALID_WATERMARK", "42601", "A table has one watermark.").WithFix("Remove the other WATERMARK FOR."))
	}
	t := p.peek()
	w := &logical.Watermark{Col: &expr.UnresolvedAttr{Parts: []string{p.name("column")}, Pos: t.pos}}
	p.expect("AS")
	again := p.peek()
	if !strings.EqualFold(p.name("column"), t.val) {
		panic(p.errorAt(again, "INVALID_WATERMARK", "42601", "The watermark of `%s` is that column less an interval.", t.val).
			WithFix("Write WATERMARK FOR %s AS %s - INTERVAL 30 MINUTES.", t.val, t.val))
	}
	if p.symbol("-") {
		w.Delay = p.delay()
	}
	return w
}

// tableClause reads one clause of CREATE TABLE after the columns; false when none comes next.
func (p *parser) tableClause(c *logical.CreateTable) bool {
	t := p.peek()
	switch {
	case p.accept("USING"):
		c.Provider = strings.ToLower(p.name("provider"))
	case p.accept("OPTIONS"), p.accept("TBLPROPERTIES"):
		p.options(c.Options)
	case p.accept("LOCATION"):
		c.Location = p.str()
	case p.at("COMMENT"):
		p.take()
		p.str()
	case p.accept("PARTITIONED", "BY"):
		p.partitionedBy(c)
	case p.at("CLUSTERED"), p.at("STORED"), p.at("ROW"):
		panic(p.unsupported(t, "TABLE_CLAUSE", strings.ToUpper(t.raw)+" of a table"))
	default:
		return false
	}
	return true
}

// partitionedBy is (column, …), columns of the list; or (column type, …), which adds them behind it.
func (p *parser) partitionedBy(c *logical.CreateTable) {
	open := p.needSymbol("(")
	var names []string
	for {
		if next := p.ahead(1); next.kind == word || next.kind == quoted {
			p.columnDef(c)
			names = append(names, c.Columns[len(c.Columns)-1].Name)
		} else if t := p.peek(); p.ahead(1).raw == "(" {
			panic(p.unsupported(t, "PARTITION_TRANSFORM", "a partition by a function").WithFix("Add a column with the value, and partition by that."))
		} else {
			names = append(names, p.name("column name"))
		}
		if !p.symbol(",") {
			break
		}
	}
	p.closing(")", open)
	c.Options["partitionBy"] = strings.Join(names, "\x00")
}

// options is (key [=] value, …). Keys are dotted names or strings; values are strings, numbers or words.
func (p *parser) options(into map[string]string) {
	open := p.needSymbol("(")
	for !p.atSymbol(")") {
		at := p.peek()
		var key string
		if at.kind == text {
			key = p.str()
		} else {
			key = p.confKey()
		}
		if _, twice := into[key]; twice {
			panic(p.errorAt(at, "DUPLICATE_KEY", "23505", "The option `%s` stands twice.", key).With("keyColumn", key))
		}
		p.symbol("=")
		into[key] = p.optionValue()
		if !p.symbol(",") {
			break
		}
	}
	p.closing(")", open)
}

func (p *parser) optionValue() string {
	sign := ""
	if p.symbol("-") {
		sign = "-"
	}
	switch t := p.peek(); t.kind {
	case text:
		return p.str()
	case number:
		p.take()
		return sign + t.raw
	case word:
		p.take()
		return strings.ToLower(t.raw)
	}
	p.expected("value")
	p.fail()
	return ""
}

// drop is DROP TABLE | VIEW | [STREAMING] QUERY [IF EXISTS] name.
func (p *parser) drop() logical.Plan {
	p.take()
	d := &logical.Drop{}
	switch t := p.peek(); {
	case p.accept("VIEW"):
		d.View = true
	case p.accept("TABLE"):
	case p.accept("TEMPORARY", "FUNCTION"):
		return p.dropFunction(true)
	case p.accept("FUNCTION"):
		return p.dropFunction(false)
	case p.acceptDatabase():
		return p.dropDatabase()
	case p.at("TEMPORARY"), p.at("INDEX"):
		panic(p.unsupported(t, "STATEMENT", "DROP "+strings.ToUpper(t.raw)))
	case p.accept("SAVEPOINT"):
		return p.savepoint(logical.DropSavepoint)
	case p.accept("MATERIALIZED", "VIEW"):
		ifExists := p.accept("IF", "EXISTS")
		at := p.peek()
		return &logical.DropMaterialized{Name: p.nameOrString(), IfExists: ifExists, Pos: at.pos}
	case p.accept("STREAMING", "QUERY"), p.accept("QUERY"):
		ifExists := p.accept("IF", "EXISTS")
		at := p.peek()
		return &logical.StopStream{Name: p.nameOrString(), Drop: true, IfExists: ifExists, Pos: at.pos}
	default:
		p.fail()
	}
	d.IfExists = p.accept("IF", "EXISTS")
	d.Pos = p.peek().pos
	d.Name = p.names("name")
	p.accept("PURGE")
	return d
}
