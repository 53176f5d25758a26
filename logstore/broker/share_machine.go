package broker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sort"
	"sync"

	"github.com/google/uuid"
)

// ErrShareFenced is what a write of a share partition's state is refused with when another leader or an operator has changed it
// since it was read.
var ErrShareFenced = errors.New("the share partition was changed by another")

// SharePlace is a partition as a share group has it. A topic that is made anew is another one.
type SharePlace struct {
	TopicID   uuid.UUID `json:"topicId"`
	Partition int32     `json:"p"`
}

// ShareState is what is kept of a share partition: how far it is done, and what is known of records after that.
type ShareState struct {
	Epoch       int32  `json:"epoch"`           // grows when an operator moves the start
	LeaderEpoch int32  `json:"leaderEpoch"`     // of the leader that wrote it
	Start       int64  `json:"start"`           // the first record that is not done
	Kept        []byte `json:"state,omitempty"` // the leader's own encoding; empty when an operator has set the start
}

// ShareState returns what is kept of a share partition; false when nothing is.
func (b *Broker) ShareState(group string, at SharePlace) (ShareState, bool) {
	b.shares.mu.RLock()
	defer b.shares.mu.RUnlock()
	s, ok := b.shares.groups[group][at]
	return s, ok
}

// ShareStates returns all that is kept of a share group.
func (b *Broker) ShareStates(group string) map[SharePlace]ShareState {
	b.shares.mu.RLock()
	defer b.shares.mu.RUnlock()
	out := map[SharePlace]ShareState{}
	for at, s := range b.shares.groups[group] {
		out[at] = s
	}
	return out
}

// HasShareGroup is whether a share group was ever used, and not deleted since.
func (b *Broker) HasShareGroup(group string) bool {
	b.shares.mu.RLock()
	defer b.shares.mu.RUnlock()
	_, ok := b.shares.groups[group]
	return ok
}

// ShareGroups names the share groups that were used, and not deleted since.
func (b *Broker) ShareGroups() []string {
	b.shares.mu.RLock()
	defer b.shares.mu.RUnlock()
	return sortedKeys(b.shares.groups)
}

// WriteShareState keeps a share partition's state for its leader, under the epochs that it knows; ErrShareFenced otherwise.
func (b *Broker) WriteShareState(ctx context.Context, group string, at SharePlace, s ShareState) error {
	_, err := b.apply(ctx, b.shares, shareCommand{Group: group, Write: &shareWrite{at, s}})
	return err
}

// SetShareStarts sets where a share group goes on in partitions, whatever it has done.
func (b *Broker) SetShareStarts(ctx context.Context, group string, starts map[SharePlace]int64) error {
	c := shareCommand{Group: group}
	for at, start := range starts {
		c.Set = append(c.Set, shareWrite{at, ShareState{Start: start}})
	}
	sort.Slice(c.Set, func(i, j int) bool { return c.Set[i].less(c.Set[j]) })
	_, err := b.apply(ctx, b.shares, c)
	return err
}

// DropShareStates forgets topics of a share group, or all of it when no topic is named.
func (b *Broker) DropShareStates(ctx context.Context, group string, topics ...uuid.UUID) error {
	_, err := b.apply(ctx, b.shares, shareCommand{Group: group, Drop: topics, DropGroup: len(topics) == 0})
	return err
}

// sharesMachine keeps the states of share partitions (KIP-932's share coordinator).
type sharesMachine struct {
	mu     sync.RWMutex
	groups map[string]map[SharePlace]ShareState
}

// shareCommand has one of Write, Set, Drop and DropGroup.
type shareCommand struct {
	Group     string       `json:"group"`
	Write     *shareWrite  `json:"write,omitempty"`
	Set       []shareWrite `json:"set,omitempty"`
	Drop      []uuid.UUID  `json:"drop,omitempty"`
	DropGroup bool         `json:"dropGroup,omitempty"`
}

type shareWrite struct {
	SharePlace
	State ShareState `json:"s"`
}

func (w shareWrite) less(v shareWrite) bool {
	if w.TopicID != v.TopicID {
		return w.TopicID.String() < v.TopicID.String()
	}
	return w.Partition < v.Partition
}

func newSharesMachine() *sharesMachine {
	return &sharesMachine{groups: map[string]map[SharePlace]ShareState{}}
}

func (*sharesMachine) Name() string { return "shares" }

func (m *sharesMachine) Apply(cmd []byte) ([]byte, error) {
	var c shareCommand
	if err := json.Unmarshal(cmd, &c); err != nil {
		return nil, fmt.Errorf("shares: command: %w", err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if c.DropGroup {
		delete(m.groups, c.Group)
		return nil, nil
	}
	g := m.groups[c.Group]
	if g == nil {
		g = map[SharePlace]ShareState{}
	}
	if w := c.Write; w != nil {
		now, ok := g[w.SharePlace]
		if ok && (w.State.LeaderEpoch < now.LeaderEpoch || w.State.Epoch != now.Epoch) || !ok && w.State.Epoch != 0 {
			return nil, ErrShareFenced
		}
		g[w.SharePlace] = w.State
	}
	for _, w := range c.Set {
		now := g[w.SharePlace]
		g[w.SharePlace] = ShareState{Epoch: now.Epoch + 1, LeaderEpoch: now.LeaderEpoch, Start: w.State.Start}
	}
	for _, id := range c.Drop {
		for at := range g {
			if at.TopicID == id {
				delete(g, at)
			}
		}
	}
	m.groups[c.Group] = g // a group of which nothing is kept any more stays, until it is dropped
	return nil, nil
}

func (m *sharesMachine) Snapshot() []byte {
	m.mu.RLock()
	defer m.mu.RUnlock()
	state := map[string][]shareWrite{}
	for name, g := range m.groups {
		state[name] = []shareWrite{}
		for at, s := range g {
			state[name] = append(state[name], shareWrite{at, s})
		}
		sort.Slice(state[name], func(i, j int) bool { return state[name][i].less(state[name][j]) })
	}
	b, err := json.Marshal(state)
	if err != nil {
		panic("BUG: share states do not encode: " + err.Error())
	}
	return b
}

func (m *sharesMachine) Restore(state []byte) error {
	var all map[string][]shareWrite
	if err := json.Unmarshal(state, &all); err != nil {
		return fmt.Errorf("shares: state: %w", err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.groups = map[string]map[SharePlace]ShareState{}
	for name, ws := range all {
		m.groups[name] = map[SharePlace]ShareState{}
		for _, w := range ws {
			m.groups[name][w.SharePlace] = w.State
		}
	}
	return nil
}
