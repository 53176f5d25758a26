package logstore

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/streamflow/streamflow/internal/vfs"
	"github.com/streamflow/streamflow/logstore/record"
)

// coldCopy is a cold tier that keeps batches in memory, up to the offset next.
type coldCopy struct {
	mu      sync.Mutex
	next    int64
	objects []ColdObject
	batches []record.Batch
	hang    bool // reads are done only when the test ends them
	hung    []func()
}

// archive copies what can be.
func (c *coldCopy) archive(t testing.TB, p *Partition) {
	t.Helper()
	for _, s := range p.Archivable(c.next) {
		err := s.Segment().Scan(c.next, func(_ int64, b record.Batch) (bool, error) {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.batches = append(c.batches, append(record.Batch(nil), b...))
			return true, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		sum := s.Summary
		c.mu.Lock()
		c.objects = append(c.objects, ColdObject{Base: c.next, Next: sum.Next, Bytes: sum.Bytes, Records: sum.Records, MaxTimestamp: sum.MaxTimestamp, Appended: sum.Appended})
		c.next = sum.Next
		c.mu.Unlock()
	}
}

// until is the tier as it was when it ended at next.
func (c *coldCopy) until(next int64) *coldCopy { return &coldCopy{next: next, batches: c.batches} }

func (c *coldCopy) Bounds() (start, next int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return 0, c.next
}

func (c *coldCopy) Objects() []ColdObject {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.objects
}

func (c *coldCopy) Read(from, limit int64, maxBytes int) *ColdRead {
	c.mu.Lock()
	defer c.mu.Unlock()
	var data []byte
	for _, b := range c.batches {
		if b.LastOffset() < from || b.BaseOffset() >= min(limit, c.next) {
			continue
		}
		if len(data) > 0 && len(data)+len(b) > maxBytes {
			break
		}
		data = append(data, b...)
	}
	r := NewColdRead()
	if c.hang {
		c.hung = append(c.hung, func() { r.Finish(data, nil, nil) })
	} else {
		r.Finish(data, nil, nil)
	}
	return r
}

func (c *coldCopy) OffsetForTime(_ context.Context, ms, start, end int64) (TimestampOffset, error) {
	for _, b := range c.batches {
		if found := FirstAt(b, ms, start); found.Offset >= 0 && found.Offset < end {
			return found, nil
		}
	}
	return nowhere, nil
}

// TestFreeAtEveryStep appends, gives segments to a cold tier, frees them and deletes records, and takes crash images at
// random steps: whatever was acknowledged is read once, from the tier or from the disk, and the log start never moves back.
func TestFreeAtEveryStep(t *testing.T) {
	n := seed(t)
	defer func() {
		if t.Failed() {
			t.Logf("repeat with: SEED=%d go test ./logstore -run TestFreeAtEveryStep", n)
		}
	}()
	type point struct {
		fs                  *vfs.Mem
		acked, start, asked int64
		cold                int64
		at                  string
	}
	r := rand.New(rand.NewPCG(n, 1))
	mem := vfs.NewMem()
	var mu sync.Mutex
	var now point
	var points []point
	cold := &coldCopy{}
	hook := func(op vfs.Op, name string) error {
		mu.Lock()
		defer mu.Unlock()
		if op == vfs.OpRead || op == vfs.OpReadDir || op == vfs.OpOpen || r.IntN(4) != 0 {
			return nil
		}
		pt := now
		how := r
		if r.IntN(3) == 0 {
			how = nil
		}
		pt.fs, pt.at = mem.Crash(how), fmt.Sprintf("%s %s", op, name)
		_, pt.cold = cold.Bounds()
		points = append(points, pt)
		return nil
	}
	cfg := PartitionConfig{SegmentBytes: 4 << 10, IndexInterval: 256, LocalRetention: time.Nanosecond}
	l := mustOpen(t, small(&vfs.Fault{FS: mem, Hook: hook}))
	p := mustEnsure(t, l, "a", cfg)
	p.SetCold(cold)
	for i := int64(0); i < 400; i++ {
		mustAppend(t, p, batchOf(t, i, value("a", int(i))))
		mu.Lock()
		now.acked = i + 1
		mu.Unlock()
		if i%20 == 19 {
			cold.archive(t, p)
			if _, err := p.FreeLocal(time.Now()); err != nil {
				t.Fatal(err)
			}
		}
		if i%90 == 89 {
			mu.Lock()
			now.asked = i - 60
			mu.Unlock()
			if _, err := p.DeleteRecords(i - 60); err != nil {
				t.Fatal(err)
			}
			mu.Lock()
			now.start = i - 60
			mu.Unlock()
		}
	}
	if p.LocalStart() < 200 {
		t.Fatalf("local start %d", p.LocalStart())
	}
	mustClose(t, l)
	if len(points) < 50 {
		t.Fatalf("only %d crash points", len(points))
	}
	for i, pt := range points {
		name := fmt.Sprintf("point %d (%s)", i, pt.at)
		l := mustOpen(t, small(pt.fs))
		p := mustEnsure(t, l, "a", cfg)
		p.SetCold(cold.until(pt.cold))
		o := p.Offsets()
		if o.LogStart < pt.start || o.LogStart > pt.asked || o.HighWatermark < pt.acked {
			t.Fatalf("%s: offsets %+v, acknowledged %d, log start %d of %d", name, o, pt.acked, pt.start, pt.asked)
		}
		got := values(t, p, false)
		if int64(len(got)) != o.HighWatermark-o.LogStart {
			t.Fatalf("%s: %d values in %+v, local start %d, tier to %d", name, len(got), o, p.LocalStart(), pt.cold)
		}
		for j, v := range got {
			at := int(o.LogStart) + j
			if want := fmt.Sprintf("%d:%s", at, value("a", at)); v != want {
				t.Fatalf("%s: value %d is %.40s, want %.40s", name, j, v, want)
			}
		}
		mustClose(t, l)
	}
}

// archived is a partition of 200 values whose older segments are in the cold tier only.
func archived(t *testing.T) (*Log, *Partition, *coldCopy) {
	t.Helper()
	l := mustOpen(t, small(vfs.NewMem()))
	t.Cleanup(func() { mustClose(t, l) })
	p := mustEnsure(t, l, "a", PartitionConfig{SegmentBytes: 4 << 10, IndexInterval: 256, LocalRetention: time.Nanosecond})
	cold := &coldCopy{}
	p.SetCold(cold)
	for i := range 200 {
		mustAppend(t, p, batchOf(t, int64(i), value("a", i)))
	}
	for range 500 {
		cold.archive(t, p)
		if _, err := p.FreeLocal(time.Now()); err != nil {
			t.Fatal(err)
		}
		if p.LocalStart() > 100 {
			return l, p, cold
		}
		time.Sleep(2 * time.Millisecond)
	}
	t.Fatalf("local start %d", p.LocalStart())
	return nil, nil, nil
}

// TestColdReads: a read that must be waited for says so, and who watches is told when it is done.
func TestColdReads(t *testing.T) {
	_, p, cold := archived(t)
	cold.hang = true
	res, err := p.Read(3, 1, true)
	if err != nil || res.Remote == nil || len(res.Data) != 0 || res.HighWatermark != 200 {
		t.Fatalf("%+v, %v", res, err)
	}
	w := NewWatcher()
	res.Remote.Notify(w, 7)
	if got := w.Take(nil); len(got) != 0 {
		t.Fatalf("told before it is done: %v", got)
	}
	cold.hung[0]()
	<-w.Wake()
	if got := w.Take(nil); len(got) != 1 || got[0] != 7 {
		t.Fatalf("told %v", got)
	}
	res.Remote.Notify(w, 8) // too late is at once
	if got := w.Take(nil); len(got) != 1 || got[0] != 8 {
		t.Fatalf("told %v", got)
	}
	if res, err = res.Remote.Result(); err != nil || len(res.Data) == 0 || res.HighWatermark != 200 {
		t.Fatalf("%+v, %v", res, err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := p.ReadWait(ctx, 3, 1, true); !errors.Is(err, context.Canceled) {
		t.Errorf("read wait: %v", err)
	}
}

// TestColdUnknown: offsets that were given to the tier are not out of range while nobody knows the tier.
func TestColdUnknown(t *testing.T) {
	_, p, _ := archived(t)
	p.mu.Lock()
	p.cold = nil
	p.mu.Unlock()
	if _, err := p.Read(3, 1, false); !errors.Is(err, ErrTierUnavailable) {
		t.Errorf("read: %v", err)
	}
	if _, err := p.OffsetForTime(3); !errors.Is(err, ErrTierUnavailable) {
		t.Errorf("offset for time: %v", err)
	}
}

// TestRetentionCountsTheTier: retention is about the whole log, local retention about the disk.
func TestRetentionCountsTheTier(t *testing.T) {
	_, p, cold := archived(t)
	total := p.Size()
	for _, o := range cold.objects {
		if o.Base < p.LocalStart() {
			total += o.Bytes
		}
	}
	cfg := p.Config()
	cfg.RetentionBytes = total - 1
	p.SetConfig(cfg)
	if got := p.retainedFrom(time.Now()); got != 0 {
		t.Errorf("a byte too many deletes up to %d", got)
	}
	cfg.RetentionBytes = total - cold.objects[0].Bytes - cold.objects[1].Bytes
	p.SetConfig(cfg)
	if got := p.retainedFrom(time.Now()); got != cold.objects[1].Next {
		t.Errorf("retention begins at %d, want %d", got, cold.objects[1].Next)
	}
	cfg.RetentionBytes = 0
	cfg.Retention = time.Millisecond
	p.SetConfig(cfg)
	segments := p.Segments()
	if got, active := p.retainedFrom(time.Now().Add(time.Hour)), segments[len(segments)-1].Base; got != active {
		t.Errorf("retention by age begins at %d, the segment that is written to at %d", got, active)
	}
	cfg.Retention, cfg.LocalRetention, cfg.LocalRetentionBytes = 0, 0, 0
	p.SetConfig(cfg)
	cold.archive(t, p)
	if n, err := p.FreeLocal(time.Now().Add(time.Hour)); n != 0 || err != nil {
		t.Errorf("%d segments are freed without a limit: %v", n, err)
	}
}

func TestSegmentsShowTheTier(t *testing.T) {
	_, p, _ := archived(t)
	var states []string
	next := int64(0)
	for _, s := range p.Segments() {
		if s.Base > next {
			t.Errorf("a gap before %d", s.Base)
		}
		next = s.Next
		states = append(states, string(s.State))
	}
	if got := strings.Join(states, " "); !strings.HasPrefix(got, "ARCHIVED ARCHIVED") || !strings.HasSuffix(got, "ACTIVE") {
		t.Error(got)
	}
}

func FuzzFreed(f *testing.F) {
	f.Add(freed{logStart: 5, localStart: 70}.encode())
	f.Fuzz(func(t *testing.T, b []byte) {
		if got, err := decodeFreed(b); err == nil && string(got.encode()) != string(b) {
			t.Fatalf("%x does not survive", b)
		}
	})
}
