package kafka

import (
	"context"

	"github.com/streamflow/streamflow/logstore/group"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// ask steps a classic group with the event that make builds for a request number, and waits for the reply, or for ctx to end.
func (gs *groups) ask(ctx context.Context, id string, build func(group.Req) group.Event) (group.Action, error) {
	s, err := gs.get(id)
	if err != nil {
		return nil, err
	}
	req, reply, err := s.begin(build)
	idle := s.idle()
	s.mu.Unlock()
	if idle { // nothing is left to remember: offsets are the broker's
		gs.drop(id)
	}
	if err != nil {
		return nil, err
	}
	select {
	case a := <-reply:
		return a.action, a.err
	case <-ctx.Done():
		s.mu.Lock()
		delete(s.waiters, req)
		s.mu.Unlock()
		return nil, ctx.Err()
	}
}

// begin steps the group, if it is or may become a classic one. It wants s.mu.
func (s *groupShell) begin(build func(group.Req) group.Event) (group.Req, chan outcome, error) {
	s.nextReq++
	ev := build(s.nextReq)
	if s.classic == nil {
		if _, join := ev.(group.Join); !join {
			return 0, nil, kerr.UnknownMemberID
		}
		if !s.idle() {
			return 0, nil, kerr.InconsistentGroupProtocol
		}
		s.classic, s.consumer, s.share = group.New(s.owner.cfg), nil, nil
	}
	reply := make(chan outcome, 1)
	s.waiters[s.nextReq] = reply
	s.step(ev)
	return s.nextReq, reply, nil
}

// step wants s.mu.
func (s *groupShell) step(ev group.Event) {
	for _, a := range s.classic.Step(s.owner.nowMs(), ev) {
		req := requestOf(a)
		if w := s.waiters[req]; w != nil {
			delete(s.waiters, req)
			w <- outcome{action: a} // has room: one reply for each request
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

// refusedGroup answers a request that no group took: its connection has ended, or another broker coordinates the group, or it is
// of another kind.
func (c *call) refusedGroup(err error, ec *int16, resp kmsg.Response) (kmsg.Response, error) {
	if c.ctx.Err() != nil {
		return nil, context.Cause(c.ctx)
	}
	*ec = code(err)
	return resp, nil
}
