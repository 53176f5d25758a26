package consumer

import (
	"maps"
	"slices"
)

// Topic is a topic as of one moment.
type Topic struct {
	ID         TopicID
	Partitions int32
}

// Topics is a picture of the topics there are, by name. It is never changed: another picture is another pointer.
type Topics struct{ ByName map[string]Topic }

// pick is the topics of the given names that are there.
func (t *Topics) pick(names map[string]bool) map[string]Topic {
	out := map[string]Topic{}
	for name := range names {
		if topic, ok := t.ByName[name]; ok {
			out[name] = topic
		}
	}
	return out
}

// subscribed is every topic that some member subscribes to.
func (g *Group) subscribed() map[string]bool {
	names := map[string]bool{}
	for _, m := range g.members {
		for _, n := range m.topics() {
			names[n] = true
		}
	}
	return names
}

// notice takes a picture of the topics, and begins a new epoch when those that the group subscribes to have changed.
func (g *Group) notice(topics *Topics) {
	if topics == g.seen && !g.changed {
		return
	}
	g.seen = topics
	now := topics.pick(g.subscribed())
	if g.changed || !maps.Equal(now, g.topics) {
		g.epoch++
	}
	g.topics, g.changed = now, false
}

// partitionsOf are the partitions of the topics that a member subscribes to.
func (g *Group) partitionsOf(m *member) []Partition {
	var out []Partition
	for _, name := range m.topics() {
		t, ok := g.topics[name]
		if !ok {
			continue
		}
		for p := range t.Partitions {
			out = append(out, Partition{t.ID, p})
		}
	}
	return out
}

// topics are the names that a member subscribes to, and those that its expression matches, in order.
func (m *member) topics() []string {
	if len(m.matched) == 0 {
		return m.names
	}
	all := append(slices.Clone(m.names), m.matched...)
	slices.Sort(all)
	return slices.Compact(all)
}
