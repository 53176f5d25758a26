package share

import (
	"math"
	"slices"
	"sort"

	"github.com/streamflow/streamflow/logstore/group"
	"github.com/streamflow/streamflow/logstore/group/consumer"
)

// Config bounds a group. The zero value of a field is its default.
type Config struct {
	SessionTimeout    int64 // milliseconds; 45,000
	HeartbeatInterval int64 // 5,000
	MaxSize           int   // members; 0: no limit
}

func (c Config) withDefaults() Config {
	if c.SessionTimeout == 0 {
		c.SessionTimeout = 45_000
	}
	if c.HeartbeatInterval == 0 {
		c.HeartbeatInterval = 5_000
	}
	return c
}

// Group is the members of a share group. Its owner calls it from one goroutine.
type Group struct {
	cfg     Config
	epoch   int32
	members map[string]*member
	topics  *consumer.Topics // as the assignment has them
	changed bool
	now     int64
}

type member struct {
	id, rack       string
	clientID, host string
	epoch          int32
	previous       int32
	names          []string
	assigned       consumer.Set
	told           consumer.Set
	session        int64
}

// Heartbeat is what a member says. Names is nil where its subscription has not changed.
type Heartbeat struct {
	MemberID             string
	Epoch                int32
	Rack                 *string
	ClientID, ClientHost string
	Names                []string
}

// NewGroup returns an empty group.
func NewGroup(cfg Config) *Group {
	return &Group{cfg: cfg.withDefaults(), members: map[string]*member{}}
}

// Configure changes the bounds.
func (g *Group) Configure(cfg Config) { g.cfg = cfg.withDefaults() }

// Idle groups have no member.
func (g *Group) Idle() bool { return len(g.members) == 0 }

// Heartbeat takes a member's heartbeat at a time (milliseconds, never going back).
func (g *Group) Heartbeat(now int64, h Heartbeat, topics *consumer.Topics) consumer.Reply {
	g.now = now
	m := g.members[h.MemberID]
	switch {
	case m == nil && h.Epoch != consumer.EpochJoin:
		return consumer.Reply{Code: group.UnknownMemberID}
	case h.Epoch == consumer.EpochLeave:
		g.remove(m)
		return consumer.Reply{MemberID: h.MemberID, Epoch: h.Epoch, HeartbeatInterval: g.cfg.HeartbeatInterval}
	case m == nil && g.cfg.MaxSize > 0 && len(g.members) >= g.cfg.MaxSize:
		return consumer.Reply{Code: group.GroupMaxSizeReached}
	case m == nil:
		m = &member{id: h.MemberID}
		g.members[m.id] = m
		g.changed = true
	case h.Epoch != consumer.EpochJoin && h.Epoch != m.epoch && h.Epoch != m.previous:
		return consumer.Reply{Code: group.FencedMemberEpoch}
	}
	g.listen(m, h)
	g.assign(topics)
	full := h.Epoch != m.epoch
	if m.epoch != g.epoch {
		m.previous, m.epoch = m.epoch, g.epoch
	}
	r := consumer.Reply{MemberID: m.id, Epoch: m.epoch, HeartbeatInterval: g.cfg.HeartbeatInterval}
	if full || !slices.Equal(m.told, m.assigned) {
		assigned := m.assigned
		m.told, r.Assignment = assigned, &assigned
	}
	return r
}

func (g *Group) listen(m *member, h Heartbeat) {
	m.clientID, m.host = h.ClientID, h.ClientHost
	if h.Rack != nil {
		m.rack = *h.Rack
	}
	if h.Names != nil {
		names := slices.Clone(h.Names)
		slices.Sort(names)
		if names = slices.Compact(names); !slices.Equal(names, m.names) {
			m.names, g.changed = names, true
		}
	}
	m.session = g.now + g.cfg.SessionTimeout
}

// assign gives every partition to some member, and every member some partition if its topics have one, in a new epoch. Of
// partitions and subscribers, whichever are more go round the others.
func (g *Group) assign(topics *consumer.Topics) {
	if !g.changed && topics == g.topics {
		return
	}
	before := g.changed
	g.topics, g.changed = topics, false
	next := map[string][]consumer.Partition{}
	for name, subscribers := range g.subscribers() {
		t, ok := topics.ByName[name]
		if !ok || t.Partitions == 0 {
			continue
		}
		for i := range max(int(t.Partitions), len(subscribers)) {
			m := subscribers[i%len(subscribers)]
			next[m] = append(next[m], consumer.Partition{Topic: t.ID, Index: int32(i % int(t.Partitions))})
		}
	}
	for id, m := range g.members {
		s := consumer.NewSet(next[id])
		before = before || !slices.Equal(s, m.assigned)
		m.assigned = s
	}
	if before {
		g.epoch++
	}
}

// subscribers are the members of each topic, in order.
func (g *Group) subscribers() map[string][]string {
	out := map[string][]string{}
	for _, m := range g.ordered() {
		for _, n := range m.names {
			out[n] = append(out[n], m.id)
		}
	}
	return out
}

func (g *Group) ordered() []*member {
	out := make([]*member, 0, len(g.members))
	for _, m := range g.members {
		out = append(out, m)
	}
	sort.Slice(out, func(i, j int) bool { return out[i].id < out[j].id })
	return out
}

func (g *Group) remove(m *member) {
	delete(g.members, m.id)
	g.changed = true
	if g.topics != nil {
		g.assign(g.topics)
	}
}

// Deadline is when the next Tick is due; math.MaxInt64 when none is.
func (g *Group) Deadline() int64 {
	d := int64(math.MaxInt64)
	for _, m := range g.members {
		d = min(d, m.session)
	}
	return d
}

// Tick removes the members whose session is over.
func (g *Group) Tick(now int64) {
	for _, m := range g.ordered() {
		if m.session <= now {
			g.remove(m)
		}
	}
}

// Describe returns the group as it is.
func (g *Group) Describe() consumer.Description {
	d := consumer.Description{State: "Stable", Epoch: g.epoch, AssignmentEpoch: g.epoch, Assignor: "simple"}
	if len(g.members) == 0 {
		d.State = "Empty"
	}
	for _, m := range g.ordered() {
		d.Members = append(d.Members, consumer.MemberDescription{
			MemberID: m.id, RackID: m.rack, ClientID: m.clientID, ClientHost: m.host, Epoch: m.epoch, Names: m.names, Assigned: m.assigned, Target: m.assigned,
		})
	}
	return d
}
