package sql

import (
	"sort"
	"strings"

	"github.com/streamflow/streamflow/structured/logical"
)

// statements maps the first word of a statement to its rule. Queries are what remains.
var statements map[string]func(*parser) logical.Plan

func init() {
	statements = map[string]func(*parser) logical.Plan{
		"CREATE": (*parser).create, "DROP": (*parser).drop, "INSERT": (*parser).insert, "SHOW": (*parser).show,
		"DESCRIBE": (*parser).describe, "DESC": (*parser).describe, "EXPLAIN": (*parser).explain,
		"ALTER": (*parser).alter, "DELETE": (*parser).deleteFrom, "UPDATE": (*parser).update, "MERGE": (*parser).merge,
		"TRUNCATE": (*parser).truncate, "CACHE": (*parser).cacheTable, "UNCACHE": (*parser).uncacheTable, "CLEAR": (*parser).clearCache, "REFRESH": (*parser).refresh,
		"SET": (*parser).setConf, "RESET": (*parser).resetConf, "USE": (*parser).use, "STOP": (*parser).stop,
		"ANALYZE": (*parser).analyze,
		"PAUSE":   (*parser).manage, "RESUME": (*parser).manage, "REPLAY": (*parser).replay,
	}
}

// refused are statements of Spark that this engine does not carry out.
var refused = set(`CALL COMMENT COMMIT EXECUTE EXPORT GRANT IMPORT LIST LOAD LOCK MSCK REPAIR
	REPLACE REVOKE ROLLBACK START UNLOCK DECLARE BEGIN ADD`)

// statement is a command or a query.
func (p *parser) statement() logical.Plan {
	t := p.peek()
	if t.kind == word {
		w := strings.ToUpper(t.raw)
		if rule, ok := statements[w]; ok {
			return rule(p)
		}
		if refused[w] {
			panic(p.unsupported(t, "STATEMENT", "the statement "+w))
		}
	}
	if t.kind == eof || t.raw == ";" {
		panic(p.errorAt(t, "PARSE_EMPTY_STATEMENT", "42617", "There is no statement here.").WithFix("Write a query, such as SELECT 1."))
	}
	for _, w := range []string{"CREATE", "DROP", "INSERT", "SHOW", "DESCRIBE", "EXPLAIN"} {
		p.expected(w)
	}
	return p.query()
}

// explain is EXPLAIN [EXTENDED | FORMATTED | CODEGEN | COST | CHECK | ANALYZE] statement, or EXPLAIN STREAMING QUERY name [AS JSON]: where
// the time of a query that runs goes.
func (p *parser) explain() logical.Plan {
	p.take()
	if p.accept("STREAMING", "QUERY") {
		s := &logical.Show{What: "why", Pos: p.peek().pos}
		s.Name = []string{p.nameOrString()}
		if p.accept("AS", "JSON") {
			s.What = "why json"
		}
		return s
	}
	mode := "simple"
	for _, m := range []string{"EXTENDED", "FORMATTED", "CODEGEN", "COST", "CHECK"} {
		if p.accept(m) {
			mode = strings.ToLower(m)
		}
	}
	if !p.at("ANALYZE", "TABLE") && p.accept("ANALYZE") {
		mode = "analyze"
	}
	return &logical.Explain{Mode: mode, Query: p.statement()}
}

// describe is DESCRIBE [EXTENDED] table, DESCRIBE query, or DESCRIBE FUNCTION name.
func (p *parser) describe() logical.Plan {
	t := p.take()
	if p.at("FUNCTION") && (p.ahead(1).kind == word || p.ahead(1).kind == quoted || p.ahead(1).kind == text) {
		p.take()
		p.accept("EXTENDED")
		return &logical.Show{What: "function", Name: []string{p.nameOrString()}, Pos: t.pos}
	}
	if p.at("QUERY") && p.ahead(1).kind == word || p.atQuery() {
		p.accept("QUERY")
		return &logical.Describe{Query: p.query(), Pos: t.pos}
	}
	if p.at("STREAMING", "QUERY") && p.ahead(2).kind != eof {
		p.accept("STREAMING", "QUERY")
		return &logical.Show{What: "query", Name: []string{p.nameOrString()}, Pos: t.pos}
	}
	if n := p.ahead(1); (p.at("DATABASE") || p.at("SCHEMA") || p.at("NAMESPACE")) && (n.kind == word || n.kind == quoted) {
		p.take()
		p.accept("EXTENDED")
		at := p.peek()
		return &logical.Show{What: "database", Name: []string{p.databaseName()}, Pos: at.pos}
	}
	if p.at("TABLE") && p.ahead(1).kind != eof {
		p.take()
	}
	d := &logical.Describe{}
	if (p.at("EXTENDED") || p.at("FORMATTED")) && p.ahead(1).kind != eof {
		p.take()
		d.Extended = true
	}
	d.Pos = p.peek().pos
	d.Name = p.names("table name")
	return d
}

func (p *parser) nameOrString() string {
	if p.peek().kind == text {
		return p.str()
	}
	return strings.Join(p.names("name"), ".")
}

func (p *parser) use() logical.Plan {
	p.take()
	if !p.accept("DATABASE") && !p.accept("SCHEMA") && !p.accept("NAMESPACE") {
		p.accept("CATALOG")
	}
	t := p.peek()
	return &logical.Use{Name: p.names("database"), Pos: t.pos}
}

// stop is STOP [STREAMING] QUERY name.
func (p *parser) stop() logical.Plan {
	p.take()
	p.accept("STREAMING")
	p.expect("QUERY")
	t := p.peek()
	return &logical.StopStream{Name: p.nameOrString(), Pos: t.pos}
}

// StatementWords are the words that begin a statement other than a query.
func StatementWords() []string {
	words := make([]string, 0, len(statements))
	for w := range statements {
		words = append(words, w)
	}
	sort.Strings(words)
	return words
}
