package sql

import "github.com/streamflow/streamflow/structured/logical"

// cacheTable is CACHE [LAZY] TABLE name [OPTIONS (…)] [[AS] query].
func (p *parser) cacheTable() logical.Plan {
	p.take()
	c := &logical.CacheTable{Lazy: p.accept("LAZY")}
	p.expect("TABLE")
	c.Pos = p.peek().pos
	c.Name = p.names("table name")
	if p.accept("OPTIONS") {
		p.options(map[string]string{}) // storageLevel: chunks are in memory as long as there is room, else on disk
	}
	if p.accept("AS") || p.atQuery() {
		start := p.peek().off
		c.Query = p.query()
		c.SQL = p.src[start:p.toks[p.i-1].end]
	}
	return c
}

// uncacheTable is UNCACHE TABLE [IF EXISTS] name; clearCache is CLEAR CACHE.
func (p *parser) uncacheTable() logical.Plan {
	p.take()
	p.expect("TABLE")
	u := &logical.Uncache{IfExists: p.accept("IF", "EXISTS")}
	u.Pos = p.peek().pos
	u.Name = p.names("table name")
	return u
}

func (p *parser) clearCache() logical.Plan {
	p.take()
	p.expect("CACHE")
	return &logical.Uncache{}
}
