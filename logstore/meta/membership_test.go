package meta

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/logstore/peer"
)

func TestAllNodesRestart(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	c := newCluster(t, 3, nil)
	for i := range 5 {
		c.apply(c.nodes[int32(i%3+1)], fmt.Sprint("a", i))
	}
	c.stopAll()
	for id := range int32(3) {
		c.restart(id + 1)
	}
	for i := range 5 {
		c.apply(c.nodes[int32(i%3+1)], fmt.Sprint("b", i))
	}
	if got := c.agree(); len(got) != 10 {
		t.Errorf("%v", got)
	}
	c.stopAll()
}

func smallSnapshots(o *Options) {
	o.Snapshot = SnapshotRules{Entries: 20, Trailing: 5, Interval: 20 * time.Millisecond}
}

func TestSleeperCatchesUpBySnapshot(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 3, smallSnapshots)
	c.apply(c.leader(), "first")
	sleeper := c.follower()
	sleeper.stop()
	for i := range 100 {
		c.apply(c.leader(), fmt.Sprint(i))
	}
	within(t, 10*time.Second, "the leader's log begins behind the sleeper's end", func() bool {
		first, err := c.leader().store.FirstIndex()
		return err == nil && first > 10
	})
	c.restart(sleeper.id)
	c.apply(c.nodes[sleeper.id], "awake")
	if got := c.agree(); len(got) != 102 {
		t.Errorf("%d commands, want 102", len(got))
	}
	// What came by snapshot and what follows it survives a crash of the sleeper.
	c.nodes[sleeper.id].stop()
	c.apply(c.leader(), "again")
	c.restart(sleeper.id)
	if got := c.agree(); len(got) != 103 {
		t.Errorf("%d commands, want 103", len(got))
	}
}

// A node that was away for longer comes back at once, not when raft looks for it the next time.
func TestReturningNodeIsFoundAtOnce(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 3, nil)
	away := c.follower()
	c.net.isolate(away.id, true)
	time.Sleep(4 * time.Second) // raft's own interval is above two seconds by then
	c.apply(c.leader(), "meanwhile")
	c.net.isolate(away.id, false)
	began := time.Now()
	c.apply(away, "back")
	if d := time.Since(began); d > 1500*time.Millisecond {
		t.Errorf("a command of the node that came back took %v", d)
	}
}

func TestNonvoterJoinsFollowsAndLeaves(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 3, smallSnapshots)
	for i := range 60 {
		c.apply(c.leader(), fmt.Sprint(i))
	}
	fourth := c.add(4)
	c.apply(fourth, "from the fourth")
	if fourth.m.times("from the fourth") != 1 {
		t.Error("the fourth node does not see its own command")
	}
	var of *Member
	for _, m := range fourth.Members() {
		if m.ID == 4 {
			of = &m
		}
	}
	if of == nil || of.Voter || of.Addr != fourth.addr {
		t.Errorf("members %+v", fourth.Members())
	}
	if got := c.agree(); len(got) != 61 {
		t.Errorf("%d commands, want 61", len(got))
	}
	if err := fourth.AddNonvoter(timeout(t, 10*time.Second), Peer{5, fourth.addr}); !isUser(err, "PEER_ADDRESS_TAKEN") {
		t.Errorf("error %v, want PEER_ADDRESS_TAKEN", err)
	}
	fourth.stop()
	c.restart(4)
	c.apply(c.nodes[4], "from the fourth again")
	if err := c.nodes[4].Remove(timeout(t, 10*time.Second), 4); err != nil {
		t.Fatal(err)
	}
	within(t, 10*time.Second, "the fourth node is out", func() bool { return len(c.leader().Members()) == 3 })
	c.nodes[4].stop()
	c.apply(c.leader(), "without it")
	c.agree()
}

// The leader does not go on looking for a dead node that was removed.
func TestDeadNodeIsRemoved(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	c := newCluster(t, 3, nil)
	fourth := c.add(4)
	c.apply(fourth, "x")
	fourth.stop()
	c.apply(c.leader(), "y") // and replication to the fourth waits
	if err := c.leader().Remove(timeout(t, 10*time.Second), 4); err != nil {
		t.Fatal(err)
	}
	delete(c.nodes, 4)
	c.apply(c.follower(), "z")
	time.Sleep(500 * time.Millisecond)
	c.net.mu.Lock()
	c.net.dialled = map[int32]int{}
	c.net.mu.Unlock()
	time.Sleep(500 * time.Millisecond)
	c.net.mu.Lock()
	n := c.net.dialled[4]
	c.net.mu.Unlock()
	if n > 0 {
		t.Errorf("the removed node was called %d times", n)
	}
	c.stopAll()
}

func TestVoterIsAddedAndTakesOver(t *testing.T) {
	c := newCluster(t, 1, nil)
	c.apply(c.leader(), "alone")
	second, third := c.add(2), c.add(3)
	for _, m := range []*member{second, third} {
		if err := m.AddVoter(timeout(t, 10*time.Second), Peer{m.id, m.addr}); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.nodes[1].TransferLeadership(timeout(t, 10*time.Second), 3); err != nil {
		t.Fatal(err)
	}
	within(t, 10*time.Second, "node 3 leads", third.IsLeader)
	if err := second.Remove(timeout(t, 10*time.Second), 1); err != nil {
		t.Fatal(err)
	}
	c.nodes[1].stop()
	c.apply(second, "without the first")
	if got := fmt.Sprint(c.agree()); got != "[alone without the first]" {
		t.Error(got)
	}
	if err := third.Remove(timeout(t, 10*time.Second), 2); err != nil {
		t.Fatal(err)
	}
	if err := third.Remove(timeout(t, 10*time.Second), 3); !isUser(err, "LAST_VOTER") {
		t.Errorf("error %v, want LAST_VOTER", err)
	}
}

func isUser(err error, code string) bool {
	u, ok := errors.AsType[*usererr.Error](err)
	return ok && u.Code == code && u.Fix != ""
}

func TestVoterMoves(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 3, nil)
	c.apply(c.leader(), "before")
	moved := c.follower()
	c.stopAll()
	l := listen(t, "127.0.0.1:0")
	addr := l.Addr().String()
	c.net.owner[addr] = moved.id
	c.voters[moved.id-1].Addr = addr
	c.start(moved.id, l, nil)
	for id := range c.nodes {
		if id != moved.id {
			c.restart(id)
		}
	}
	c.apply(c.nodes[moved.id], "after")
	if got := fmt.Sprint(c.agree()); got != "[before after]" {
		t.Error(got)
	}
	within(t, 10*time.Second, "the log has the new address", func() bool { return c.leader().Members()[moved.id-1].Addr == addr })
}

// logText is what a node logs.
type logText struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logText) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

func (l *logText) has(s string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Contains(l.b.String(), s)
}

func TestNodeWithoutTheSecretIsNotLetIn(t *testing.T) {
	c := newCluster(t, 1, nil)
	c.leader()
	var text logText
	l := listen(t, "127.0.0.1:0")
	mux := peer.Listen(l, peer.Options{Self: 2, Secret: "another", Logger: slog.New(slog.DiscardHandler)})
	defer mux.Close()
	n, err := Open(Options{Dir: t.TempDir(), Self: Peer{2, l.Addr().String()}, Join: []string{c.voters[0].Addr}, Mux: mux, Timing: testTiming,
		Logger: slog.New(slog.NewTextHandler(&text, nil))})
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	within(t, 10*time.Second, "the log says that the secret is wrong", func() bool { return text.has("CLUSTER_SECRET_MISMATCH") })
	if got := len(c.leader().Members()); got != 1 {
		t.Errorf("%d members", got)
	}
}

func TestDirectoryOfLonelyNodeBecomesOnlyVoter(t *testing.T) {
	dir := t.TempDir()
	m := newCounter()
	n := open(t, dir, m)
	for i := range 10 {
		apply(t, n, "counter", fmt.Sprint(i))
	}
	if err := n.Snapshot(); err != nil {
		t.Fatal(err)
	}
	apply(t, n, "counter", "after the snapshot")
	n.Close()

	start := func(opts Options, m *counter) (*Node, error) {
		l := listen(t, "127.0.0.1:0")
		mux := peer.Listen(l, peer.Options{Self: 1, Logger: slog.New(slog.DiscardHandler)})
		t.Cleanup(func() { _ = mux.Close() })
		opts.Dir, opts.Mux, opts.Timing, opts.Logger = dir, mux, testTiming, slog.New(slog.DiscardHandler)
		opts.Machines = []Machine{m}
		opts.Self = Peer{1, l.Addr().String()}
		opts.Voters = append(opts.Voters, opts.Self)
		return Open(opts)
	}
	for what, voters := range map[string][]Peer{"three voters": {{2, "h:2"}, {3, "h:3"}}} {
		if _, err := start(Options{Voters: voters}, newCounter()); !isUser(err, "DATA_DIR_OF_SINGLE_NODE") {
			t.Errorf("%s: error %v, want DATA_DIR_OF_SINGLE_NODE", what, err)
		}
	}
	for range 2 { // converted, then as it is
		m = newCounter()
		n, err := start(Options{}, m)
		if err != nil {
			t.Fatal(err)
		}
		if err := n.Barrier(timeout(t, 10*time.Second)); err != nil {
			t.Fatal(err)
		}
		if got := m.list(); len(got) < 11 || got[10] != "after the snapshot" {
			t.Errorf("%v", got)
		}
		if _, err := n.Apply(timeout(t, 10*time.Second), "counter", []byte("more")); err != nil {
			t.Fatal(err)
		}
		n.Close()
	}
	if got := fmt.Sprint(m.list()); got != "[0 1 2 3 4 5 6 7 8 9 after the snapshot more more]" {
		t.Error(got)
	}
	if _, err := start(Options{Voters: []Peer{{2, "h:2"}}}, newCounter()); !isUser(err, "CLUSTER_VOTERS_CHANGED") {
		t.Errorf("error %v, want CLUSTER_VOTERS_CHANGED", err)
	}
	if _, err := Open(Options{Dir: dir, Logger: slog.New(slog.DiscardHandler)}); !isUser(err, "DATA_DIR_OF_CLUSTER") {
		t.Errorf("error %v, want DATA_DIR_OF_CLUSTER", err)
	}
}

func TestVotersThatCannotBe(t *testing.T) {
	mux := peer.Listen(listen(t, "127.0.0.1:0"), peer.Options{Logger: slog.New(slog.DiscardHandler)})
	defer mux.Close()
	for what, o := range map[string]Options{
		"two at one address":  {Self: Peer{1, "h:1"}, Voters: []Peer{{1, "h:1"}, {2, "h:1"}}},
		"own address differs": {Self: Peer{1, "h:1"}, Voters: []Peer{{1, "h:9"}}},
		"no address":          {Self: Peer{1, ""}, Voters: []Peer{{2, "h:1"}}},
		"negative id":         {Self: Peer{-1, "h:1"}, Voters: []Peer{{2, "h:2"}}},
	} {
		o.Dir, o.Mux = t.TempDir(), mux
		if _, err := Open(o); !isUser(err, "CLUSTER_VOTERS_INVALID") {
			t.Errorf("%s: %v", what, err)
		}
	}
}

var errKnown = errors.New("a sentinel")

func init() { RegisterError("meta_test_sentinel", errKnown) }

func TestCalls(t *testing.T) {
	user := usererr.New("TOO_BIG", "22023", "It is too big.").WithFix("Make it smaller.")
	c := newCluster(t, 3, func(o *Options) {
		self := o.Self.ID
		o.Handlers = map[string]Handler{
			"echo": func(_ context.Context, from int32, b []byte) ([]byte, error) {
				return fmt.Appendf(nil, "%d to %d: %s", from, self, b), nil
			},
			"user": func(context.Context, int32, []byte) ([]byte, error) { return nil, fmt.Errorf("topic x: %w", user) },
			"known": func(context.Context, int32, []byte) ([]byte, error) {
				return nil, fmt.Errorf("partition 7: %w", errKnown)
			},
			"sleep": func(ctx context.Context, _ int32, _ []byte) ([]byte, error) { <-ctx.Done(); return nil, ctx.Err() },
		}
	})
	lead := c.leader()
	for _, m := range c.nodes {
		ctx := timeout(t, 10*time.Second)
		if out, err := m.CallLeader(ctx, "echo", []byte("hi")); err != nil || string(out) != fmt.Sprintf("%d to %d: hi", m.id, lead.id) {
			t.Errorf("%s %v", out, err)
		}
		if _, err := m.Call(ctx, lead.id, "user", nil); !isUser(err, "TOO_BIG") || !strings.Contains(err.Error(), "topic x: ") {
			t.Errorf("node %d: error %v", m.id, err)
		}
		if _, err := m.Call(ctx, lead.id, "known", nil); !errors.Is(err, errKnown) || err.Error() != "partition 7: a sentinel" {
			t.Errorf("node %d: error %v", m.id, err)
		}
		if _, err := m.Call(ctx, lead.id, "nothing", nil); err == nil {
			t.Error("a question without handler has an answer")
		}
		if _, err := m.Call(ctx, 77, "echo", nil); !errors.Is(err, ErrUnreachable) {
			t.Errorf("error %v, want ErrUnreachable", err)
		}
		if _, err := m.Call(timeout(t, 50*time.Millisecond), lead.id, "sleep", nil); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v, want a deadline", err)
		}
	}
}

func TestLeaderChangedTells(t *testing.T) {
	c := newCluster(t, 3, nil)
	f := c.follower()
	if err := f.Barrier(timeout(t, 10*time.Second)); err != nil {
		t.Fatal(err)
	}
	before, _ := f.Leader()
	changed := f.LeaderChanged()
	if err := f.TransferLeadership(timeout(t, 10*time.Second), f.id); err != nil {
		t.Fatal(err)
	}
	for {
		select {
		case <-changed:
		case <-time.After(10 * time.Second):
			t.Fatal("nothing changed")
		}
		changed = f.LeaderChanged()
		if id, ok := f.Leader(); ok && id != before && f.IsLeader() {
			return
		}
	}
}
