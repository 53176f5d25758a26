package sql

import (
	"strings"

	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/structured/logical"
)

// fromFirst is FROM relations, as a query that SELECT or pipes follow.
func (p *parser) fromFirst() logical.Plan {
	p.expect("FROM")
	plan := p.from()
	for p.at("LATERAL", "VIEW") {
		plan = p.lateralView(plan)
	}
	if !p.at("SELECT") && !p.at("WHERE") {
		return plan
	}
	var where expr.Expr
	if p.accept("WHERE") {
		where = p.expr()
	}
	if !p.at("SELECT") {
		return filtered(plan, where)
	}
	return p.selectFrom(filtered(plan, where))
}

func filtered(plan logical.Plan, cond expr.Expr) logical.Plan {
	if cond == nil {
		return plan
	}
	return &logical.Filter{Cond: cond, Child: plan}
}

// pipeOp is an operator after |>.
type pipeOp struct {
	words []string
	rule  func(*parser, logical.Plan) logical.Plan
}

var pipeOps []pipeOp

func init() {
	pipeOps = []pipeOp{
		{[]string{"SELECT"}, (*parser).pipeSelect},
		{[]string{"EXTEND"}, func(p *parser, in logical.Plan) logical.Plan {
			p.take()
			return &logical.Project{List: append([]expr.Expr{&expr.Star{}}, p.selectList()...), Child: in}
		}},
		{[]string{"SET"}, (*parser).pipeSet},
		{[]string{"DROP"}, (*parser).pipeDrop},
		{[]string{"AS"}, func(p *parser, in logical.Plan) logical.Plan {
			p.take()
			return &logical.SubqueryAlias{Alias: p.name("alias"), Child: in}
		}},
		{[]string{"WHERE"}, func(p *parser, in logical.Plan) logical.Plan {
			p.take()
			return &logical.Filter{Cond: p.expr(), Child: nested(in)}
		}},
		{[]string{"AGGREGATE"}, (*parser).pipeAggregate},
		{[]string{"PIVOT"}, func(p *parser, in logical.Plan) logical.Plan { return p.pivots(in) }},
		{[]string{"UNPIVOT"}, func(p *parser, in logical.Plan) logical.Plan { return p.pivots(in) }},
		{[]string{"TABLESAMPLE"}, (*parser).sample},
		{[]string{"UNION"}, (*parser).pipeSetOp}, {[]string{"EXCEPT"}, (*parser).pipeSetOp}, {[]string{"MINUS"}, (*parser).pipeSetOp}, {[]string{"INTERSECT"}, (*parser).pipeSetOp},
		{[]string{"ORDER", "BY"}, (*parser).organised}, {[]string{"SORT", "BY"}, (*parser).organised},
		{[]string{"DISTRIBUTE", "BY"}, (*parser).organised}, {[]string{"CLUSTER", "BY"}, (*parser).organised},
		{[]string{"LIMIT"}, (*parser).limits}, {[]string{"OFFSET"}, (*parser).limits},
	}
}

// piped applies |> operators to a query, each to what the one before it makes.
func (p *parser) piped(plan logical.Plan) logical.Plan {
	for p.atSymbol("|>") {
		p.take()
		plan = p.pipe(plan)
	}
	return plan
}

func (p *parser) pipe(in logical.Plan) logical.Plan {
	for _, o := range pipeOps {
		if p.at(o.words...) {
			return o.rule(p, in)
		}
		p.expected(strings.Join(o.words, " "))
	}
	before := p.i
	if out := p.joinedTo(in); p.i > before {
		return out
	}
	p.fail()
	return nil
}

// nested keeps a condition from being taken for a HAVING of the query below.
func nested(in logical.Plan) logical.Plan {
	switch in.(type) {
	case *logical.Project, *logical.Aggregate:
		return &logical.Project{List: []expr.Expr{&expr.Star{}}, Child: in}
	}
	return in
}

func (p *parser) pipeSelect(in logical.Plan) logical.Plan {
	p.take()
	distinct := p.accept("DISTINCT")
	if !distinct {
		p.accept("ALL")
	}
	out := logical.Plan(&logical.Project{List: p.selectList(), Child: in})
	if distinct {
		return &logical.Dedup{Child: out}
	}
	return out
}

// pipeSet is SET column = expression, …: later ones see earlier ones.
func (p *parser) pipeSet(in logical.Plan) logical.Plan {
	p.take()
	for {
		name := p.name("column name")
		p.needSymbol("=")
		in = &logical.WithColumns{Cols: []*expr.Alias{{Child: p.expr(), Name: name}}, Child: in}
		if !p.symbol(",") {
			return in
		}
	}
}

func (p *parser) pipeDrop(in logical.Plan) logical.Plan {
	p.take()
	d := &logical.DropColumns{Child: in}
	for {
		t := p.peek()
		d.Cols = append(d.Cols, &expr.UnresolvedAttr{Parts: []string{p.name("column name")}, Pos: t.pos})
		if !p.symbol(",") {
			return d
		}
	}
}

// pipeAggregate is AGGREGATE [aggregates] [GROUP BY keys]: the keys come first in the result.
func (p *parser) pipeAggregate(in logical.Plan) logical.Plan {
	p.take()
	a := &logical.Aggregate{Child: in}
	var aggs []expr.Expr
	if !p.at("GROUP", "BY") {
		aggs = p.selectList()
	}
	if p.accept("GROUP", "BY") {
		for {
			k := p.namedExpr()
			a.List = append(a.List, k)
			if l, ok := k.(*expr.Alias); ok {
				k = l.Child
			}
			a.Keys = append(a.Keys, k)
			if !p.symbol(",") {
				break
			}
		}
	}
	a.List = append(a.List, aggs...)
	return a
}

// pipeSetOp is UNION, EXCEPT or INTERSECT with a query in brackets or a body.
func (p *parser) pipeSetOp(in logical.Plan) logical.Plan {
	t := p.take()
	switch {
	case t.is("UNION"):
		return p.union(in)
	case t.is("INTERSECT"):
		return &logical.SetOp{All: p.all(), Left: in, Right: p.body(), Pos: t.pos}
	}
	return &logical.SetOp{All: p.all(), Except: true, Left: in, Right: p.body(), Pos: t.pos}
}
