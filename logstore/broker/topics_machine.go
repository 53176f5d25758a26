package broker

import (
	"encoding/json"
	"fmt"
	"sort"
	"sync"

	"github.com/google/uuid"
	"github.com/streamflow/streamflow/internal/usererr"
)

// topicsMachine is the set of topics, of brokers, and of the partitions' records. Commands and snapshots are JSON; see
// docs/format/meta.md.
type topicsMachine struct {
	cluster
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

	Assign [][]int32 `json:"assign,omitempty"` // with Create and Grow: the replicas of the new partitions

	Register   *registerBroker  `json:"register,omitempty"`
	Fence      *brokerEpoch     `json:"fence,omitempty"`
	Unfence    *brokerEpoch     `json:"unfence,omitempty"`
	Drain      *drainBroker     `json:"drain,omitempty"`
	Unregister *int32           `json:"unregister,omitempty"`
	AlterISR   *alterPartitions `json:"alterIsr,omitempty"`
	Damaged    *damagedReplicas `json:"damaged,omitempty"`
	Elect      *electLeaders    `json:"elect,omitempty"`
	Reassign   []reassignPlace  `json:"reassign,omitempty"`
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

	Brokers   []*brokerRecord              `json:"brokers,omitempty"`
	Records   map[string][]PartitionRecord `json:"records,omitempty"`
	LastEpoch int64                        `json:"lastBrokerEpoch,omitempty"`
	Home      *int32                       `json:"home,omitempty"`
	Unclean   int64                        `json:"uncleanElections,omitempty"`
}

func newTopicsMachine() *topicsMachine {
	return &topicsMachine{
		cluster: newCluster(),
		topics:  map[string]*Topic{}, byID: map[uuid.UUID]*Topic{}, deleting: map[string]bool{}, changed: make(chan struct{}),
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
	out, err := m.apply(c)
	if err != nil {
		return nil, err
	}
	close(m.changed)
	m.changed = make(chan struct{})
	if out == nil {
		return nil, nil
	}
	return json.Marshal(out)
}

// apply carries a command out. Its answer is nil, a broker's epoch, or a []placeResult.
func (m *topicsMachine) apply(c topicCommand) (any, error) {
	switch {
	case c.Create != nil:
		return nil, m.create(c.Create, c.Assign)
	case c.Delete != "":
		return nil, m.delete(c.Delete)
	case c.Forget != "":
		delete(m.deleting, c.Forget)
		return nil, nil
	case c.Alter != nil:
		return nil, m.alter(*c.Alter)
	case c.Grow != nil:
		return nil, m.grow(*c.Grow, c.Assign)
	}
	return m.applyCluster(c)
}

func (m *topicsMachine) applyCluster(c topicCommand) (any, error) {
	switch {
	case c.Register != nil:
		return m.register(*c.Register)
	case c.Fence != nil:
		return nil, m.fence(*c.Fence)
	case c.Unfence != nil:
		return nil, m.unfence(*c.Unfence)
	case c.Drain != nil:
		return nil, m.drain(*c.Drain)
	case c.Unregister != nil:
		return nil, m.unregister(*c.Unregister)
	case c.AlterISR != nil:
		return m.alterISR(*c.AlterISR)
	case c.Damaged != nil:
		return m.damaged(*c.Damaged)
	case c.Elect != nil:
		return m.elect(*c.Elect), nil
	case c.Reassign != nil:
		return m.reassign(c.Reassign), nil
	}
	return nil, fmt.Errorf("topics: empty command")
}

func (m *topicsMachine) create(t *Topic, replicas [][]int32) error {
	if m.topics[t.Name] != nil {
		return errTopicExists(t.Name)
	}
	if m.deleting[t.Name] {
		return usererr.New(CodeTopicBeingGone, "55006", "topic %q is being deleted", t.Name).WithFix("Try again in a moment.")
	}
	if err := m.assign(t, 0, replicas); err != nil {
		return err
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
	delete(m.records, name)
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
	m.review(t)
	return nil
}

// review applies a topic's changed rules to its records.
func (m *topicsMachine) review(t *Topic) {
	c := m.rules(t)
	for p, r := range m.records[t.Name] {
		n := c.shrink(r, r.ISR)
		m.set(t, int32(p), m.noteUnclean(r, r.next(c.elect(n))))
	}
}

func (m *topicsMachine) grow(g growTopic, replicas [][]int32) error {
	t := m.topics[g.Name]
	if t == nil {
		return m.unknown(g.Name)
	}
	if g.Partitions <= t.Partitions {
		return errCannotShrink(t, g.Partitions)
	}
	had := t.Partitions
	t = t.clone()
	t.Partitions = g.Partitions
	if err := m.assign(t, had, replicas); err != nil {
		return err
	}
	m.put(t)
	return nil
}

func (m *topicsMachine) Snapshot() []byte {
	m.mu.RLock()
	defer m.mu.RUnlock()
	s := topicsState{Topics: m.sorted(), Deleting: sortedKeys(m.deleting), LastEpoch: m.lastEpoch, Unclean: m.cluster.unclean, Brokers: m.sortedBrokers(), Records: m.records}
	if m.homeKnown {
		s.Home = &m.home
	}
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
	m.restoreCluster(s)
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
