package meta

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"go.uber.org/goleak"
)

// journal is a machine that keeps its commands.
type journal struct {
	name string
	mu   sync.Mutex
	cmds []string
}

func (j *journal) Name() string { return j.name }

func (j *journal) Apply(cmd []byte) ([]byte, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if string(cmd) == "refuse" {
		return nil, errRefused
	}
	j.cmds = append(j.cmds, string(cmd))
	return fmt.Appendf(nil, "%d", len(j.cmds)), nil
}

func (j *journal) Snapshot() []byte {
	var b []byte
	for _, c := range j.cmds {
		b = appendBytes(b, []byte(c))
	}
	return b
}

func (j *journal) Restore(state []byte) error {
	j.cmds = nil
	for len(state) > 0 {
		c, rest, err := takeBytes(state)
		if err != nil {
			return err
		}
		j.cmds, state = append(j.cmds, string(c)), rest
	}
	return nil
}

var errRefused = errors.New("refused")

func open(t testing.TB, dir string, machines ...Machine) *Node {
	t.Helper()
	n, err := Open(Options{Dir: dir, Machines: machines, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = n.Close() })
	return n
}

func apply(t testing.TB, n *Node, machine, cmd string) string {
	t.Helper()
	out, err := n.Apply(context.Background(), machine, []byte(cmd))
	if err != nil {
		t.Fatalf("apply %s %q: %v", machine, cmd, err)
	}
	return string(out)
}

func TestApplyReachesTheNamedMachineAndSurvivesRestart(t *testing.T) {
	defer goleak.VerifyNone(t)
	dir := t.TempDir()
	a, b := &journal{name: "a"}, &journal{name: "b"}
	n := open(t, dir, a, b)
	if got := apply(t, n, "a", "one"); got != "1" {
		t.Errorf("result %q, want 1", got)
	}
	apply(t, n, "b", "two")
	if got := apply(t, n, "a", "three"); got != "2" {
		t.Errorf("result %q, want 2", got)
	}
	if _, err := n.Apply(context.Background(), "a", []byte("refuse")); !errors.Is(err, errRefused) {
		t.Errorf("error %v, want the machine's own", err)
	}
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	a2, b2 := &journal{name: "a"}, &journal{name: "b"}
	open(t, dir, a2, b2).Close()
	if fmt.Sprint(a2.cmds, b2.cmds) != "[one three] [two]" {
		t.Errorf("after restart: %v %v", a2.cmds, b2.cmds)
	}
}

func TestSnapshotReplacesTheLog(t *testing.T) {
	dir := t.TempDir()
	n := open(t, dir, &journal{name: "a"})
	apply(t, n, "a", "one")
	if err := n.Snapshot(); err != nil {
		t.Fatal(err)
	}
	apply(t, n, "a", "two")
	n.Close()
	if m, _ := filepath.Glob(filepath.Join(dir, "snapshots", "*", "state.bin")); len(m) != 1 {
		t.Fatalf("snapshot files %v, want one", m)
	}
	a := &journal{name: "a"}
	open(t, dir, a)
	if fmt.Sprint(a.cmds) != "[one two]" {
		t.Errorf("after restart: %v", a.cmds)
	}
}

func TestMachinesThatAreNotHostedLoseNothing(t *testing.T) {
	dir := t.TempDir()
	n := open(t, dir, &journal{name: "engine"}, &journal{name: "tool"})
	apply(t, n, "engine", "one")
	if err := n.Snapshot(); err != nil {
		t.Fatal(err)
	}
	apply(t, n, "engine", "two")
	n.Close()

	n = open(t, dir, &journal{name: "tool"}) // does not host "engine"
	if _, err := n.Apply(context.Background(), "engine", []byte("three")); !errors.Is(err, errNoMachine) {
		t.Errorf("error %v, want errNoMachine", err)
	}
	if err := n.Snapshot(); err != nil {
		t.Fatal(err)
	}
	n.Close()

	engine := &journal{name: "engine"}
	open(t, dir, engine, &journal{name: "tool"})
	if fmt.Sprint(engine.cmds) != "[one two three]" {
		t.Errorf("engine woke with %v", engine.cmds)
	}
}

func TestConcurrentCallersShareEntries(t *testing.T) {
	n := open(t, t.TempDir(), &journal{name: "a"})
	before := n.AppliedIndex()
	const callers = 400
	var wg sync.WaitGroup
	for i := range callers {
		wg.Go(func() {
			if _, err := n.Apply(context.Background(), "a", fmt.Appendf(nil, "c%d", i)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if entries := n.AppliedIndex() - before; entries > callers/4 {
		t.Errorf("%d commands took %d entries; concurrent callers should share them", callers, entries)
	}
}

func TestSubmitKeepsOrder(t *testing.T) {
	a := &journal{name: "a"}
	n := open(t, t.TempDir(), a)
	var last *Pending
	for i := range 1000 {
		last = n.Submit("a", binary.BigEndian.AppendUint32(nil, uint32(i)))
	}
	if _, err := last.Wait(context.Background()); err != nil {
		t.Fatal(err)
	}
	for i, c := range a.cmds {
		if !bytes.Equal([]byte(c), binary.BigEndian.AppendUint32(nil, uint32(i))) {
			t.Fatalf("command %d is %x", i, c)
		}
	}
}

func TestClosedNodeRefuses(t *testing.T) {
	n := open(t, t.TempDir(), &journal{name: "a"})
	n.Close()
	if _, err := n.Apply(context.Background(), "a", nil); !errors.Is(err, ErrClosed) {
		t.Errorf("error %v, want ErrClosed", err)
	}
}

func TestSecondProcessIsRefused(t *testing.T) {
	dir := t.TempDir()
	open(t, dir, &journal{name: "a"})
	_, err := Open(Options{Dir: dir, Logger: slog.New(slog.DiscardHandler)})
	if err == nil || !bytes.Contains([]byte(err.Error()), []byte("in use by another process")) {
		t.Errorf("error %v", err)
	}
}

func BenchmarkOpenFresh(b *testing.B) {
	root := b.TempDir()
	i := 0
	for b.Loop() {
		i++
		open(b, filepath.Join(root, fmt.Sprint(i)), &journal{name: "a"}).Close()
	}
}

func BenchmarkApply(b *testing.B) {
	for _, callers := range []int{1, 64} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
			dir, err := os.MkdirTemp("", "meta")
			if err != nil {
				b.Fatal(err)
			}
			defer os.RemoveAll(dir)
			n := open(b, dir, &journal{name: "a"})
			defer n.Close()
			cmd := make([]byte, 200)
			b.SetParallelism(callers)
			b.ResetTimer()
			if callers == 1 {
				for range b.N {
					_, _ = n.Apply(context.Background(), "a", cmd)
				}
				return
			}
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					_, _ = n.Apply(context.Background(), "a", cmd)
				}
			})
		})
	}
}
