package meta

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/streamflow/streamflow/logstore/peer"
)

// counter is a machine that counts how often it saw each command, and remembers their order.
type counter struct {
	mu    sync.Mutex
	seen  map[string]int
	order []string
}

func newCounter() *counter { return &counter{seen: map[string]int{}} }

func (c *counter) Name() string { return "counter" }

func (c *counter) Apply(cmd []byte) ([]byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if string(cmd) == "refuse" {
		return nil, errRefused
	}
	c.seen[string(cmd)]++
	c.order = append(c.order, string(cmd))
	return fmt.Appendf(nil, "%d", len(c.order)), nil
}

func (c *counter) Snapshot() []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	dst := binary.AppendUvarint(nil, uint64(len(c.order)))
	for _, cmd := range c.order {
		dst = appendBytes(dst, []byte(cmd))
	}
	return dst
}

func (c *counter) Restore(b []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seen, c.order = map[string]int{}, nil
	n, b, err := uvarint(b)
	for range n {
		var cmd []byte
		if cmd, b, err = takeBytes(b); err != nil {
			break
		}
		c.seen[string(cmd)]++
		c.order = append(c.order, string(cmd))
	}
	return err
}

func (c *counter) times(cmd string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.seen[cmd]
}

func (c *counter) list() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]string(nil), c.order...)
}

// network is loopback with walls: nodes that are cut off reach nobody and are reached by nobody.
type network struct {
	mu    sync.Mutex
	owner map[string]int32 // of an address
	cut   map[int32]bool
	open  map[*wire]struct{}

	dialled map[int32]int // how often a node was called
}

type wire struct {
	net.Conn
	of       *network
	from, to int32
}

func (w *wire) Close() error {
	w.of.mu.Lock()
	delete(w.of.open, w)
	w.of.mu.Unlock()
	return w.Conn.Close()
}

func newNetwork() *network {
	return &network{owner: map[string]int32{}, cut: map[int32]bool{}, open: map[*wire]struct{}{}, dialled: map[int32]int{}}
}

func (n *network) dialer(from int32) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, kind, addr string) (net.Conn, error) {
		n.mu.Lock()
		to := n.owner[addr]
		n.dialled[to]++
		walled := from != to && (n.cut[from] || n.cut[to])
		n.mu.Unlock()
		if walled {
			return nil, errors.New("no route")
		}
		c, err := (&net.Dialer{}).DialContext(ctx, kind, addr)
		if err != nil {
			return nil, err
		}
		w := &wire{c, n, from, to}
		n.mu.Lock()
		defer n.mu.Unlock()
		if from != to && (n.cut[from] || n.cut[to]) {
			return nil, errors.Join(errors.New("no route"), c.Close())
		}
		n.open[w] = struct{}{}
		return w, nil
	}
}

// isolate cuts a node off, or lets it back in.
func (n *network) isolate(id int32, cut bool) {
	n.mu.Lock()
	n.cut[id] = cut
	var broken []*wire
	for w := range n.open {
		if cut && w.from != w.to && (w.from == id || w.to == id) {
			broken = append(broken, w)
		}
	}
	n.mu.Unlock()
	for _, w := range broken {
		_ = w.Close()
	}
}

func (n *network) isCut(id int32) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.cut[id]
}

// breakAll breaks every connection between nodes once.
func (n *network) breakAll() {
	n.mu.Lock()
	var broken []*wire
	for w := range n.open {
		broken = append(broken, w)
	}
	n.mu.Unlock()
	for _, w := range broken {
		_ = w.Close()
	}
}

// member is a node under test with what it needs to start again.
type member struct {
	*Node
	id   int32
	addr string
	dir  string
	mux  *peer.Mux
	m    *counter
	up   bool
}

// cluster is a group of nodes in this process.
type cluster struct {
	t      testing.TB
	net    *network
	root   string
	voters []Peer
	nodes  map[int32]*member
	tune   func(*Options)
}

// testTiming is impatient, but not so much that a loaded machine elects for nothing.
var testTiming = Timing{Heartbeat: 300 * time.Millisecond, Election: 300 * time.Millisecond, Lease: 250 * time.Millisecond, Apply: 20 * time.Second}

func newCluster(t testing.TB, voters int, tune func(*Options)) *cluster {
	c := &cluster{t: t, net: newNetwork(), root: t.TempDir(), nodes: map[int32]*member{}, tune: tune}
	var ls []net.Listener
	for i := range voters {
		l := listen(t, "127.0.0.1:0")
		ls = append(ls, l)
		c.voters = append(c.voters, Peer{int32(i + 1), l.Addr().String()})
		c.net.owner[l.Addr().String()] = int32(i + 1)
	}
	t.Cleanup(c.stopAll)
	for i, l := range ls {
		c.start(c.voters[i].ID, l, nil)
	}
	return c
}

func listen(t testing.TB, addr string) net.Listener {
	t.Helper()
	var l net.Listener
	var err error
	for range 100 {
		if l, err = net.Listen("tcp", addr); err == nil {
			return l
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatal(err)
	return nil
}

func (c *cluster) start(id int32, l net.Listener, join []string) *member {
	c.t.Helper()
	m := &member{id: id, addr: l.Addr().String(), dir: filepath.Join(c.root, fmt.Sprint(id)), m: newCounter(), up: true}
	m.mux = peer.Listen(l, peer.Options{Self: id, Secret: "s3cret", Logger: slog.New(slog.DiscardHandler), DialContext: c.net.dialer(id)})
	opts := Options{Dir: m.dir, Machines: []Machine{m.m}, Logger: slog.New(slog.DiscardHandler),
		Self: Peer{id, m.addr}, Mux: m.mux, Timing: testTiming, Join: join}
	if join == nil {
		opts.Voters = c.voters
	}
	if c.tune != nil {
		c.tune(&opts)
	}
	n, err := Open(opts)
	if err != nil {
		_ = m.mux.Close()
		c.t.Fatal(err)
	}
	m.Node = n
	c.nodes[id] = m
	return m
}

func (c *cluster) add(id int32) *member {
	l := listen(c.t, "127.0.0.1:0")
	c.net.mu.Lock()
	c.net.owner[l.Addr().String()] = id
	c.net.mu.Unlock()
	return c.start(id, l, []string{c.voters[0].Addr, c.voters[len(c.voters)-1].Addr})
}

func (c *cluster) restart(id int32) *member {
	old := c.nodes[id]
	return c.start(id, listen(c.t, old.addr), old.opts.Join)
}

func (m *member) stop() {
	if m.up {
		m.up = false
		_ = m.Close()
		_ = m.mux.Close()
	}
}

func (c *cluster) stopAll() {
	var all sync.WaitGroup
	for _, m := range c.nodes {
		all.Go(m.stop)
	}
	all.Wait()
}

func within(t testing.TB, d time.Duration, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(d); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within %v: %s", d, what)
		}
	}
}

// leader waits until the nodes that are up and reachable agree on one that is ready.
func (c *cluster) leader() *member {
	c.t.Helper()
	var found *member
	within(c.t, 20*time.Second, "a leader", func() bool {
		found = nil
		for _, m := range c.nodes {
			if m.up && !c.net.isCut(m.id) && m.IsLeader() {
				found = m
			}
		}
		return found != nil
	})
	return found
}

func (c *cluster) follower() *member {
	lead := c.leader()
	for _, m := range c.nodes {
		if m.up && m.id != lead.id {
			return m
		}
	}
	c.t.Fatal("no follower")
	return nil
}

func timeout(t testing.TB, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	t.Cleanup(cancel)
	return ctx
}

func (c *cluster) apply(m *member, cmd string) {
	c.t.Helper()
	if _, err := m.Apply(timeout(c.t, 20*time.Second), "counter", []byte(cmd)); err != nil {
		c.t.Fatalf("node %d: apply %q: %v", m.id, cmd, err)
	}
}

// agree waits until all nodes that are up have seen the same commands, each of them once.
func (c *cluster) agree() []string {
	c.t.Helper()
	var want []string
	for _, m := range c.nodes {
		if !m.up {
			continue
		}
		if err := m.Barrier(timeout(c.t, 20*time.Second)); err != nil {
			c.t.Fatalf("node %d: barrier: %v", m.id, err)
		}
		got := m.m.list()
		if want == nil {
			want = got
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			c.t.Fatalf("node %d has %d commands, another %d:\n%v\n%v", m.id, len(got), len(want), got, want)
		}
	}
	seen := map[string]bool{}
	for _, cmd := range want {
		if seen[cmd] {
			c.t.Errorf("%q was applied twice", cmd)
		}
		seen[cmd] = true
	}
	return want
}
