package consumer

import (
	"math"
	"sort"

	"github.com/streamflow/streamflow/logstore/group"
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

// never is a deadline that does not come.
const never = math.MaxInt64

// Group is one group. Its owner calls it from one goroutine.
//
//	targetEpoch <= epoch, and equal between two calls; a member's epoch is at most targetEpoch
//	target has a set for each member, and no partition is in two of them
//	owner has the one member for every partition that is assigned or being revoked
type Group struct {
	cfg         Config
	epoch       int32
	targetEpoch int32
	assignor    string
	members     map[string]*member
	statics     map[string]string // instance id -> member
	target      map[string]Set
	owner       map[Partition]string

	topics  map[string]Topic // that are subscribed to, as the epoch has them
	seen    *Topics          // the picture that they come from
	changed bool             // members or subscriptions have changed since the epoch began

	now int64
}

// New returns an empty group.
func New(cfg Config) *Group {
	return &Group{
		cfg: cfg.withDefaults(), assignor: Uniform, members: map[string]*member{}, statics: map[string]string{},
		target: map[string]Set{}, owner: map[Partition]string{}, topics: map[string]Topic{},
	}
}

// Configure changes the bounds. Sessions are counted by them from their next heartbeat on.
func (g *Group) Configure(cfg Config) { g.cfg = cfg.withDefaults() }

// Idle groups have no member.
func (g *Group) Idle() bool { return len(g.members) == 0 }

// Pattern is the expression that a member subscribes by, "" for none.
func (g *Group) Pattern(memberID string) string {
	if m := g.members[memberID]; m != nil {
		return m.pattern
	}
	return ""
}

// leave removes a member that leaves, or keeps the place of a static one that will be back.
func (g *Group) leave(h Heartbeat) Reply {
	m := g.members[h.MemberID]
	if h.InstanceID != "" {
		holder, known := g.statics[h.InstanceID]
		switch {
		case !known:
			return Reply{Code: group.UnknownMemberID}
		case holder != h.MemberID:
			return Reply{Code: group.FencedInstanceID}
		}
	}
	switch {
	case m == nil:
		return Reply{Code: group.UnknownMemberID}
	case h.Epoch == EpochLeave:
		g.remove(m)
	case h.Epoch == EpochLeaveStatic && m.instance != "":
		g.release(m.revoking)
		m.previous, m.epoch, m.state, m.revoking, m.deadline = m.epoch, EpochLeaveStatic, Stable, nil, never
	default:
		return Reply{Code: group.UnknownMemberID, Message: "only a static member can say that it will be back"}
	}
	return Reply{MemberID: h.MemberID, Epoch: h.Epoch, HeartbeatInterval: g.cfg.HeartbeatInterval}
}

// remove forgets a member. What it had is free; the others are told at their heartbeats.
func (g *Group) remove(m *member) {
	g.free(m)
	delete(g.members, m.id)
	delete(g.target, m.id)
	if m.instance != "" && g.statics[m.instance] == m.id {
		delete(g.statics, m.instance)
	}
	g.changed = true
	g.renew()
}

// renew begins the epoch of a change that no heartbeat brought.
func (g *Group) renew() {
	if !g.changed || g.seen == nil {
		return
	}
	g.notice(g.seen)
	g.retarget()
}

// rest sets a member's rebalance deadline aside when there is nothing that it has to let go.
func (g *Group) rest(m *member) {
	if m.state != Unrevoked {
		m.deadline = never
	}
}

// Deadline is when the next Tick is due; math.MaxInt64 when none is.
func (g *Group) Deadline() int64 {
	d := int64(never)
	for _, m := range g.members {
		d = min(d, m.session, m.deadline)
	}
	return d
}

// Tick removes the members whose time is over.
func (g *Group) Tick(now int64) {
	g.now = now
	for _, m := range g.ordered() {
		if min(m.session, m.deadline) <= now {
			g.remove(m)
		}
	}
}

// ordered returns the members in the order of the assignors.
func (g *Group) ordered() []*member {
	out := make([]*member, 0, len(g.members))
	for _, m := range g.members {
		out = append(out, m)
	}
	sort.Slice(out, func(i, j int) bool { return out[i].key() < out[j].key() })
	return out
}

// CheckCommit says whether a member may commit offsets, under the epoch that it names. A commit from outside (no member, a
// negative epoch) is allowed while the group has none.
func (g *Group) CheckCommit(memberID, instance string, epoch int32) group.Code {
	if epoch < 0 && len(g.members) == 0 {
		return group.OK
	}
	m := g.members[memberID]
	switch {
	case instance != "" && g.statics[instance] != "" && g.statics[instance] != memberID:
		return group.FencedInstanceID
	case m == nil:
		return group.UnknownMemberID
	case m.epoch != epoch:
		return group.StaleMemberEpoch
	}
	return group.OK
}

// CheckFetch says whether offsets may be read: by anybody who names no member, else by a member under its epoch.
func (g *Group) CheckFetch(memberID string, epoch int32) group.Code {
	if memberID == "" && epoch < 0 {
		return group.OK
	}
	return g.CheckCommit(memberID, "", epoch)
}
