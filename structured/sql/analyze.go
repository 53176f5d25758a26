package sql

import "github.com/streamflow/streamflow/structured/logical"

// analyze is ANALYZE TABLE name COMPUTE STATISTICS [NOSCAN | FOR COLUMNS a, b | FOR ALL COLUMNS].
func (p *parser) analyze() logical.Plan {
	p.take()
	p.expect("TABLE")
	a := &logical.AnalyzeTable{Pos: p.peek().pos}
	a.Name = p.names("table name")
	p.expect("COMPUTE")
	p.expect("STATISTICS")
	switch {
	case p.accept("NOSCAN"):
		a.NoScan = true
	case p.accept("FOR", "ALL", "COLUMNS"):
		a.All = true
	case p.accept("FOR", "COLUMNS"):
		for more := true; more; more = p.symbol(",") {
			a.Columns = append(a.Columns, p.name("column name"))
		}
	}
	return a
}
