package meta

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/hashicorp/raft"
)

func TestSessionsAdmitEachEntryOnce(t *testing.T) {
	c := newCounter()
	f, err := newFSM(1, []Machine{c})
	if err != nil {
		t.Fatal(err)
	}
	index := uint64(0)
	entry := func(at stamp, cmds ...string) entryOutcome {
		index++
		var list []command
		for _, s := range cmds {
			list = append(list, command{"counter", []byte(s)})
		}
		return f.Apply(&raft.Log{Index: index, Data: appendStamped(nil, at, list)}).(entryOutcome)
	}
	s := stamp{node: 7, epoch: 1, nonce: 11}
	step := func(seq uint64) stamp { s.seq = seq; return s }
	if out := entry(step(1), "no session"); !out.stale {
		t.Error("an entry without a session counts")
	}
	entry(step(0))
	first := entry(step(1), "a", "b")
	if again := entry(step(1), "a", "b"); again.index != first.index || fmt.Sprint(again.outcomes) != fmt.Sprint(first.outcomes) {
		t.Errorf("sent again it brought %v, not %v", again, first)
	}
	entry(step(5), "c") // numbers may be left out
	if out := entry(step(4), "late"); !out.stale {
		t.Error("an entry that was given up counts later")
	}

	// A snapshot keeps all that, the last answer included.
	entry(step(6), "refuse")
	snap, err := f.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	c2 := newCounter()
	f2, _ := newFSM(1, []Machine{c2})
	if err := f2.Restore(readCloser(snap.(fsmSnapshot))); err != nil {
		t.Fatal(err)
	}
	f, c = f2, c2
	if f.applied.Load() != index {
		t.Errorf("restored at %d, want %d", f.applied.Load(), index)
	}
	if out := entry(step(6), "refuse"); len(out.outcomes) != 1 || out.outcomes[0].err == nil || out.outcomes[0].err.Error() != "refused" {
		t.Errorf("after the snapshot the last entry brought %v", out)
	}

	// The next session ends this one; opening this one again does nothing.
	next := stamp{node: 7, epoch: 2, nonce: 12}
	entry(next)
	if out := entry(step(7), "of the old session"); !out.stale {
		t.Error("an entry of an old session counts")
	}
	entry(step(0))
	entry(stamp{node: 7, epoch: 2, nonce: 99}) // another process that would be the same session
	entry(stamp{node: 7, epoch: 9, nonce: 99}) // or one that skips epochs
	next.seq = 1
	if out := entry(next, "d"); out.stale {
		t.Error("the new session did not last")
	}
	if got := fmt.Sprint(c.list()); got != "[a b c d]" {
		t.Errorf("commands %v", got)
	}
}

// A snapshot of an older release has no sessions, and opens.
func TestSnapshotWithoutSessions(t *testing.T) {
	c := newCounter()
	_, _ = c.Apply([]byte("a"))
	f, _ := newFSM(1, []Machine{newCounter()})
	f.sessions.open(stamp{node: 1, epoch: 1})
	if err := f.Restore(readCloser(appendSnapshot(nil, []section{{"counter", c.Snapshot()}}))); err != nil {
		t.Fatal(err)
	}
	if s, _ := f.sessions.own(); s.epoch != 0 || f.applied.Load() != 0 {
		t.Errorf("session %+v, applied %d", s, f.applied.Load())
	}
	if got := fmt.Sprint(f.machines["counter"].(*counter).list()); got != "[a]" {
		t.Error(got)
	}
}

// A command whose answer is lost again and again is applied once.
func TestBrokenConnectionsLoseAndDoubleNothing(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 3, nil)
	c.leader()
	stop := make(chan struct{})
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-stop:
				return
			case <-time.After(15 * time.Millisecond):
				c.net.breakAll()
			}
		}
	}()
	f := c.follower()
	for i := range 60 {
		c.apply(f, fmt.Sprint(i))
	}
	close(stop)
	<-ended
	if got := len(c.agree()); got != 60 {
		t.Errorf("%d commands, want 60", got)
	}
}

// The outcome of a command reaches its proposer even when a snapshot brings it.
func TestOutcomeComesWithSnapshot(t *testing.T) {
	c := newCluster(t, 3, smallSnapshots)
	f := c.follower()
	c.apply(f, "first")
	lead := c.leader()
	at := f.stampForTest()
	entry := appendStamped(nil, at, []command{{"counter", []byte("by snapshot")}})
	c.net.isolate(f.id, true)
	if err := lead.proposeEntry(context.Background(), entry); err != nil {
		t.Fatal(err)
	}
	for i := range 100 {
		c.apply(lead, fmt.Sprint(i))
	}
	within(t, 10*time.Second, "the leader's log begins later", func() bool {
		first, err := lead.store.FirstIndex()
		return err == nil && first > f.AppliedIndex()+2
	})
	c.net.isolate(f.id, false)
	within(t, 10*time.Second, "the follower's session is where the leader has it", func() bool {
		s, _ := f.fsm.sessions.own()
		return s.is(at) && s.seq == at.seq && len(s.last.outcomes) == 1 && string(s.last.outcomes[0].result) == "2"
	})
}

// stampForTest is the stamp that the node's next entry would have.
func (n *Node) stampForTest() stamp {
	s, _ := n.fsm.sessions.own()
	return stamp{node: n.opts.Self.ID, epoch: s.epoch, nonce: s.nonce, seq: s.seq + 1}
}

// Two processes that claim to be the same node are found out.
func TestSecondProcessWithTheSameID(t *testing.T) {
	c := newCluster(t, 3, nil)
	f := c.follower()
	c.apply(f, "first")
	at := f.stampForTest()
	usurper := stamp{node: f.id, epoch: at.epoch + 1, nonce: at.nonce + 1}
	if err := c.leader().proposeEntry(context.Background(), appendStamped(nil, usurper, nil)); err != nil {
		t.Fatal(err)
	}
	within(t, 10*time.Second, "the usurper's session is known", func() bool { s, _ := f.fsm.sessions.own(); return s.epoch == usurper.epoch })
	c.apply(f, "second") // with a session of its own again
	usurper.seq = 1
	if err := c.leader().proposeEntry(context.Background(), appendStamped(nil, usurper, []command{{"counter", []byte("usurped")}})); err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(c.agree()); got != "[first second]" {
		t.Error(got)
	}
	if _, err := c.leader().handle(context.Background(), 2, kindApply, appendStamped(nil, stamp{node: 3, epoch: 1}, nil)); err == nil || errors.Is(err, ErrNotLeader) {
		t.Errorf("node 2 may propose as node 3: %v", err)
	}
}

func readCloser(b []byte) io.ReadCloser { return io.NopCloser(bytes.NewReader(b)) }
