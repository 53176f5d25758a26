package meta

import (
	"context"
	"fmt"
	"sync"

	"github.com/hashicorp/raft"
)

// A leader that answers a read must know that it still led after the question came. Raft's own VerifyLeader takes an answer to
// a heartbeat that was sent before, which says less: the follower may have elected another since. So a leader sends heartbeats
// of its own, one at a time to each voter, and questions that come while one is under way share the next.

// confirmer counts rounds of heartbeats.
type confirmer struct {
	mu    sync.Mutex
	asked roundOfTerm                   // the newest; this node led in its term
	heard map[raft.ServerID]roundOfTerm // the newest round that a voter answered
	busy  map[raft.ServerID]bool        // a heartbeat is under way
	moved chan struct{}                 // closed when heard changes
}

type roundOfTerm struct{ round, term uint64 }

func (r roundOfTerm) covers(want roundOfTerm) bool {
	return r.round >= want.round && r.term == want.term
}

func (c *confirmer) init() {
	c.heard, c.busy, c.moved = map[raft.ServerID]roundOfTerm{}, map[raft.ServerID]bool{}, make(chan struct{})
}

// confirm returns when a majority followed this node in a term after the call began.
func (n *Node) confirm(ctx context.Context, term uint64) error {
	c := &n.group.confirms
	c.mu.Lock()
	c.asked = roundOfTerm{c.asked.round + 1, max(c.asked.term, term)}
	want := roundOfTerm{c.asked.round, term}
	c.mu.Unlock()
	for {
		voters := n.voters()
		n.beat(voters, want)
		c.mu.Lock()
		moved, ok := c.moved, c.majority(voters, serverID(n.opts.Self.ID), want)
		c.mu.Unlock()
		if ok {
			return nil
		}
		if n.raft.CurrentTerm() != term || n.raft.State() != raft.Leader {
			return ErrNotLeader
		}
		select {
		case <-moved:
		case <-n.after(true):
		case <-ctx.Done():
			return fmt.Errorf("meta: no majority follows: %w", ctx.Err())
		case <-n.ctx.Done():
			return ErrClosed
		}
	}
}

func (n *Node) voters() []raft.Server {
	var list []raft.Server
	for _, s := range n.group.book.members() {
		if s.Suffrage == raft.Voter {
			list = append(list, s)
		}
	}
	return list
}

// majority reports whether more than half of the voters answered a round or a later one. c.mu is held.
func (c *confirmer) majority(voters []raft.Server, self raft.ServerID, want roundOfTerm) bool {
	votes := 0
	for _, s := range voters {
		if s.ID == self || c.heard[s.ID].covers(want) {
			votes++
		}
	}
	return votes > len(voters)/2
}

// beat sends a heartbeat to each voter that has not answered a round and is not being sent one.
func (n *Node) beat(voters []raft.Server, want roundOfTerm) {
	c := &n.group.confirms
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range voters {
		if s.ID != serverID(n.opts.Self.ID) && !c.busy[s.ID] && !c.heard[s.ID].covers(want) {
			c.busy[s.ID] = true
			n.group.spawn(func() { n.beatOne(s) })
		}
	}
}

// beatOne sends heartbeats to a voter until it has answered the newest round, or does not answer.
func (n *Node) beatOne(s raft.Server) {
	c := &n.group.confirms
	for {
		c.mu.Lock()
		asked := c.asked
		c.mu.Unlock()
		var resp raft.AppendEntriesResponse
		err := n.group.transport.NetworkTransport.AppendEntries(s.ID, s.Address, n.heartbeat(asked.term), &resp)
		if c.note(s.ID, asked, err == nil && resp.Term == asked.term) {
			return
		}
	}
}

// note takes an answer and reports whether there is nothing more to ask the voter.
func (c *confirmer) note(id raft.ServerID, asked roundOfTerm, follows bool) (done bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if follows {
		c.heard[id] = asked
		close(c.moved)
		c.moved = make(chan struct{})
	}
	if follows && c.asked != asked {
		return false
	}
	delete(c.busy, id)
	return true
}

// heartbeat is the message of a term's leader that says nothing of the log.
func (n *Node) heartbeat(term uint64) *raft.AppendEntriesRequest {
	beat := n.commitNote(0, term)
	beat.PrevLogTerm = 0
	return beat
}
