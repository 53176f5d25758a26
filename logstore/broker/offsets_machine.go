package broker

import (
	"encoding/json"
	"fmt"
	"sort"
	"sync"
)

// CommittedOffset is where a consumer group stands in a partition.
type CommittedOffset struct {
	Offset      int64  `json:"o"` // the next record to read
	LeaderEpoch int32  `json:"e"` // -1 when unknown
	Metadata    string `json:"m,omitempty"`
	TimeMs      int64  `json:"t,omitempty"` // when it was committed
}

// GroupOffset is a CommittedOffset with its place.
type GroupOffset struct {
	Topic     string `json:"topic"`
	Partition int32  `json:"p"`
	CommittedOffset
}

// offsetsMachine holds the committed offsets of all groups.
type offsetsMachine struct {
	topics *topicsMachine // says who coordinates; nil: everybody does
	mu     sync.RWMutex
	groups map[string]map[partitionKey]CommittedOffset
}

type partitionKey struct {
	topic     string
	partition int32
}

// offsetCommand has one of Commit, Delete, DropGroup and DropTopic.
type offsetCommand struct {
	Office    *office       `json:"office,omitempty"` // of the coordinator that sends it; nil on a node that is alone
	Group     string        `json:"group,omitempty"`
	Commit    []GroupOffset `json:"commit,omitempty"`
	Delete    []GroupOffset `json:"delete,omitempty"` // places only
	DropGroup bool          `json:"dropGroup,omitempty"`
	DropTopic string        `json:"dropTopic,omitempty"` // from all groups
}

func newOffsetsMachine() *offsetsMachine {
	return &offsetsMachine{groups: map[string]map[partitionKey]CommittedOffset{}}
}

func (*offsetsMachine) Name() string { return "offsets" }

func (m *offsetsMachine) Apply(cmd []byte) ([]byte, error) {
	var c offsetCommand
	if err := json.Unmarshal(cmd, &c); err != nil {
		return nil, fmt.Errorf("offsets: command: %w", err)
	}
	if err := m.topics.inOffice(c.Office); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case c.DropTopic != "":
		m.dropTopic(c.DropTopic)
	case c.DropGroup:
		delete(m.groups, c.Group)
	default:
		m.commit(c.Group, c.Commit)
		m.remove(c.Group, c.Delete)
	}
	return nil, nil
}

func (m *offsetsMachine) commit(group string, offsets []GroupOffset) {
	g := m.groups[group]
	if g == nil && len(offsets) > 0 {
		g = map[partitionKey]CommittedOffset{}
		m.groups[group] = g
	}
	for _, o := range offsets {
		g[partitionKey{o.Topic, o.Partition}] = o.CommittedOffset
	}
}

func (m *offsetsMachine) remove(group string, places []GroupOffset) {
	g := m.groups[group]
	for _, o := range places {
		delete(g, partitionKey{o.Topic, o.Partition})
	}
	if len(g) == 0 {
		delete(m.groups, group)
	}
}

func (m *offsetsMachine) dropTopic(topic string) {
	for name, g := range m.groups {
		for k := range g {
			if k.topic == topic {
				delete(g, k)
			}
		}
		if len(g) == 0 {
			delete(m.groups, name)
		}
	}
}

func (m *offsetsMachine) Snapshot() []byte {
	m.mu.RLock()
	defer m.mu.RUnlock()
	state := make(map[string][]GroupOffset, len(m.groups))
	for name, g := range m.groups {
		state[name] = sortedOffsets(g)
	}
	b, err := json.Marshal(state)
	if err != nil {
		panic("BUG: offsets state does not encode: " + err.Error())
	}
	return b
}

func (m *offsetsMachine) Restore(state []byte) error {
	var s map[string][]GroupOffset
	if err := json.Unmarshal(state, &s); err != nil {
		return fmt.Errorf("offsets: state: %w", err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.groups = map[string]map[partitionKey]CommittedOffset{}
	for name, offsets := range s {
		m.commit(name, offsets)
	}
	return nil
}

func (m *offsetsMachine) get(group, topic string, partition int32) (CommittedOffset, bool) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	o, ok := m.groups[group][partitionKey{topic, partition}]
	return o, ok
}

func (m *offsetsMachine) all(group string) []GroupOffset {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return sortedOffsets(m.groups[group])
}

func (m *offsetsMachine) names() []string {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return sortedKeys(m.groups)
}

func sortedOffsets(g map[partitionKey]CommittedOffset) []GroupOffset {
	out := make([]GroupOffset, 0, len(g))
	for k, o := range g {
		out = append(out, GroupOffset{k.topic, k.partition, o})
	}
	sort.Slice(out, func(i, j int) bool {
		if out[i].Topic != out[j].Topic {
			return out[i].Topic < out[j].Topic
		}
		return out[i].Partition < out[j].Partition
	})
	return out
}
