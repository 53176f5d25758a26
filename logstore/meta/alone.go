package meta

import (
	"errors"
	"fmt"
	"time"

	"github.com/hashicorp/raft"

	"github.com/streamflow/streamflow/internal/usererr"
)

// startAlone brings raft up with one voter, whose transport is in memory: bootstrap on the first start, then an election at
// once.
func (n *Node) startAlone(conf *raft.Config, snaps raft.SnapshotStore) error {
	addr, transport := raft.NewInmemTransport(raft.ServerAddress(conf.LocalID))
	n.transport = transport
	has, err := raft.HasExistingState(n.store, n.store, snaps)
	if err != nil {
		return fmt.Errorf("meta: look at existing state: %w", err)
	}
	if !has {
		if err := bootstrap(conf, n.store, snaps, transport, []raft.Server{{ID: conf.LocalID, Address: addr}}); err != nil {
			return err
		}
	}
	if n.raft, err = raft.NewRaft(conf, n.fsm, n.store, n.store, snaps, transport); err != nil {
		return fmt.Errorf("meta: start raft: %w", err)
	}
	if err = n.checkAlone(conf.LocalID); err == nil {
		err = n.lead(addr, transport)
	}
	if err != nil {
		_ = n.raft.Shutdown().Error()
		return err
	}
	n.leader.alone(n.opts.Self.ID)
	go n.batchLoop()
	return nil
}

// checkAlone refuses the directory of a node of a group.
func (n *Node) checkAlone(self raft.ServerID) error {
	servers := n.raft.GetConfiguration().Configuration().Servers
	if len(servers) == 1 && servers[0].ID == self {
		return nil
	}
	return usererr.New("DATA_DIR_OF_CLUSTER", "55000", "The data directory belongs to a node of a cluster: %s.", describe(servers)).
		In(n.opts.Dir).WithFix("Start it with the cluster's --node-id, --peer and --voters, or choose another directory with --data-dir.")
}

// lead makes the only voter a candidate at once (the message a leader sends to hand over) instead of waiting for a heartbeat
// that nobody sends, then waits until all that the log holds is applied.
func (n *Node) lead(addr raft.ServerAddress, transport *raft.InmemTransport) error {
	_, nudge := raft.NewInmemTransport("")
	nudge.Connect(addr, transport)
	req := &raft.TimeoutNowRequest{RPCHeader: raft.RPCHeader{ProtocolVersion: raft.ProtocolVersionMax}}
	if err := nudge.TimeoutNow("", addr, req, &raft.TimeoutNowResponse{}); err != nil {
		return fmt.Errorf("meta: call election: %w", err)
	}
	select {
	case <-n.raft.LeaderCh():
	case <-time.After(10 * time.Second):
		return errors.New("meta: no leader after 10 s")
	}
	if err := n.raft.Barrier(10 * time.Second).Error(); err != nil {
		return fmt.Errorf("meta: replay log: %w", err)
	}
	if n.fsm.applied.Load() == 0 { // a snapshot of an older release does not say how far it goes
		n.fsm.reached(n.raft.AppliedIndex())
	}
	return nil
}
