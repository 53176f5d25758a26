package replicator

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/streamflow/streamflow/internal/vfs"
	"github.com/streamflow/streamflow/logstore"
	"github.com/streamflow/streamflow/logstore/record"
	"github.com/streamflow/streamflow/logstore/replica"
)

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

// cluster is nodes with real logs on file systems that can lose power, and a controller that holds one record for each
// partition, in this process. What the controller decides is told at once to whoever can hear it.
type cluster struct {
	t       *testing.T
	topicID [16]byte
	tp      logstore.TopicPartition
	minISR  int
	unclean bool

	mu      sync.Mutex
	nodes   map[int32]*node
	record  partitionRecord
	session int64
	resets  int          // of damaged replicas
	rate    atomic.Int64 // of throttled partitions: all of node 3's
}

// partitionRecord is KIP-966's.
type partitionRecord struct {
	replicas, isr, elr []int32
	leader             int32
	epoch, version     int32
}

type node struct {
	c       *cluster
	id      int32
	fs      *vfs.Mem
	alive   bool
	session int64 // broker epoch

	log  *logstore.Log
	part *logstore.Partition
	repl *Replicator
	srv  *server
}

func newCluster(t *testing.T, nodes, minISR int) *cluster {
	c := &cluster{t: t, topicID: [16]byte{7}, tp: logstore.TopicPartition{Topic: "t"}, minISR: minISR, nodes: map[int32]*node{}, session: 1}
	c.record = partitionRecord{leader: -1}
	for id := int32(1); id <= int32(nodes); id++ {
		c.nodes[id] = &node{c: c, id: id, fs: vfs.NewMem()}
		c.record.replicas = append(c.record.replicas, id)
		c.record.isr = append(c.record.isr, id)
	}
	t.Cleanup(c.close)
	for _, id := range c.record.replicas {
		c.start(id)
	}
	return c
}

func (c *cluster) close() {
	for _, n := range c.nodes {
		n.stop()
	}
}

func (n *node) options() logstore.Options {
	return logstore.Options{
		Dir: "data", FS: n.fs, Logger: quiet, WALFileSize: 256 << 10, FlushBytes: 16 << 10, CheckpointFiles: 2,
		FlushInterval: 5 * time.Millisecond, ReplicaLag: 300 * time.Millisecond, KeepDamaged: true,
		OnISRChange: func(_ *logstore.Partition, x logstore.ISRProposal) { go n.c.alter(n.id, x) },
	}
}

func config(id [16]byte) logstore.PartitionConfig {
	return logstore.PartitionConfig{SegmentBytes: 32 << 10, IndexInterval: 512, TopicID: id}
}

// start opens a node's log and lets it register.
func (c *cluster) start(id int32) {
	c.t.Helper()
	n := c.nodes[id]
	var err error
	if n.log, err = logstore.Open(n.options()); err != nil {
		c.t.Fatalf("node %d: %v", id, err)
	}
	if n.part, err = n.log.EnsurePartition(c.tp, config(c.topicID)); err != nil {
		c.t.Fatalf("node %d: %v", id, err)
	}
	n.srv = newServer(n)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.session++
	n.session = c.session
	session := n.session
	n.repl = New(Options{
		Node: id, BrokerEpoch: func() int64 { return session }, Logger: quiet, MaxWait: 100 * time.Millisecond, Backoff: 2 * time.Millisecond,
		MaxPartitionBytes: 8 << 10, Rate: c.rate.Load,
		Dial: func(ctx context.Context, addr string) (net.Conn, error) { return c.dial(id, addr) },
	})
	n.alive = true
	c.change(func(r *partitionRecord) {
		if n.part.Damaged() != nil {
			r.isr, r.elr = without(r.isr, id), without(r.elr, id)
			r.epoch++
		}
	})
	if n.part.Damaged() != nil {
		if err := n.part.Reset(0); err != nil {
			c.t.Fatalf("node %d: reset: %v", id, err)
		}
		c.resets++
		c.tell()
	}
}

func without(list []int32, n int32) []int32 {
	return slices.DeleteFunc(slices.Clone(list), func(x int32) bool { return x == n })
}

// stop ends a node. What it did not sync is gone if crash was called before.
func (n *node) stop() {
	if n.log == nil {
		return
	}
	n.srv.close()
	n.repl.Close()
	n.log.Close()
	n.log = nil
}

// kill takes a node's power away and fences it. r decides which unsynced bytes survive.
func (c *cluster) kill(id int32, r *rand.Rand) {
	n := c.nodes[id]
	crashed := n.fs.Crash(r)
	c.mu.Lock()
	n.alive = false
	c.mu.Unlock()
	n.stop()
	n.fs = crashed
	c.fence(id)
}

func (c *cluster) fence(id int32) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.change(func(r *partitionRecord) {
		before := r.isr
		if slices.Contains(r.isr, id) {
			r.isr = without(r.isr, id)
			r.elr = replica.Eligible(r.elr, before, r.isr, c.minISR)
		}
		if r.leader == id {
			r.leader = -1
		}
	})
}

// change changes the record, elects if nobody leads, and tells the nodes. c.mu is held.
func (c *cluster) change(fn func(*partitionRecord)) {
	old := c.record
	r := c.record
	fn(&r)
	got, ok := replica.Elect(replica.Election{
		Replicas: r.replicas, ISR: r.isr, ELR: r.elr, Current: r.leader, Unclean: c.unclean,
		Able: func(n int32) bool { return c.nodes[n].alive && c.nodes[n].log != nil },
	})
	r.leader = -1
	if ok {
		r.leader = got.Leader
		switch before := r.isr; {
		case got.Unclean:
			r.isr, r.elr = []int32{got.Leader}, nil
		case !slices.Contains(r.isr, got.Leader):
			r.isr = append(slices.Clone(r.isr), got.Leader)
			r.elr = without(replica.Eligible(r.elr, before, r.isr, c.minISR), got.Leader)
		}
	}
	if r.leader != old.leader && r.epoch == old.epoch {
		r.epoch++
	}
	r.version++
	c.record = r
	c.tell()
}

// tell brings every node that is alive up to date. c.mu is held.
func (c *cluster) tell() {
	r := c.record
	for _, n := range c.nodes {
		if !n.alive || n.log == nil {
			continue
		}
		if r.leader == n.id {
			n.repl.Set(nil)
			if err := n.part.Lead(replica.Leadership{
				Epoch: r.epoch, PartitionEpoch: r.version, Self: n.id, Replicas: r.replicas, ISR: r.isr, MinISR: c.minISR,
			}); err != nil {
				c.t.Errorf("node %d: lead: %v", n.id, err)
			}
			continue
		}
		if err := n.part.Follow(r.leader, r.epoch); err != nil {
			c.t.Errorf("node %d: follow: %v", n.id, err)
		}
		if r.leader < 0 {
			n.repl.Set(nil)
			continue
		}
		n.repl.Set([]Followed{{
			Partition: n.part, TopicID: c.topicID, Leader: r.leader, Addr: fmt.Sprint(r.leader), Epoch: r.epoch, Throttled: n.id == 3 && c.rate.Load() > 0,
		}})
	}
}

// alter is AlterPartition.
func (c *cluster) alter(from int32, x logstore.ISRProposal) {
	c.mu.Lock()
	r := c.record
	n := c.nodes[from]
	ok := r.leader == from && r.epoch == x.LeaderEpoch && r.version == x.PartitionEpoch
	for _, m := range x.ISR {
		ok = ok && c.nodes[m.Node].alive && (m.BrokerEpoch == 0 || c.nodes[m.Node].session == m.BrokerEpoch)
	}
	if ok {
		c.change(func(r *partitionRecord) {
			before := r.isr
			r.isr = x.Nodes()
			r.elr = replica.Eligible(r.elr, before, r.isr, c.minISR)
		})
	}
	c.mu.Unlock()
	if !ok {
		n.part.RefuseISR(x.PartitionEpoch)
	}
}

// dial connects a node to another one's server.
func (c *cluster) dial(from int32, addr string) (net.Conn, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for id, n := range c.nodes {
		if fmt.Sprint(id) == addr && n.alive && n.srv != nil {
			a, b := net.Pipe()
			n.srv.serve(b)
			return a, nil
		}
	}
	return nil, errors.New("connection refused")
}

func (c *cluster) leader() *node {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.record.leader < 0 {
		return nil
	}
	return c.nodes[c.record.leader]
}

func (c *cluster) state() partitionRecord {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.record
}

func (c *cluster) eventually(what string, ok func() bool) {
	c.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			c.t.Fatalf("never: %s; record %+v, %s", what, c.state(), c.positions())
		}
	}
}

func (c *cluster) positions() (s string) {
	for _, id := range c.record.replicas {
		if n := c.nodes[id]; n.log != nil {
			s += fmt.Sprintf("node %d %+v %+v; ", id, n.part.Offsets(), n.part.Role())
		}
	}
	return s
}

// inSync waits until all replicas are in sync and have the same.
func (c *cluster) inSync() {
	c.t.Helper()
	c.eventually("all in sync", func() bool {
		r := c.state()
		if len(r.isr) != len(r.replicas) {
			return false
		}
		want := c.nodes[r.leader].part.Offsets()
		for _, n := range c.nodes {
			o := n.part.Offsets()
			if o.End != want.End || o.HighWatermark != want.End || o.LastStable != want.LastStable {
				return false
			}
		}
		return true
	})
}

// sameBytes checks I1: replicas hold the same bytes below their high watermarks.
func (c *cluster) sameBytes() {
	c.t.Helper()
	var want []byte
	var of int32
	for _, id := range c.record.replicas {
		got := c.nodes[id].bytes(c.t)
		if want != nil && !bytes.Equal(got, want) {
			c.t.Fatalf("node %d has %d bytes, node %d has %d, and they differ", id, len(got), of, len(want))
		}
		want, of = got, id
	}
}

func (n *node) bytes(t *testing.T) []byte {
	out := []byte{}
	for at := n.part.Offsets().LogStart; ; {
		res, err := n.part.Read(at, 1<<20, false)
		if err != nil {
			t.Fatalf("node %d at %d: %v", n.id, at, err)
		}
		if len(res.Data) == 0 {
			return out
		}
		out = append(out, res.Data...)
		for data := res.Data; len(data) > 0; {
			b, rest, err := record.Next(data)
			if err != nil {
				t.Fatal(err)
			}
			data, at = rest, b.LastOffset()+1
		}
	}
}

// values lists what readers see.
func (n *node) values(t *testing.T) (out []string) {
	for data := n.bytes(t); len(data) > 0; {
		b, rest, err := record.Next(data)
		if err != nil {
			t.Fatal(err)
		}
		data = rest
		if b.Attributes().IsControl() {
			continue
		}
		for it := b.Records(); it.Next(); {
			out = append(out, string(it.Value))
		}
	}
	return out
}
