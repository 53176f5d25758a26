package meta

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"
)

func TestEveryNodeAppliesAndReadsItsWrites(t *testing.T) {
	c := newCluster(t, 3, nil)
	for round := range 3 {
		for _, m := range c.nodes {
			cmd := fmt.Sprintf("%d from %d", round, m.id)
			c.apply(m, cmd)
			if m.m.times(cmd) != 1 {
				t.Errorf("node %d does not see its own %q", m.id, cmd)
			}
		}
	}
	if got := len(c.agree()); got != 9 {
		t.Errorf("%d commands, want 9", got)
	}
	f := c.follower()
	if _, err := f.Apply(timeout(t, 10*time.Second), "counter", []byte("refuse")); !errors.Is(err, errRefused) {
		t.Errorf("error %v, want the machine's own", err)
	}
	_, index, err := f.ApplyIndex(timeout(t, 10*time.Second), "counter", []byte("indexed"))
	if err != nil || index == 0 {
		t.Fatalf("index %d, %v", index, err)
	}
	if s := f.Status(); s.Node != f.id || s.Leader != c.leader().id || s.Ready || s.Applied != index || s.Commit < index || s.Last < index || s.Contact.IsZero() {
		t.Errorf("status %+v", s)
	}
	for _, m := range c.nodes {
		if err := m.WaitApplied(timeout(t, 10*time.Second), index); err != nil || m.m.times("indexed") != 1 {
			t.Errorf("node %d: %v, seen %d times", m.id, err, m.m.times("indexed"))
		}
	}
}

func TestLeaderDies(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 3, nil)
	c.apply(c.leader(), "before")
	old := c.leader()
	c.net.isolate(old.id, true) // no hand-over
	old.stop()
	for _, m := range c.nodes {
		if m.up {
			c.apply(m, fmt.Sprintf("after from %d", m.id))
		}
	}
	c.net.isolate(old.id, false)
	c.restart(old.id)
	if got := c.agree(); len(got) != 3 || got[0] != "before" {
		t.Errorf("%v", got)
	}
}

func TestBarrierSeesOtherNodesWrites(t *testing.T) {
	c := newCluster(t, 3, nil)
	c.leader()
	for i := range 20 {
		w, r := c.nodes[int32(i%3+1)], c.nodes[int32((i+1)%3+1)]
		cmd := fmt.Sprint(i)
		c.apply(w, cmd)
		if err := r.Barrier(timeout(t, 10*time.Second)); err != nil {
			t.Fatal(err)
		}
		if r.m.times(cmd) != 1 {
			t.Fatalf("node %d does not see %q of node %d after a barrier", r.id, cmd, w.id)
		}
	}
}

func longTiming(o *Options) {
	o.Timing.Heartbeat, o.Timing.Election, o.Timing.Lease = 2*time.Second, 2*time.Second, 2*time.Second
}

func TestClosingLeaderHandsOver(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 3, longTiming)
	old := c.leader()
	c.apply(old, "before")
	old.stop()
	began := time.Now()
	c.apply(c.follower0(), "after")
	if d := time.Since(began); d > 1500*time.Millisecond {
		t.Errorf("the group had no leader for %v, as if nobody had handed over", d)
	}
}

func (c *cluster) follower0() *member {
	for _, m := range c.nodes {
		if m.up {
			return m
		}
	}
	return nil
}

func TestWithoutLeaderCommandsWaitAndCanBeWithdrawn(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 3, nil)
	lead := c.leader()
	c.apply(lead, "first")
	var stay *member
	for _, m := range c.nodes {
		if m.id != lead.id && stay == nil {
			stay = m
			continue
		}
		c.net.isolate(m.id, true)
	}
	within(t, 10*time.Second, "the last node knows no leader", func() bool { _, known := stay.Leader(); return !known })
	if _, err := stay.Apply(timeout(t, 300*time.Millisecond), "counter", []byte("withdrawn")); !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, ErrUnknownOutcome) {
		t.Errorf("error %v, want a deadline and no doubt", err)
	}
	waiting := stay.Submit("counter", []byte("waits"))
	time.Sleep(200 * time.Millisecond)
	for _, m := range c.nodes {
		c.net.isolate(m.id, false)
	}
	if _, err := waiting.Wait(timeout(t, 20*time.Second)); err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(c.agree()); got != "[first waits]" {
		t.Errorf("%s", got)
	}
}

func TestNoLeaderEnds(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 3, func(o *Options) { o.Timing.Apply = 700 * time.Millisecond })
	lead := c.leader()
	for _, m := range c.nodes {
		if m.id != lead.id {
			m.stop()
		}
	}
	within(t, 10*time.Second, "the leader steps down", func() bool { _, known := lead.Leader(); return !known })
	for what, call := range map[string]func(context.Context) error{
		"apply":   func(ctx context.Context) error { _, err := lead.Apply(ctx, "counter", []byte("x")); return err },
		"barrier": lead.Barrier,
		"call":    func(ctx context.Context) error { _, err := lead.CallLeader(ctx, "k", nil); return err },
	} {
		if err := call(context.Background()); !errors.Is(err, ErrNoLeader) {
			t.Errorf("%s: error %v, want ErrNoLeader", what, err)
		}
	}
}

// A leader that is cut off cannot commit, and what it had under way is not lost or doubled when it comes back.
func TestCutOffLeader(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 3, nil)
	old := c.leader()
	c.apply(old, "before")
	c.net.isolate(old.id, true)
	_, err := old.Apply(timeout(t, 1500*time.Millisecond), "counter", []byte("doubtful"))
	if err == nil {
		t.Fatal("a leader that is cut off committed a command")
	}
	if !errors.Is(err, ErrUnknownOutcome) {
		t.Errorf("error %v, want ErrUnknownOutcome", err)
	}
	if err := old.Barrier(timeout(t, 300*time.Millisecond)); err == nil {
		t.Error("a leader that is cut off says that its state is the newest")
	}
	next := c.leader()
	c.apply(next, "meanwhile")
	c.net.isolate(old.id, false)
	c.apply(old, "back")
	got := c.agree()
	if got[0] != "before" || got[1] != "meanwhile" {
		t.Errorf("%v", got)
	}
}

// A leader that has not found out yet that it is cut off does not say that its state is the newest.
func TestBarrierAsksAMajority(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 3, longTiming)
	lead := c.leader()
	c.apply(lead, "before")
	c.net.isolate(lead.id, true)
	if err := lead.Barrier(timeout(t, 300*time.Millisecond)); err == nil {
		t.Error("a barrier passed without a majority")
	}
	if !lead.IsLeader() {
		t.Skip("the leader found out too soon for this test")
	}
}

// A follower learns at once that its command is committed, not with raft's next message 50 to 100 ms later.
func TestFollowersLearnAtOnce(t *testing.T) {
	c := newCluster(t, 3, nil)
	f := c.follower()
	c.apply(f, "first")
	quick := 0
	for i := range 40 {
		began := time.Now()
		c.apply(f, fmt.Sprint(i))
		if time.Since(began) < 40*time.Millisecond {
			quick++
		}
	}
	if quick < 20 {
		t.Errorf("%d of 40 commands took less than 40 ms", quick)
	}
}

// A leader that is cut off may have more entries of its own than the others' whole log, and when it comes back the entries
// that contradict it may be in a snapshot only. It must not keep its own.
func TestLongWrongTailGivesWayToASnapshot(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 3, smallSnapshots)
	old := c.leader()
	c.apply(old, "before")
	c.net.isolate(old.id, true)
	for i := range 400 {
		old.raft.Apply(appendEntry(nil, []command{{"counter", fmt.Appendf(nil, "wrong %d", i)}}), 0)
	}
	within(t, 10*time.Second, "the others have a leader", func() bool {
		id, ok := c.follower0not(old).Leader()
		return ok && id != old.id
	})
	for i := range 40 {
		c.apply(c.leader(), fmt.Sprint(i))
	}
	within(t, 10*time.Second, "the leader's log begins behind the common past", func() bool {
		first, err := c.leader().store.FirstIndex()
		return err == nil && first > 10
	})
	if last, err := old.store.LastIndex(); err != nil || last < 70 {
		t.Fatalf("the old leader's log ends at %d, %v: too soon for this test", last, err)
	}
	c.net.isolate(old.id, false)
	c.apply(old, "back")
	if got := c.agree(); len(got) != 42 {
		t.Errorf("%d commands, want 42: %v", len(got), got)
	}
}

func (c *cluster) follower0not(not *member) *member {
	for _, m := range c.nodes {
		if m.up && m != not {
			return m
		}
	}
	return nil
}

func TestOnlyVoterLeadsAtOnce(t *testing.T) {
	c := newCluster(t, 1, func(o *Options) { o.Timing = Timing{Heartbeat: 20 * time.Second} })
	began := time.Now()
	c.apply(c.nodes[1], "x")
	if d := time.Since(began); d > 5*time.Second {
		t.Errorf("it took %v", d)
	}
}

func TestCommandsThatCannotBeSentAreRefused(t *testing.T) {
	c := newCluster(t, 1, nil)
	if _, err := c.nodes[1].Apply(timeout(t, 5*time.Second), "counter", make([]byte, maxCommandBytes+1)); err == nil || errors.Is(err, ErrUnknownOutcome) {
		t.Errorf("error %v", err)
	}
}

// Leadership goes to a voter that is there, however often it is handed on, and a node closes however that goes.
func TestTransferChoosesWhoAnswers(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 3, nil)
	c.apply(c.leader(), "x")
	dead := c.follower()
	dead.stop()
	for range 4 {
		old := c.leader()
		c.apply(old, fmt.Sprint("by ", old.id, " at ", old.Status().Term))
		began := time.Now()
		if err := old.TransferLeadership(timeout(t, 10*time.Second), -1); err != nil {
			t.Fatal(err)
		}
		within(t, 10*time.Second, "the other one leads", func() bool { return !old.IsLeader() && c.leader() != old })
		if d := time.Since(began); d > 3*time.Second {
			t.Errorf("a transfer took %v", d)
		}
	}
	if err := c.leader().TransferLeadership(timeout(t, 10*time.Second), dead.id); err == nil {
		t.Error("leadership went to a node that is gone")
	}
	began := time.Now()
	c.stopAll()
	if d := time.Since(began); d > 8*time.Second {
		t.Errorf("closing took %v", d)
	}
}
