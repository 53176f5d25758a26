package logstore

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/streamflow/streamflow/internal/vfs"
	"github.com/streamflow/streamflow/logstore/record"
	"github.com/streamflow/streamflow/logstore/replica"
)

// stamped is a one-record batch as a leader of an epoch stamps it. Its producer's sequence is its offset.
func stamped(t testing.TB, offset int64, epoch int32) record.Batch {
	b := record.NewBuilder(record.None)
	b.SetProducer(record.Producer{ID: 7, Epoch: 0, Sequence: int32(offset)})
	b.Add(offset, nil, []byte(stampedValue(offset, epoch)))
	out := finish(t, b)
	out.SetBaseOffset(offset)
	out.SetLeaderEpoch(epoch)
	return out
}

func stampedValue(offset int64, epoch int32) string {
	return fmt.Sprintf("%d-%d-%s", epoch, offset, strings.Repeat("z", int(offset)*13%300))
}

// follower drives a partition as a fetcher does, and knows what the log must hold.
type follower struct {
	t     *testing.T
	p     *Partition
	epoch int32
	model followed
}

// followed is what a follower's log holds: the leader epoch of each record from start on.
type followed struct {
	start  int64
	epochs []int32
}

func (f followed) end() int64 { return f.start + int64(len(f.epochs)) }

func (f followed) clone() followed { return followed{f.start, slices.Clone(f.epochs)} }

func (f *follower) view(high int64) LeaderView {
	return LeaderView{Epoch: f.epoch, HighWatermark: high, LogStart: f.model.start}
}

func (f *follower) follow(epoch int32) {
	f.t.Helper()
	f.epoch = epoch
	if err := f.p.Follow(2, epoch); err != nil {
		f.t.Fatal(err)
	}
}

// append appends n records and waits until they are on disk.
func (f *follower) append(n int, high int64) {
	f.t.Helper()
	var data []byte
	for range n {
		data = append(data, stamped(f.t, f.model.end(), f.epoch)...)
		f.model.epochs = append(f.model.epochs, f.epoch)
	}
	pending, err := f.p.AppendReplicated(data, f.view(high))
	if err != nil {
		f.t.Fatal(err)
	}
	if _, err := wait(pending); err != nil {
		f.t.Fatal(err)
	}
}

// cut lets a leader of the next epoch say that its log left this one at an offset.
func (f *follower) cut(to int64) {
	f.t.Helper()
	f.follow(f.epoch + 1)
	last := int32(-1)
	if to > f.model.start {
		last = f.model.epochs[to-f.model.start-1]
	}
	f.model.epochs = f.model.epochs[:to-f.model.start]
	if err := f.p.TruncateToEpoch(f.epoch, last, to); err != nil {
		f.t.Fatal(err)
	}
}

// moveStart lets the leader's log begin at an offset.
func (f *follower) moveStart(to, high int64) {
	f.t.Helper()
	if _, err := f.p.AppendReplicated(nil, f.view(high)); err != nil {
		f.t.Fatal(err)
	}
	f.model.epochs = f.model.epochs[to-f.model.start:]
	f.model.start = to
	if err := f.p.FollowLogStart(f.view(high)); err != nil {
		f.t.Fatal(err)
	}
}

func (f *follower) reset(start int64) {
	f.t.Helper()
	f.model = followed{start: start}
	if err := f.p.Reset(start); err != nil {
		f.t.Fatal(err)
	}
}

// logOf reads a partition to its end, whatever is committed.
func logOf(t *testing.T, p *Partition) followed {
	t.Helper()
	o := p.Offsets()
	out := followed{start: o.LogStart}
	for at := o.LogStart; at < o.End; {
		data, buf, err := p.readUpTo(at, o.End, 1<<20)
		if err != nil {
			t.Fatalf("read at %d of %+v: %v", at, o, err)
		}
		for len(data) > 0 {
			b, rest, err := record.Next(data)
			if err == nil {
				err = b.Validate()
			}
			if err != nil {
				t.Fatal(err)
			}
			data = rest
			if b.LastOffset() < at {
				continue
			}
			if b.BaseOffset() != at {
				t.Fatalf("offset %d comes at %d", b.BaseOffset(), at)
			}
			it := b.Records()
			it.Next()
			if want := stampedValue(at, b.LeaderEpoch()); string(it.Value) != want {
				t.Fatalf("offset %d holds %q, want %q", at, it.Value, want)
			}
			out.epochs = append(out.epochs, b.LeaderEpoch())
			at++
		}
		buf.Release()
	}
	return out
}

// checkState checks that what the partition knows beside its batches is what they say.
func checkState(t *testing.T, p *Partition, log followed) {
	t.Helper()
	var want replica.Epochs
	for i, e := range log.epochs {
		want.Note(e, log.start+int64(i))
	}
	for i, e := range want {
		got, end := p.EpochEnd(e.Epoch)
		wantEnd := log.end()
		if i+1 < len(want) {
			wantEnd = want[i+1].Start
		}
		if got != e.Epoch || end > wantEnd || end < wantEnd && i+1 == len(want) && p.epochs.Last() == e.Epoch {
			t.Fatalf("epoch %d ends at %d (%d), want %d; %v, %v", e.Epoch, end, got, wantEnd, p.epochs, want)
		}
	}
	if n := len(log.epochs); n > 0 {
		prod := p.Producers()
		if len(prod) != 1 || int64(prod[0].LastSequence) != log.end()-1 {
			t.Fatalf("producers %+v, the last sequence is %d", prod, log.end()-1)
		}
	}
}

func TestCutTakesBackMemoryAndSegments(t *testing.T) {
	fs := vfs.NewMem()
	l := mustOpen(t, small(fs))
	f := &follower{t: t, p: mustEnsure(t, l, "t", smallConfig())}
	f.follow(1)
	for range 60 {
		f.append(3, 20)
	}
	if err := f.p.flush(); err != nil {
		t.Fatal(err)
	}
	f.append(5, 20)
	for _, to := range []int64{183, 90, 21} {
		f.cut(to)
		if got := logOf(t, f.p); !slices.Equal(got.epochs, f.model.epochs) {
			t.Fatalf("cut to %d: %v, want %v", to, got, f.model)
		}
		checkState(t, f.p, f.model)
		f.append(40, 20)
		checkState(t, f.p, f.model)
	}
	mustClose(t, l)
	l = mustOpen(t, small(fs))
	p := mustEnsure(t, l, "t", smallConfig())
	if got := logOf(t, p); !slices.Equal(got.epochs, f.model.epochs) {
		t.Fatalf("after a restart: %v, want %v", got, f.model)
	}
	checkState(t, p, f.model)
	if o := p.Offsets(); o.HighWatermark != 20 || p.Role().Leader {
		t.Errorf("after a restart: %+v, %+v: a replica knows no more than it did", o, p.Role())
	}
	mustClose(t, l)
}

// TestLogStartBehindTheReplay: a replay that begins before two cuts finds a snapshot whose log start lies behind both.
func TestLogStartBehindTheReplay(t *testing.T) {
	fs := vfs.NewMem()
	o := small(fs)
	o.WALFileSize, o.FlushBytes, o.CheckpointFiles, o.FlushInterval = 1<<20, 1<<30, 1000, time.Hour
	l := mustOpen(t, o)
	f := &follower{t: t, p: mustEnsure(t, l, "t", PartitionConfig{SegmentBytes: 1 << 10, IndexInterval: 256})}
	f.follow(1)
	f.append(8, 0)
	f.cut(4)
	for range 10 {
		f.append(3, 0)
	}
	f.cut(30)
	for range 30 {
		f.append(3, f.model.end())
	}
	if err := f.p.flush(); err != nil {
		t.Fatal(err)
	}
	f.moveStart(50, f.model.end()) // takes a snapshot, and removes segments
	crashed := fs.Crash(nil)
	mustClose(t, l)

	l = mustOpen(t, small(crashed))
	p := mustEnsure(t, l, "t", PartitionConfig{IndexInterval: 256})
	if got := logOf(t, p); got.start != 50 || !slices.Equal(got.epochs, f.model.epochs) {
		t.Errorf("the log is %v, want %v", got, f.model)
	}
	checkState(t, p, f.model)
	mustClose(t, l)
}

// followCrash is a crash image with what the log may hold: at least before, and at most after.
type followCrash struct {
	fs            *vfs.Mem
	before, after followed
	cut           bool // before or after, and nothing between
	what          string
}

// TestCrashOfAFollowerAtEveryStep appends, cuts and begins anew, takes crash images at random steps, and checks each.
func TestCrashOfAFollowerAtEveryStep(t *testing.T) {
	n := seed(t)
	defer func() {
		if t.Failed() {
			t.Logf("repeat with: SEED=%d go test ./logstore -run TestCrashOfAFollowerAtEveryStep", n)
		}
	}()
	for round := range uint64(4) {
		crashFollower(t, rand.New(rand.NewPCG(n, round)))
	}
}

func crashFollower(t *testing.T, r *rand.Rand) {
	mem := vfs.NewMem()
	var points []followCrash
	now := followCrash{}
	c := &crasher{r: rand.New(rand.NewPCG(r.Uint64(), 2)), mem: mem, every: 9}
	hook := func(op vfs.Op, name string) error {
		c.mu.Lock()
		defer c.mu.Unlock()
		if op == vfs.OpRead || op == vfs.OpReadDir || op == vfs.OpOpen || c.r.IntN(c.every) != 0 {
			return nil
		}
		keep := c.r
		if c.r.IntN(3) == 0 {
			keep = nil
		}
		pt := now
		pt.fs, pt.what = mem.Crash(keep), fmt.Sprintf("%s %s", op, name)
		points = append(points, pt)
		return nil
	}
	l := mustOpen(t, small(&vfs.Fault{FS: mem, Hook: hook}))
	f := &follower{t: t, p: mustEnsure(t, l, "t", PartitionConfig{SegmentBytes: 4 << 10, IndexInterval: 256})}
	f.follow(1)
	high := int64(0)
	step := func(cut bool, after followed, do func()) {
		c.mu.Lock()
		now.before, now.after, now.cut = f.model.clone(), after, cut
		c.mu.Unlock()
		do()
		c.mu.Lock()
		now.before = now.after
		c.mu.Unlock()
	}
	for range 160 {
		end := f.model.end()
		switch k := r.IntN(100); {
		case k < 12 && end > high:
			to := high + r.Int64N(end-high)
			after := followed{f.model.start, slices.Clone(f.model.epochs[:to-f.model.start])}
			step(true, after, func() { f.cut(to) })
		case k < 14:
			start := end + r.Int64N(10)
			step(true, followed{start: start}, func() { f.follow(f.epoch + 1); f.reset(start) })
			high = start
		case k < 20 && high > f.model.start:
			to := f.model.start + 1 + r.Int64N(high-f.model.start)
			after := followed{to, slices.Clone(f.model.epochs[to-f.model.start:])}
			step(true, after, func() { f.follow(f.epoch); f.moveStart(to, high) })
		default:
			count := 1 + r.IntN(4)
			after := f.model.clone()
			for range count {
				after.epochs = append(after.epochs, f.epoch)
			}
			high = max(high, end-int64(r.IntN(30)))
			step(false, after, func() { f.append(count, high) })
		}
	}
	mustClose(t, l)
	if len(points) < 30 {
		t.Errorf("only %d crash points", len(points))
	}
	for i, pt := range points {
		checkFollowCrash(t, fmt.Sprintf("point %d (%s)", i, pt.what), pt)
	}
}

func checkFollowCrash(t *testing.T, name string, pt followCrash) {
	t.Helper()
	fs := pt.fs
	var first *followed
	for round := range 2 {
		l, err := Open(small(fs))
		if err != nil {
			t.Fatalf("%s, round %d: %v", name, round, err)
		}
		p, err := l.EnsurePartition(TopicPartition{Topic: "t"}, PartitionConfig{IndexInterval: 256})
		if err != nil {
			t.Fatalf("%s, round %d: %v", name, round, err)
		}
		got := logOf(t, p)
		if !pt.allows(got) {
			t.Fatalf("%s, round %d: the log is %v, it was %v and was to be %v", name, round, got, pt.before, pt.after)
		}
		if first != nil && !slices.Equal(first.epochs, got.epochs) {
			t.Fatalf("%s: the log was %v and is %v", name, *first, got)
		}
		first = &got
		checkState(t, p, got)
		next := fs.Crash(nil)
		mustClose(t, l)
		fs = next
	}
}

func (pt followCrash) allows(got followed) bool {
	same := func(a, b followed) bool { return a.start == b.start && slices.Equal(a.epochs, b.epochs) }
	if same(got, pt.before) || same(got, pt.after) {
		return true
	}
	n, most := len(pt.before.epochs), pt.after.epochs
	return !pt.cut && got.start == pt.before.start && len(got.epochs) >= n && len(got.epochs) <= len(most) &&
		slices.Equal(got.epochs, most[:len(got.epochs)])
}
