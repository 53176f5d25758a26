package meta

import (
	"io"
	"slices"
	"sync/atomic"
	"time"

	"github.com/hashicorp/raft"
)

// patient is raft's transport, and waits for followers that do not answer. Raft on its own asks them at growing intervals of
// up to ten seconds, so a node that comes back would stay behind for so long, and with it every command that it proposes.
type patient struct {
	*raft.NetworkTransport
	raft  atomic.Pointer[raft.Raft]
	pause func() bool // between two attempts; false when the node closes
}

// AppendEntries implements raft.Transport.
func (p *patient) AppendEntries(id raft.ServerID, target raft.ServerAddress, args *raft.AppendEntriesRequest, resp *raft.AppendEntriesResponse) error {
	err := p.NetworkTransport.AppendEntries(id, target, args, resp)
	if err == nil || isHeartbeat(args) || !p.wait(id, target, args.RPCHeader, args.Term) {
		return err
	}
	return p.NetworkTransport.AppendEntries(id, target, args, resp)
}

// InstallSnapshot implements raft.Transport.
func (p *patient) InstallSnapshot(id raft.ServerID, target raft.ServerAddress, args *raft.InstallSnapshotRequest, resp *raft.InstallSnapshotResponse, data io.Reader) error {
	p.wait(id, target, args.RPCHeader, args.Term)
	return p.NetworkTransport.InstallSnapshot(id, target, args, resp, data)
}

// isHeartbeat tells raft's heartbeats, which say when a node is gone and must not wait for it.
func isHeartbeat(a *raft.AppendEntriesRequest) bool {
	return a.PrevLogEntry == 0 && len(a.Entries) == 0 && a.LeaderCommitIndex == 0
}

// wait returns when a follower answers the leader of a term, or false when the term or the node is at its end or the follower
// is no member any more.
func (p *patient) wait(id raft.ServerID, target raft.ServerAddress, header raft.RPCHeader, term uint64) bool {
	beat := &raft.AppendEntriesRequest{RPCHeader: header, Term: term, Leader: header.Addr}
	for {
		r := p.raft.Load()
		if r == nil || r.State() != raft.Leader || r.CurrentTerm() != term || !isMember(r, id) {
			return false
		}
		if err := p.NetworkTransport.AppendEntries(id, target, beat, &raft.AppendEntriesResponse{}); err == nil {
			return true
		}
		if !p.pause() {
			return false
		}
	}
}

func isMember(r *raft.Raft, id raft.ServerID) bool {
	return slices.ContainsFunc(r.GetConfiguration().Configuration().Servers, func(s raft.Server) bool { return s.ID == id })
}

// pauseBetween returns the pause of a node's transport.
func (n *Node) pauseBetween(d time.Duration) func() bool {
	return func() bool {
		n.pause(d)
		return n.ctx.Err() == nil
	}
}
