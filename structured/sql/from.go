package sql

import (
	"strconv"
	"strings"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/structured/logical"
)

// from is the relations after FROM; a comma is a cross join.
func (p *parser) from() logical.Plan {
	if p.at("LATERAL") && !p.ahead(1).is("VIEW") {
		p.take() // it has nothing to its left to read
	}
	plan := p.joined()
	for p.symbol(",") {
		if t := p.peek(); p.atLateral() {
			p.take()
			plan = p.joinedTo(&logical.LateralJoin{Kind: logical.Cross, Left: plan, Right: p.relation(), Pos: t.pos})
			continue
		}
		plan = &logical.Join{Kind: logical.Cross, Left: plan, Right: p.joined()}
	}
	return plan
}

// joined is a relation and the joins that follow it.
func (p *parser) joined() logical.Plan { return p.joinedTo(p.relation()) }

func (p *parser) joinedTo(left logical.Plan) logical.Plan {
	for {
		if asof := p.asofJoin(left); asof != nil {
			left = asof
			continue
		}
		natural, kind, ok := p.joinKind()
		if !ok {
			return left
		}
		if p.atLateral() {
			left = p.lateralJoin(left, kind)
			continue
		}
		if t, ok := p.temporalTable(); ok {
			left = p.temporalJoin(left, kind, natural, t)
			continue
		}
		j := &logical.Join{Kind: kind, Natural: natural, Left: left, Right: p.relation()}
		p.joinCondition(j)
		left = j
	}
}

func (p *parser) atLateral() bool { return p.at("LATERAL") && !p.ahead(1).is("VIEW") }

// lateralJoin is what follows JOIN: LATERAL relation [ON condition].
func (p *parser) lateralJoin(left logical.Plan, kind logical.JoinKind) logical.Plan {
	t := p.expect("LATERAL")
	j := &logical.LateralJoin{Kind: kind, Left: left, Right: p.relation(), Pos: t.pos}
	if p.accept("ON") {
		j.Cond = p.expr()
	}
	if p.at("USING") {
		panic(p.unsupported(p.peek(), "LATERAL_JOIN_USING", "USING of a lateral join").WithFix("Write ON."))
	}
	return j
}

// asofJoin is [LEFT [OUTER] | INNER] ASOF JOIN relation MATCH_CONDITION (a >= b) [ON … | USING (…)]; nil when something else comes next.
func (p *parser) asofJoin(left logical.Plan) logical.Plan {
	j := &logical.AsofJoin{Kind: logical.Inner, Left: left, Pos: p.peek().pos}
	switch {
	case p.at("ASOF", "JOIN"):
		p.take()
	case p.at("ASOF", "LEFT"), p.at("ASOF", "INNER"): // as some write it
		p.take()
		if p.take().is("LEFT") {
			p.accept("OUTER")
			j.Kind = logical.LeftOuter
		}
	case p.at("LEFT", "ASOF", "JOIN"), p.at("LEFT", "OUTER", "ASOF"):
		p.take()
		p.accept("OUTER")
		p.take()
		j.Kind = logical.LeftOuter
	case p.at("INNER", "ASOF", "JOIN"):
		p.take()
		p.take()
	default:
		return nil
	}
	p.expect("JOIN")
	j.Right = p.relation()
	p.expect("MATCH_CONDITION")
	open := p.peek()
	bracketed := p.symbol("(")
	j.Match = p.expr()
	if bracketed {
		p.closing(")", open)
	}
	switch {
	case p.accept("ON"):
		j.Cond = p.expr()
	case p.accept("USING"):
		j.Using = p.nameList("column name")
	}
	return j
}

// joinKinds are the words before JOIN, longest first.
var joinKinds = []struct {
	words []string
	kind  logical.JoinKind
}{
	{[]string{"LEFT", "OUTER"}, logical.LeftOuter}, {[]string{"LEFT", "SEMI"}, logical.LeftSemi}, {[]string{"LEFT", "ANTI"}, logical.LeftAnti},
	{[]string{"RIGHT", "OUTER"}, logical.RightOuter}, {[]string{"FULL", "OUTER"}, logical.FullOuter},
	{[]string{"LEFT"}, logical.LeftOuter}, {[]string{"RIGHT"}, logical.RightOuter}, {[]string{"FULL"}, logical.FullOuter},
	{[]string{"INNER"}, logical.Inner}, {[]string{"CROSS"}, logical.Cross}, {[]string{"SEMI"}, logical.LeftSemi}, {[]string{"ANTI"}, logical.LeftAnti},
}

// joinKind takes [NATURAL] kind JOIN.
func (p *parser) joinKind() (natural bool, kind logical.JoinKind, ok bool) {
	natural = p.accept("NATURAL")
	for _, k := range joinKinds {
		if p.at(k.words...) && (natural || p.ahead(len(k.words)).is("JOIN")) {
			p.accept(k.words...)
			p.expect("JOIN")
			return natural, k.kind, true
		}
	}
	if p.accept("JOIN") {
		return natural, logical.Inner, true
	}
	if natural {
		p.fail()
	}
	for _, k := range []string{"LEFT", "RIGHT", "FULL", "INNER", "CROSS"} {
		if p.at(k) { // LEFT OUTER without JOIN
			p.take()
			p.accept("OUTER")
			p.expect("JOIN")
		}
		p.expected(k + " JOIN")
	}
	return false, 0, false
}

func (p *parser) joinCondition(j *logical.Join) {
	switch {
	case j.Natural:
	case p.accept("ON"):
		j.Cond = p.expr()
	case p.accept("USING"):
		j.Using = p.nameList("column name")
	}
	if j.Kind == logical.Cross && j.Cond != nil {
		j.Kind = logical.Inner
	}
}

// relation is a table, subquery, VALUES or table function, with its alias and what may follow.
func (p *parser) relation() logical.Plan {
	defer p.nested()()
	t := p.peek()
	var plan logical.Plan
	switch {
	case p.atSymbol("("):
		plan = p.bracketedRelation()
	case p.at("VALUES") && p.valuesFollow():
		return p.values()
	case p.atWindowTable():
		plan = p.windowTable()
	case p.atProcess():
		plan = p.process()
	case p.isTableFunc():
		plan = p.tableFunc()
	case t.kind == word && notOperand[strings.ToUpper(t.raw)]:
		p.expected("table name")
		p.expected("'('")
		p.fail()
	default:
		plan = p.table()
	}
	plan = p.matchRecognize(p.watermarkClause(plan))
	plan = p.sample(p.tableAlias(p.sample(plan)))
	if p.at("MATCH_RECOGNIZE") {
		plan = p.tableAlias(p.matchRecognize(plan))
	}
	return p.pivots(plan)
}

// bracketedRelation is (query) or (relation join relation).
func (p *parser) bracketedRelation() logical.Plan {
	isQuery := p.atQuery()
	open := p.needSymbol("(")
	var plan logical.Plan
	if isQuery || p.at("TABLE") {
		plan = p.query()
	} else {
		plan = p.from()
	}
	p.closing(")", open)
	return plan
}

// table is [STREAM] name, STREAM(name), or format.`path`.
func (p *parser) table() logical.Plan {
	t := p.peek()
	if next := p.ahead(1); t.is("STREAM") && next.kind == op && next.raw == "(" {
		p.take()
		p.take()
		u := p.namedTable()
		p.closing(")", next)
		u.Streaming = true
		return u
	}
	if next := p.ahead(1); t.is("STREAM") && (next.kind == quoted || next.kind == word && !notAlias[strings.ToUpper(next.raw)]) {
		p.take()
		u := p.namedTable()
		u.Streaming = true
		return u
	}
	return p.namedTable()
}

// fileFormats may stand before a path in backquotes: SELECT … FROM parquet.`/data/x.parquet`.
var fileFormats = set("PARQUET CSV JSON ORC AVRO TEXT DELTA")

func (p *parser) namedTable() *logical.UnresolvedTable {
	t := p.peek()
	parts := p.names("table name")
	if len(parts) == 2 && fileFormats[strings.ToUpper(parts[0])] && p.toks[p.i-1].kind == quoted {
		return &logical.UnresolvedTable{Format: strings.ToLower(parts[0]), Paths: parts[1:], Pos: t.pos}
	}
	u := &logical.UnresolvedTable{Parts: parts, Pos: t.pos}
	if t := p.peek(); p.at("TIMESTAMP", "AS", "OF") || p.at("VERSION", "AS", "OF") || p.at("FOR") && !p.temporal {
		panic(p.unsupported(t, "TIME_TRAVEL", "AS OF").WithFix("Run the program with --from and --to to read a part of history."))
	}
	return u
}

func (p *parser) isTableFunc() bool {
	t, next := p.peek(), p.ahead(1)
	return t.kind == word && next.kind == op && next.raw == "(" && !t.is("STREAM")
}

func (p *parser) tableFunc() logical.Plan {
	t := p.peek()
	name := p.name("table function")
	open := p.needSymbol("(")
	f := &logical.TableFunc{Name: name, Pos: t.pos}
	switch {
	case p.atSymbol(")"):
	case strings.EqualFold(name, "state"):
		p.stateArgs(f)
	default:
		f.Args = p.args()
	}
	p.closing(")", open)
	return f
}

// stateArgs are arguments of which some may be named: version => 7.
func (p *parser) stateArgs(f *logical.TableFunc) {
	for {
		name := ""
		if next := p.ahead(1); next.kind == op && next.raw == "=>" {
			name = p.name("argument")
			p.needSymbol("=>")
		}
		f.Args, f.Names = append(f.Args, p.namedExpr()), append(f.Names, name)
		if !p.symbol(",") {
			return
		}
	}
}

// tableAlias reads [AS] alias [(columns)].
func (p *parser) tableAlias(plan logical.Plan) logical.Plan {
	alias, ok := "", false
	if p.accept("AS") {
		alias, ok = p.name("alias"), true
	} else {
		alias, ok = p.implicitAlias()
	}
	if !ok {
		return plan
	}
	var cols []string
	if p.atSymbol("(") {
		cols = p.nameList("column name")
	}
	return &logical.SubqueryAlias{Alias: alias, Names: cols, Child: plan}
}

// watermarkClause is WATERMARK column DELAY [OF] interval.
func (p *parser) watermarkClause(plan logical.Plan) logical.Plan {
	if !p.at("WATERMARK") || p.ahead(1).kind != word && p.ahead(1).kind != quoted {
		return plan
	}
	p.take()
	t := p.peek()
	col := &expr.UnresolvedAttr{Parts: p.names("column"), Pos: t.pos}
	p.expect("DELAY")
	p.accept("OF")
	return &logical.Watermark{Col: col, Delay: p.delay(), Child: plan}
}

// delay is an interval of days and less, in microseconds.
func (p *parser) delay() int64 {
	t := p.peek()
	if t.kind == text {
		if us, ok := ParseInterval(t.val); ok && us >= 0 {
			p.take()
			return us
		}
		panic(p.badInterval(t))
	}
	l, ok := p.interval().(*expr.Literal)
	if !ok || l.Typ.Kind != column.IntervalDT || l.Value.(int64) < 0 {
		panic(p.errorAt(t, "CANNOT_PARSE_INTERVAL", "22006", "A watermark's delay is a constant of days, hours, minutes or seconds, not negative.").
			WithFix("Write INTERVAL 30 MINUTES."))
	}
	return l.Value.(int64)
}

// sample is TABLESAMPLE (n PERCENT | n ROWS | BUCKET i OUT OF n) [REPEATABLE (seed)].
func (p *parser) sample(plan logical.Plan) logical.Plan {
	if !p.at("TABLESAMPLE") {
		return plan
	}
	p.take()
	p.accept("SYSTEM")
	open := p.needSymbol("(")
	s := &logical.Sample{Child: plan}
	t := p.peek()
	switch {
	case p.accept("BUCKET"):
		i := p.integerToken()
		p.expect("OUT", "OF")
		n := p.integerToken()
		if n < 1 || i < 0 || i > n {
			panic(p.errorAt(t, "_LEGACY_ERROR_TEMP_0064", "42601", "There is no bucket %d out of %d.", i, n).WithFix("Write BUCKET 1 OUT OF 10."))
		}
		s.Upper = float64(i) / float64(n)
	default:
		v, err := strconv.ParseFloat(t.val, 64)
		if t.kind != number || err != nil {
			p.expected("number")
			p.fail()
		}
		p.take()
		if p.accept("ROWS") {
			p.closing(")", open)
			return &logical.Limit{N: int64(v), Child: plan}
		}
		p.expect("PERCENT")
		if v > 100 {
			panic(p.errorAt(t, "INVALID_PARAMETER_VALUE.SAMPLE", "22023", "A sample of %v percent is more than there is.", v).WithFix("Use a number from 0 to 100."))
		}
		s.Upper = v / 100
	}
	p.closing(")", open)
	if p.accept("REPEATABLE") {
		open := p.needSymbol("(")
		s.Seed = int64(p.integerToken())
		p.closing(")", open)
	}
	return s
}

// lateralView is LATERAL VIEW [OUTER] f(…) [alias] [AS columns].
func (p *parser) lateralView(child logical.Plan) logical.Plan {
	p.expect("LATERAL", "VIEW")
	v := &logical.LateralView{Child: child, Outer: p.accept("OUTER")}
	t := p.peek()
	v.Pos = t.pos
	v.Call = p.funcCall(t, strings.Join(p.names("function"), "."))
	if !p.at("AS") {
		v.Alias, _ = p.implicitAlias()
	}
	if p.accept("AS") {
		v.Names = []string{p.name("column name")}
		for p.symbol(",") {
			v.Names = append(v.Names, p.name("column name"))
		}
	}
	return v
}
