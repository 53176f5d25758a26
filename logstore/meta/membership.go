package meta

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/raft"

	"github.com/streamflow/streamflow/internal/usererr"
)

// Member is a node of the metadata group.
type Member struct {
	Peer
	Voter  bool
	Leader bool
}

// Members lists the group in order of ids, as far as this node knows.
func (n *Node) Members() []Member {
	if n.group == nil {
		return []Member{{Peer: n.opts.Self, Voter: true, Leader: true}}
	}
	leader, known := n.Leader()
	var list []Member
	for _, s := range n.group.book.members() {
		id, _ := nodeID(s.ID)
		list = append(list, Member{Peer{id, string(s.Address)}, s.Suffrage == raft.Voter, known && id == leader})
	}
	slices.SortFunc(list, func(a, b Member) int { return int(a.ID) - int(b.ID) })
	return list
}

// Status is how far a node's log is.
type Status struct {
	Node    int32
	Leader  int32 // -1: none is known
	Ready   bool  // this node leads, and its machines have seen all that earlier leaders committed
	Term    uint64
	Last    uint64    // index of the newest entry
	Commit  uint64    // index up to which entries are committed, as far as this node knows
	Applied uint64    // index of the last command that the machines have seen
	Contact time.Time // when the leader was last heard; zero on the leader
}

// Status is that of this node.
func (n *Node) Status() Status {
	s := Status{Node: n.opts.Self.ID, Leader: -1, Ready: n.IsLeader(), Term: n.raft.CurrentTerm(), Last: n.raft.LastIndex(),
		Commit: n.raft.CommitIndex(), Applied: n.AppliedIndex()}
	if id, ok := n.Leader(); ok {
		s.Leader = id
	}
	if !s.Ready {
		s.Contact = n.raft.LastContact()
	}
	return s
}

// AddNonvoter lets a node in that follows the log without a vote. A member gets the new address.
func (n *Node) AddNonvoter(ctx context.Context, p Peer) error {
	return n.change(ctx, change{Add: &p})
}

// AddVoter lets a node in that votes, or gives a vote to a member.
func (n *Node) AddVoter(ctx context.Context, p Peer) error {
	return n.change(ctx, change{Add: &p, Voter: true})
}

// Remove takes a node out of the group. One that is not in it is no error.
func (n *Node) Remove(ctx context.Context, id int32) error {
	return n.change(ctx, change{Remove: &id})
}

// change is a change of the group, on the wire too.
type change struct {
	Add    *Peer  `json:"add,omitempty"`
	Voter  bool   `json:"voter,omitempty"`
	Remove *int32 `json:"remove,omitempty"`
}

var errAlone = errors.New("meta: this node is alone; start it with voters to make it one of several")

// change has the leader carry out a change. It does no harm when it is carried out twice.
func (n *Node) change(ctx context.Context, c change) error {
	if n.group == nil {
		return errAlone
	}
	body, err := json.Marshal(c)
	if err != nil {
		return err
	}
	return n.withLeader(ctx, func(ctx context.Context, leader int32) error {
		if leader == n.opts.Self.ID {
			return n.changeAsLeader(ctx, c)
		}
		_, err := n.ask(ctx, leader, kindChange, body)
		return again(ctx, err)
	})
}

// changeHere carries out a change that another node asks for; a node that does not lead passes it on once.
func (n *Node) changeHere(ctx context.Context, c change) error {
	err := n.changeAsLeader(ctx, c)
	if !errors.Is(err, ErrNotLeader) {
		return err
	}
	leader, known := n.Leader()
	if !known || leader == n.opts.Self.ID {
		return err
	}
	body, err := json.Marshal(c)
	if err != nil {
		return err
	}
	_, err = n.ask(ctx, leader, kindChange, body)
	return again(ctx, err)
}

func (n *Node) changeAsLeader(ctx context.Context, c change) error {
	if n.raft.State() != raft.Leader {
		return ErrNotLeader
	}
	servers := n.group.book.members()
	if err := c.check(servers); err != nil {
		return err
	}
	if c.holds(servers) {
		return nil
	}
	done := make(chan error, 1)
	f := n.propose(c)
	go func() { done <- f.Error() }()
	select {
	case err := <-done:
		if errors.Is(err, raft.ErrNotLeader) || errors.Is(err, raft.ErrLeadershipLost) || errors.Is(err, raft.ErrLeadershipTransferInProgress) {
			return fmt.Errorf("%w: %w", ErrNotLeader, err)
		}
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (n *Node) propose(c change) raft.IndexFuture {
	const patience = 5 * time.Second
	switch {
	case c.Remove != nil:
		return n.raft.RemoveServer(serverID(*c.Remove), 0, patience)
	case c.Voter:
		return n.raft.AddVoter(serverID(c.Add.ID), raft.ServerAddress(c.Add.Addr), 0, patience)
	}
	return n.raft.AddNonvoter(serverID(c.Add.ID), raft.ServerAddress(c.Add.Addr), 0, patience)
}

// check refuses what a user got wrong.
func (c change) check(servers []raft.Server) error {
	switch {
	case (c.Add == nil) == (c.Remove == nil):
		return errors.New("meta: a change adds or removes")
	case c.Add != nil:
		return c.checkAdd(servers)
	}
	voters, has := 0, false
	for _, s := range servers {
		if s.Suffrage == raft.Voter {
			voters++
			has = has || s.ID == serverID(*c.Remove)
		}
	}
	if has && voters == 1 {
		return usererr.New("LAST_VOTER", "55000", "Node %d is the only voter of the cluster and cannot leave it.", *c.Remove).
			WithFix("Add another voter first.")
	}
	return nil
}

func (c change) checkAdd(servers []raft.Server) error {
	for _, s := range servers {
		if string(s.Address) == c.Add.Addr && s.ID != serverID(c.Add.ID) {
			return usererr.New("PEER_ADDRESS_TAKEN", "42710", "Node %s of the cluster has the peer address %s; node %d cannot have it too.", s.ID, c.Add.Addr, c.Add.ID).
				WithFix("Give each node a --node-id and a --peer address of its own; if node %s is gone for good, remove it first.", s.ID)
		}
	}
	return nil
}

// holds reports whether there is nothing to change.
func (c change) holds(servers []raft.Server) bool {
	for _, s := range servers {
		if c.Add != nil && s.ID == serverID(c.Add.ID) {
			return string(s.Address) == c.Add.Addr && (s.Suffrage == raft.Voter || !c.Voter)
		}
		if c.Remove != nil && s.ID == serverID(*c.Remove) {
			return false
		}
	}
	return c.Remove != nil
}

// describe lists servers for a message to a user.
func describe(servers []raft.Server) string {
	if len(servers) == 0 {
		return "no voters yet"
	}
	var list []string
	for _, s := range servers {
		list = append(list, fmt.Sprintf("%s@%s", s.ID, s.Address))
	}
	return strings.Join(list, ", ")
}
