package sql

import (
	"strings"

	"github.com/streamflow/streamflow/structured/logical"
)

// show is SHOW TABLES | TABLE EXTENDED | VIEWS | FUNCTIONS | DATABASES | CATALOGS | QUERIES [IN db] [[LIKE] 'pattern'], SHOW COLUMNS IN t,
// SHOW CREATE TABLE t, SHOW TBLPROPERTIES t [(key)], SHOW PARTITIONS t, SHOW SAVEPOINTS [ON QUERY q], and SHOW CURRENT DATABASE.
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
	case p.accept("TBLPROPERTIES"):
		s.What, s.Pos = "properties", p.peek().pos
		s.Name = p.names("table name")
		if p.atSymbol("(") {
			open := p.take()
			s.Key = p.optionKey()
			p.closing(")", open)
		}
		return s
	case p.accept("PARTITIONS"):
		s.What, s.Pos = "partitions", p.peek().pos
		s.Name = p.names("table name")
		return s
	case p.accept("CATALOGS"):
		s.What = "catalogs"
	case p.accept("CURRENT", "DATABASE"), p.accept("CURRENT", "SCHEMA"), p.accept("CURRENT", "NAMESPACE"):
		s.What = "current database"
		return s
	case p.accept("TABLE", "EXTENDED"):
		s.What = "table extended"
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
	case p.accept("USER", "FUNCTIONS"):
		s.What = "user functions"
	case p.accept("SYSTEM", "FUNCTIONS"), p.accept("ALL", "FUNCTIONS"):
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
