package logstore

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/internal/vfs"
)

// crasher copies the file system, as a crash would leave it, before file operations picked at random, together with what
// had been acknowledged by then.
type crasher struct {
	mu     sync.Mutex
	r      *rand.Rand
	mem    *vfs.Mem
	acked  map[string]int // by topic: values 0..n-1 are acknowledged
	points []crashPoint
	every  int
}

type crashPoint struct {
	fs    *vfs.Mem
	acked map[string]int
	op    vfs.Op
	name  string
}

func (c *crasher) hook(op vfs.Op, name string) error {
	if op == vfs.OpRead || op == vfs.OpReadDir || op == vfs.OpOpen {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.r.IntN(c.every) != 0 {
		return nil
	}
	acked := map[string]int{}
	for k, v := range c.acked {
		acked[k] = v
	}
	r := c.r
	if c.r.IntN(3) == 0 {
		r = nil // exactly what was synced
	}
	c.points = append(c.points, crashPoint{fs: c.mem.Crash(r), acked: acked, op: op, name: name})
	return nil
}

func seed(t *testing.T) uint64 {
	if s := os.Getenv("SEED"); s != "" {
		n, err := strconv.ParseUint(s, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	return rand.Uint64()
}

// TestCrashAtEveryStep writes to three partitions, takes crash images at random steps, and checks each: what was
// acknowledged is there, in order, and nothing that was never sent.
func TestCrashAtEveryStep(t *testing.T) {
	n := seed(t)
	defer func() {
		if t.Failed() {
			t.Logf("repeat with: SEED=%d go test ./logstore -run TestCrashAtEveryStep", n)
		}
	}()
	for _, policy := range []SyncPolicy{SyncPerBatch, SyncPerWrite, SyncAsync} {
		mem := vfs.NewMem()
		c := &crasher{r: rand.New(rand.NewPCG(n, 1)), mem: mem, acked: map[string]int{}, every: 12}
		o := small(&vfs.Fault{FS: mem, Hook: c.hook})
		o.Sync = policy
		l := mustOpen(t, o)
		writeSome(t, l, c)
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		if len(c.points) < 10 {
			t.Errorf("only %d crash points", len(c.points))
		}
		for i, pt := range c.points {
			if policy == SyncAsync { // it may lose what it acknowledged last, but must leave a sound prefix
				clear(pt.acked)
				pt.acked["a"], pt.acked["b"], pt.acked["c"] = 0, 0, 0
			}
			checkCrash(t, fmt.Sprintf("%s, point %d (%s %s)", policy, i, pt.op, pt.name), pt)
		}
	}
}

// TestFlushSyncsTheLogFirst: whatever the policy, no batch is in a segment before it is safe in the write-ahead log.
func TestFlushSyncsTheLogFirst(t *testing.T) {
	for _, policy := range []SyncPolicy{SyncPerBatch, SyncPerWrite, SyncAsync} {
		mem := vfs.NewMem()
		o := small(mem)
		o.Sync, o.SyncInterval, o.FlushBytes, o.FlushInterval = policy, time.Hour, 1<<30, time.Hour
		l := mustOpen(t, o)
		p := mustEnsure(t, l, "t", PartitionConfig{})
		mustAppend(t, p, batchOf(t, 0, "value"))
		if err := p.flush(); err != nil {
			t.Fatal(err)
		}
		again := mustOpen(t, small(mem.Crash(nil)))
		if got := values(t, mustEnsure(t, again, "t", PartitionConfig{}), false); len(got) != 1 {
			t.Errorf("%s: after a flush and a crash there are %v", policy, got)
		}
		mustClose(t, again)
		mustClose(t, l)
	}
}

func value(topic string, i int) string {
	return fmt.Sprintf("%s-%d-%s", topic, i, strings.Repeat("y", i*7%400))
}

func writeSome(t *testing.T, l *Log, c *crasher) {
	var wg sync.WaitGroup
	for _, topic := range []string{"a", "b", "c"} {
		p := mustEnsure(t, l, topic, PartitionConfig{SegmentBytes: 12 << 10, IndexInterval: 256})
		wg.Add(1)
		go func() {
			defer wg.Done()
			var queue []*Pending
			for i := range 400 {
				queue = append(queue, p.Append(AppendRequest{Data: batchOf(t, int64(i), value(topic, i))}))
				if len(queue) < 3 {
					continue
				}
				res, err := wait(queue[0])
				if err != nil {
					t.Errorf("append: %v", err)
					return
				}
				queue = queue[1:]
				c.mu.Lock()
				c.acked[topic] = int(res.LastOffset) + 1
				c.mu.Unlock()
			}
		}()
	}
	wg.Wait()
}

// checkCrash opens a crash image, crashes it again, and opens that: recovery must be repeatable.
func checkCrash(t *testing.T, name string, pt crashPoint) {
	t.Helper()
	fs := pt.fs
	for round := range 2 {
		l, err := Open(small(fs))
		if err != nil {
			t.Fatalf("%s, round %d: %v", name, round, err)
		}
		for topic, acked := range pt.acked {
			p, err := l.EnsurePartition(TopicPartition{Topic: topic}, PartitionConfig{IndexInterval: 256})
			if err != nil {
				t.Fatalf("%s, round %d: %v", name, round, err)
			}
			got := values(t, p, false)
			if len(got) < acked {
				t.Fatalf("%s, round %d: topic %s has %d records, %d were acknowledged", name, round, topic, len(got), acked)
			}
			for i, v := range got {
				if want := fmt.Sprintf("%d:%s", i, value(topic, i)); v != want {
					t.Fatalf("%s, round %d: record %q, want %q", name, round, v, want)
				}
			}
			pt.acked[topic] = len(got)
		}
		next := fs.Crash(nil)
		mustClose(t, l)
		fs = next
	}
}

func TestFailedFsyncIsFatal(t *testing.T) {
	mem := vfs.NewMem()
	var mu sync.Mutex
	broken := false
	fatal := make(chan error, 8)
	o := small(&vfs.Fault{FS: mem, Hook: func(op vfs.Op, name string) error {
		mu.Lock()
		defer mu.Unlock()
		if broken && op == vfs.OpSync && strings.Contains(name, "wal-") {
			return syscall.EIO
		}
		return nil
	}})
	o.Fatal = func(err error) { fatal <- err }
	l := mustOpen(t, o)
	p := mustEnsure(t, l, "t", smallConfig())
	mustAppend(t, p, batchOf(t, 1, "good"))
	mu.Lock()
	broken = true
	mu.Unlock()
	if _, err := wait(p.Append(AppendRequest{Data: batchOf(t, 1, "lost")})); !errors.Is(err, syscall.EIO) {
		t.Errorf("append: %v", err)
	}
	if err := <-fatal; !errors.Is(err, syscall.EIO) {
		t.Errorf("fatal: %v", err)
	}
	mu.Lock()
	broken = false
	mu.Unlock()
	if _, err := wait(p.Append(AppendRequest{Data: batchOf(t, 1, "after")})); err == nil {
		t.Error("an append after a failed fsync was accepted")
	}
	if hw := p.Offsets().HighWatermark; hw != 1 {
		t.Errorf("high watermark %d, want 1", hw)
	}
	l.Close()
}

func TestFullDisk(t *testing.T) {
	mem := vfs.NewMem()
	o := small(mem)
	o.MemoryLimit = 64 << 10
	l := mustOpen(t, o)
	p := mustEnsure(t, l, "t", smallConfig())
	mustAppend(t, p, batchOf(t, 1, value("t", 0)))
	mem.SetCapacity(mem.Used() + 100<<10)
	acked, refusals := 1, 0
	for i := 0; i < 5000 && refusals < 5; i++ {
		_, err := wait(p.Append(AppendRequest{Data: batchOf(t, 1, value("t", acked))}))
		switch {
		case err == nil:
			acked++
		case errors.Is(err, ErrDiskFull):
			refusals++
		default:
			t.Fatalf("append: %v", err)
		}
	}
	if refusals == 0 {
		t.Fatal("the disk never filled")
	}
	check := func(when string, p *Partition) {
		t.Helper()
		got := values(t, p, false)
		if len(got) != acked {
			t.Fatalf("%s: %d records, %d were acknowledged", when, len(got), acked)
		}
		for i, v := range got {
			if v != fmt.Sprintf("%d:%s", i, value("t", i)) {
				t.Fatalf("%s: record %d is %q", when, i, v)
			}
		}
	}
	check("while full", p)
	mem.SetCapacity(0)
	deadline := 0
	for ; deadline < 2000; deadline++ {
		if _, err := wait(p.Append(AppendRequest{Data: batchOf(t, 1, value("t", acked))})); err == nil {
			acked++
			break
		} else if !errors.Is(err, ErrDiskFull) {
			t.Fatalf("append after there is room: %v", err)
		}
		l.noteOutcome(l.flushDirty()) // what the background does within a second
	}
	if deadline == 2000 {
		t.Fatal("appends did not recover")
	}
	check("with room again", p)
	crashed := mustOpen(t, small(mem.Crash(nil)))
	check("after a crash", mustEnsure(t, crashed, "t", smallConfig()))
	mustClose(t, crashed)
	mustClose(t, l)
}

func TestOpenOnFullDisk(t *testing.T) {
	mem := vfs.NewMem()
	mem.SetCapacity(10)
	if e, ok := usererr.As(func() error { _, err := Open(small(mem)); return err }()); !ok || e.Code != "DISK_FULL" {
		t.Errorf("open on a full disk: %v", e)
	}
}

func TestCorruptSegment(t *testing.T) {
	fs := vfs.NewMem()
	l := mustOpen(t, small(fs))
	p := mustEnsure(t, l, "t", smallConfig())
	for i := range 200 {
		mustAppend(t, p, batchOf(t, int64(i), value("t", i)))
	}
	mustClose(t, l)
	f, err := fs.Open("data/topics/t/0/00000000000000000000.log")
	if err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 1)
	f.ReadAt(b, 2000)
	b[0] ^= 4
	f.WriteAt(b, 2000)

	l = mustOpen(t, small(fs))
	p = mustEnsure(t, l, "t", smallConfig())
	err = nil
	for at := int64(0); err == nil; { // what is sound before the damage is given
		var res ReadResult
		if res, err = p.Read(at, 1<<20, false); err == nil {
			var seen []string
			at = visible(t, res.Data, at, nil, &seen)
		}
	}
	e, ok := usererr.As(err)
	if !ok || e.Code != "CORRUPT_SEGMENT" || !strings.Contains(e.Where, "00000000000000000000.log at byte ") {
		t.Errorf("read of a damaged segment: %v", err)
	}
	last := p.Offsets().HighWatermark - 1
	if _, err := p.Read(last, 1<<20, false); err != nil {
		t.Errorf("read of a sound segment: %v", err)
	}
	mustClose(t, l)
	for _, ext := range []string{".index", ".timeindex"} { // without an index the damage is found at once
		if err := fs.Remove("data/topics/t/0/00000000000000000000" + ext); err != nil {
			t.Fatal(err)
		}
	}
	l = mustOpen(t, small(fs))
	if _, err := l.EnsurePartition(TopicPartition{Topic: "t"}, smallConfig()); err == nil || !strings.Contains(err.Error(), "CORRUPT_SEGMENT") {
		t.Errorf("open of a damaged segment: %v", err)
	}
	mustClose(t, l)
}

func TestIndexesAreRebuilt(t *testing.T) {
	fs := vfs.NewMem()
	l := mustOpen(t, small(fs))
	p := mustEnsure(t, l, "t", smallConfig())
	for i := range 300 {
		mustAppend(t, p, batchOf(t, int64(i*10), value("t", i)))
	}
	want := values(t, p, false)
	mustClose(t, l)
	names, _ := fs.ReadDir("data/topics/t/0")
	broken := 0
	for i, name := range names {
		full := "data/topics/t/0/" + name
		switch {
		case strings.HasSuffix(name, ".index") && i%2 == 0, strings.HasSuffix(name, ".timeindex") && i%3 == 0:
			fs.Remove(full)
			broken++
		case strings.HasSuffix(name, "index"), strings.HasSuffix(name, ".snapshot"):
			f, _ := fs.Open(full)
			f.WriteAt([]byte{0xff, 0xff}, 20)
			broken++
		}
	}
	if broken < 4 {
		t.Fatalf("broke only %d of %v", broken, names)
	}
	l = mustOpen(t, small(fs))
	p = mustEnsure(t, l, "t", smallConfig())
	if got := values(t, p, false); len(got) != len(want) {
		t.Fatalf("%d records, want %d", len(got), len(want))
	}
	for _, i := range []int{0, 1, 150, 299} {
		at, err := p.OffsetForTime(int64(i*10) - 3)
		if err != nil || at.Offset != int64(i) || at.Timestamp != int64(i*10) {
			t.Errorf("offset for time %d: %+v, %v", i*10-3, at, err)
		}
	}
	mustClose(t, l)
}
