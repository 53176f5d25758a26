package meta

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"

	"github.com/hashicorp/raft"

	"github.com/streamflow/streamflow/logstore/peer/rpc"
)

// Node is one member of the metadata group.
type Node struct {
	opts      Options
	raft      *raft.Raft
	fsm       *fsm
	store     *store
	queue     queue
	leader    leadership
	done      chan struct{}   // closed when the loop that proposes has ended
	ctx       context.Context // ends with the node
	stop      context.CancelFunc
	transport interface{ Close() error }
	group     *group // nil on a node that is alone
	closeOnce sync.Once
	closeErr  error
}

// group is what a node has that is one of several.
type group struct {
	transport *patient
	book      *book
	pool      *rpc.Pool
	server    *rpc.Server
	applied   announcement
	confirms  confirmer
	loops     sync.WaitGroup
	mu        sync.Mutex
	closing   bool // nothing is spawned any more
}

// spawn runs a function that the node waits for when it closes. On a node that is closing it does not run.
func (g *group) spawn(f func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.closing {
		g.loops.Go(f)
	}
}

// Open starts a node. One that is alone leads when Open returns, and its machines have seen all that is in its log. One of
// several has only begun to look for the others then: Barrier says when its machines are up to date.
func Open(opts Options) (*Node, error) {
	opts = withDefaults(opts)
	if err := opts.check(); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(opts.Dir, 0o755); err != nil {
		return nil, fmt.Errorf("meta: make directory: %w", err)
	}
	f, err := newFSM(opts.Self.ID, opts.Machines)
	if err != nil {
		return nil, err
	}
	st, err := openStore(opts.FS, opts.Dir)
	if err != nil {
		return nil, err
	}
	n := &Node{opts: opts, fsm: f, store: st, done: make(chan struct{})}
	n.ctx, n.stop = context.WithCancel(context.Background())
	n.queue.init()
	n.leader.init()
	if err := n.start(); err != nil {
		n.stop()
		_ = st.Close()
		return nil, err
	}
	return n, nil
}

func (n *Node) start() error {
	snaps, err := raft.NewFileSnapshotStoreWithLogger(n.opts.Dir, 2, raftLogger(n.opts.Logger))
	if err != nil {
		return fmt.Errorf("meta: snapshot store: %w", err)
	}
	conf := raftConfig(n.opts)
	if n.opts.alone() {
		return n.startAlone(conf, snaps)
	}
	return n.startGroup(conf, snaps)
}

func raftConfig(opts Options) *raft.Config {
	conf := raft.DefaultConfig()
	conf.LocalID = raft.ServerID(opts.NodeID)
	conf.Logger = raftLogger(opts.Logger)
	conf.SnapshotThreshold = opts.Snapshot.Entries
	conf.SnapshotInterval = opts.Snapshot.Interval
	conf.TrailingLogs = opts.Snapshot.Trailing
	conf.ShutdownOnRemove = false
	if !opts.alone() {
		conf.LocalID = serverID(opts.Self.ID)
		conf.HeartbeatTimeout = opts.Timing.Heartbeat
		conf.ElectionTimeout = opts.Timing.Election
		conf.LeaderLeaseTimeout = opts.Timing.Lease
	}
	return conf
}

func bootstrap(conf *raft.Config, st *store, snaps raft.SnapshotStore, t raft.Transport, servers []raft.Server) error {
	if err := raft.BootstrapCluster(conf, st, st, snaps, t, raft.Configuration{Servers: servers}); err != nil {
		return fmt.Errorf("meta: bootstrap: %w", err)
	}
	return nil
}

// Apply proposes a command and returns what its machine answered, after the command is durable on a majority and this node's
// machines have seen it. Without a leader it waits for one. When ctx ends first, or Timing.Apply, the command has not taken
// effect, unless the error is ErrUnknownOutcome: then it may have, or may still.
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
	if n.group != nil && len(cmd) > maxCommandBytes {
		p := &Pending{done: make(chan struct{})}
		p.finish(outcome{err: fmt.Errorf("meta: command for %s has %d bytes, more than %d", machine, len(cmd), maxCommandBytes)})
		return p
	}
	return n.queue.add(command{machine: machine, data: cmd})
}

// AppliedIndex is the index of the last log entry that the machines have seen.
func (n *Node) AppliedIndex() uint64 { return n.fsm.applied.Load() }

// WaitApplied returns when the machines of this node have seen the entry at an index that ApplyIndex or AppliedIndex gave, on
// whichever node.
func (n *Node) WaitApplied(ctx context.Context, index uint64) error {
	if n.fsm.applied.Load() >= index {
		return nil
	}
	done, leave := n.fsm.waiters.add(index, &n.fsm.applied)
	defer leave()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-n.ctx.Done():
		return ErrClosed
	}
}

// Snapshot folds the log into a snapshot now.
func (n *Node) Snapshot() error {
	err := n.raft.Snapshot().Error()
	if errors.Is(err, raft.ErrNothingNewToSnapshot) {
		return nil
	}
	return err
}

// Close ends the node; a leader hands over first. Commands that wait get ErrClosed.
func (n *Node) Close() error {
	n.closeOnce.Do(func() {
		n.handOver()
		n.queue.close()
		n.stop()
		<-n.done
		err := n.shutdown()
		n.closeErr = errors.Join(err, n.store.Close())
	})
	return n.closeErr
}

func (n *Node) shutdown() error {
	if n.group != nil {
		return n.shutdownGroup()
	}
	return errors.Join(n.raft.Shutdown().Error(), n.transport.Close())
}
