package meta

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/hashicorp/raft"

	"github.com/streamflow/streamflow/internal/usererr"
)

// votes reports whether this node is in the list of voters.
func (o Options) votes() bool {
	return slices.ContainsFunc(o.Voters, func(p Peer) bool { return p.ID == o.Self.ID })
}

// check refuses options that cannot work.
func (o Options) check() error {
	if o.alone() {
		return nil
	}
	if o.Mux == nil {
		return errors.New("meta: a node of a group needs a Mux")
	}
	byAddr := map[string]int32{}
	byID := map[int32]string{}
	for _, v := range append(slices.Clone(o.Voters), o.Self) {
		if v.ID < 0 || v.Addr == "" {
			return usererr.New("CLUSTER_VOTERS_INVALID", "22023", "Node %d with the peer address %q is not a node: ids are 0 or more, and every node has an address.", v.ID, v.Addr).
				WithFix("Write voters as ID@HOST:PORT, and give this node its own --node-id and --peer.")
		}
		if id, taken := byAddr[v.Addr]; taken && id != v.ID {
			return usererr.New("CLUSTER_VOTERS_INVALID", "22023", "Nodes %d and %d have the same peer address %s.", id, v.ID, v.Addr).
				WithFix("Give each node an address of its own.")
		}
		if addr, taken := byID[v.ID]; taken && addr != v.Addr {
			return usererr.New("CLUSTER_VOTERS_INVALID", "22023", "Node %d has two peer addresses, %s and %s.", v.ID, addr, v.Addr).
				WithFix("Write this node's peer address in the list of voters as in --peer.")
		}
		byAddr[v.Addr], byID[v.ID] = v.ID, v.Addr
	}
	return nil
}

func (o Options) servers() []raft.Server {
	var list []raft.Server
	for _, v := range o.Voters {
		list = append(list, raft.Server{Suffrage: raft.Voter, ID: serverID(v.ID), Address: raft.ServerAddress(v.Addr)})
	}
	slices.SortFunc(list, func(a, b raft.Server) int { return strings.Compare(string(a.ID), string(b.ID)) })
	return list
}

// prepare makes the directory fit for a node of a group: voters write the same first entry into a new one (as KRaft's
// controller.quorum.voters has it), a node that joins leaves it empty, and what is there already must be of this group.
func (n *Node) prepare(conf *raft.Config, snaps raft.SnapshotStore, t raft.Transport) error {
	has, err := raft.HasExistingState(n.store, n.store, snaps)
	if err != nil {
		return fmt.Errorf("meta: look at existing state: %w", err)
	}
	switch {
	case has:
		return n.adopt(conf, snaps, t)
	case n.opts.votes():
		return bootstrap(conf, n.store, snaps, t, n.opts.servers())
	}
	return nil
}

// adopt checks that an existing log belongs to the group that the options name, and turns the log of a node that was alone
// into that of a group's only voter.
func (n *Node) adopt(conf *raft.Config, snaps raft.SnapshotStore, t raft.Transport) error {
	look := *conf
	had, err := raft.GetConfiguration(&look, blind{}, n.store, n.store, snaps, t)
	if err != nil {
		return fmt.Errorf("meta: read the group's members: %w", err)
	}
	if len(had.Servers) == 1 && had.Servers[0].ID == raft.ServerID(n.opts.NodeID) && had.Servers[0].Address == raft.ServerAddress(n.opts.NodeID) {
		return n.convert(conf, snaps, t)
	}
	return n.checkMembers(had.Servers)
}

// convert makes a node that was alone the only voter of a group. Its state goes into a snapshot that names the new member,
// and the log begins anew behind it.
func (n *Node) convert(conf *raft.Config, snaps raft.SnapshotStore, t raft.Transport) error {
	if !n.opts.votes() || len(n.opts.Voters) != 1 {
		self := fmt.Sprintf("%d@%s", n.opts.Self.ID, n.opts.Self.Addr)
		return usererr.New("DATA_DIR_OF_SINGLE_NODE", "55000", "The data directory is of a node that was alone; several nodes cannot start from it at once.").In(n.opts.Dir).
			WithFix("Start this node first as the only voter, with --voters %s, then the others with --join %s; or choose an empty directory with --data-dir.", self, n.opts.Self.Addr)
	}
	n.opts.Logger.Info("meta: the directory of a node that was alone becomes that of a cluster's only voter", "node", n.opts.Self.ID, "dir", n.opts.Dir)
	servers := raft.Configuration{Servers: n.opts.servers()}
	if err := raft.RecoverCluster(conf, n.fsm, n.store, n.store, snaps, t, servers); err != nil {
		return fmt.Errorf("meta: convert the log of a node that was alone: %w", err)
	}
	return nil
}

// checkMembers refuses a log that is of another group, or would be one: a node that is the only voter of its log would go on
// alone while the others that are listed start without it.
func (n *Node) checkMembers(servers []raft.Server) error {
	if len(servers) == 0 {
		return nil // asked to be let in before and heard nothing yet
	}
	self := serverID(n.opts.Self.ID)
	voters := map[raft.ServerID]bool{}
	member := false
	for _, s := range servers {
		if s.Suffrage == raft.Voter {
			voters[s.ID] = true
		}
		member = member || s.ID == self
	}
	if !member {
		return usererr.New("DATA_DIR_OF_OTHER_NODE", "55000", "The data directory belongs to a cluster without node %d: %s.", n.opts.Self.ID, describe(servers)).
			In(n.opts.Dir).WithFix("Choose an empty directory with --data-dir, or the node id that the directory was written with.")
	}
	for _, v := range n.opts.Voters {
		if voters[serverID(v.ID)] {
			continue
		}
		if len(voters) == 1 && voters[self] {
			return usererr.New("CLUSTER_VOTERS_CHANGED", "55000", "Node %d is in the list of voters, but this node is the only voter of the cluster that the data directory belongs to.", v.ID).
				In(n.opts.Dir).WithFix("Start this node as the only voter in the list, let the others join with --join, make them voters, and change the lists then.")
		}
		n.opts.Logger.Warn("meta: the list of voters names a node that is no voter as far as this node's log goes", "node", n.opts.Self.ID, "listed", v.ID, "log", describe(servers))
	}
	return nil
}

// blind is a state machine for looking at members only.
type blind struct{}

func (blind) Apply(*raft.Log) any                 { return nil }
func (blind) Snapshot() (raft.FSMSnapshot, error) { return nil, errors.New("BUG: nothing to snapshot") }
func (blind) Restore(r io.ReadCloser) error       { return r.Close() }
