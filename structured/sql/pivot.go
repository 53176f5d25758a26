package sql

import (
	"strings"

	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/structured/logical"
)

// pivots reads PIVOT and UNPIVOT after a relation, each with an alias of its own.
func (p *parser) pivots(plan logical.Plan) logical.Plan {
	for {
		switch next := p.ahead(1); {
		case p.at("PIVOT") && next.raw == "(":
			plan = p.tableAlias(p.pivot(plan))
		case p.at("UNPIVOT") && (next.raw == "(" || next.is("INCLUDE") || next.is("EXCLUDE")):
			plan = p.tableAlias(p.unpivot(plan))
		default:
			return plan
		}
	}
}

// pivot is PIVOT (agg [AS a], … FOR col | (col, …) IN (value [AS name], …)).
func (p *parser) pivot(child logical.Plan) logical.Plan {
	at := p.expect("PIVOT")
	open := p.needSymbol("(")
	v := &logical.Pivot{Child: child, Pos: at.pos, Aggs: []expr.Expr{p.namedExpr()}}
	for p.symbol(",") {
		v.Aggs = append(v.Aggs, p.namedExpr())
	}
	p.expect("FOR")
	v.Cols = p.columnOrColumns()
	p.expect("IN")
	list := p.needSymbol("(")
	v.Values = []expr.Expr{p.namedExpr()}
	for p.symbol(",") {
		v.Values = append(v.Values, p.namedExpr())
	}
	p.closing(")", list)
	p.closing(")", open)
	return v
}

// columnOrColumns is a column, or several in brackets.
func (p *parser) columnOrColumns() []expr.Expr {
	open := p.peek()
	if !p.symbol("(") {
		return []expr.Expr{p.columnName()}
	}
	list := []expr.Expr{p.columnName()}
	for p.symbol(",") {
		list = append(list, p.columnName())
	}
	p.closing(")", open)
	return list
}

func (p *parser) columnName() expr.Expr {
	t := p.peek()
	return &expr.UnresolvedAttr{Parts: p.names("column name"), Pos: t.pos}
}

// unpivot is UNPIVOT [INCLUDE | EXCLUDE NULLS] (value | (value, …) FOR name IN (column | (column, …) [AS label], …)).
func (p *parser) unpivot(child logical.Plan) logical.Plan {
	p.expect("UNPIVOT")
	u := &logical.UnpivotColumns{Child: child, IncludeNulls: p.accept("INCLUDE", "NULLS")}
	if !u.IncludeNulls {
		p.accept("EXCLUDE", "NULLS")
	}
	open := p.needSymbol("(")
	if p.atSymbol("(") {
		u.ValueCols = p.nameList("column name")
	} else {
		u.ValueCols = []string{p.name("column name")}
	}
	p.expect("FOR")
	u.NameCol = p.name("column name")
	p.expect("IN")
	list := p.needSymbol("(")
	for {
		t := p.peek()
		g := logical.UnpivotGroup{Cols: p.columnOrColumns()}
		if len(g.Cols) != len(u.ValueCols) {
			panic(p.errorAt(t, "UNPIVOT_VALUE_SIZE_MISMATCH", "428C4", "All unpivot value columns must have the same size as there are value column names (%s).", strings.Join(u.ValueCols, ", ")).
				WithFix("Write one column for each of them, in brackets."))
		}
		if p.accept("AS") || p.peek().kind == text || p.peek().kind == quoted || p.peek().kind == word {
			g.Label = p.nameOrString()
		}
		u.Groups = append(u.Groups, g)
		if !p.symbol(",") {
			break
		}
	}
	p.closing(")", list)
	p.closing(")", open)
	return u
}
