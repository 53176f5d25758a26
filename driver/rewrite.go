package driver

import (
	"context"
	"strings"
	"sync"

	"github.com/streamflow/streamflow/structured"
	"github.com/streamflow/streamflow/structured/catalog"
	"github.com/streamflow/streamflow/structured/connector"
	"github.com/streamflow/streamflow/structured/logical"
)

// rewrite carries out DELETE, UPDATE and MERGE: what the table holds afterwards is computed from what it holds now and takes its
// place by one commit. Two of them on one table run one after the other; rows that are inserted meanwhile stay.
func (s *Session) rewrite(ctx context.Context, p logical.Plan, src string) (structured.Rows, error) {
	parts := targetOf(p)
	key := strings.ToLower(s.existingName(ctx, parts))
	m, _ := s.engine.rewrites.LoadOrStore(key, &sync.Mutex{})
	m.(*sync.Mutex).Lock()
	defer m.(*sync.Mutex).Unlock()
	analysed, err := s.analyse(ctx, p, src, nil)
	if err != nil {
		return nil, err
	}
	target, query, err := s.narrowed(ctx, analysed.(*logical.Rewrite))
	if err != nil || query == nil {
		return nothing(), err
	}
	return s.write(ctx, query, target, true, nil)
}

// narrowed is a rewrite of those parts of its table alone that it touches: the table with these parts, and what they hold afterwards. There
// is no query when nothing changes.
func (s *Session) narrowed(ctx context.Context, r *logical.Rewrite) (connector.Writer, logical.Plan, error) {
	whole := r.Target.(connector.Writer)
	d, ok := r.Target.(connector.Divided)
	if !ok || r.Touched == nil {
		return whole, r.Query, nil
	}
	still := still{ctx: ctx, target: r.Target, tables: map[string]logical.Table{}}
	touched, query := still.plan(r.Touched), still.plan(r.Query)
	if still.moves {
		return whole, r.Query, nil
	}
	rows, err := s.rowsOf(ctx, touched)
	if err != nil {
		return nil, nil, err
	}
	parts := []string{}
	for _, b := range rows {
		for i := range b.N {
			parts = append(parts, b.Cols[0].Str(i))
		}
	}
	if len(parts) == 0 && !r.Adds {
		return nil, nil, nil
	}
	some := d.Only(parts)
	return some, onTables(query, func(t logical.Table) logical.Table {
		if t == r.Target {
			return some
		}
		return t
	}), nil
}

// still puts the tables that plans read into the state that they have now: a statement that reads them twice, once to find out what it
// touches, must find the same rows.
type still struct {
	ctx    context.Context
	target logical.Table
	tables map[string]logical.Table
	moves  bool // a table cannot be kept from changing
}

func (s *still) plan(p logical.Plan) logical.Plan {
	return onTables(p, func(t logical.Table) logical.Table {
		if _, divided := t.(connector.Divided); t == s.target || divided && t.Name() == s.target.Name() && t.Schema().Len() > s.target.Schema().Len() {
			return t
		}
		if s.tables[t.Name()] == nil {
			r, ok := t.(connector.Rewriter)
			if !ok {
				s.moves = true
				return t
			}
			now, err := r.Rewrite(s.ctx)
			if err != nil {
				s.moves = true
				return t
			}
			s.tables[t.Name()] = now
		}
		return s.tables[t.Name()]
	})
}

// onTables is a plan whose scans read other tables.
func onTables(p logical.Plan, f func(logical.Table) logical.Table) logical.Plan {
	return logical.TransformUp(p, func(n logical.Plan) logical.Plan {
		scan, ok := n.(*logical.Scan)
		if !ok {
			return n
		}
		c := *scan
		if c.Table = f(scan.Table); c.Table == scan.Table {
			return n
		}
		return &c
	})
}

func targetOf(p logical.Plan) []string {
	switch p := p.(type) {
	case *logical.Delete:
		return p.Table
	case *logical.Update:
		return p.Table
	case *logical.Merge:
		return p.Table
	}
	return []string{catalog.Default}
}
