package sql

import (
	"strings"

	"github.com/streamflow/streamflow/structured/logical"
)

// setConf is SET, SET key, SET key = value, SET TIME ZONE zone. A value that is not quoted runs to the end of the
// statement, as it stands.
func (p *parser) setConf() logical.Plan {
	p.take()
	if t := p.peek(); t.kind == eof || t.raw == ";" {
		return &logical.SetConf{}
	}
	if p.accept("TIME", "ZONE") {
		zone := p.rawValue()
		if strings.EqualFold(zone, "LOCAL") {
			return &logical.SetConf{Key: "spark.sql.session.timeZone", Reset: true}
		}
		return &logical.SetConf{Key: "spark.sql.session.timeZone", Value: &zone}
	}
	key := p.confKey()
	if !p.symbol("=") {
		return &logical.SetConf{Key: key}
	}
	value := p.rawValue()
	return &logical.SetConf{Key: key, Value: &value}
}

func (p *parser) resetConf() logical.Plan {
	p.take()
	s := &logical.SetConf{Reset: true}
	if t := p.peek(); t.kind != eof && t.raw != ";" {
		s.Key = p.confKey()
	}
	return s
}

// confKey is a dotted key, which may have hyphens: spark.sql.x, streamflow.some-key. A hyphen with space around it is
// the sign of a value.
func (p *parser) confKey() string {
	key := p.name("setting")
	for {
		t, next := p.peek(), p.ahead(1)
		hyphen := t.raw == "-" && p.toks[p.i-1].end == t.off && next.off == t.end && next.kind == word
		if t.kind != op || t.raw != "." && !hyphen {
			return key
		}
		p.take()
		key += t.raw + p.name("setting")
	}
}

// rawValue is a string, or the text up to the end of the statement.
func (p *parser) rawValue() string {
	t := p.peek()
	if t.kind == text {
		return p.str()
	}
	if t.kind == eof || t.raw == ";" {
		p.expected("value")
		p.fail()
	}
	end := t.end
	for next := p.peek(); next.kind != eof && next.raw != ";"; next = p.peek() {
		if next.kind == unclosed {
			p.fail()
		}
		end = p.take().end
	}
	return p.src[t.off:end]
}
