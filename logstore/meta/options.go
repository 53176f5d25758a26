package meta

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/streamflow/streamflow/internal/vfs"
	"github.com/streamflow/streamflow/logstore/peer"
	"github.com/streamflow/streamflow/logstore/peer/rpc"
)

// Options says where a node keeps its log, what it hosts, and which nodes it shares the log with. Without Voters and Join a
// node is alone: it votes for itself and opens no socket.
type Options struct {
	Dir      string        // made when absent
	FS       vfs.FS        // that the newest entries are written to; nil is the machine's
	NodeID   string        // raft server id of a node that is alone; default "node-1"
	Machines []Machine     // names must differ
	Logger   *slog.Logger  // default slog.Default()
	Snapshot SnapshotRules // zero: defaults

	Self     Peer               // this node; its address is what other nodes call
	Voters   []Peer             // the same list on every node; those of the first start, kept in the log from then on
	Join     []string           // peer addresses of members that a node outside Voters asks to be let in
	Mux      *peer.Mux          // needed with Voters or Join; the node takes its Raft and RPC ports
	Dialer   *peer.Dialer       // default Mux.Dialer()
	Handlers map[string]Handler // answers to Call, by kind
	Timing   Timing             // zero: defaults
}

// Peer is a node and where it listens for other nodes.
type Peer struct {
	ID   int32
	Addr string
}

// Handler answers a Call of another node. ctx ends with the caller's.
type Handler = func(ctx context.Context, from int32, body []byte) ([]byte, error)

// Timing says how patient the nodes are with each other.
type Timing struct {
	Heartbeat time.Duration // without a word from the leader for so long, a voter calls an election; default 1 s
	Election  time.Duration // a candidate tries again after this; default Heartbeat
	Lease     time.Duration // a leader that hears no majority for so long steps down; default half of Heartbeat
	Apply     time.Duration // how long a command waits for a leader, whatever its context; default 30 s
}

// SnapshotRules says when the log is folded into a snapshot.
type SnapshotRules struct {
	Entries  uint64        // snapshot after this many entries; default 8192
	Trailing uint64        // entries kept behind a snapshot; default 512
	Interval time.Duration // how often it is looked at; default 30 s
}

// Errors that callers tell apart.
var (
	// ErrClosed answers calls on a closed node. What it answers has not taken effect.
	ErrClosed = errors.New("meta: closed")
	// ErrNoLeader says that no leader was found in time. What it answers has not taken effect.
	ErrNoLeader = errors.New("meta: the metadata group has no leader")
	// ErrNotLeader is what a node answers that was taken for the leader; nothing was done. A Handler that only the leader may
	// answer returns it, and CallLeader asks the next leader.
	ErrNotLeader = errors.New("meta: the node does not lead")
	// ErrUnknownOutcome says that a command was proposed and nobody could say in time what became of it. It may have taken
	// effect, or may still do so.
	ErrUnknownOutcome = errors.New("meta: the command's outcome is not known")
	// ErrUnreachable says that a node could not be asked. It has not seen the question.
	ErrUnreachable = rpc.ErrUnreachable
	// ErrConnectionLost says that the connection broke before the answer came. The node may have seen the question.
	ErrConnectionLost = rpc.ErrConnectionLost
)

func (o Options) alone() bool { return len(o.Voters) == 0 && len(o.Join) == 0 }

func withDefaults(o Options) Options {
	if o.NodeID == "" {
		o.NodeID = "node-1"
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	setDefault(&o.Snapshot.Entries, 8192)
	setDefault(&o.Snapshot.Trailing, 512)
	setDefault(&o.Snapshot.Interval, 30*time.Second)
	setDefault(&o.Timing.Heartbeat, time.Second)
	setDefault(&o.Timing.Election, o.Timing.Heartbeat)
	setDefault(&o.Timing.Lease, o.Timing.Heartbeat/2)
	setDefault(&o.Timing.Apply, 30*time.Second)
	if o.FS == nil {
		o.FS = vfs.OS
	}
	if o.Dialer == nil && o.Mux != nil {
		o.Dialer = o.Mux.Dialer()
	}
	return o
}

func setDefault[T comparable](v *T, d T) {
	var zero T
	if *v == zero {
		*v = d
	}
}
