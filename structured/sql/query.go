package sql

import (
	"strings"

	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/structured/logical"
)

// query is [WITH …] body [ORDER BY …] [LIMIT …] [OFFSET …].
func (p *parser) query() logical.Plan {
	defer p.nested()()
	with := p.ctes()
	plan := p.piped(p.organised(p.setOps(0)))
	if with == nil {
		return plan
	}
	with.Child = plan
	return with
}

// ctes reads WITH [RECURSIVE] a [(cols)] [MAX RECURSION LEVEL n] AS (query), ….
func (p *parser) ctes() *logical.With {
	if !p.accept("WITH") {
		return nil
	}
	w := &logical.With{}
	if p.at("RECURSIVE") && (p.ahead(1).kind == word || p.ahead(1).kind == quoted) && !p.ahead(1).is("AS") {
		p.take()
		w.Recursive = true
	}
	for {
		at := p.peek()
		name := p.name("name")
		for _, n := range w.Names {
			if strings.EqualFold(n, name) {
				panic(p.errorAt(at, "DUPLICATED_CTE_NAMES", "42602", "The name `%s` stands twice in WITH.", name).WithFix("Give each common table expression its own name."))
			}
		}
		var cols []string
		if p.atSymbol("(") {
			cols = p.nameList("column name")
		}
		if p.accept("MAX", "RECURSION", "LEVEL") {
			for len(w.Levels) < len(w.Names) {
				w.Levels = append(w.Levels, 0)
			}
			w.Levels = append(w.Levels, int64(p.integerToken()))
		}
		p.accept("AS")
		open := p.needSymbol("(")
		q := p.query()
		p.closing(")", open)
		w.Names = append(w.Names, name)
		w.Plans = append(w.Plans, &logical.SubqueryAlias{Alias: name, Names: cols, Child: q})
		if !p.symbol(",") {
			return w
		}
	}
}

// setOps reads select bodies joined by UNION and EXCEPT (power 0) and INTERSECT (power 1, tighter).
func (p *parser) setOps(pow int) logical.Plan {
	left := p.body()
	for {
		t := p.peek()
		switch {
		case pow == 0 && p.accept("UNION"):
			left = p.union(left)
		case pow == 0 && (p.accept("EXCEPT") || p.accept("MINUS") || p.accept("SETMINUS")):
			left = &logical.SetOp{All: p.all(), Except: true, Left: left, Right: p.setOps(1), Pos: t.pos}
		case p.accept("INTERSECT"):
			left = &logical.SetOp{All: p.all(), Left: left, Right: p.body(), Pos: t.pos}
		default:
			return left
		}
	}
}

// all is ALL, or DISTINCT, which is the same as neither.
func (p *parser) all() bool {
	if p.accept("ALL") {
		return true
	}
	p.accept("DISTINCT")
	return false
}

// union reads what follows UNION. Neighbouring UNION ALLs become one node.
func (p *parser) union(left logical.Plan) logical.Plan {
	all := p.all()
	byName := p.accept("BY", "NAME")
	right := p.setOps(1)
	u := &logical.Union{Kids: []logical.Plan{left, right}, ByName: byName}
	if l, ok := left.(*logical.Union); ok && all && l.ByName == byName {
		u.Kids = append(append([]logical.Plan{}, l.Kids...), right)
	}
	if all {
		return u
	}
	return &logical.Dedup{Child: u}
}

// body is a SELECT, VALUES, TABLE t, or a query in brackets.
func (p *parser) body() logical.Plan {
	t := p.peek()
	switch {
	case p.at("SELECT"):
		return p.selectQuery()
	case p.at("VALUES"):
		return p.values()
	case p.at("TABLE") && p.ahead(1).kind != op:
		p.take()
		return p.table()
	case p.atSymbol("("):
		p.take()
		q := p.query()
		p.closing(")", t)
		return q
	case p.at("FROM"):
		return p.fromFirst()
	}
	p.expected("SELECT")
	p.expected("VALUES")
	p.expected("WITH")
	p.fail()
	return nil
}

// organised reads the clauses that apply to a whole query: its order, its partitions and its length.
func (p *parser) organised(plan logical.Plan) logical.Plan {
	switch t := p.peek(); {
	case p.accept("ORDER", "BY"):
		plan = &logical.Sort{Orders: p.orders(), Global: true, Child: plan}
	case p.accept("SORT", "BY"):
		plan = &logical.Sort{Orders: p.orders(), Child: plan}
	case p.accept("DISTRIBUTE", "BY"):
		plan = &logical.Repartition{Keys: p.exprs(), Child: plan}
		if p.accept("SORT", "BY") {
			plan = &logical.Sort{Orders: p.orders(), Child: plan}
		}
	case p.accept("CLUSTER", "BY"):
		keys := p.exprs()
		orders := make([]*expr.SortOrder, len(keys))
		for i, k := range keys {
			orders[i] = &expr.SortOrder{Child: k, NullsFirst: true}
		}
		plan = &logical.Sort{Orders: orders, Child: &logical.Repartition{Keys: keys, Child: plan}}
	case p.at("WINDOW") && p.ahead(1).kind == word && p.ahead(2).is("AS"):
		panic(p.unsupported(t, "WINDOW_FUNCTION", "the WINDOW clause"))
	case p.at("QUALIFY"):
		panic(p.unsupported(t, "QUALIFY", "QUALIFY"))
	}
	return p.limits(plan)
}

// limits reads LIMIT n, LIMIT ALL and OFFSET n in either order.
func (p *parser) limits(plan logical.Plan) logical.Plan {
	n, offset, any := int64(-1), int64(0), false
	for k := 0; k < 2; k++ {
		switch {
		case p.accept("LIMIT"):
			any = true
			if !p.accept("ALL") {
				n = p.count("LIMIT")
			}
		case p.accept("OFFSET"):
			any = true
			offset = p.count("OFFSET")
		}
	}
	if !any || n < 0 && offset == 0 {
		return plan
	}
	return &logical.Limit{N: n, Offset: offset, Child: plan}
}

// count is the number of a LIMIT or OFFSET: a constant that is not negative.
func (p *parser) count(clause string) int64 {
	t := p.peek()
	if l := constant(p.expr()); l != nil && l.Typ.IsInteger() && l.Value != nil {
		if n := l.Value.(int64); n >= 0 {
			return n
		}
		panic(p.errorAt(t, "INVALID_LIMIT_LIKE_EXPRESSION.IS_NEGATIVE", "42K0E", "The number of %s must not be negative.", clause).With("name", strings.ToLower(clause)))
	}
	panic(p.errorAt(t, "INVALID_LIMIT_LIKE_EXPRESSION.IS_UNFOLDABLE", "42K0E", "%s takes a whole number.", clause).
		With("name", strings.ToLower(clause)).WithFix("Write the number itself, such as %s 10.", clause))
}

// constant is the value of an expression that reads nothing; nil for another.
func constant(e expr.Expr) *expr.Literal {
	e = expr.Transform(e, func(x expr.Expr) expr.Expr {
		if c, ok := x.(*expr.UnresolvedCall); ok {
			if r, err := expr.ResolveCall(c); err == nil {
				return r
			}
		}
		return x
	})
	l, err := expr.EvalLiteral(e)
	if err != nil {
		return nil
	}
	return l
}

// orders is ALL, or a list of keys, each with its direction. ALL is one key, a star.
func (p *parser) orders() []*expr.SortOrder {
	all := p.at("ALL") && (p.ahead(1).kind == eof || p.ahead(1).kind == op || notAlias[strings.ToUpper(p.ahead(1).raw)])
	var list []*expr.SortOrder
	for {
		o := &expr.SortOrder{}
		if t := p.peek(); all {
			p.take()
			o.Child = &expr.Star{Pos: t.pos}
		} else {
			o.Child = p.expr()
		}
		if p.accept("DESC") {
			o.Desc = true
		} else {
			p.accept("ASC")
		}
		o.NullsFirst = !o.Desc
		switch {
		case p.accept("NULLS", "FIRST"):
			o.NullsFirst = true
		case p.accept("NULLS", "LAST"):
			o.NullsFirst = false
		}
		list = append(list, o)
		if all || !p.comma() {
			return list
		}
	}
}

// values is VALUES row, row with an optional alias, as a query or in FROM.
func (p *parser) values() logical.Plan {
	at := p.expect("VALUES")
	v := &logical.UnresolvedValues{}
	for {
		row := p.valuesRow()
		if len(v.Rows) > 0 && len(row) != len(v.Rows[0]) {
			panic(p.errorAt(at, "INVALID_INLINE_TABLE.NUM_COLUMNS_MISMATCH", "42000", "The rows of VALUES have %d and %d columns.", len(v.Rows[0]), len(row)).
				WithFix("Give every row the same number of values."))
		}
		v.Rows = append(v.Rows, row)
		if !p.symbol(",") {
			break
		}
	}
	return p.tableAlias(v)
}

// valuesFollow tells VALUES 1, 2 from a table of that name.
func (p *parser) valuesFollow() bool {
	switch next := p.ahead(1); next.kind {
	case number, text:
		return true
	case op:
		return next.raw == "(" || next.raw == "-" || next.raw == "+"
	case word:
		return next.is("NULL") || next.is("TRUE") || next.is("FALSE") || p.ahead(2).kind == text || next.is("ARRAY") || next.is("INTERVAL")
	}
	return false
}

func (p *parser) valuesRow() []expr.Expr {
	open := p.peek()
	if !p.symbol("(") {
		return []expr.Expr{p.expr()}
	}
	row := p.exprs()
	p.closing(")", open)
	return row
}
