package consumer

import "github.com/streamflow/streamflow/logstore/group"

// Epochs of a heartbeat that are not a member's.
const (
	EpochJoin        = 0
	EpochLeave       = -1
	EpochLeaveStatic = -2 // a static member that will be back
)

// Heartbeat is what a member says. Optional fields are nil where nothing has changed.
type Heartbeat struct {
	MemberID         string
	Epoch            int32
	InstanceID       string // static membership; empty for none
	RackID           *string
	ClientID         string
	ClientHost       string
	RebalanceTimeout int64    // milliseconds; -1: as before
	Names            []string // topics subscribed to
	Pattern          *string  // an expression that topics are subscribed to by; "" for none
	Matched          []string // the topics that the pattern in force matches, as the shell finds
	Assignor         *string
	Owned            *Set // what the client has
}

// Reply is the answer.
type Reply struct {
	Code              group.Code
	Message           string
	MemberID          string
	Epoch             int32
	HeartbeatInterval int64 // milliseconds
	Assignment        *Set  // nil where nothing has changed
}

// Heartbeat takes a member's heartbeat at a time (milliseconds, never going back).
func (g *Group) Heartbeat(now int64, h Heartbeat, topics *Topics) Reply {
	g.now = now
	if h.Epoch < EpochJoin {
		return g.leave(h)
	}
	if h.Assignor != nil && *h.Assignor != "" && assignors[*h.Assignor] == nil {
		return Reply{Code: group.UnsupportedAssignor, Message: "assignor " + *h.Assignor + " is not known; there are uniform and range"}
	}
	m, code := g.find(h)
	if code != group.OK {
		return Reply{Code: code}
	}
	before := m.assigned
	g.listen(m, h)
	g.notice(topics)
	g.retarget()
	g.reconcile(m)
	g.rest(m)
	r := Reply{MemberID: m.id, Epoch: m.epoch, HeartbeatInterval: g.cfg.HeartbeatInterval}
	if h.full() || m.toldEpoch != m.epoch || !sameSet(before, m.assigned) {
		assigned := m.assigned
		r.Assignment = &assigned
	}
	m.toldEpoch = m.epoch
	return r
}

// full is whether a heartbeat says everything, so that everything is answered.
func (h *Heartbeat) full() bool {
	return h.Epoch == EpochJoin || (h.Names != nil || h.Pattern != nil) && h.RebalanceTimeout >= 0 && h.Owned != nil
}

func sameSet(a, b Set) bool { return a.within(b) && b.within(a) }

// find is the member that a heartbeat is of: one that is there, or one that joins.
func (g *Group) find(h Heartbeat) (*member, group.Code) {
	m := g.members[h.MemberID]
	if h.InstanceID != "" {
		return g.findStatic(h, m)
	}
	switch {
	case m == nil && h.Epoch != EpochJoin:
		return nil, group.UnknownMemberID
	case m == nil:
		return g.join(h)
	}
	return m, g.checkEpoch(m, h)
}

// findStatic is find for a member with an instance id: the instance that comes back takes over from the one that left.
func (g *Group) findStatic(h Heartbeat, m *member) (*member, group.Code) {
	holder := g.members[g.statics[h.InstanceID]]
	switch {
	case holder == nil && h.Epoch != EpochJoin:
		return nil, group.UnknownMemberID
	case holder == nil && m != nil: // an id that was a dynamic member's
		return nil, group.UnreleasedInstanceID
	case holder == nil:
		return g.join(h)
	case holder.id == h.MemberID:
		return holder, g.checkEpoch(holder, h)
	case h.Epoch != EpochJoin:
		return nil, group.FencedInstanceID
	case holder.epoch != EpochLeaveStatic:
		return nil, group.UnreleasedInstanceID
	}
	return g.replace(holder, h), group.OK
}

func (g *Group) join(h Heartbeat) (*member, group.Code) {
	if g.cfg.MaxSize > 0 && len(g.members) >= g.cfg.MaxSize {
		return nil, group.GroupMaxSizeReached
	}
	m := &member{id: h.MemberID, instance: h.InstanceID, state: Stable, toldEpoch: -1, deadline: never}
	g.members[m.id] = m
	if m.instance != "" {
		g.statics[m.instance] = m.id
	}
	g.changed = true
	return m, group.OK
}

// replace gives what a static member had to the one that comes after it.
func (g *Group) replace(old *member, h Heartbeat) *member {
	m := *old
	m.id, m.epoch, m.previous, m.toldEpoch = h.MemberID, EpochJoin, EpochJoin, -1
	delete(g.members, old.id)
	g.members[m.id] = &m
	g.statics[m.instance] = m.id
	g.target[m.id] = g.target[old.id]
	delete(g.target, old.id)
	for _, p := range m.assigned {
		g.owner[p] = m.id
	}
	return &m
}

// checkEpoch fences a member that is behind. One whose last answer was lost comes with the epoch before and no more
// partitions than it was given; one that joins again has nothing.
func (g *Group) checkEpoch(m *member, h Heartbeat) group.Code {
	switch {
	case h.Epoch == m.epoch:
		return group.OK
	case h.Epoch == EpochJoin:
		g.forgetAssignment(m)
		return group.OK
	case h.Epoch == m.previous && h.Epoch < m.epoch && h.Owned != nil && h.Owned.within(m.assigned):
		m.toldEpoch = -1
		return group.OK
	}
	return group.FencedMemberEpoch
}

// forgetAssignment takes a member back to where one is that has just joined.
func (g *Group) forgetAssignment(m *member) {
	g.free(m)
	m.epoch, m.previous, m.state, m.assigned, m.revoking, m.owned = EpochJoin, EpochJoin, Stable, nil, nil, nil
}

// listen takes over what a member says of itself.
func (g *Group) listen(m *member, h Heartbeat) {
	m.clientID, m.host = h.ClientID, h.ClientHost
	if h.RebalanceTimeout >= 0 {
		m.rebalanceTimeout = h.RebalanceTimeout
	}
	if h.RackID != nil {
		m.rack = *h.RackID
	}
	if h.Assignor != nil && m.assignor != *h.Assignor {
		m.assignor, g.changed = *h.Assignor, true
	}
	if h.Names != nil && !sameNames(m.names, h.Names) {
		m.names, g.changed = sortedNames(h.Names), true
	}
	if h.Pattern != nil && m.pattern != *h.Pattern {
		m.pattern, g.changed = *h.Pattern, true
	}
	if !sameNames(m.matched, h.Matched) {
		m.matched, g.changed = sortedNames(h.Matched), true
	}
	if m.owned = h.Owned; h.Owned == nil && h.Epoch == EpochJoin {
		m.owned = &Set{}
	}
	m.session = g.now + g.cfg.SessionTimeout
}
