package broker

import (
	"encoding/json"
	"fmt"
	"sort"
	"sync"

	"github.com/google/uuid"
	"github.com/streamflow/streamflow/internal/usererr"
)

// topicsMachine is the set of topics. Commands and snapshots are JSON; see docs/format/meta.md.
type topicsMachine struct {
	mu       sync.RWMutex
	topics   map[string]*Topic
	byID     map[uuid.UUID]*Topic
	deleting map[string]bool // names whose files are still to be removed
	changed  chan struct{}   // closed and replaced at each change
}

// topicCommand has one of its fields set.
type topicCommand struct {
	Create *Topic      `json:"create,omitempty"`
	Delete string      `json:"delete,omitempty"`
	Forget string      `json:"forget,omitempty"` // the files of a deleted topic are gone
	Alter  *alterTopic `json:"alter,omitempty"`
	Grow   *growTopic  `json:"grow,omitempty"`
}

type alterTopic struct {
	Name  string            `json:"name"`
	Set   map[string]string `json:"set,omitempty"`
	Unset []string          `json:"unset,omitempty"`
}

type growTopic struct {
	Name       string `json:"name"`
	Partitions int32  `json:"partitions"`
}

type topicsState struct {
	Topics   []*Topic `json:"topics"`
	Deleting []string `json:"deleting,omitempty"`
}

func newTopicsMachine() *topicsMachine {
	return &topicsMachine{
		topics: map[string]*Topic{}, byID: map[uuid.UUID]*Topic{}, deleting: map[string]bool{}, changed: make(chan struct{}),
	}
}

func (*topicsMachine) Name() string { return "topics" }

func (m *topicsMachine) Apply(cmd []byte) ([]byte, error) {
	var c topicCommand
	if err := json.Unmarshal(cmd, &c); err != nil {
		return nil, fmt.Errorf("topics: command: %w", err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.apply(c); err != nil {
		return nil, err
	}
	close(m.changed)
	m.changed = make(chan struct{})
	return nil, nil
}

func (m *topicsMachine) apply(c topicCommand) error {
	switch {
	case c.Create != nil:
		return m.create(c.Create)
	case c.Delete != "":
		return m.delete(c.Delete)
	case c.Forget != "":
		delete(m.deleting, c.Forget)
		return nil
	case c.Alter != nil:
		return m.alter(*c.Alter)
	case c.Grow != nil:
		return m.grow(*c.Grow)
	}
	return fmt.Errorf("topics: empty command")
}

func (m *topicsMachine) create(t *Topic) error {
	if m.topics[t.Name] != nil {
		return errTopicExists(t.Name)
	}
	if m.deleting[t.Name] {
		return usererr.New(CodeTopicBeingGone, "55006", "topic %q is being deleted", t.Name).WithFix("Try again in a moment.")
	}
	m.put(t)
	return nil
}

func (m *topicsMachine) put(t *Topic) {
	m.topics[t.Name] = t
	m.byID[t.ID] = t
}

func (m *topicsMachine) delete(name string) error {
	t := m.topics[name]
	if t == nil {
		return m.unknown(name)
	}
	delete(m.topics, name)
	delete(m.byID, t.ID)
	m.deleting[name] = true
	return nil
}

func (m *topicsMachine) alter(a alterTopic) error {
	t := m.topics[a.Name]
	if t == nil {
		return m.unknown(a.Name)
	}
	t = t.clone()
	if t.Configs == nil {
		t.Configs = map[string]string{}
	}
	for _, k := range a.Unset {
		delete(t.Configs, k)
	}
	for k, v := range a.Set {
		t.Configs[k] = v
	}
	m.put(t)
	return nil
}

func (m *topicsMachine) grow(g growTopic) error {
	t := m.topics[g.Name]
	if t == nil {
		return m.unknown(g.Name)
	}
	if g.Partitions <= t.Partitions {
		return usererr.New(CodeInvalidCount, "22023", "topic %q has %d partitions; it can only grow, not become %d",
			g.Name, t.Partitions, g.Partitions)
	}
	t = t.clone()
	t.Partitions = g.Partitions
	m.put(t)
	return nil
}

func (m *topicsMachine) Snapshot() []byte {
	m.mu.RLock()
	defer m.mu.RUnlock()
	s := topicsState{Topics: m.sorted(), Deleting: sortedKeys(m.deleting)}
	b, err := json.Marshal(s)
	if err != nil {
		panic("BUG: topics state does not encode: " + err.Error())
	}
	return b
}

func (m *topicsMachine) Restore(state []byte) error {
	var s topicsState
	if err := json.Unmarshal(state, &s); err != nil {
		return fmt.Errorf("topics: state: %w", err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.topics, m.byID, m.deleting = map[string]*Topic{}, map[uuid.UUID]*Topic{}, map[string]bool{}
	for _, t := range s.Topics {
		m.put(t)
	}
	for _, name := range s.Deleting {
		m.deleting[name] = true
	}
	close(m.changed)
	m.changed = make(chan struct{})
	return nil
}

func (m *topicsMachine) get(name string) (*Topic, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if t := m.topics[name]; t != nil {
		return t, nil
	}
	return nil, m.unknown(name)
}

func (m *topicsMachine) getByID(id uuid.UUID) *Topic {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.byID[id]
}

func (m *topicsMachine) list() []*Topic {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.sorted()
}

func (m *topicsMachine) pendingDeletes() []string {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return sortedKeys(m.deleting)
}

func (m *topicsMachine) watch() <-chan struct{} {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.changed
}

// sorted and unknown want m.mu.
func (m *topicsMachine) sorted() []*Topic {
	all := make([]*Topic, 0, len(m.topics))
	for _, t := range m.topics {
		all = append(all, t)
	}
	sort.Slice(all, func(i, j int) bool { return all[i].Name < all[j].Name })
	return all
}

func (m *topicsMachine) unknown(name string) error {
	return errUnknownTopic(name, sortedKeys(m.topics))
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}
