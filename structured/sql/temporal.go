package sql

import (
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/structured/logical"
)

// temporal is a table of which a join reads the versions that were valid at times: t FOR SYSTEM_TIME AS OF a.ts [AS] alias.
type temporal struct {
	table logical.Plan
	at    expr.Expr
	pos   expr.Pos
}

// temporalTable reads a table with FOR SYSTEM_TIME AS OF; ok is false, and nothing read, when something else comes.
func (p *parser) temporalTable() (t temporal, ok bool) {
	n := p.tableWords()
	if n == 0 || !p.ahead(n).is("FOR") || !p.ahead(n+1).is("SYSTEM_TIME") {
		return t, false
	}
	p.temporal = true
	t.table = p.table()
	p.temporal = false
	t.pos = p.expect("FOR").pos
	p.expect("SYSTEM_TIME")
	p.expect("AS")
	p.expect("OF")
	t.at = p.expr()
	t.table = p.watermarkClause(t.table)
	t.table = p.tableAlias(t.table)
	return t, true
}

// tableWords is how many tokens the name of a table has that comes next, STREAM before it included; 0 when something else
// comes.
func (p *parser) tableWords() int {
	n := 0
	if p.at("STREAM") && p.ahead(1).kind == word {
		n = 1
	}
	for {
		if k := p.ahead(n).kind; k != word && k != quoted {
			return 0
		}
		n++
		if next := p.ahead(n); next.kind != op || next.raw != "." {
			return n
		}
		n++
	}
}

// temporalJoin is what follows a temporal table: ON equalities, or USING.
func (p *parser) temporalJoin(left logical.Plan, kind logical.JoinKind, natural bool, t temporal) logical.Plan {
	if natural || kind != logical.Inner && kind != logical.LeftOuter {
		panic(p.unsupported(p.peek(), "TEMPORAL_JOIN", "A "+kind.String()+" join with FOR SYSTEM_TIME AS OF").WithFix("Use JOIN or LEFT JOIN."))
	}
	j := &logical.AsofJoin{Kind: kind, Left: left, Right: t.table, LeftTime: t.at, Versioned: true, Pos: t.pos}
	if p.accept("USING") {
		j.Using = p.nameList("column name")
		return j
	}
	p.expect("ON")
	j.Cond = p.expr()
	return j
}
