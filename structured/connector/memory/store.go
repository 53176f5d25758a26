package memory

import (
	"context"
	"strconv"
	"sync"

	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/structured/catalog"
	"github.com/streamflow/streamflow/structured/logical"
)

// Store keeps tables by name for as long as the process lives. It is the catalog's provider "memory".
type Store struct {
	mu     sync.Mutex
	tables map[string]*Table
}

// NewStore returns an empty store.
func NewStore() *Store { return &Store{tables: map[string]*Table{}} }

// Open returns the table of that name, making it when it has a schema and is not there yet. The option "partitions" says
// how many it is made with.
func (s *Store) Open(_ context.Context, def catalog.TableDef) (logical.Table, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t := s.tables[def.Name]; t != nil && !def.Replace {
		return t, nil
	}
	if def.Schema == nil {
		return nil, usererr.New("UNABLE_TO_INFER_SCHEMA", "42KD9", "Table %s in memory has no columns yet.", def.Name).
			WithFix("Declare its columns.")
	}
	parts := 1
	if v := def.Options["partitions"]; v != "" {
		n, err := strconv.Atoi(v)
		if err != nil || n < 1 {
			return nil, usererr.New("INVALID_OPTION", "42616", "Option partitions = %q is not a positive number.", v)
		}
		parts = n
	}
	t := New(def.Name, def.Schema, parts)
	t.options = def.Options
	s.tables[def.Name] = t
	return t, nil
}

// Drop forgets a table.
func (s *Store) Drop(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.tables, name)
}
