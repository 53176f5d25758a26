package driver

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync"

	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/structured"
	"github.com/streamflow/streamflow/structured/catalog"
	"github.com/streamflow/streamflow/structured/connector/cached"
	"github.com/streamflow/streamflow/structured/logical"
	"github.com/streamflow/streamflow/structured/optimize"
	"github.com/streamflow/streamflow/structured/physical"
)

// cache is what is kept of results: under the lower-case names of tables and views for all sessions of a node, and under the
// keys of its temporary views and DataFrames for one session.
type cache struct {
	mu      sync.Mutex
	entries map[string]*cacheEntry
}

// cacheEntry is a result that is to be kept. table is nil until it has been read, and again after a table of reads has changed.
type cacheEntry struct {
	plan logical.Plan

	mu    sync.Mutex // held while the table is being filled: who else wants it waits
	table *cached.Table
	reads map[string]bool // lower-case names of the tables that the rows come from
}

func (c *cache) get(key string) *cacheEntry {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.entries[key]
}

func (c *cache) put(key string, plan logical.Plan) *cacheEntry {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.entries == nil {
		c.entries = map[string]*cacheEntry{}
	}
	if c.entries[key] == nil {
		c.entries[key] = &cacheEntry{plan: plan}
	}
	return c.entries[key]
}

// drop forgets an entry, all of them when key is "", and reports whether there was one.
func (c *cache) drop(key string) (bool, error) {
	c.mu.Lock()
	var gone []*cacheEntry
	for k, e := range c.entries {
		if key == "" || k == key {
			gone = append(gone, e)
			delete(c.entries, k)
		}
	}
	c.mu.Unlock()
	var errs []error
	for _, e := range gone {
		errs = append(errs, e.empty())
	}
	return len(gone) > 0, errors.Join(errs...)
}

// changed empties the entries whose rows come from a table; they are filled again when they are next read.
func (c *cache) changed(table string) error {
	c.mu.Lock()
	list := make([]*cacheEntry, 0, len(c.entries))
	for _, e := range c.entries {
		list = append(list, e)
	}
	c.mu.Unlock()
	var errs []error
	for _, e := range list {
		e.mu.Lock()
		stale := e.reads[strings.ToLower(table)]
		e.mu.Unlock()
		if stale {
			errs = append(errs, e.empty())
		}
	}
	return errors.Join(errs...)
}

func (e *cacheEntry) empty() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.table == nil {
		return nil
	}
	t := e.table
	e.table = nil
	return t.Drop()
}

// cacheShare bounds the memory of an account: what is kept must leave room for queries.
type cacheShare struct {
	account cached.Account
	limit   int64

	mu   sync.Mutex
	used int64
}

func (s *cacheShare) Reserve(n int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.used+n > s.limit || !s.account.Reserve(n) {
		return false
	}
	s.used += n
	return true
}

func (s *cacheShare) Release(n int64) {
	if n == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.used -= n
	s.account.Release(n)
}

// cachedTable is the analyser's way into the cache: the session's entries first, then the node's.
func (s *Session) cachedTable(ctx context.Context, key string) (logical.Table, bool, error) {
	for _, c := range []*cache{&s.cache, &s.engine.cache} {
		if e := c.get(key); e != nil {
			t, err := s.filled(ctx, e, key)
			if err != nil || t == nil {
				return nil, false, err
			}
			return t, true, nil
		}
	}
	return nil, false, nil
}

// filling marks the entries that a context is filling, so that an entry does not read itself.
type filling struct{}

// filled is an entry's table, computed now when it is not there yet.
func (s *Session) filled(ctx context.Context, e *cacheEntry, key string) (*cached.Table, error) {
	busy, _ := ctx.Value(filling{}).([]*cacheEntry)
	for _, b := range busy {
		if b == e {
			return nil, nil
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.table != nil {
		return e.table, nil
	}
	ctx = context.WithValue(ctx, filling{}, append(busy[:len(busy):len(busy)], e))
	analysed, err := s.analyse(ctx, e.plan, textOf(e.plan), nil)
	if err != nil {
		return nil, err
	}
	if logical.IsStreaming(analysed) {
		return nil, usererr.New("UNSUPPORTED_FEATURE.CACHE_STREAM", "0A000", "The rows of a stream cannot be cached.").WithFix("Read the table without STREAM.")
	}
	query, err := s.unfolded(ctx, optimize.Optimize(analysed))
	if err != nil {
		return nil, err
	}
	phys, err := s.physical(ctx, query, physical.Options{})
	if err != nil {
		return nil, err
	}
	table, err := s.keep(ctx, phys, key)
	if err != nil {
		return nil, err
	}
	e.table, e.reads = table, s.sourcesOf(analysed)
	return table, nil
}

// keep runs a query into a table of the cache.
func (s *Session) keep(ctx context.Context, phys *physical.Physical, key string) (t *cached.Table, err error) {
	rows, err := s.engine.run(ctx, phys, batchRun{})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	b := cached.NewBuilder(key, "cache", map[string]string{}, schemaOf(phys.Output), s.engine.kept, s.engine.opts.CacheDir)
	for {
		batch, err := rows.Next(ctx)
		if err == io.EOF {
			return b.Finish()
		}
		if err == nil {
			err = b.Append(batch)
		}
		if err != nil {
			return nil, errors.Join(err, b.Abandon())
		}
	}
}

// sourcesOf are the lower-case names of the tables that a plan reads, and of those that what it reads from the cache was made of.
func (s *Session) sourcesOf(p logical.Plan) map[string]bool {
	names := map[string]bool{}
	logical.Walk(p, func(n logical.Plan) bool {
		scan, ok := n.(*logical.Scan)
		if !ok {
			return true
		}
		name := strings.ToLower(scan.Table.Name())
		names[name] = true
		if _, kept := scan.Table.(*cached.Table); !kept {
			return true
		}
		for _, c := range []*cache{&s.cache, &s.engine.cache} {
			if e := c.get(name); e != nil {
				e.mu.Lock()
				for r := range e.reads {
					names[r] = true
				}
				e.mu.Unlock()
			}
		}
		return true
	})
	return names
}

// cacheTable is CACHE TABLE.
func (s *Session) cacheTable(ctx context.Context, p *logical.CacheTable, src string) error {
	if p.Key != "" {
		s.cache.put(p.Key, p.Query)
		return nil
	}
	if p.Query != nil {
		if err := s.createView(ctx, &logical.CreateView{Name: p.Name, Temporary: true, OrReplace: true, Query: p.Query, SQL: p.SQL, Pos: p.Pos}, src); err != nil {
			return err
		}
	}
	c, key := s.cacheOf(ctx, p.Name)
	if c.get(key) != nil {
		return nil
	}
	plan := &logical.UnresolvedTable{Parts: p.Name, Pos: p.Pos}
	if _, err := s.analyse(ctx, plan, src, nil); err != nil {
		return err
	}
	e := c.put(key, plan)
	if p.Lazy {
		return nil
	}
	_, err := s.filled(ctx, e, key)
	if err != nil {
		_, derr := c.drop(key)
		err = errors.Join(err, derr)
	}
	return err
}

// cacheOf is where what is kept of a table or view stands, and under which key.
func (s *Session) cacheOf(ctx context.Context, parts []string) (*cache, string) {
	if len(parts) == 1 {
		if _, ok := s.views.Get(parts[0]); ok {
			return &s.cache, optimize.ViewKey(parts[0])
		}
	}
	return &s.engine.cache, strings.ToLower(s.existingName(ctx, parts))
}

// uncache is UNCACHE TABLE, CLEAR CACHE and unpersist.
func (s *Session) uncache(ctx context.Context, p *logical.Uncache) error {
	switch {
	case p.Key != "":
		_, err := s.cache.drop(p.Key)
		return err
	case len(p.Name) == 0:
		_, err := s.cache.drop("")
		_, nodes := s.engine.cache.drop("")
		return errors.Join(err, nodes)
	}
	c, key := s.cacheOf(ctx, p.Name)
	had, err := c.drop(key)
	if err != nil || had || p.IfExists {
		return err
	}
	if _, err := s.readable(ctx, p.Name, p.Pos); err != nil && c == &s.engine.cache {
		if _, isView := s.engine.opts.Catalog.View(key); !isView {
			return catalog.NotFound(ctx, s.engine.opts.Catalog, s.views, strings.Join(p.Name, "."))
		}
	}
	return nil
}

// refresh forgets the rows of a table that are kept, and of what was made of it.
func (s *Session) refresh(ctx context.Context, p *logical.Refresh) (structured.Rows, error) {
	if _, err := s.readable(ctx, p.Name, p.Pos); err != nil {
		return nil, err
	}
	return nothing(), s.contentChanged(s.existingName(ctx, p.Name))
}

// contentChanged tells the caches that a table has other rows now.
func (s *Session) contentChanged(table string) error {
	return errors.Join(s.cache.changed(table), s.engine.cache.changed(table))
}
