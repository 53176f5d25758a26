package sql

import (
	"strings"

	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/structured/logical"
)

// selectQuery is SELECT … up to HAVING, QUALIFY and WINDOW.
func (p *parser) selectQuery() logical.Plan { return p.selectFrom(nil) }

// selectFrom is a SELECT whose relations were given before it, or nil.
func (p *parser) selectFrom(given logical.Plan) logical.Plan {
	before := len(p.named)
	p.expect("SELECT")
	hints := p.hints()
	if t := p.peek(); t.is("TRANSFORM") && p.ahead(1).raw == "(" && p.ahead(1).kind == op {
		if end := p.matching(p.i + 1); end+1 < len(p.toks) && p.toks[end+1].is("USING") {
			panic(p.unsupported(t, "TRANSFORM", "SELECT TRANSFORM"))
		}
	}
	distinct := p.accept("DISTINCT")
	if !distinct {
		p.accept("ALL")
	}
	list := p.selectList()
	from := given
	if from == nil {
		from = &logical.UnresolvedValues{Rows: [][]expr.Expr{{}}} // SELECT without FROM: one row of no columns
		if p.accept("FROM") {
			from = p.from()
		}
	}
	for p.at("LATERAL", "VIEW") {
		from = p.lateralView(from)
	}
	for i := len(hints) - 1; i >= 0; i-- {
		if ofResult[hints[i].name] {
			continue
		}
		from = &logical.Hint{Name: hints[i].name, Args: hints[i].args, Child: from}
	}
	if p.accept("WHERE") {
		from = &logical.Filter{Cond: p.expr(), Child: from}
	}
	plan := p.grouped(list, from)
	p.windowClause(before)
	if distinct {
		plan = &logical.Dedup{Child: plan}
	}
	for _, h := range hints {
		if ofResult[h.name] {
			plan = &logical.Hint{Name: h.name, Args: h.args, Child: plan}
		}
	}
	return plan
}

// ofResult are the hints that are about what the SELECT computes, not about what it reads.
var ofResult = set(`name state_ttl`)

func (p *parser) selectList() []expr.Expr {
	list := []expr.Expr{p.namedExpr()}
	for p.symbol(",") {
		list = append(list, p.namedExpr())
	}
	return list
}

// grouped reads GROUP BY and HAVING. Without either, a list that has aggregates at its top is left to the analyser, which
// alone knows which functions those are.
func (p *parser) grouped(list []expr.Expr, from logical.Plan) logical.Plan {
	a := &logical.Aggregate{List: list, Child: from}
	grouped := p.accept("GROUP", "BY")
	if grouped {
		p.groupBy(a)
	}
	if p.accept("HAVING") {
		a.Having = p.expr()
		grouped = true
	}
	plan := logical.Plan(a)
	if !grouped {
		plan = &logical.Project{List: list, Child: from}
	}
	if p.accept("QUALIFY") {
		return &logical.Qualify{Cond: p.expr(), Child: plan}
	}
	return plan
}

type hintCall struct {
	name string
	args []string
}

// hints reads /*+ NAME(t, …), NAME … */. Names that mean nothing here are left for the analyser to ignore.
func (p *parser) hints() []hintCall {
	var list []hintCall
	for p.peek().kind == hint {
		open := p.take()
		for !p.atSymbol("*/") {
			h := hintCall{name: strings.ToLower(p.name("hint"))}
			if p.symbol("(") {
				for !p.symbol(")") {
					t := p.peek()
					if t.kind == number || t.kind == text {
						h.args = append(h.args, p.take().val)
					} else {
						h.args = append(h.args, strings.Join(p.names("table"), "."))
					}
					p.symbol(",")
				}
			}
			list = append(list, h)
			p.symbol(",")
		}
		p.closing("*/", open)
	}
	return list
}
