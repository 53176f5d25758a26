package broker

import (
	"context"
	"log/slog"
	"net"
	"slices"
	"time"

	"github.com/streamflow/streamflow/logstore/meta"
	"github.com/streamflow/streamflow/logstore/peer"
	"github.com/streamflow/streamflow/logstore/replicator"
)

// Membership makes a node one of several. Nil in Options: the node is alone.
type Membership struct {
	Peer   string      // host:port where other nodes reach this one
	Voters []meta.Peer // of the metadata log; the same on each node
	Join   []string    // peer addresses of members, for a node that is no voter
	Mux    *peer.Mux   // the peer port
	Client string      // host:port of the Kafka protocol, as clients are told
	Rack   string

	ReplicationFactor int // of topics created without one; 0: 3, or the number of brokers if that is smaller
	MinISR            int // min.insync.replicas of topics that do not say; 0: 2, or 1 for topics of one or two replicas

	Heartbeat time.Duration // how often a broker reports to the controller; 1 s
	Session   time.Duration // a broker that is silent for so long is fenced; 6 s
	Rebalance time.Duration // how often leadership goes back to preferred leaders; 5 min, below 0 never

	ReassignRate int64 // bytes a second that this node fetches of replicas that a reassignment brings it; 0: no limit

	MetaTiming meta.Timing // of the metadata group
}

func (m *Membership) defaults() {
	setDefault(&m.Heartbeat, time.Second)
	setDefault(&m.Session, 6*time.Second)
	setDefault(&m.Rebalance, 5*time.Minute)
}

func setDefault[T comparable](v *T, d T) {
	var zero T
	if *v == zero {
		*v = d
	}
}

// clustered is whether this node is one of several.
func (b *Broker) clustered() bool { return b.opts.Membership != nil }

// replicationFactor is that of a topic created without one.
func (b *Broker) replicationFactor() int {
	if !b.clustered() {
		return 1
	}
	rf := b.opts.Membership.ReplicationFactor
	if rf <= 0 {
		rf = 3
	}
	return min(rf, len(b.placeable()))
}

// minISR is min.insync.replicas of a topic that does not say.
func (b *Broker) minISR(rf int) int {
	if !b.clustered() {
		return 1
	}
	if m := b.opts.Membership.MinISR; m > 0 {
		return min(m, rf)
	}
	if rf <= 2 {
		return 1
	}
	return 2
}

// placeable are the brokers that may be given replicas.
func (b *Broker) placeable() []BrokerInfo {
	return slices.DeleteFunc(b.topics.brokerInfos(), func(x BrokerInfo) bool { return x.Draining })
}

// AliveBrokers are the brokers that are not fenced, by id.
func (b *Broker) AliveBrokers() []BrokerInfo {
	return slices.DeleteFunc(b.Brokers(), func(x BrokerInfo) bool { return x.Fenced })
}

// register begins this node's session. When it returns, the node knows all metadata up to it. A node that is alone registers
// once for all its sessions: nobody else tells them apart.
func (b *Broker) register(ctx context.Context) error {
	if r := b.topics.broker(b.opts.NodeID); !b.clustered() && r != nil && !r.Fenced {
		b.epoch.Store(r.Epoch)
		return nil
	}
	c := registerBroker{ID: b.opts.NodeID, Session: b.session, Alone: !b.clustered()}
	if m := b.opts.Membership; m != nil {
		disk, lost, err := b.openDisk()
		if err != nil {
			return err
		}
		c.ClientAddr, c.PeerAddr, c.Rack, c.Disk, c.Lost = m.Client, m.Peer, m.Rack, disk, lost
		onDisk, err := b.log.Partitions()
		if err != nil {
			return err
		}
		c.Holds = len(onDisk) > 0
	}
	var epoch int64
	if err := b.ask(ctx, topicCommand{Register: &c}, &epoch); err != nil {
		return err
	}
	b.epoch.Store(epoch)
	return nil
}

// BrokerEpoch is the epoch of this node's session.
func (b *Broker) BrokerEpoch() int64 { return b.epoch.Load() }

func (b *Broker) self() brokerEpoch { return brokerEpoch{b.opts.NodeID, b.epoch.Load()} }

// newReplicator copies what other nodes lead, over their peer ports.
func (b *Broker) newReplicator() *replicator.Replicator {
	dialer := b.opts.Membership.Mux.Dialer()
	return replicator.New(replicator.Options{
		Node: b.opts.NodeID, BrokerEpoch: b.epoch.Load, Logger: b.opts.Logger, Rate: func() int64 { return b.opts.Membership.ReassignRate },
		Dial: func(ctx context.Context, addr string) (net.Conn, error) { return dialer.Dial(ctx, addr, peer.Kafka) },
	})
}

// ReplicationLags says how far each followed partition is behind its leader.
func (b *Broker) ReplicationLags() []replicator.Lag {
	if b.replicator == nil {
		return nil
	}
	return b.replicator.Lags()
}

// startCluster begins what runs as long as a node of several does.
func (b *Broker) startCluster() {
	b.loop(b.reconcileLoop)
	b.loop(b.isrLoop)
	b.loop(b.damageLoop)
	b.loop(b.heartbeatLoop)
	b.loop(b.controlLoop)
}

// loop runs fn until it returns; Close waits for it. False when the broker is closed.
func (b *Broker) loop(fn func(ctx context.Context)) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return false
	}
	b.loops.Go(func() { fn(b.ctx) })
	return true
}

// HandOver leaves the cluster in good order: leaderships go to others, while this node can still tell clients where. Close does
// it too; who also serves clients calls it before the server stops.
func (b *Broker) HandOver() {
	if !b.clustered() || b.log == nil || !b.leaving.CompareAndSwap(false, true) {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	self := b.self()
	if err := b.ask(ctx, topicCommand{Fence: &self}, nil); err != nil {
		b.opts.Logger.Warn("broker: leaderships not handed over", slog.Any("err", err))
		return
	}
	b.reconcile()
}
