package sql

import "github.com/streamflow/streamflow/structured/logical"

// insert is INSERT INTO | OVERWRITE [TABLE] t [(columns)] [BY NAME] query.
func (p *parser) insert() logical.Plan {
	p.take()
	ins := &logical.InsertInto{}
	if p.accept("OVERWRITE") {
		ins.Overwrite = true
	} else {
		p.expect("INTO")
	}
	if p.at("TABLE") && p.ahead(1).kind != op {
		p.take()
	}
	ins.Pos = p.peek().pos
	ins.Table = p.names("table name")
	if t := p.peek(); p.at("PARTITION") && p.ahead(1).raw == "(" {
		panic(p.unsupported(t, "INSERT_PARTITION", "INSERT with PARTITION"))
	}
	if p.atSymbol("(") && !p.atQuery() {
		ins.Columns = p.nameList("column name")
	}
	ins.ByName = p.accept("BY", "NAME")
	ins.Query = p.query()
	return ins
}
