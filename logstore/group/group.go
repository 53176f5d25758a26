package group

import (
	"math"
	"sort"
)

// Config bounds groups. The zero value of a field is its default.
type Config struct {
	MinSessionTimeout int64 // milliseconds; 6,000
	MaxSessionTimeout int64 // 1,800,000
	InitialDelay      int64 // how long the first rebalance of an empty group waits for further members
	MaxSize           int   // members; 0: no limit
}

func (c Config) withDefaults() Config {
	if c.MinSessionTimeout == 0 {
		c.MinSessionTimeout = 6_000
	}
	if c.MaxSessionTimeout == 0 {
		c.MaxSessionTimeout = 1_800_000
	}
	return c
}

// State is where the group stands.
type State string

const (
	Empty      State = "Empty"
	Preparing  State = "PreparingRebalance"
	Completing State = "CompletingRebalance"
	Stable     State = "Stable"
)

// never is a deadline that does not come.
const never = math.MaxInt64

// Group is one group. Its owner calls Step from one goroutine.
//
// Invariants: members is empty exactly in state Empty (and in Preparing between the last leave and its completion);
// leader is a member whenever state is Completing or Stable; statics maps an instance id to the member that has it.
type Group struct {
	cfg          Config
	state        State
	generation   int32
	protocolType string
	protocol     string
	leader       string
	members      map[string]*member
	pending      map[string]int64 // ids given to members that are to join with them -> when they lapse
	statics      map[string]string

	joinDeadline int64 // Preparing: when to go on without those who have not joined
	joinLimit    int64 // Preparing, first rebalance: joinDeadline is not moved beyond this
	joinGrew     bool  // Preparing, first rebalance: somebody came since joinDeadline was set
	syncDeadline int64 // Completing: when those who have not synced are removed

	now int64
	out []Action
}

// New returns an empty group.
func New(cfg Config) *Group {
	return &Group{
		cfg: cfg.withDefaults(), state: Empty, members: map[string]*member{}, pending: map[string]int64{},
		statics: map[string]string{}, joinDeadline: never, syncDeadline: never,
	}
}

// Step takes an event at a time (milliseconds, never going back) and returns what to do.
func (g *Group) Step(now int64, ev Event) []Action {
	g.now, g.out = now, nil
	switch e := ev.(type) {
	case Join:
		g.join(e)
	case Sync:
		g.sync(e)
	case Heartbeat:
		g.heartbeat(e)
	case Leave:
		g.leave(e)
	case Tick:
		g.tick()
	}
	return g.out
}

// Deadline is when the next Tick is due; math.MaxInt64 when none is.
func (g *Group) Deadline() int64 {
	d := min(g.joinDeadline, g.syncDeadline)
	for _, at := range g.pending {
		d = min(d, at)
	}
	for _, m := range g.members {
		d = min(d, m.deadline())
	}
	return d
}

// CheckCommit says whether a member may commit offsets, and counts as a sign of life. A commit from outside (generation -1,
// no member id) is allowed while the group is empty.
func (g *Group) CheckCommit(now int64, id Identity, generation int32) Code {
	g.now = now
	if generation < 0 && g.state == Empty {
		return OK
	}
	m, code := g.find(id)
	if code != OK {
		return code
	}
	if generation != g.generation {
		return IllegalGeneration
	}
	if g.state == Completing {
		return RebalanceInProgress
	}
	g.alive(m)
	return OK
}

// CheckTxnCommit is CheckCommit for offsets that are part of a transaction: a producer that does not say who consumes may
// commit at any time.
func (g *Group) CheckTxnCommit(now int64, id Identity, generation int32) Code {
	if generation < 0 && id.MemberID == "" && id.InstanceID == "" {
		return OK
	}
	return g.CheckCommit(now, id, generation)
}

// Idle groups have no member, present or expected.
func (g *Group) Idle() bool { return g.state == Empty && len(g.pending) == 0 }

func (g *Group) do(a Action) { g.out = append(g.out, a) }

// find returns the member that id means. A static member that was replaced is fenced.
func (g *Group) find(id Identity) (*member, Code) {
	if id.InstanceID != "" {
		owner, ok := g.statics[id.InstanceID]
		if !ok {
			return nil, UnknownMemberID
		}
		if owner != id.MemberID {
			return nil, FencedInstanceID
		}
	}
	m := g.members[id.MemberID]
	if m == nil {
		return nil, UnknownMemberID
	}
	return m, OK
}

// ordered returns the members by id, so that actions have one order.
func (g *Group) ordered() []*member {
	out := make([]*member, 0, len(g.members))
	for _, m := range g.members {
		out = append(out, m)
	}
	sort.Slice(out, func(i, j int) bool { return out[i].id < out[j].id })
	return out
}
