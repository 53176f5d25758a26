package sql

import (
	"errors"
	"strings"

	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/structured/logical"
	"github.com/streamflow/streamflow/structured/pattern"
)

// matchRecognize is what may follow a table (SQL:2016; WITHIN is Flink's, NO SKIP and EMIT TIMEOUTS ours):
//
//	MATCH_RECOGNIZE (
//	    [PARTITION BY expression, …] [ORDER BY expression, …] [MEASURES expression AS name, …]
//	    [ONE ROW PER MATCH | ALL ROWS PER MATCH [OMIT EMPTY MATCHES]]
//	    [AFTER MATCH SKIP PAST LAST ROW | AFTER MATCH SKIP TO NEXT ROW | AFTER MATCH SKIP TO [FIRST | LAST] variable | AFTER MATCH NO SKIP]
//	    PATTERN ( pattern ) [WITHIN interval [EMIT TIMEOUTS]] [SUBSET name = ( variable, … ), …]
//	    [DEFINE variable AS condition, …] )
func (p *parser) matchRecognize(child logical.Plan) logical.Plan {
	t := p.peek()
	if !p.at("MATCH_RECOGNIZE") || p.ahead(1).raw != "(" {
		return child
	}
	p.take()
	open := p.needSymbol("(")
	p.matches++
	m := &logical.MatchRecognize{Child: child, Pos: t.pos}
	if p.accept("PARTITION", "BY") {
		m.Partition = p.exprs()
	}
	if p.accept("ORDER", "BY") {
		m.Order = p.orders()
	}
	if p.accept("MEASURES") {
		m.Measures = p.measures()
	}
	p.rowsPerMatch(m)
	p.afterMatch(m)
	p.expect("PATTERN")
	m.Pattern = p.rowPattern()
	if p.accept("WITHIN") {
		at := p.peek()
		if m.Within = p.delay(); m.Within == 0 {
			panic(p.badInterval(at))
		}
		m.Timeouts = p.accept("EMIT", "TIMEOUTS")
	}
	if p.accept("SUBSET") {
		m.Subsets = p.subsets()
	}
	if p.accept("DEFINE") {
		m.Defines = p.defines()
	}
	p.closing(")", open)
	p.matches--
	return m
}

func (p *parser) measures() []expr.Expr {
	var list []expr.Expr
	for {
		t := p.peek()
		e := p.namedExpr()
		if a, ok := e.(*expr.Alias); !ok || len(a.Names) > 0 {
			panic(p.errorAt(t, "PARSE_SYNTAX_ERROR", "42601", "A measure needs a name.").WithFix("Write MEASURES expression AS name."))
		}
		list = append(list, e)
		if !p.symbol(",") {
			return list
		}
	}
}

func (p *parser) rowsPerMatch(m *logical.MatchRecognize) {
	switch {
	case p.accept("ONE", "ROW", "PER", "MATCH"):
	case p.accept("ALL", "ROWS", "PER", "MATCH"):
		m.AllRows = true
		p.accept("OMIT", "EMPTY", "MATCHES")
		if t := p.peek(); p.at("SHOW") || p.at("WITH") {
			panic(p.unsupported(t, "MATCH_RECOGNIZE", "SHOW EMPTY MATCHES and WITH UNMATCHED ROWS").
				WithFix("Leave it out: matches have one row at least. Join with the table to see rows without a match."))
		}
	}
}

func (p *parser) afterMatch(m *logical.MatchRecognize) {
	switch {
	case p.accept("AFTER", "MATCH", "NO", "SKIP"):
		m.Skip = pattern.NoSkip
	case p.accept("AFTER", "MATCH", "SKIP", "PAST", "LAST", "ROW"):
	case p.accept("AFTER", "MATCH", "SKIP", "TO", "NEXT", "ROW"):
		m.Skip = pattern.ToNextRow
	case p.accept("AFTER", "MATCH", "SKIP", "TO"):
		m.Skip = pattern.ToLast
		if p.at("FIRST") && p.ahead(1).kind != op && !p.ahead(1).is("PATTERN") {
			p.take()
			m.Skip = pattern.ToFirst
		} else if p.at("LAST") && p.ahead(1).kind != op && !p.ahead(1).is("PATTERN") {
			p.take()
		}
		m.SkipTo = p.name("variable")
	case p.at("AFTER"):
		p.expect("AFTER", "MATCH", "SKIP")
		p.fail()
	}
}

// rowPattern is what stands between the brackets of PATTERN, which has a grammar of its own.
func (p *parser) rowPattern() *pattern.Node {
	open := p.needSymbol("(")
	for depth := 1; depth > 0; {
		t := p.peek()
		if t.kind == eof || t.kind == unclosed {
			p.expected("')'")
			p.failOpen(open)
		}
		if t.kind == op && t.raw == "(" {
			depth++
		}
		if t.kind == op && t.raw == ")" {
			depth--
		}
		p.i++
	}
	from, to := open.end, p.toks[p.i-1].off
	n, err := pattern.Parse(p.src[from:to])
	var mistake *pattern.Error
	if errors.As(err, &mistake) {
		pos := lineAt(p.src, from+mistake.At)
		panic(p.errorAt(token{pos: pos}, "INVALID_ROW_PATTERN", "42601", "The row pattern is not valid: %s.", mistake.Message).
			WithFix("%s", orElse(mistake.Fix, "Write variables with the quantifiers *, +, ? and {n,m}, alternatives with |, and groups in brackets: PATTERN (A B+ (C | D)?).")))
	}
	return n
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// lineAt is the line and column of a byte of src.
func lineAt(src string, at int) expr.Pos {
	before := src[:at]
	line := strings.Count(before, "\n")
	return expr.Pos{Line: line + 1, Col: len([]rune(before[strings.LastIndexByte(before, '\n')+1:])) + 1}
}

func (p *parser) subsets() []logical.Subset {
	var list []logical.Subset
	for {
		s := logical.Subset{Pos: p.peek().pos, Name: p.name("subset")}
		p.needSymbol("=")
		s.Of = p.nameList("variable")
		list = append(list, s)
		if !p.symbol(",") {
			return list
		}
	}
}

func (p *parser) defines() []logical.Define {
	var list []logical.Define
	for {
		d := logical.Define{Pos: p.peek().pos, Name: p.name("variable")}
		p.expect("AS")
		d.Cond = p.expr()
		list = append(list, d)
		if !p.symbol(",") {
			return list
		}
	}
}

// semantics is RUNNING or FINAL before a function of a measure: a call by that name around it.
func (p *parser) semantics() expr.Expr {
	t := p.take()
	return &expr.UnresolvedCall{Name: strings.ToLower(t.raw), Args: []expr.Expr{p.primary()}, Pos: t.pos}
}

// atSemantics reports whether RUNNING or FINAL comes next, within MATCH_RECOGNIZE and before a call.
func (p *parser) atSemantics() bool {
	return p.matches > 0 && (p.at("RUNNING") || p.at("FINAL")) && p.ahead(1).kind == word
}
