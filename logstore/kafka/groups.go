package kafka

import (
	"context"
	"math"
	"sort"
	"sync"
	"time"

	"github.com/streamflow/streamflow/logstore/group"
)

// groups is the shell around the group state machines: it gives them the time, numbers requests, delivers replies, and
// ticks them when they ask for it. Each group's lock makes its steps one after another; a step never blocks.
type groups struct {
	cfg    group.Config
	now    func() time.Time
	mu     sync.Mutex
	all    map[string]*groupShell
	closed bool
}

type groupShell struct {
	owner   *groups
	id      string
	mu      sync.Mutex
	group   *group.Group
	nextReq group.Req
	waiters map[group.Req]chan group.Action
	timer   *time.Timer
	due     int64 // when timer fires; math.MaxInt64 when it does not
	dropped bool  // no longer in groups.all
}

func newGroups(cfg group.Config, now func() time.Time) *groups {
	return &groups{cfg: cfg, now: now, all: map[string]*groupShell{}}
}

func (gs *groups) nowMs() int64 { return gs.now().UnixMilli() }

func (gs *groups) close() {
	gs.mu.Lock()
	gs.closed = true
	shells := make([]*groupShell, 0, len(gs.all))
	for _, s := range gs.all {
		shells = append(shells, s)
	}
	gs.mu.Unlock()
	for _, s := range shells {
		s.mu.Lock()
		s.dropped = true
		if s.timer != nil {
			s.timer.Stop()
		}
		s.mu.Unlock()
	}
}

// get returns a group's shell, locked, making it if it is not there.
func (gs *groups) get(id string) *groupShell {
	for {
		gs.mu.Lock()
		s := gs.all[id]
		if s == nil {
			s = &groupShell{owner: gs, id: id, group: group.New(gs.cfg), waiters: map[group.Req]chan group.Action{}, due: math.MaxInt64}
			gs.all[id] = s
		}
		closed := gs.closed
		gs.mu.Unlock()
		s.mu.Lock()
		if !s.dropped || closed {
			return s
		}
		s.mu.Unlock() // dropped between the two locks: there is, or will be, another
	}
}

// find is get for a group that must be there; nil if it is not.
func (gs *groups) find(id string) *groupShell {
	gs.mu.Lock()
	s := gs.all[id]
	gs.mu.Unlock()
	if s == nil {
		return nil
	}
	s.mu.Lock()
	if s.dropped {
		s.mu.Unlock()
		return nil
	}
	return s
}

// with calls fn on a group that is there, or on an empty one.
func (gs *groups) with(id string, fn func(g *group.Group, now int64) group.Code) group.Code {
	s := gs.find(id)
	if s == nil {
		return fn(group.New(gs.cfg), gs.nowMs())
	}
	defer s.mu.Unlock()
	defer s.schedule()
	return fn(s.group, gs.nowMs())
}

// ask steps a group with the event that make builds for a request number, and waits for the reply; nil when ctx ends.
func (gs *groups) ask(ctx context.Context, id string, build func(group.Req) group.Event) group.Action {
	s := gs.get(id)
	s.nextReq++
	req := s.nextReq
	reply := make(chan group.Action, 1)
	s.waiters[req] = reply
	s.step(build(req))
	idle := s.group.Idle()
	s.mu.Unlock()
	if idle { // nothing is left to remember: offsets are the broker's
		gs.drop(id)
	}
	select {
	case a := <-reply:
		return a
	case <-ctx.Done():
		s.mu.Lock()
		delete(s.waiters, req)
		s.mu.Unlock()
		return nil
	}
}

// step wants s.mu.
func (s *groupShell) step(ev group.Event) {
	for _, a := range s.group.Step(s.owner.nowMs(), ev) {
		req := requestOf(a)
		if w := s.waiters[req]; w != nil {
			delete(s.waiters, req)
			w <- a // has room: one reply for each request
		}
	}
	s.schedule()
}

func requestOf(a group.Action) group.Req {
	switch r := a.(type) {
	case group.JoinReply:
		return r.Req
	case group.SyncReply:
		return r.Req
	case group.HeartbeatReply:
		return r.Req
	case group.LeaveReply:
		return r.Req
	}
	panic("BUG: unknown group action")
}

// schedule sets the timer to the group's deadline. It wants s.mu.
func (s *groupShell) schedule() {
	d := s.group.Deadline()
	if d == s.due || s.dropped {
		return
	}
	s.due = d
	if s.timer != nil {
		s.timer.Stop()
	}
	if d == math.MaxInt64 {
		return
	}
	wait := max(0, time.Duration(d-s.owner.nowMs())*time.Millisecond)
	s.timer = time.AfterFunc(wait, s.tick)
}

func (s *groupShell) tick() {
	s.mu.Lock()
	if s.dropped {
		s.mu.Unlock()
		return
	}
	s.due = math.MaxInt64
	s.step(group.Tick{})
	idle := s.group.Idle()
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
	if !s.group.Idle() {
		return false
	}
	s.dropped = true
	if s.timer != nil {
		s.timer.Stop()
	}
	delete(gs.all, id)
	return true
}

// describe returns a group; ok is false when there is none with members, present or past.
func (gs *groups) describe(id string) (d group.Description, ok bool) {
	s := gs.find(id)
	if s == nil {
		return group.Description{}, false
	}
	defer s.mu.Unlock()
	return s.group.Describe(), true
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
