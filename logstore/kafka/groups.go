package kafka

import (
	"context"
	"math"
	"sort"
	"sync"
	"time"

	"github.com/streamflow/streamflow/logstore/broker"
	"github.com/streamflow/streamflow/logstore/group"
	"github.com/streamflow/streamflow/logstore/group/consumer"
	"github.com/streamflow/streamflow/logstore/group/share"
)

// groups is the shell around the group state machines: it gives them the time, numbers requests, delivers replies, and
// ticks them when they ask for it. Each group's lock makes its steps one after another; a step never blocks.
type groups struct {
	cfg      group.Config
	consumer func(id string) consumer.Config          // bounds of a consumer group
	sharing  func(id string) share.Config             // bounds of a share group
	office   func(id string) (epoch int32, err error) // whether this node coordinates a group, and since which election
	now      func() time.Time
	picture  topicPicture

	mu     sync.Mutex
	all    map[string]*groupShell
	closed bool
}

// groupShell holds one group, which is of one kind: a classic group, a consumer group after KIP-848 or a share group after KIP-932.
// A group without members may become one of another kind.
type groupShell struct {
	owner    *groups
	id       string
	mu       sync.Mutex
	office   int32            // under which it was begun; in another it is void
	classic  *group.Group     // nil when it is of another kind
	consumer *consumer.Group  // nil when it is of another kind
	share    *share.Group     // nil when it is of another kind
	patterns map[string]match // of consumers, by expression
	nextReq  group.Req
	waiters  map[group.Req]chan outcome
	timer    *time.Timer
	due      int64 // when timer fires; math.MaxInt64 when it does not
	dropped  bool  // no longer in groups.all
}

// outcome is what a request that waits is told.
type outcome struct {
	action group.Action
	err    error
}

func (gs *groups) nowMs() int64 { return gs.now().UnixMilli() }

func (gs *groups) close() {
	gs.mu.Lock()
	gs.closed = true
	gs.mu.Unlock()
	for _, s := range gs.shells() {
		s.mu.Lock()
		s.dropped = true
		s.stopTimer()
		s.mu.Unlock()
	}
}

func (gs *groups) shells() []*groupShell {
	gs.mu.Lock()
	defer gs.mu.Unlock()
	out := make([]*groupShell, 0, len(gs.all))
	for _, s := range gs.all {
		out = append(out, s)
	}
	return out
}

// get returns a group's shell, locked, making it if it is not there. Another broker's groups are an error.
func (gs *groups) get(id string) (*groupShell, error) {
	for {
		office, err := gs.office(id)
		if err != nil {
			return nil, err
		}
		s, closed := gs.findOrMake(id, office)
		s.mu.Lock()
		if !s.dropped || closed {
			s.hold(office)
			return s, nil
		}
		s.mu.Unlock() // dropped between the two locks: there is, or will be, another
	}
}

func (gs *groups) findOrMake(id string, office int32) (s *groupShell, closed bool) {
	gs.mu.Lock()
	defer gs.mu.Unlock()
	if s = gs.all[id]; s == nil {
		s = &groupShell{
			owner: gs, id: id, office: office, classic: group.New(gs.cfg), waiters: map[group.Req]chan outcome{}, due: math.MaxInt64,
		}
		gs.all[id] = s
	}
	return s, gs.closed
}

// find is get for a group that must be there; nil if it is not.
func (gs *groups) find(id string) (*groupShell, error) {
	office, err := gs.office(id)
	if err != nil {
		return nil, err
	}
	gs.mu.Lock()
	s := gs.all[id]
	gs.mu.Unlock()
	if s == nil {
		return nil, nil
	}
	s.mu.Lock()
	if s.dropped {
		s.mu.Unlock()
		return nil, nil
	}
	s.hold(office)
	return s, nil
}

// hold makes sure that the shell is of the given office. What an earlier one knew of members is void: they join again.
// It wants s.mu.
func (s *groupShell) hold(office int32) {
	if s.office != office {
		s.void()
		s.office = office
	}
}

// void forgets the members, and tells requests that wait to look for the coordinator. It wants s.mu.
func (s *groupShell) void() {
	for req, w := range s.waiters {
		delete(s.waiters, req)
		w <- outcome{err: broker.ErrNotCoordinator}
	}
	s.classic, s.consumer, s.share = group.New(s.owner.cfg), nil, nil
	s.schedule()
}

// leaveOffice voids the groups that this node no longer coordinates, or coordinates anew.
func (gs *groups) leaveOffice() {
	for _, s := range gs.shells() {
		office, err := gs.office(s.id)
		s.mu.Lock()
		if err != nil {
			s.void()
		} else {
			s.hold(office)
		}
		idle := s.idle()
		s.mu.Unlock()
		if idle {
			gs.drop(s.id)
		}
	}
}

// idle groups have no member, present or expected. It wants s.mu.
func (s *groupShell) idle() bool {
	switch {
	case s.consumer != nil:
		return s.consumer.Idle()
	case s.share != nil:
		return s.share.Idle()
	}
	return s.classic.Idle()
}

func (s *groupShell) deadline() int64 {
	switch {
	case s.consumer != nil:
		return s.consumer.Deadline()
	case s.share != nil:
		return s.share.Deadline()
	}
	return s.classic.Deadline()
}

// schedule sets the timer to the group's deadline. It wants s.mu.
func (s *groupShell) schedule() {
	d := s.deadline()
	if d == s.due || s.dropped {
		return
	}
	s.due = d
	s.stopTimer()
	if d == math.MaxInt64 {
		return
	}
	wait := max(0, time.Duration(d-s.owner.nowMs())*time.Millisecond)
	s.timer = time.AfterFunc(wait, s.tick)
}

func (s *groupShell) stopTimer() {
	if s.timer != nil {
		s.timer.Stop()
	}
}

func (s *groupShell) tick() {
	s.mu.Lock()
	if s.dropped {
		s.mu.Unlock()
		return
	}
	s.due = math.MaxInt64
	switch {
	case s.consumer != nil:
		s.consumer.Tick(s.owner.nowMs())
		s.schedule()
	case s.share != nil:
		s.share.Tick(s.owner.nowMs())
		s.schedule()
	default:
		s.step(group.Tick{})
	}
	idle := s.idle()
	s.mu.Unlock()
	if idle {
		s.owner.drop(s.id)
	}
}

// drop forgets a group that has no member; false when it has one. A later member begins a new one.
func (gs *groups) drop(id string) bool {
	gs.mu.Lock()
	defer gs.mu.Unlock()
	s := gs.all[id]
	if s == nil {
		return true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.idle() {
		return false
	}
	s.dropped = true
	s.stopTimer()
	delete(gs.all, id)
	return true
}

func (gs *groups) names() []string {
	gs.mu.Lock()
	defer gs.mu.Unlock()
	names := make([]string, 0, len(gs.all))
	for n := range gs.all {
		names = append(names, n)
	}
	sort.Strings(names)
	return names
}

// watchOffices voids groups when this node stops to coordinate them.
func (s *Server) watchOffices(ctx context.Context) {
	for {
		changed := s.broker.Watch() // leaders stand with the topics
		s.groups.leaveOffice()
		select {
		case <-changed:
		case <-ctx.Done():
			return
		}
	}
}
