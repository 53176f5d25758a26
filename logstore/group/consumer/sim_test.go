package consumer

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/streamflow/streamflow/logstore/group"
)

var seedFlag = flag.Uint64("sim.seed", 0, "run one simulation with this seed")

// TestSimulation lets clients join, heartbeat, lose requests and answers, stop, restart, change what they subscribe to and
// leave, while topics come and grow, and wants of each step:
//
//	no partition is with two clients that the group knows under their epochs
//	no partition has two owners, and every owner is a member
//
// and, once nothing changes, that everybody has its target and every partition that is subscribed to has one owner.
func TestSimulation(t *testing.T) {
	seeds := []uint64{*seedFlag}
	if *seedFlag == 0 {
		seeds = seeds[:0]
		for s := uint64(1); s <= 300; s++ {
			seeds = append(seeds, s)
		}
	}
	for _, seed := range seeds {
		s := newSim(t, seed)
		for range 400 {
			s.step()
		}
		s.settle()
		if t.Failed() {
			t.Fatalf("go test ./logstore/group/consumer -run TestSimulation -sim.seed=%d", seed)
		}
	}
}

// simClient is a consumer as KIP-848 has it: it lets go as soon as it is told, takes when it is told, and says what it has
// when that has changed.
type simClient struct {
	id, instance string
	epoch        int32
	names        []string
	assignor     string
	owned        Set
	target       Set
	said         bool // the group has answered after it said what it has
	alive        bool
}

type sim struct {
	t       *testing.T
	r       *rand.Rand
	g       *Group
	topics  *Topics
	clients []*simClient
	now     int64
	next    int
}

func newSim(t *testing.T, seed uint64) *sim {
	s := &sim{t: t, r: rand.New(rand.NewPCG(seed, 7)), g: New(Config{SessionTimeout: 5_000}), topics: &Topics{ByName: map[string]Topic{}}}
	s.grow("a", 4)
	s.grow("b", 3)
	return s
}

// grow changes or makes a topic in a new picture.
func (s *sim) grow(name string, partitions int32) {
	next := &Topics{ByName: map[string]Topic{}}
	for n, t := range s.topics.ByName {
		next.ByName[n] = t
	}
	next.ByName[name] = Topic{idOf(name), partitions}
	s.topics = next
}

func (s *sim) step() {
	s.now += s.r.Int64N(300)
	if s.g.Deadline() <= s.now {
		s.g.Tick(s.now)
	}
	switch n := s.r.IntN(100); {
	case n < 6 && len(s.clients) < 6:
		s.start("")
	case n < 8 && len(s.clients) < 6:
		s.start(fmt.Sprint("i", s.r.IntN(2)))
	case n < 10:
		s.one(func(c *simClient) { c.alive = false }) // stops without a word
	case n < 13:
		s.one(s.leave)
	case n < 15:
		s.one(func(c *simClient) { c.names = s.names() })
	case n < 17:
		name := []string{"a", "b", "c"}[s.r.IntN(3)]
		s.grow(name, s.topics.ByName[name].Partitions+1)
	default:
		s.one(func(c *simClient) { s.beat(c, s.r.IntN(10) == 0, s.r.IntN(10) == 0) })
	}
	s.check()
}

func (s *sim) names() []string {
	return [][]string{{"a"}, {"b"}, {"a", "b"}, {"a", "b", "c"}}[s.r.IntN(4)]
}

func (s *sim) start(instance string) {
	s.next++
	c := &simClient{id: fmt.Sprint("m", s.next), instance: instance, names: s.names(), alive: true}
	c.assignor = []string{"", Uniform, Range}[s.r.IntN(3)]
	s.clients = append(s.clients, c)
}

func (s *sim) one(do func(*simClient)) {
	if len(s.clients) > 0 {
		if c := s.clients[s.r.IntN(len(s.clients))]; c.alive {
			do(c)
		}
	}
	s.clients = slices.DeleteFunc(s.clients, func(c *simClient) bool { return !c.alive })
}

func (s *sim) leave(c *simClient) {
	h := Heartbeat{MemberID: c.id, InstanceID: c.instance, Epoch: EpochLeave}
	if c.instance != "" && s.r.IntN(2) == 0 {
		h.Epoch = EpochLeaveStatic
	}
	s.g.Heartbeat(s.now, h, s.topics)
	c.alive, c.owned = false, nil
}

// beat sends a heartbeat, which or whose answer may be lost.
func (s *sim) beat(c *simClient, lost, unanswered bool) {
	c.owned = c.owned.and(c.target) // what it was told to let go, it has let go by now
	h := Heartbeat{MemberID: c.id, InstanceID: c.instance, Epoch: c.epoch, Names: c.names, RebalanceTimeout: 3_000, Assignor: &c.assignor}
	if !c.said || s.r.IntN(4) == 0 {
		owned := c.owned
		if owned == nil {
			owned = Set{}
		}
		h.Owned = &owned
	}
	if lost {
		c.said = false
		return
	}
	r := s.g.Heartbeat(s.now, h, s.topics)
	if unanswered {
		c.said = false // it says everything again
		return
	}
	switch r.Code {
	case group.OK:
	case group.UnknownMemberID, group.FencedMemberEpoch:
		c.epoch, c.owned, c.target, c.said = EpochJoin, nil, nil, false
		return
	case group.FencedInstanceID:
		c.alive, c.owned = false, nil
		return
	default:
		return // it tries again later
	}
	c.epoch, c.said = r.Epoch, true
	if r.Assignment == nil {
		return
	}
	c.target, c.said = *r.Assignment, false
	if c.owned = c.owned.and(c.target); s.r.IntN(3) > 0 { // else it takes what is new only later
		c.owned = c.target
	}
}

func (s *sim) check() {
	holder := map[Partition]string{}
	for _, c := range s.clients {
		m := s.g.members[c.id]
		if m == nil || m.epoch != c.epoch && m.previous != c.epoch {
			continue // fenced: whatever it does is refused
		}
		for _, p := range c.owned {
			if other, has := holder[p]; has {
				s.t.Errorf("%s:%d is with %s and %s", nameOf(p.Topic), p.Index, other, c.id)
			}
			holder[p] = c.id
		}
	}
	n := 0
	for _, m := range s.g.members {
		for _, p := range m.assigned.or(m.revoking) {
			if n++; s.g.owner[p] != m.id {
				s.t.Errorf("%s has %s:%d, whose owner is %q", m.id, nameOf(p.Topic), p.Index, s.g.owner[p])
			}
		}
	}
	if n != len(s.g.owner) {
		s.t.Errorf("%d partitions have an owner, %d are with members", len(s.g.owner), n)
	}
	seen := map[Partition]bool{}
	for id, target := range s.g.target {
		if s.g.members[id] == nil {
			s.t.Errorf("%s has a target and is no member", id)
		}
		for _, p := range target {
			if seen[p] {
				s.t.Errorf("%s:%d is the target of two", nameOf(p.Topic), p.Index)
			}
			seen[p] = true
		}
	}
}

// settle lets every client that is there heartbeat until all that stopped are gone and nothing moves any more.
func (s *sim) settle() {
	if len(s.clients) == 0 {
		return
	}
	for range 60 {
		s.now += 500
		if s.g.Deadline() <= s.now {
			s.g.Tick(s.now)
		}
		for _, c := range s.clients {
			if c.alive {
				s.beat(c, false, false)
				if c.target != nil {
					c.owned = c.owned.or(c.target).and(c.target)
				}
			}
			s.check()
		}
	}
	if state := s.g.state(); state != "Stable" && state != "Empty" {
		s.t.Errorf("not at rest: %s", show(s.g))
	}
	for _, c := range s.clients {
		if m := s.g.members[c.id]; c.alive && m != nil && (!sameSet(c.owned, m.assigned) || !sameSet(m.assigned, s.g.target[c.id])) {
			s.t.Errorf("%s has %s, the group has %s for it, and its target is %s", c.id, text(c.owned), text(m.assigned), text(s.g.target[c.id]))
		}
	}
	want := 0
	for _, t := range s.topics.pick(s.g.subscribed()) {
		want += int(t.Partitions)
	}
	if len(s.g.owner) != want {
		s.t.Errorf("%d partitions have an owner, want %d: %s", len(s.g.owner), want, show(s.g))
	}
}
