package meta

import (
	"errors"
	"fmt"

	"github.com/hashicorp/raft"

	"github.com/streamflow/streamflow/logstore/peer/rpc"
)

// startGroup brings raft up as one of several nodes.
func (n *Node) startGroup(conf *raft.Config, files raft.SnapshotStore) error {
	snaps := snapshots{files, n.store}
	b := newBook(n.opts.Voters)
	transport := &patient{NetworkTransport: newTransport(n.opts, b, conf.Logger), pause: n.pauseBetween(n.opts.Timing.Heartbeat / 4)}
	n.transport = transport
	n.group = &group{transport: transport, book: b}
	n.group.applied.init()
	n.group.confirms.init()
	err := n.prepare(conf, snaps, transport)
	if err == nil {
		err = snaps.settle()
	}
	if err != nil {
		return errors.Join(err, transport.Close())
	}
	n.fsm.onApply = n.group.applied.set
	if n.raft, err = raft.NewRaft(conf, n.fsm, n.store, n.store, snaps, transport); err != nil {
		return errors.Join(fmt.Errorf("meta: start raft: %w", err), transport.Close())
	}
	n.fsm.running.Store(true)
	b.raft.Store(n.raft)
	transport.raft.Store(n.raft)
	n.group.pool = rpc.NewPool(n.opts.Dialer)
	n.group.server = rpc.Serve(n.opts.Mux.RPC(), n.handle, n.opts.Logger)
	n.group.spawn(n.followLeadership)
	n.group.spawn(n.announce)
	n.group.spawn(n.joinGroup)
	if v := n.voters(); len(v) == 1 && v[0].ID == conf.LocalID {
		n.group.spawn(n.electSelf)
	}
	go newProposer(n).run()
	return nil
}

// electSelf spares the only voter the wait for a heartbeat that nobody sends: it tells itself what a leader that hands over
// would tell it. Where that fails, the wait ends by itself.
func (n *Node) electSelf() {
	self := serverID(n.opts.Self.ID)
	req := &raft.TimeoutNowRequest{RPCHeader: n.commitNote(0, 0).RPCHeader}
	if err := n.group.transport.TimeoutNow(self, raft.ServerAddress(n.opts.Self.Addr), req, &raft.TimeoutNowResponse{}); err != nil {
		n.opts.Logger.Debug("meta: election not called at once", "node", n.opts.Self.ID, "error", err)
	}
}

// shutdownGroup ends connections first, so that nothing waits for what cannot come.
func (n *Node) shutdownGroup() error {
	n.group.mu.Lock()
	n.group.closing = true
	n.group.mu.Unlock()
	err := n.group.transport.Close()
	err = errors.Join(err, n.raft.Shutdown().Error())
	n.group.pool.Close()
	err = errors.Join(err, n.group.server.Close())
	n.group.loops.Wait()
	return err
}
