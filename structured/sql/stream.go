package sql

import (
	"strconv"
	"strings"

	"github.com/streamflow/streamflow/structured/logical"
)

// createStream is what follows CREATE [OR REPLACE] STREAMING QUERY:
//
//	name [USING format] [OUTPUT MODE append | update | complete] [TRIGGER ONCE | AVAILABLE NOW | EVERY interval]
//	     [START FROM BEGINNING | NOW | TIMESTAMP '…' | SAVEPOINT 'query/name'] [OPTIONS (…)]
//	AS INSERT INTO table SELECT … | AS SELECT …     the latter only with USING
func (p *parser) createStream(replace bool) logical.Plan {
	c := &logical.CreateStream{Options: map[string]string{}, Replace: replace}
	if t := p.peek(); p.accept("IF", "NOT", "EXISTS") {
		panic(p.unsupported(t, "STATEMENT", "CREATE STREAMING QUERY IF NOT EXISTS"))
	}
	c.Pos = p.peek().pos
	c.Name = p.nameOrString()
	for p.streamClause(c) {
	}
	p.expect("AS")
	t := p.peek()
	if !p.at("INSERT") {
		c.Query = p.query()
		if c.Format == "" {
			panic(p.errorAt(t, "STREAMING_SINK_MISSING", "42601", "The streaming query `%s` has nowhere to write to.", c.Name).
				WithFix("Write AS INSERT INTO table SELECT …, or USING console before AS."))
		}
		return c
	}
	ins := p.insert().(*logical.InsertInto)
	if ins.Overwrite {
		panic(p.unsupported(t, "STREAMING_OVERWRITE", "INSERT OVERWRITE in a streaming query").WithFix("Write INSERT INTO, or OUTPUT MODE complete."))
	}
	c.Sink, c.Columns, c.ByName, c.Query = ins.Table, ins.Columns, ins.ByName, ins.Query
	return c
}

// streamClause reads one clause; false when none comes next.
func (p *parser) streamClause(c *logical.CreateStream) bool {
	switch {
	case p.accept("USING"):
		c.Format = strings.ToLower(p.name("format"))
	case p.accept("OPTIONS"):
		p.options(c.Options)
	case p.accept("OUTPUT"):
		p.accept("MODE")
		c.OutputMode = p.oneOfWords("APPEND", "UPDATE", "COMPLETE")
	case p.accept("TRIGGER"):
		c.Trigger = p.trigger()
	case p.accept("START"):
		c.Start = p.start()
	default:
		return false
	}
	return true
}

func (p *parser) oneOfWords(words ...string) string {
	for _, w := range words {
		if p.accept(w) {
			return strings.ToLower(w)
		}
	}
	p.fail()
	return ""
}

func (p *parser) trigger() string {
	switch {
	case p.accept("ONCE"):
		return "once"
	case p.accept("AVAILABLE", "NOW"):
		return "available_now"
	}
	p.expect("EVERY")
	t := p.peek()
	if p.delay() == 0 {
		panic(p.badInterval(t))
	}
	return strings.TrimSpace(intervalWords(p.src[t.off:p.toks[p.i-1].end]))
}

// intervalWords strips the quotes and the word INTERVAL: what remains reads "5 seconds".
func intervalWords(s string) string {
	s = strings.NewReplacer("'", "", `"`, "").Replace(s)
	if f := strings.Fields(s); len(f) > 0 && strings.EqualFold(f[0], "interval") {
		s = strings.Join(f[1:], " ")
	}
	return strings.ToLower(s)
}

func (p *parser) start() string {
	p.accept("FROM")
	switch {
	case p.accept("BEGINNING"):
		return "beginning"
	case p.accept("NOW"):
		return "now"
	case p.accept("SAVEPOINT"):
		return "savepoint:" + p.str()
	}
	p.accept("TIMESTAMP")
	return p.str()
}

// manage is PAUSE QUERY name or RESUME QUERY name.
func (p *parser) manage() logical.Plan {
	do := logical.ResumeStream
	if p.take().is("PAUSE") {
		do = logical.PauseStream
	}
	p.accept("STREAMING")
	p.expect("QUERY")
	t := p.peek()
	return &logical.ManageStream{Do: do, Query: p.nameOrString(), Pos: t.pos}
}

// alterQuery is what follows ALTER STREAMING QUERY: name SET PARALLELISM [=] n.
func (p *parser) alterQuery() logical.Plan {
	t := p.peek()
	m := &logical.ManageStream{Do: logical.RescaleStream, Query: p.nameOrString(), Pos: t.pos}
	p.expect("SET")
	p.expect("PARALLELISM")
	p.symbol("=")
	n := p.peek()
	parts, err := strconv.Atoi(n.raw)
	if n.kind != number || err != nil {
		p.fail()
	}
	p.take()
	m.Parts = parts
	return m
}

// savepoint is what follows CREATE SAVEPOINT and DROP SAVEPOINT: name ON QUERY name.
func (p *parser) savepoint(do string) logical.Plan {
	t := p.peek()
	m := &logical.ManageStream{Do: do, Name: p.nameOrString(), Pos: t.pos}
	p.expect("ON")
	p.accept("STREAMING")
	p.expect("QUERY")
	m.Query = p.nameOrString()
	return m
}

// replay is REPLAY QUERY name FROM 'time' TO 'time' INTO topic.
func (p *parser) replay() logical.Plan {
	p.take()
	p.accept("STREAMING")
	p.expect("QUERY")
	t := p.peek()
	m := &logical.ManageStream{Do: logical.ReplayStream, Query: p.nameOrString(), Pos: t.pos}
	p.expect("FROM")
	p.accept("TIMESTAMP")
	m.From = p.str()
	p.expect("TO")
	p.accept("TIMESTAMP")
	m.To = p.str()
	p.expect("INTO")
	m.Name = p.nameOrString()
	return m
}
