package sql

import (
	"strings"

	"github.com/streamflow/streamflow/structured/logical"
)

func (p *parser) acceptDatabase() bool {
	return p.accept("DATABASE") || p.accept("SCHEMA") || p.accept("NAMESPACE")
}

// createDatabase is what follows CREATE DATABASE.
func (p *parser) createDatabase() logical.Plan {
	d := &logical.CreateDatabase{Properties: map[string]string{}}
	d.IfNotExists = p.accept("IF", "NOT", "EXISTS")
	d.Pos = p.peek().pos
	d.Name = p.databaseName()
	for {
		switch t := p.peek(); {
		case p.accept("COMMENT"):
			d.Properties["comment"] = p.str()
		case p.accept("WITH", "DBPROPERTIES"), p.accept("WITH", "PROPERTIES"):
			p.options(d.Properties)
		case p.at("LOCATION"), p.at("MANAGED"):
			panic(p.unsupported(t, "DATABASE_LOCATION", "LOCATION of a database").WithFix("Give each table its LOCATION."))
		default:
			return d
		}
	}
}

// dropDatabase is what follows DROP DATABASE.
func (p *parser) dropDatabase() logical.Plan {
	d := &logical.DropDatabase{IfExists: p.accept("IF", "EXISTS")}
	d.Pos = p.peek().pos
	d.Name = p.databaseName()
	if !p.accept("RESTRICT") {
		d.Cascade = p.accept("CASCADE")
	}
	return d
}

// databaseName is [spark_catalog.]name.
func (p *parser) databaseName() string {
	parts := p.names("database")
	if len(parts) > 1 && strings.EqualFold(parts[0], "spark_catalog") {
		parts = parts[1:]
	}
	return strings.Join(parts, ".")
}

// refresh is REFRESH [TABLE] name.
func (p *parser) refresh() logical.Plan {
	p.take()
	if t := p.peek(); t.kind == text || p.at("FUNCTION") {
		panic(p.unsupported(t, "STATEMENT", "REFRESH of a path or function").WithFix("Files are listed anew by each query."))
	}
	if p.at("TABLE") && p.ahead(1).kind != eof && p.ahead(1).raw != ";" {
		p.take()
	}
	t := p.peek()
	return &logical.Refresh{Name: p.names("table name"), Pos: t.pos}
}
