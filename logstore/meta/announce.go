package meta

import (
	"sync"

	"github.com/hashicorp/raft"
)

// Raft tells followers how far the log is committed with the next entries, or 50 to 100 ms later when there are none. A
// command that was proposed elsewhere waits for that, so a leader announces it at once: with an empty AppendEntries, which any
// leader may send at any time. It names the applied entry as the one before it, so a follower that has not the same entry
// there refuses it.

// announcement is the newest entry that this node's machines have seen.
type announcement struct {
	mu          sync.Mutex
	index, term uint64
	wake        chan struct{} // capacity 1
}

func (a *announcement) init() { a.wake = make(chan struct{}, 1) }

func (a *announcement) set(index, term uint64) {
	a.mu.Lock()
	a.index, a.term = index, term
	a.mu.Unlock()
	select {
	case a.wake <- struct{}{}:
	default:
	}
}

func (a *announcement) get() (index, term uint64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.index, a.term
}

// announce tells the other nodes while this one leads. Each is told the newest only, one message at a time.
func (n *Node) announce() {
	told := map[raft.ServerID]*audience{}
	for {
		select {
		case <-n.group.applied.wake:
		case <-n.ctx.Done():
			return
		}
		if !n.IsLeader() {
			continue
		}
		for _, s := range n.group.book.members() {
			if s.ID == serverID(n.opts.Self.ID) {
				continue
			}
			a := told[s.ID]
			if a == nil {
				a = &audience{}
				told[s.ID] = a
			}
			if a.begin() {
				n.group.spawn(func() { n.tell(s, a) })
			}
		}
	}
}

// audience is another node that is told of announcements.
type audience struct {
	mu   sync.Mutex
	busy bool
	more bool // another announcement came meanwhile
}

func (a *audience) begin() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.busy {
		a.more = true
		return false
	}
	a.busy = true
	return true
}

func (a *audience) end() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.busy = a.more
	a.more = false
	return !a.busy
}

// tell sends announcements to a node until it knows the newest. A node that does not answer learns from raft itself.
func (n *Node) tell(s raft.Server, a *audience) {
	for {
		index, term := n.group.applied.get()
		if own, ready := n.leader.isReady(); !ready || own != term {
			// An entry of another leader: nobody but that one may speak for its term.
		} else if err := n.group.transport.NetworkTransport.AppendEntries(s.ID, s.Address, n.commitNote(index, term), &raft.AppendEntriesResponse{}); err != nil {
			n.pause(n.opts.Timing.Heartbeat)
		}
		if a.end() || n.ctx.Err() != nil {
			return
		}
	}
}

// commitNote says, as the leader of a term, that the entry at index is committed.
func (n *Node) commitNote(index, term uint64) *raft.AppendEntriesRequest {
	self := serverID(n.opts.Self.ID)
	addr := n.group.transport.EncodePeer(self, raft.ServerAddress(n.opts.Self.Addr))
	return &raft.AppendEntriesRequest{
		RPCHeader:         raft.RPCHeader{ProtocolVersion: raft.ProtocolVersionMax, ID: []byte(self), Addr: addr},
		Term:              term,
		Leader:            addr,
		PrevLogEntry:      index,
		PrevLogTerm:       term,
		LeaderCommitIndex: index,
	}
}
