package clustertest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/streamflow/streamflow/logstore/broker"
	"github.com/streamflow/streamflow/logstore/kafka"
	"github.com/streamflow/streamflow/logstore/meta"
	"github.com/streamflow/streamflow/logstore/peer"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Cluster is nodes with ids from 1.
type Cluster struct {
	t     testing.TB
	dir   string
	log   *slog.Logger
	nodes map[int32]*Node
}

// Node is one of them.
type Node struct {
	ID     int32
	c      *Cluster
	kafka  string // address
	peer   string
	rack   string
	voters []int32        // all nodes unless set
	join   []int32        // instead of being a voter
	Broker *broker.Broker // nil while it does not run
	server *kafka.Server
	mux    *peer.Mux
}

// quick makes failures noticed within a second.
func (n *Node) membership(mux *peer.Mux) *broker.Membership {
	m := &broker.Membership{Peer: n.peer, Mux: mux, Client: n.kafka, Rack: n.rack, Heartbeat: 100 * time.Millisecond, Session: time.Second, Rebalance: -1,
		MetaTiming: meta.Timing{Heartbeat: 500 * time.Millisecond}}
	for _, id := range n.join {
		m.Join = append(m.Join, n.c.nodes[id].peer)
	}
	for _, v := range n.c.nodes {
		if len(n.join) == 0 && (n.voters == nil || slices.Contains(n.voters, v.ID)) {
			m.Voters = append(m.Voters, meta.Peer{ID: v.ID, Addr: v.peer})
		}
	}
	return m
}

// Start starts a cluster of n nodes, all of them voters. It ends with the test.
func Start(t testing.TB, n int) *Cluster {
	t.Helper()
	c := New(t, n)
	c.StartNodes(c.IDs()...)
	return c
}

// New returns a cluster of n nodes that do not run yet.
func New(t testing.TB, n int) *Cluster {
	t.Helper()
	c := &Cluster{t: t, dir: t.TempDir(), nodes: map[int32]*Node{}, log: slog.New(slog.DiscardHandler)}
	if testing.Verbose() {
		c.log = slog.New(slog.NewTextHandler(testWriter{t}, &slog.HandlerOptions{Level: slog.LevelInfo}))
	}
	for id := int32(1); id <= int32(n); id++ {
		c.nodes[id] = &Node{ID: id, c: c, kafka: freeAddr(t), peer: freeAddr(t), rack: fmt.Sprintf("rack-%d", id)}
	}
	t.Cleanup(c.Close)
	return c
}

type testWriter struct{ t testing.TB }

func (w testWriter) Write(b []byte) (int, error) {
	defer func() { _ = recover() }() // a line that comes after the test
	w.t.Log(string(b[:max(0, len(b)-1)]))
	return len(b), nil
}

// given are the addresses that some node of this process has.
var given sync.Map

// freeAddr is an address that nobody listens on, with a port that the system gives to no outgoing connection: a node that comes
// back must find it free.
func freeAddr(t testing.TB) string {
	t.Helper()
	for range 100 {
		addr := fmt.Sprintf("127.0.0.1:%d", 10_000+rand.IntN(22_000))
		if _, taken := given.LoadOrStore(addr, true); taken {
			continue
		}
		l, err := net.Listen("tcp", addr)
		if err == nil {
			defer l.Close()
			return addr
		}
	}
	t.Fatal("no free port")
	return ""
}

// IDs are those of all nodes, running or not.
func (c *Cluster) IDs() []int32 {
	var ids []int32
	for id := int32(1); id <= int32(len(c.nodes)); id++ {
		ids = append(ids, id)
	}
	return ids
}

// Node is one of the nodes.
func (c *Cluster) Node(id int32) *Node { return c.nodes[id] }

// StartNodes starts nodes at the same time and returns when all are in.
func (c *Cluster) StartNodes(ids ...int32) {
	c.t.Helper()
	errs := make([]error, len(ids))
	var wg sync.WaitGroup
	for i, id := range ids {
		wg.Go(func() { errs[i] = c.nodes[id].start() })
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		c.t.Fatal(err)
	}
}

// dir is its data directory.
func (n *Node) dir() string { return filepath.Join(n.c.dir, fmt.Sprint(n.ID)) }

func (n *Node) start() error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	pl, err := net.Listen("tcp", n.peer)
	if err != nil {
		return err
	}
	kl, err := net.Listen("tcp", n.kafka)
	if err != nil {
		return errors.Join(err, pl.Close())
	}
	log := n.c.log.With("at", n.ID)
	n.mux = peer.Listen(pl, peer.Options{Self: n.ID, Secret: "a secret that the nodes share"})
	n.Broker, err = broker.Open(broker.Options{Dir: n.dir(), NodeID: n.ID, Membership: n.membership(n.mux), Context: ctx, Logger: log})
	if err != nil {
		n.Broker = nil
		return errors.Join(fmt.Errorf("node %d: %w", n.ID, err), kl.Close(), n.mux.Close())
	}
	n.server = kafka.New(kafka.Options{Broker: n.Broker, NodeID: n.ID, Logger: log})
	go func() { _ = n.server.ServePeers(n.mux.Kafka()) }()
	go func() { _ = n.server.Serve(kl) }()
	return nil
}

// Stop stops nodes in good order: leaderships are handed over first.
func (c *Cluster) Stop(ids ...int32) {
	c.t.Helper()
	c.end(ids, func(n *Node) error {
		n.Broker.HandOver()
		return errors.Join(n.server.Close(), n.Broker.Close(), n.mux.Close())
	})
}

// Kill ends nodes without a word to the others.
func (c *Cluster) Kill(ids ...int32) {
	c.t.Helper()
	c.end(ids, func(n *Node) error {
		err := n.mux.Close()
		return errors.Join(err, n.server.Close(), n.Broker.CloseNow())
	})
}

func (c *Cluster) end(ids []int32, how func(*Node) error) {
	c.t.Helper()
	var wg sync.WaitGroup
	for _, id := range ids {
		n := c.nodes[id]
		if n.Broker == nil {
			continue
		}
		wg.Go(func() {
			if err := how(n); err != nil {
				c.log.Warn("node ended", "at", n.ID, "err", err)
			}
			n.Broker = nil
		})
	}
	wg.Wait()
}

// Close ends all nodes.
func (c *Cluster) Close() { c.Kill(c.IDs()...) }

// Addrs are the Kafka addresses of all nodes.
func (c *Cluster) Addrs() []string {
	var out []string
	for _, id := range c.IDs() {
		out = append(out, c.nodes[id].kafka)
	}
	return out
}

// Client is a Kafka client of the whole cluster.
func (c *Cluster) Client(opts ...kgo.Opt) *kgo.Client {
	c.t.Helper()
	cl, err := kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(c.Addrs()...), kgo.RetryTimeout(30 * time.Second), kgo.MetadataMinAge(50 * time.Millisecond),
		kgo.RetryBackoffFn(func(int) time.Duration { return 50 * time.Millisecond })}, opts...)...)
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(cl.Close)
	return cl
}

// Admin is an admin client of the whole cluster.
func (c *Cluster) Admin() *kadm.Client { return kadm.NewClient(c.Client()) }

// Any is the broker of some node that runs.
func (c *Cluster) Any() *broker.Broker {
	c.t.Helper()
	for _, id := range c.IDs() {
		if b := c.nodes[id].Broker; b != nil {
			return b
		}
	}
	c.t.Fatal("no node runs")
	return nil
}

// State is where a partition stands, as a running node has it.
func (c *Cluster) State(topic string, p int32) broker.PartitionState {
	c.t.Helper()
	s, err := c.Any().PartitionState(topic, p)
	if err != nil {
		c.t.Fatal(err)
	}
	return s
}

// Eventually waits until ok, or fails after a while.
func (c *Cluster) Eventually(what string, ok func() bool) {
	c.t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for !ok() {
		if time.Now().After(deadline) {
			c.t.Fatalf("not in 30 s: %s", what)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// InSync waits until a topic's partitions have a leader and n members in sync, as every running node has it.
func (c *Cluster) InSync(topic string, n int) {
	c.t.Helper()
	c.Eventually(fmt.Sprintf("%s has %d in sync everywhere", topic, n), func() bool {
		for _, id := range c.IDs() {
			if b := c.nodes[id].Broker; b != nil && !inSync(b, topic, n) {
				return false
			}
		}
		return true
	})
}

func inSync(b *broker.Broker, topic string, n int) bool {
	t, err := b.Topic(topic)
	if err != nil {
		return false
	}
	for p := range t.Partitions {
		if s, err := b.PartitionState(topic, p); err != nil || s.Leader < 0 || len(s.ISR) != n {
			return false
		}
	}
	return true
}
