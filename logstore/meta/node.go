package meta

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/hashicorp/raft"
)

// Node is one member of the metadata group.
type Node struct {
	opts      Options
	raft      *raft.Raft
	fsm       *fsm
	store     *store
	transport *raft.InmemTransport
	queue     queue
	done      chan struct{} // closed when the batch loop has ended
	changed   chan struct{}
	closeOnce sync.Once
	closeErr  error
}

// Open starts a node and returns when it leads and has applied all that is in its log.
func Open(opts Options) (*Node, error) {
	opts = withDefaults(opts)
	if err := os.MkdirAll(opts.Dir, 0o755); err != nil {
		return nil, fmt.Errorf("meta: make directory: %w", err)
	}
	f, err := newFSM(opts.Machines)
	if err != nil {
		return nil, err
	}
	st, err := openStore(opts.Dir)
	if err != nil {
		return nil, err
	}
	n := &Node{opts: opts, fsm: f, store: st, done: make(chan struct{}), changed: make(chan struct{})}
	n.queue.init()
	if err := n.start(opts); err != nil {
		_ = st.Close()
		return nil, err
	}
	go n.batchLoop()
	return n, nil
}

// start brings raft up: bootstrap on the first start, then an election at once.
func (n *Node) start(opts Options) error {
	log := raftLogger(opts.Logger)
	snaps, err := raft.NewFileSnapshotStoreWithLogger(opts.Dir, 2, log)
	if err != nil {
		return fmt.Errorf("meta: snapshot store: %w", err)
	}
	conf := raft.DefaultConfig()
	conf.LocalID = raft.ServerID(opts.NodeID)
	conf.Logger = log
	conf.SnapshotThreshold = opts.Snapshot.Entries
	conf.SnapshotInterval = opts.Snapshot.Interval
	conf.TrailingLogs = opts.Snapshot.Trailing
	conf.ShutdownOnRemove = false
	addr, transport := raft.NewInmemTransport(raft.ServerAddress(opts.NodeID))
	n.transport = transport
	if err := bootstrap(conf, n.store, snaps, transport, addr); err != nil {
		return err
	}
	if n.raft, err = raft.NewRaft(conf, n.fsm, n.store, n.store, snaps, transport); err != nil {
		return fmt.Errorf("meta: start raft: %w", err)
	}
	if err := n.lead(addr); err != nil {
		_ = n.raft.Shutdown().Error()
		return err
	}
	return nil
}

func bootstrap(conf *raft.Config, st *store, snaps raft.SnapshotStore, t raft.Transport, addr raft.ServerAddress) error {
	has, err := raft.HasExistingState(st, st, snaps)
	if err != nil {
		return fmt.Errorf("meta: look at existing state: %w", err)
	}
	if has {
		return nil
	}
	one := raft.Configuration{Servers: []raft.Server{{ID: conf.LocalID, Address: addr}}}
	if err := raft.BootstrapCluster(conf, st, st, snaps, t, one); err != nil {
		return fmt.Errorf("meta: bootstrap: %w", err)
	}
	return nil
}

// lead makes the only voter a candidate at once (the message a leader sends to hand over) instead of waiting for a heartbeat
// that nobody sends, then waits until all that the log holds is applied.
func (n *Node) lead(addr raft.ServerAddress) error {
	_, nudge := raft.NewInmemTransport("")
	nudge.Connect(addr, n.transport)
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
	return nil
}

// Apply proposes a command and returns what its machine answered, after the command is durable. When ctx ends first the
// command may still take effect.
func (n *Node) Apply(ctx context.Context, machine string, cmd []byte) ([]byte, error) {
	return n.Submit(machine, cmd).Wait(ctx)
}

// ApplyIndex is Apply, and says at which index of the log the command stands.
func (n *Node) ApplyIndex(ctx context.Context, machine string, cmd []byte) (out []byte, index uint64, err error) {
	p := n.Submit(machine, cmd)
	out, err = p.Wait(ctx)
	return out, p.Index(), err
}

// Submit proposes a command without waiting. Commands of one goroutine take effect in the order of its Submit calls. The
// command bytes must not be changed until the Pending is done.
func (n *Node) Submit(machine string, cmd []byte) *Pending {
	return n.queue.add(command{machine: machine, data: cmd})
}

// AppliedIndex is the index of the last log entry that the machines have seen.
func (n *Node) AppliedIndex() uint64 { return n.fsm.applied.Load() }

// Snapshot folds the log into a snapshot now.
func (n *Node) Snapshot() error {
	err := n.raft.Snapshot().Error()
	if errors.Is(err, raft.ErrNothingNewToSnapshot) {
		return nil
	}
	return err
}

// Close ends the node. Commands that wait get ErrClosed.
func (n *Node) Close() error {
	n.closeOnce.Do(func() {
		n.queue.close()
		<-n.done
		err := n.raft.Shutdown().Error()
		n.closeErr = errors.Join(err, n.transport.Close(), n.store.Close())
	})
	return n.closeErr
}
