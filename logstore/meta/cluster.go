package meta

import (
	"context"
	"fmt"
)

// Member is a node of the metadata group.
type Member struct {
	Peer
	Voter  bool
	Leader bool
}

// Leader is the node that leads, as far as this one knows.
func (n *Node) Leader() (id int32, ok bool) { return n.opts.Self.ID, true }

// IsLeader reports whether this node leads and its machines have seen all that earlier leaders committed.
func (n *Node) IsLeader() bool { return true }

// LeaderChanged is closed when Leader or IsLeader may answer differently than they do now.
func (n *Node) LeaderChanged() <-chan struct{} { return n.changed }

// Members lists the group.
func (n *Node) Members() []Member {
	return []Member{{Peer: n.opts.Self, Voter: true, Leader: true}}
}

// Barrier returns when the machines of this node have seen every command that had taken effect when it was called.
func (n *Node) Barrier(ctx context.Context) error { return ctx.Err() }

// WaitApplied returns when the machines of this node have seen the entry at an index that ApplyIndex or AppliedIndex gave.
func (n *Node) WaitApplied(ctx context.Context, index uint64) error { return ctx.Err() }

// Call asks a node; its Handler for kind answers. When the connection breaks after the question was sent, the node may have
// seen it.
func (n *Node) Call(ctx context.Context, node int32, kind string, body []byte) ([]byte, error) {
	if node != n.opts.Self.ID {
		return nil, fmt.Errorf("%w: node %d is no member", ErrUnreachable, node)
	}
	h := n.opts.Handlers[kind]
	if h == nil {
		return nil, fmt.Errorf("meta: node %d has no answer to %q", node, kind)
	}
	return h(ctx, node, body)
}

// CallLeader asks the leader. When there is none it waits for one until ctx ends.
func (n *Node) CallLeader(ctx context.Context, kind string, body []byte) ([]byte, error) {
	return n.Call(ctx, n.opts.Self.ID, kind, body)
}

// RegisterError gives a sentinel a name by which it crosses the wire: errors.Is finds it in what Call and Apply return on
// another node. Every node must register the same.
func RegisterError(code string, err error) {}

// AddNonvoter lets a node in that follows the log without a vote.
func (n *Node) AddNonvoter(ctx context.Context, p Peer) error { return errAlone }

// AddVoter lets a node in that votes, or gives a vote to one that is a member.
func (n *Node) AddVoter(ctx context.Context, p Peer) error { return errAlone }

// Remove takes a node out of the group.
func (n *Node) Remove(ctx context.Context, id int32) error { return errAlone }

// TransferLeadership hands leadership to a voter; to < 0 leaves the choice to the leader.
func (n *Node) TransferLeadership(ctx context.Context, to int32) error { return errAlone }

var errAlone = fmt.Errorf("meta: this node is alone; start it with voters to make it one of several")
