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
	r := analysed.(*logical.Rewrite)
	return s.write(ctx, r.Query, r.Target.(connector.Writer), true, nil)
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
