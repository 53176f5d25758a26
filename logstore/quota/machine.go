package quota

import (
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
)

// MachineName names the machine in the metadata log.
const MachineName = "quotas"

// Machine is the limits in the metadata log. Readers take Limits, which are replaced as a whole.
type Machine struct {
	mu      sync.Mutex
	of      map[Entity]Values
	version uint64
	limits  atomic.Pointer[Limits]
}

// NewMachine returns a machine without limits.
func NewMachine() *Machine {
	m := &Machine{of: map[Entity]Values{}}
	m.publish()
	return m
}

// Change sets limits of one entity; a value of 0 takes a limit away.
type Change struct {
	Entity Entity             `json:"entity"`
	Limits map[string]float64 `json:"limits"`
}

// Validate says what is wrong with a change.
func (c Change) Validate() error {
	if err := c.Entity.Validate(); err != nil {
		return err
	}
	for key, v := range c.Limits {
		k, ok := KindOf(key)
		if !ok {
			return fmt.Errorf("there is no limit %q", key)
		}
		if v == 0 {
			continue
		}
		if err := c.Entity.CheckLimit(k, v); err != nil {
			return err
		}
	}
	return nil
}

// Encode makes a command's bytes.
func Encode(changes []Change) []byte {
	b, err := json.Marshal(changes)
	if err != nil {
		panic("BUG: quotas command does not encode: " + err.Error())
	}
	return b
}

// Name implements meta.Machine, as do Apply, Snapshot and Restore.
func (*Machine) Name() string { return MachineName }

func (m *Machine) Apply(cmd []byte) ([]byte, error) {
	changes, err := decode(cmd)
	if err != nil {
		return nil, fmt.Errorf("quotas: command: %w", err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.change(changes)
	return nil, nil
}

func decode(data []byte) ([]Change, error) {
	var changes []Change
	if err := json.Unmarshal(data, &changes); err != nil {
		return nil, err
	}
	for _, c := range changes {
		if err := c.Validate(); err != nil {
			return nil, err
		}
	}
	return changes, nil
}

func (m *Machine) change(changes []Change) {
	for _, c := range changes {
		v := m.of[c.Entity]
		for key, value := range c.Limits {
			k, _ := KindOf(key)
			v[k] = value
		}
		if m.of[c.Entity] = v; v == (Values{}) {
			delete(m.of, c.Entity)
		}
	}
	m.publish()
}

func (m *Machine) publish() {
	m.version++
	m.limits.Store(newLimits(m.version, m.of))
}

// Limits are those that hold now.
func (m *Machine) Limits() *Limits { return m.limits.Load() }

// Entry is the limits of one entity.
type Entry struct {
	Entity Entity
	Values Values
}

// Entries are all limits, in order.
func (l *Limits) Entries() []Entry {
	out := make([]Entry, 0, len(l.of))
	for e, v := range l.of {
		out = append(out, Entry{e, v})
	}
	slices.SortFunc(out, func(a, b Entry) int { return compare(a.Entity, b.Entity) })
	return out
}

func (m *Machine) Snapshot() []byte {
	var changes []Change
	for _, e := range m.Limits().Entries() {
		c := Change{Entity: e.Entity, Limits: map[string]float64{}}
		for k, v := range e.Values {
			if v > 0 {
				c.Limits[Keys[k]] = v
			}
		}
		changes = append(changes, c)
	}
	return Encode(changes)
}

func (m *Machine) Restore(state []byte) error {
	changes, err := decode(state)
	if err != nil {
		return fmt.Errorf("quotas: state: %w", err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.of = map[Entity]Values{}
	m.change(changes)
	return nil
}
