package acl

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
)

// MachineName names the machine in the metadata log.
const MachineName = "acls"

// maxBindings bounds what the metadata holds.
const maxBindings = 100_000

// ErrTooMany refuses a binding beyond the bound.
var ErrTooMany = errors.New("too many bindings")

// Machine is the bindings in the metadata log. Readers take Rules, which are replaced as a whole.
type Machine struct {
	mu       sync.Mutex
	bindings map[Binding]struct{}
	version  uint64
	rules    atomic.Pointer[Rules]
}

// NewMachine returns an empty machine.
func NewMachine() *Machine {
	m := &Machine{bindings: map[Binding]struct{}{}}
	m.publish()
	return m
}

// Command is what the machine carries out: it adds all of Add, or removes what the filters of Remove select.
type Command struct {
	Add    []Binding `json:"add,omitempty"`
	Remove []Filter  `json:"remove,omitempty"`
}

// Encode makes the command's bytes.
func (c Command) Encode() []byte {
	b, err := json.Marshal(c)
	if err != nil {
		panic("BUG: acl command does not encode: " + err.Error())
	}
	return b
}

// DecodeRemoved reads a removal's result: for each filter the bindings that it removed.
func DecodeRemoved(result []byte) ([][]Binding, error) {
	var out [][]Binding
	if err := json.Unmarshal(result, &out); err != nil {
		return nil, fmt.Errorf("acls: result: %w", err)
	}
	return out, nil
}

// Name implements meta.Machine, as do Apply, Snapshot and Restore.
func (*Machine) Name() string { return MachineName }

func (m *Machine) Apply(cmd []byte) ([]byte, error) {
	var c Command
	if err := json.Unmarshal(cmd, &c); err != nil {
		return nil, fmt.Errorf("acls: command: %w", err)
	}
	for _, b := range c.Add {
		if err := b.Validate(); err != nil {
			return nil, fmt.Errorf("acls: %w", err)
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.bindings)+len(c.Add) > maxBindings {
		return nil, fmt.Errorf("acls: %w: there can be %d", ErrTooMany, maxBindings)
	}
	for _, b := range c.Add {
		m.bindings[b] = struct{}{}
	}
	removed := m.remove(c.Remove)
	m.publish()
	return json.Marshal(removed)
}

// remove returns what each filter selected. A binding that several select is removed, and told of, by each.
func (m *Machine) remove(filters []Filter) [][]Binding {
	all := m.sorted()
	out := make([][]Binding, len(filters))
	for i, f := range filters {
		for _, b := range all {
			if f.Matches(b) {
				out[i] = append(out[i], b)
				delete(m.bindings, b)
			}
		}
	}
	return out
}

// publish makes the bindings visible.
func (m *Machine) publish() {
	m.version++
	m.rules.Store(NewRules(m.version, m.sorted()))
}

func (m *Machine) sorted() []Binding {
	out := make([]Binding, 0, len(m.bindings))
	for b := range m.bindings {
		out = append(out, b)
	}
	slices.SortFunc(out, compare)
	return out
}

// Rules are the bindings as they are now, for matching.
func (m *Machine) Rules() *Rules { return m.rules.Load() }

// List returns the bindings that a filter selects, in order.
func (m *Machine) List(f Filter) []Binding {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.DeleteFunc(m.sorted(), func(b Binding) bool { return !f.Matches(b) })
}

func (m *Machine) Snapshot() []byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	return Command{Add: m.sorted()}.Encode()
}

func (m *Machine) Restore(state []byte) error {
	var c Command
	if err := json.Unmarshal(state, &c); err != nil {
		return fmt.Errorf("acls: state: %w", err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.bindings = make(map[Binding]struct{}, len(c.Add))
	for _, b := range c.Add {
		m.bindings[b] = struct{}{}
	}
	m.publish()
	return nil
}
