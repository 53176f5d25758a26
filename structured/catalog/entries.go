package catalog

import (
	"context"
	"encoding/json"
	"fmt"
	"sort"
	"sync"

	"github.com/streamflow/streamflow/column"
)

// Stored is one durable definition. Name is in lower case, for names differ in more than case; Kind is one of
// the constants of this package.
type Stored struct {
	Name, Kind string
	Body       []byte
}

// Entries keeps definitions. Put fails with TABLE_OR_VIEW_ALREADY_EXISTS when the name is taken and replace is false, or
// when it is taken by the other kind. Delete reports whether there was one.
type Entries interface {
	Get(name string) (Stored, bool)
	Put(ctx context.Context, s Stored, replace bool) error
	Delete(ctx context.Context, kind, name string) (bool, error)
	List() []Stored
}

// Kinds of entries.
const (
	KindTable = "table"
	KindView  = "view"
)

// record is the stored form of a definition: JSON, with a version so that a later release can tell what it reads.
type record struct {
	Version   int               `json:"v"`
	Name      string            `json:"name"` // as the user wrote it
	SQL       string            `json:"sql,omitempty"`
	Provider  string            `json:"provider,omitempty"`
	Schema    string            `json:"schema,omitempty"` // columns as DDL
	Options   map[string]string `json:"options,omitempty"`
	EventTime string            `json:"event_time,omitempty"`
	DelayUs   int64             `json:"delay_us,omitempty"`
}

const recordVersion = 1

func encodeTable(def TableDef) ([]byte, error) {
	r := record{Version: recordVersion, Name: def.Name, Provider: def.Provider, Options: def.Options, EventTime: def.EventTime, DelayUs: def.Delay}
	if def.Schema != nil {
		r.Schema = def.Schema.String()
	}
	return json.Marshal(r)
}

func encodeView(name, sql string) ([]byte, error) {
	return json.Marshal(record{Version: recordVersion, Name: name, SQL: sql})
}

func (r record) encode() ([]byte, error) { return json.Marshal(r) }

func decode(s Stored) (record, error) {
	var r record
	if err := json.Unmarshal(s.Body, &r); err != nil {
		return r, fmt.Errorf("catalog: definition of %s: %w", s.Name, err)
	}
	if r.Version != recordVersion {
		return r, fmt.Errorf("catalog: definition of %s has version %d, this release reads %d", s.Name, r.Version, recordVersion)
	}
	return r, nil
}

func (r record) def() (TableDef, error) {
	d := TableDef{Name: r.Name, Provider: r.Provider, Options: r.Options, EventTime: r.EventTime, Delay: r.DelayUs}
	if r.Schema == "" {
		return d, nil
	}
	s, err := column.ParseDDL(r.Schema)
	if err != nil {
		return d, fmt.Errorf("catalog: columns of %s: %w", r.Name, err)
	}
	d.Schema = s
	return d, nil
}

// memEntries keeps definitions for the life of the process.
type memEntries struct {
	mu  sync.RWMutex
	all map[string]Stored
}

func (m *memEntries) Get(name string) (Stored, bool) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	s, ok := m.all[name]
	return s, ok
}

func (m *memEntries) Put(_ context.Context, s Stored, replace bool) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if old, taken := m.all[s.Name]; taken && (!replace || old.Kind != s.Kind) {
		return exists(s.Name, old.Kind)
	}
	m.all[s.Name] = s
	return nil
}

func (m *memEntries) Delete(_ context.Context, kind, name string) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if s, ok := m.all[name]; !ok || s.Kind != kind {
		return false, nil
	}
	delete(m.all, name)
	return true, nil
}

func (m *memEntries) List() []Stored {
	m.mu.RLock()
	defer m.mu.RUnlock()
	out := make([]Stored, 0, len(m.all))
	for _, s := range m.all {
		out = append(out, s)
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Name < out[j].Name })
	return out
}
