package broker

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"sync"

	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/logstore/meta"
)

// Catalog is the durable set of named definitions (tables over files, views, functions). What a definition holds is for its owner to
// say; here it is JSON under a kind and a name. Names are unique over all kinds.
type Catalog struct {
	node    *meta.Node
	machine *catalogMachine
}

// Definition is one entry of the catalog.
type Definition struct {
	Name string          `json:"name"`
	Kind string          `json:"kind"` // "table", "view", and what else their owner keeps
	Body json.RawMessage `json:"body"`
}

// Put adds a definition; with replace it may take the place of one of the same name and kind. Otherwise a taken name is
// TABLE_OR_VIEW_ALREADY_EXISTS.
func (c *Catalog) Put(ctx context.Context, d Definition, replace bool) error {
	if d.Name == "" || d.Kind == "" || !json.Valid(d.Body) {
		return fmt.Errorf("catalog: definition %q of kind %q is not whole", d.Name, d.Kind)
	}
	return c.apply(ctx, catalogCommand{Put: &d, Replace: replace})
}

// Drop removes a definition; false when there is none of that name and kind.
func (c *Catalog) Drop(ctx context.Context, kind, name string) (bool, error) {
	if d, ok := c.Get(name); !ok || d.Kind != kind {
		return false, nil
	}
	return true, c.apply(ctx, catalogCommand{Drop: name})
}

// Get returns a definition by name.
func (c *Catalog) Get(name string) (Definition, bool) {
	c.machine.mu.RLock()
	defer c.machine.mu.RUnlock()
	d, ok := c.machine.defs[name]
	return d, ok
}

// List returns all definitions by name.
func (c *Catalog) List() []Definition {
	c.machine.mu.RLock()
	defer c.machine.mu.RUnlock()
	out := make([]Definition, 0, len(c.machine.defs))
	for _, name := range sortedKeys(c.machine.defs) {
		out = append(out, c.machine.defs[name])
	}
	return out
}

func (c *Catalog) apply(ctx context.Context, cmd catalogCommand) error {
	b, err := json.Marshal(cmd)
	if err != nil {
		return fmt.Errorf("catalog: encode command: %w", err)
	}
	_, err = c.node.Apply(ctx, c.machine.Name(), b)
	return err
}

type catalogMachine struct {
	mu   sync.RWMutex
	defs map[string]Definition
}

type catalogCommand struct {
	Put     *Definition `json:"put,omitempty"`
	Replace bool        `json:"replace,omitempty"`
	Drop    string      `json:"drop,omitempty"`
}

func newCatalogMachine() *catalogMachine { return &catalogMachine{defs: map[string]Definition{}} }

func (*catalogMachine) Name() string { return "catalog" }

func (m *catalogMachine) Apply(cmd []byte) ([]byte, error) {
	var c catalogCommand
	if err := json.Unmarshal(cmd, &c); err != nil {
		return nil, fmt.Errorf("catalog: command: %w", err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if c.Put == nil {
		delete(m.defs, c.Drop)
		return nil, nil
	}
	if old, taken := m.defs[c.Put.Name]; taken && (!c.Replace || old.Kind != c.Put.Kind) {
		return nil, usererr.New("TABLE_OR_VIEW_ALREADY_EXISTS", "42P07", "a %s named %q exists", old.Kind, c.Put.Name).
			WithFix("Choose another name, drop it first, or use CREATE OR REPLACE.")
	}
	m.defs[c.Put.Name] = *c.Put
	return nil, nil
}

func (m *catalogMachine) Snapshot() []byte {
	m.mu.RLock()
	defer m.mu.RUnlock()
	b, err := json.Marshal(m.defs)
	if err != nil {
		panic("BUG: catalog state does not encode: " + err.Error())
	}
	return b
}

func (m *catalogMachine) Restore(state []byte) error {
	defs := map[string]Definition{}
	if err := json.Unmarshal(state, &defs); err != nil {
		return fmt.Errorf("catalog: state: %w", err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.defs = maps.Clone(defs)
	return nil
}
