package sql

import (
	"strings"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/structured/logical"
)

// alter is ALTER TABLE | VIEW name followed by what changes.
func (p *parser) alter() logical.Plan {
	p.take()
	if p.accept("STREAMING", "QUERY") {
		return p.alterQuery()
	}
	a := &logical.AlterTable{}
	switch t := p.peek(); {
	case p.accept("VIEW"):
		a.View = true
	case p.accept("TABLE"):
	case p.at("DATABASE"), p.at("SCHEMA"), p.at("NAMESPACE"), p.at("FUNCTION"):
		panic(p.unsupported(t, "STATEMENT", "ALTER "+strings.ToUpper(t.raw)).WithFix("Drop it and create it again."))
	default:
		p.fail()
	}
	a.Pos = p.peek().pos
	a.Name = p.names("table name")
	a.Action = p.alteration(a.View)
	return a
}

func (p *parser) alteration(view bool) logical.AlterAction {
	switch {
	case p.accept("RENAME", "TO"):
		return logical.AlterName{Name: p.names("name")}
	case p.accept("SET", "TBLPROPERTIES"), p.accept("SET", "OPTIONS"):
		set := map[string]string{}
		p.options(set)
		return logical.AlterSet{Properties: set}
	case p.accept("UNSET", "TBLPROPERTIES"):
		u := logical.AlterUnset{IfExists: p.accept("IF", "EXISTS")}
		open := p.needSymbol("(")
		for {
			u.Keys = append(u.Keys, p.optionKey())
			if !p.symbol(",") {
				break
			}
		}
		p.closing(")", open)
		return u
	case view:
		p.accept("AS")
		start := p.peek().off
		q := p.query()
		return logical.AlterQuery{Query: q, SQL: p.src[start:p.toks[p.i-1].end]}
	}
	return p.tableAlteration()
}

func (p *parser) tableAlteration() logical.AlterAction {
	switch t := p.peek(); {
	case p.accept("ADD", "COLUMNS"), p.accept("ADD", "COLUMN"):
		return p.addColumns()
	case p.accept("RENAME", "COLUMN"):
		from := p.name("column name")
		p.expect("TO")
		return logical.AlterRename{From: from, To: p.name("column name")}
	case p.accept("DROP", "COLUMNS"), p.accept("DROP", "COLUMN"):
		d := logical.AlterDrop{IfExists: p.accept("IF", "EXISTS")}
		if p.atSymbol("(") {
			d.Names = p.nameList("column name")
			return d
		}
		d.Names = []string{p.name("column name")}
		for p.symbol(",") {
			d.Names = append(d.Names, p.name("column name"))
		}
		return d
	case p.accept("SET", "LOCATION"):
		return logical.AlterLocation{Path: p.str()}
	case p.accept("ALTER", "COLUMN"), p.accept("CHANGE", "COLUMN"), p.accept("ALTER"), p.accept("CHANGE"):
		name := p.name("column name")
		if p.accept("DROP", "NOT", "NULL") {
			return logical.AlterNullable{Name: name}
		}
		panic(p.unsupported(t, "ALTER_COLUMN", "changing a column's type, place or comment").WithFix("Add a column, fill it by UPDATE, and drop the old one. DROP NOT NULL is supported."))
	case p.at("ADD"), p.at("DROP"), p.at("RECOVER"), p.at("RENAME"), p.at("REPLACE"):
		panic(p.unsupported(t, "ALTER_TABLE", "ALTER TABLE "+strings.ToUpper(t.raw)+" "+strings.ToUpper(p.ahead(1).raw)))
	}
	p.fail()
	return nil
}

// addColumns is one column, or (column, …): name type [NOT NULL] [COMMENT '…'] [FIRST | AFTER name].
func (p *parser) addColumns() logical.AlterAction {
	a := logical.AlterAdd{}
	open := p.peek()
	bracketed := p.symbol("(")
	for {
		c := logical.AlterColumn{Field: column.Field{Nullable: true, Name: p.name("column name")}}
		c.Field.Type = p.dataType()
		if t := p.peek(); p.accept("NOT", "NULL") {
			panic(p.unsupported(t, "ADD_COLUMN_NOT_NULL", "a new column that is NOT NULL: the rows that there are have no value for it").WithFix("Leave out NOT NULL."))
		}
		p.comment()
		switch {
		case p.accept("FIRST"):
			c.First = true
		case p.accept("AFTER"):
			c.After = p.name("column name")
		}
		a.Columns = append(a.Columns, c)
		if !p.symbol(",") {
			break
		}
	}
	if bracketed {
		p.closing(")", open)
	}
	return a
}

// optionKey is a dotted name or a string.
func (p *parser) optionKey() string {
	if p.peek().kind == text {
		return p.str()
	}
	return p.confKey()
}
