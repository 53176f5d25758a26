package catalog

import (
	"context"
	"sort"
	"strings"
	"sync"

	"github.com/streamflow/streamflow/structured/logical"
)

// Node is the catalog of a node: definitions, and the tables that providers own.
type Node struct {
	entries   Entries
	providers *Providers

	mu    sync.RWMutex
	fixed map[string]logical.Table // tables given by AddTable
}

var _ Catalog = (*Node)(nil)

// NewNode returns the catalog over durable entries.
func NewNode(entries Entries, providers *Providers) *Node {
	return &Node{entries: entries, providers: providers, fixed: map[string]logical.Table{}}
}

// NewMemory returns a catalog that lasts as long as the process: for tests and embedded use. providers may be nil.
func NewMemory(providers *Providers) *Node {
	if providers == nil {
		providers = NewProviders()
	}
	return NewNode(&memEntries{all: map[string]Stored{}}, providers)
}

// AddTable makes a table known under its own name until the process ends.
func (n *Node) AddTable(t logical.Table) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.fixed[strings.ToLower(t.Name())] = t
}

// Providers are the data sources that the catalog opens tables with.
func (n *Node) Providers() *Providers { return n.providers }

// Table implements Catalog.
func (n *Node) Table(ctx context.Context, name string) (logical.Table, bool, error) {
	key := strings.ToLower(name)
	n.mu.RLock()
	t, ok := n.fixed[key]
	n.mu.RUnlock()
	if ok {
		return t, true, nil
	}
	if s, ok := n.entries.Get(key); ok {
		if s.Kind != KindTable {
			return nil, false, nil
		}
		return n.open(ctx, s)
	}
	return n.owned(ctx, name)
}

func (n *Node) open(ctx context.Context, s Stored) (logical.Table, bool, error) {
	r, err := decode(s)
	if err != nil {
		return nil, false, err
	}
	def, err := r.def()
	if err != nil {
		return nil, false, err
	}
	t, err := n.providers.Open(ctx, def)
	if err != nil {
		return nil, false, err
	}
	return t, true, nil
}

// owned looks for a table that exists by itself: under the very name, then under the only one that differs in case.
func (n *Node) owned(ctx context.Context, name string) (logical.Table, bool, error) {
	for _, o := range n.providers.owners() {
		if t, ok, err := o.Lookup(ctx, name); ok || err != nil {
			return t, ok, err
		}
	}
	for _, o := range n.providers.owners() {
		names, err := o.Names(ctx)
		if err != nil {
			return nil, false, err
		}
		var match []string
		for _, c := range names {
			if strings.EqualFold(c, name) {
				match = append(match, c)
			}
		}
		if len(match) == 1 {
			return o.Lookup(ctx, match[0])
		}
	}
	return nil, false, nil
}

// View implements Catalog.
func (n *Node) View(name string) (string, bool) {
	s, ok := n.entries.Get(strings.ToLower(name))
	if !ok || s.Kind != KindView {
		return "", false
	}
	r, err := decode(s)
	return r.SQL, err == nil
}

// CreateTable implements Catalog. Whether the provider can open such a table is found out first, so that nothing is
// kept which cannot be read.
func (n *Node) CreateTable(ctx context.Context, def TableDef) error {
	p, err := n.providers.Get(def.Provider)
	if err != nil {
		return err
	}
	if err := n.checkFree(ctx, def.Name, KindTable, def.Replace); err != nil {
		return err
	}
	if o, ok := p.(Owner); ok {
		return o.Create(ctx, def)
	}
	if _, err := p.Open(ctx, def.withEventTime()); err != nil {
		return err
	}
	body, err := encodeTable(def)
	if err != nil {
		return err
	}
	if k, ok := p.(Keeper); ok {
		if err := k.Prepare(def); err != nil {
			return err
		}
	}
	return n.entries.Put(ctx, Stored{Name: strings.ToLower(def.Name), Kind: KindTable, Body: body}, def.Replace)
}

// checkFree refuses a name that something else has.
func (n *Node) checkFree(ctx context.Context, name, kind string, replace bool) error {
	if s, ok := n.entries.Get(strings.ToLower(name)); ok && (!replace || s.Kind != kind) {
		return exists(name, s.Kind)
	}
	_, ok, err := n.owned(ctx, name)
	if err != nil {
		return err
	}
	n.mu.RLock()
	_, fixed := n.fixed[strings.ToLower(name)]
	n.mu.RUnlock()
	if fixed || ok && !(replace && kind == KindTable) {
		return exists(name, KindTable)
	}
	return nil
}

// CreateView implements Catalog.
func (n *Node) CreateView(ctx context.Context, name, sql string, replace bool) error {
	if err := n.checkFree(ctx, name, KindView, replace); err != nil {
		return err
	}
	body, err := encodeView(name, sql)
	if err != nil {
		return err
	}
	return n.entries.Put(ctx, Stored{Name: strings.ToLower(name), Kind: KindView, Body: body}, replace)
}

// Drop implements Catalog.
func (n *Node) Drop(ctx context.Context, name string, view bool) error {
	key, kind := strings.ToLower(name), KindTable
	if view {
		kind = KindView
	}
	if s, ok := n.entries.Get(key); ok && s.Kind != kind {
		return wrongKind(name, s.Kind)
	}
	if !view {
		if err := n.forgetStatistics(ctx, name); err != nil {
			return err
		}
	}
	def, _, err := n.Definition(name)
	if err != nil {
		return err
	}
	if ok, err := n.entries.Delete(ctx, kind, key); ok || err != nil {
		if err == nil && def.Options[OptionManaged] == "true" {
			return n.removeFiles(def)
		}
		return err
	}
	if view {
		return NotFound(ctx, n, nil, name)
	}
	n.mu.Lock()
	_, fixed := n.fixed[key]
	delete(n.fixed, key)
	n.mu.Unlock()
	if fixed {
		return nil
	}
	return n.dropOwned(ctx, name)
}

// removeFiles removes what a dropped table has on disk.
func (n *Node) removeFiles(def TableDef) error {
	p, err := n.providers.Get(def.Provider)
	if err != nil {
		return err
	}
	if k, ok := p.(Keeper); ok {
		return k.Remove(def)
	}
	return nil
}

func (n *Node) dropOwned(ctx context.Context, name string) error {
	for _, o := range n.providers.owners() {
		_, ok, err := o.Lookup(ctx, name)
		if err != nil {
			return err
		}
		if ok {
			return o.Drop(ctx, name)
		}
	}
	return NotFound(ctx, n, nil, name)
}

// List implements Catalog.
func (n *Node) List(ctx context.Context) ([]Entry, error) {
	var out []Entry
	for _, s := range n.entries.List() {
		if s.Kind != KindTable && s.Kind != KindView {
			continue
		}
		r, err := decode(s)
		if err != nil {
			return nil, err
		}
		out = append(out, Entry{Name: r.Name, Kind: s.Kind, Provider: r.Provider})
	}
	n.mu.RLock()
	for _, t := range n.fixed {
		out = append(out, Entry{Name: t.Name(), Kind: KindTable, Provider: t.Provider()})
	}
	n.mu.RUnlock()
	for _, name := range n.providers.Names() {
		o, ok := n.providers.byName[name].(Owner)
		if !ok {
			continue
		}
		names, err := o.Names(ctx)
		if err != nil {
			return nil, err
		}
		for _, t := range names {
			out = append(out, Entry{Name: t, Kind: KindTable, Provider: name})
		}
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Name < out[j].Name })
	return out, nil
}
