package sql

import (
	"strings"

	"github.com/streamflow/streamflow/structured/logical"
)

// show is SHOW TABLES | VIEWS | FUNCTIONS | DATABASES | QUERIES [IN db] [[LIKE] 'pattern'], SHOW COLUMNS IN t,
// SHOW CREATE TABLE t, and SHOW SAVEPOINTS [ON QUERY q].
func (p *parser) show() logical.Plan {
	p.take()
	s := &logical.Show{Pos: p.peek().pos}
	switch {
	case p.accept("CREATE", "TABLE"):
		s.What, s.Pos = "create table", p.peek().pos
		s.Name = p.names("table name")
		return s
	case p.accept("COLUMNS"):
		s.What = "columns"
		if !p.accept("IN") {
			p.expect("FROM")
		}
		s.Pos = p.peek().pos
		s.Name = p.names("table name")
		return s
	case p.accept("TABLES"):
		s.What = "tables"
	case p.accept("VIEWS"):
		s.What = "views"
	case p.accept("DATABASES"), p.accept("SCHEMAS"), p.accept("NAMESPACES"):
		s.What = "databases"
	case p.accept("QUERIES"), p.accept("STREAMING", "QUERIES"):
		s.What = "queries"
	case p.accept("SAVEPOINTS"):
		s.What = "savepoints"
		if p.accept("ON") {
			p.accept("STREAMING")
			p.expect("QUERY")
			s.Name = []string{p.nameOrString()}
		}
		return s
	case p.at("USER", "FUNCTIONS"), p.at("SYSTEM", "FUNCTIONS"), p.at("ALL", "FUNCTIONS"):
		p.take()
		p.take()
		s.What = "functions"
	case p.accept("FUNCTIONS"):
		s.What = "functions"
	default:
		p.fail()
	}
	if p.accept("IN") || p.accept("FROM") {
		s.Name = p.names("database")
	}
	like := p.accept("LIKE")
	if p.peek().kind == text {
		s.Pattern = p.str()
	} else if like {
		s.Pattern = strings.Join(p.names("pattern"), ".")
	}
	return s
}
