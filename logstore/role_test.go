package logstore

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/streamflow/streamflow/internal/vfs"
	"github.com/streamflow/streamflow/logstore/record"
)

// lead makes p the leader of three replicas.
func lead(t testing.TB, p *Partition, epoch int32, isr ...int32) {
	t.Helper()
	err := p.Lead(Leadership{Epoch: epoch, PartitionEpoch: epoch*100 + int32(10-len(isr)), Self: 1, Replicas: []int32{1, 2, 3}, ISR: isr, MinISR: 2})
	if err != nil {
		t.Fatal(err)
	}
}

// fetched lets a follower say that it has everything below from.
func fetched(t testing.TB, p *Partition, node int32, from int64) ReplicaReadResult {
	t.Helper()
	last := int32(-1)
	if from > 0 {
		last = p.EpochAt(from - 1)
	}
	res, err := p.ReplicaRead(ReplicaFetch{Node: node, BrokerEpoch: 1, From: from, Epoch: p.Role().Epoch, LastFetchedEpoch: last, MaxBytes: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	return res
}

func isDone(p *Pending) bool {
	select {
	case <-p.Done():
		return true
	case <-time.After(20 * time.Millisecond):
		return false
	}
}

func TestAcknowledgements(t *testing.T) {
	l := mustOpen(t, small(vfs.NewMem()))
	defer l.Close()
	p := mustEnsure(t, l, "t", smallConfig())
	lead(t, p, 3, 1, 2)
	s := newSender(9, 0, false)
	one := s.batch(t, "one")
	all := p.Append(AppendRequest{Data: one})
	some := p.Append(AppendRequest{Data: s.batch(t, "two"), Acks: AcksLeader})
	if res, err := wait(some); err != nil || res.BaseOffset != 1 {
		t.Fatalf("acks=1: %+v, %v", res, err)
	}
	if isDone(all) {
		t.Fatal("acks=all did not wait for the follower")
	}
	again := p.Append(AppendRequest{Data: one})
	if res, err := again.Result(); err != nil || !res.Duplicate || isDone(again) {
		t.Fatalf("a repeat is answered before the first is committed: %+v, %v", res, err)
	}
	if o := p.Offsets(); o.HighWatermark != 0 || o.End != 2 {
		t.Fatalf("offsets %+v", o)
	}
	if _, err := p.LatestOffsets(); err != nil {
		t.Errorf("an epoch that begins at 0 knows its high watermark: %v", err)
	}
	res := fetched(t, p, 2, 0)
	if b, _, err := record.Next(res.Data); err != nil || b.LeaderEpoch() != 3 {
		t.Fatalf("the follower got %d bytes: %v", len(res.Data), err)
	}
	fetched(t, p, 2, 1)
	if res, err := wait(all); err != nil || res.BaseOffset != 0 {
		t.Errorf("acks=all: %+v, %v", res, err)
	}
	if res, err := wait(again); err != nil || res.BaseOffset != 0 {
		t.Errorf("the repeat: %+v, %v", res, err)
	}
	if o := p.Offsets(); o.HighWatermark != 1 {
		t.Errorf("offsets %+v", o)
	}
}

func TestOutcomeUnknown(t *testing.T) {
	l := mustOpen(t, small(vfs.NewMem()))
	defer l.Close()
	p := mustEnsure(t, l, "t", smallConfig())
	lead(t, p, 3, 1, 2)
	first := p.Append(AppendRequest{Data: batchOf(t, 1, "x")})
	lead(t, p, 3, 1)
	if _, err := wait(first); !errors.Is(err, ErrNotEnoughReplicasAfterAppend) {
		t.Errorf("the set became too small: %v", err)
	}
	if _, err := wait(p.Append(AppendRequest{Data: batchOf(t, 1, "x")})); !errors.Is(err, ErrNotEnoughReplicas) {
		t.Errorf("the set is too small: %v", err)
	}
	if o := p.Offsets(); o.End != 1 {
		t.Errorf("a refused batch was appended: %+v", o)
	}
	lead(t, p, 4, 1, 2)
	second := p.Append(AppendRequest{Data: batchOf(t, 1, "y")})
	if err := p.Follow(2, 5); err != nil {
		t.Fatal(err)
	}
	if _, err := wait(second); !errors.Is(err, ErrNotLeader) {
		t.Errorf("deposed: %v", err)
	}
	if _, err := wait(p.Append(AppendRequest{Data: batchOf(t, 1, "z")})); !errors.Is(err, ErrNotLeader) {
		t.Errorf("append to a follower: %v", err)
	}
	if _, err := p.LatestOffsets(); !errors.Is(err, ErrNotLeader) {
		t.Errorf("latest offsets of a follower: %v", err)
	}
}

func TestLeaderEpochs(t *testing.T) {
	fs := vfs.NewMem()
	l := mustOpen(t, small(fs))
	p := mustEnsure(t, l, "t", smallConfig())
	lead(t, p, 3, 1, 2)
	read := func(f ReplicaFetch) error {
		f.BrokerEpoch, f.MaxBytes = 1, 100
		_, err := p.ReplicaRead(f)
		return err
	}
	for _, c := range []struct {
		f    ReplicaFetch
		want error
	}{
		{ReplicaFetch{Node: 2, Epoch: 2, LastFetchedEpoch: -1}, ErrFencedLeaderEpoch},
		{ReplicaFetch{Node: 2, Epoch: 4, LastFetchedEpoch: -1}, ErrUnknownLeaderEpoch},
		{ReplicaFetch{Node: 8, Epoch: 3, LastFetchedEpoch: -1}, ErrNotLeader},
		{ReplicaFetch{Node: 2, Epoch: 3, From: 7, LastFetchedEpoch: -1}, ErrOffsetOutOfRange},
		{ReplicaFetch{Node: 2, Epoch: 3, LastFetchedEpoch: -1}, nil},
	} {
		if err := read(c.f); !errors.Is(err, c.want) {
			t.Errorf("%+v: %v, want %v", c.f, err, c.want)
		}
	}
	if err := p.Lead(Leadership{Epoch: 2, Self: 1, Replicas: []int32{1, 2}, ISR: []int32{1, 2}}); !errors.Is(err, ErrFencedLeaderEpoch) {
		t.Errorf("an older epoch: %v", err)
	}
	if err := p.Follow(2, 2); !errors.Is(err, ErrFencedLeaderEpoch) {
		t.Errorf("an older leader: %v", err)
	}
	for range 2 { // with the write-ahead log, then with the snapshot
		if err := l.Sync(); err != nil {
			t.Fatal(err)
		}
		crashed := fs.Crash(nil)
		mustClose(t, l)
		fs = crashed
		l = mustOpen(t, small(fs))
		p = mustEnsure(t, l, "t", smallConfig())
		if r := p.Role(); r.Leader || !r.Replicated {
			t.Fatalf("role after a restart: %+v", r)
		}
		if _, err := wait(p.Append(AppendRequest{Data: batchOf(t, 1, "x")})); !errors.Is(err, ErrNotLeader) {
			t.Errorf("append before anybody was told: %v", err)
		}
		err := p.Lead(Leadership{Epoch: 3, PartitionEpoch: 308, Self: 1, Replicas: []int32{1, 2, 3}, ISR: []int32{1, 2}, MinISR: 2})
		if !errors.Is(err, ErrFencedLeaderEpoch) {
			t.Errorf("the epoch that it led before the restart: %v", err)
		}
	}
	lead(t, p, 4, 1, 2)
	mustClose(t, l)
}

// TestNewLeaderKnowsLittle: its high watermark is old, and it tells nobody.
func TestNewLeaderKnowsLittle(t *testing.T) {
	l := mustOpen(t, small(vfs.NewMem()))
	defer l.Close()
	f := &follower{t: t, p: mustEnsure(t, l, "t", smallConfig())}
	f.follow(1)
	f.append(10, 4)
	if o := f.p.Offsets(); o.HighWatermark != 4 {
		t.Fatalf("follower's offsets %+v", o)
	}
	lead(t, f.p, 2, 1, 2)
	if _, err := f.p.LatestOffsets(); !errors.Is(err, ErrOffsetNotAvailable) {
		t.Errorf("latest offsets of a new leader: %v", err)
	}
	fetched(t, f.p, 2, 10)
	if o, err := f.p.LatestOffsets(); err != nil || o.HighWatermark != 10 {
		t.Errorf("latest offsets: %+v, %v", o, err)
	}
	if _, err := f.p.AppendReplicated(stamped(t, 10, 1), f.view(4)); !errors.Is(err, ErrFencedLeaderEpoch) {
		t.Errorf("batches of the leader before: %v", err)
	}
	if err := f.p.TruncateToEpoch(1, 1, 3); !errors.Is(err, ErrFencedLeaderEpoch) {
		t.Errorf("a cut that the leader before asked for: %v", err)
	}
}

// TestFollowersGetWhatIsNotSynced holds the leader's fsync back: the follower has the batch meanwhile, and the high
// watermark waits for both.
func TestFollowersGetWhatIsNotSynced(t *testing.T) {
	mem := vfs.NewMem()
	var mu sync.Mutex
	hold := func(op vfs.Op, _ string) error {
		if op == vfs.OpSync {
			mu.Lock()
			mu.Unlock()
		}
		return nil
	}
	o := small(&vfs.Fault{FS: mem, Hook: hold})
	o.FlushInterval = time.Hour
	l := mustOpen(t, o)
	p := mustEnsure(t, l, "t", smallConfig())
	lead(t, p, 1, 1, 2)
	if err := l.Sync(); err != nil { // the epoch's start is on disk
		t.Fatal(err)
	}
	mu.Lock()
	pending := p.Append(AppendRequest{Data: batchOf(t, 1, "early")})
	if res := fetched(t, p, 2, 0); len(res.Data) == 0 {
		t.Error("the follower waits for the leader's disk")
	}
	fetched(t, p, 2, 1)
	if o := p.Offsets(); o.HighWatermark != 0 {
		t.Errorf("%+v: committed before it is on the leader's disk", o)
	}
	mu.Unlock()
	if _, err := wait(pending); err != nil {
		t.Error(err)
	}
	mustClose(t, l)
}

// TestLastStableWaitsForTheMarker: another leader may not have it yet.
func TestLastStableWaitsForTheMarker(t *testing.T) {
	l := mustOpen(t, small(vfs.NewMem()))
	defer l.Close()
	p := mustEnsure(t, l, "t", smallConfig())
	lead(t, p, 1, 1, 2)
	s := newSender(5, 0, true)
	p.Append(AppendRequest{Data: s.batch(t, "a")})
	p.Append(AppendRequest{Data: s.batch(t, "b")})
	fetched(t, p, 2, 2)
	marker := p.WriteMarker(5, 0, true)
	if o := p.Offsets(); o.LastStable != 0 {
		t.Errorf("%+v: the marker is on one disk only", o)
	}
	again := p.WriteMarker(5, 0, true)
	if isDone(marker) || isDone(again) {
		t.Error("the marker is done before it is committed")
	}
	if err := p.EndTxn(5, 0, true); err != nil {
		t.Error(err)
	}
	waitDurable(t, p, 3)
	fetched(t, p, 2, 3)
	for _, x := range []*Pending{marker, again} {
		if _, err := wait(x); err != nil {
			t.Error(err)
		}
	}
	if o := p.Offsets(); o.LastStable != 3 || o.HighWatermark != 3 {
		t.Errorf("%+v", o)
	}
	if got := values(t, p, true); !slices.Equal(got, []string{"0:a", "1:b"}) {
		t.Errorf("readers see %v", got)
	}
}

func waitDurable(t *testing.T, p *Partition, end int64) {
	t.Helper()
	for range 5000 {
		if p.FetchState().From >= end {
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Fatalf("not durable up to %d: %+v", end, p.FetchState())
}

func TestSolePartitionGetsFollowers(t *testing.T) {
	proposed := make(chan ISRProposal, 1)
	o := small(vfs.NewMem())
	o.OnISRChange = func(_ *Partition, x ISRProposal) { proposed <- x }
	l := mustOpen(t, o)
	defer l.Close()
	p := mustEnsure(t, l, "t", smallConfig())
	alone := Leadership{Epoch: 0, PartitionEpoch: 1, Self: 1, Replicas: []int32{1}, ISR: []int32{1}, MinISR: 1}
	if err := p.Lead(alone); err != nil {
		t.Fatal(err)
	}
	mustAppend(t, p, batchOf(t, 1, "x", "y"))
	both := Leadership{Epoch: 0, PartitionEpoch: 2, Self: 1, Replicas: []int32{1, 2}, ISR: []int32{1}, MinISR: 1}
	if err := p.Lead(both); err != nil {
		t.Fatal(err)
	}
	mustAppend(t, p, batchOf(t, 1, "z"))
	fetched(t, p, 2, 3)
	if x := <-proposed; !slices.Equal(x.Nodes(), []int32{1, 2}) || x.PartitionEpoch != 2 || x.ISR[1].BrokerEpoch != 1 {
		t.Errorf("proposal %+v", x)
	}
	waiting := p.Append(AppendRequest{Data: batchOf(t, 1, "w")})
	if isDone(waiting) {
		t.Error("a proposed member does not count")
	}
	alone.PartitionEpoch = 3
	if err := p.Lead(alone); err != nil {
		t.Fatal(err)
	}
	if _, err := wait(waiting); err != nil {
		t.Error(err)
	}
	if o := p.Offsets(); o.HighWatermark != 4 {
		t.Errorf("%+v", o)
	}
}

func TestLaggingFollowerIsProposedOut(t *testing.T) {
	o := small(vfs.NewMem())
	o.ReplicaLag = 400 * time.Millisecond
	proposed := make(chan ISRProposal, 8)
	o.OnISRChange = func(_ *Partition, x ISRProposal) { proposed <- x }
	l := mustOpen(t, o)
	defer l.Close()
	p := mustEnsure(t, l, "t", smallConfig())
	lead(t, p, 1, 1, 2, 3)
	p.Append(AppendRequest{Data: batchOf(t, 1, "x")})
	fetched(t, p, 2, 1) // it has everything, and stays in however silent it is
	select {
	case x := <-proposed:
		if !slices.Equal(x.Nodes(), []int32{1, 2}) {
			t.Errorf("proposal %+v", x)
		}
	case <-time.After(5 * time.Second):
		t.Fatal("no proposal")
	}
}

func TestFollowerChecksWhatItGets(t *testing.T) {
	l := mustOpen(t, small(vfs.NewMem()))
	defer l.Close()
	f := &follower{t: t, p: mustEnsure(t, l, "t", smallConfig())}
	f.follow(4)
	f.append(3, 0)
	flipped := stamped(t, 3, 4)
	flipped[len(flipped)-1] ^= 1
	twisted := append(slices.Clone(stamped(t, 4, 4)), stamped(t, 3, 4)...)
	for name, data := range map[string][]byte{"bad CRC": flipped, "offsets out of order": twisted, "newer epoch": stamped(t, 3, 5)} {
		if _, err := f.p.AppendReplicated(data, f.view(0)); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	repeated := append(slices.Clone(stamped(t, 1, 4)), stamped(t, 2, 4)...)
	pending, err := f.p.AppendReplicated(append(repeated, stamped(t, 3, 4)...), f.view(0))
	if err != nil {
		t.Fatal(err)
	}
	if res, err := wait(pending); err != nil || res.BaseOffset != 3 {
		t.Errorf("what it has already is passed over: %+v, %v", res, err)
	}
	gap := stamped(t, 9, 4) // the leader's log was compacted
	if pending, err = f.p.AppendReplicated(gap, f.view(0)); err != nil {
		t.Fatal(err)
	}
	if _, err := wait(pending); err != nil {
		t.Fatal(err)
	}
	if o := f.p.Offsets(); o.End != 10 {
		t.Errorf("%+v", o)
	}
}

// TestGapsSurviveARestart: a compacted leader's log has them, and the write-ahead log must not call them damage.
func TestGapsSurviveARestart(t *testing.T) {
	fs := vfs.NewMem()
	l := mustOpen(t, small(fs))
	f := &follower{t: t, p: mustEnsure(t, l, "t", smallConfig())}
	f.follow(1)
	for _, at := range []int64{0, 5, 6, 40} {
		pending, err := f.p.AppendReplicated(stamped(t, at, 1), f.view(41))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := wait(pending); err != nil {
			t.Fatal(err)
		}
	}
	fs = fs.Crash(nil)
	mustClose(t, l)
	for range 2 {
		l = mustOpen(t, small(fs))
		p := mustEnsure(t, l, "t", smallConfig())
		if o := p.Offsets(); o.End != 41 {
			t.Errorf("%+v", o)
		}
		res, err := p.ReplicaRead(ReplicaFetch{})
		if !errors.Is(err, ErrNotLeader) {
			t.Errorf("replica read before anybody was told: %+v, %v", res, err)
		}
		lead(t, p, 2, 1, 2)
		data := fetched(t, p, 2, 0).Data
		n := 0
		for len(data) > 0 {
			_, data, _ = record.Next(data)
			n++
		}
		if n != 4 {
			t.Errorf("%d batches, want 4", n)
		}
		next := fs.Crash(nil)
		mustClose(t, l)
		fs = next
		_ = p.Follow(-1, 3)
	}
}

func TestTopicIDs(t *testing.T) {
	fs := vfs.NewMem()
	cfg := func(id byte) PartitionConfig {
		c := smallConfig()
		c.TopicID = [16]byte{id}
		return c
	}
	for name, how := range map[string]struct{ flush, crash bool }{"in memory": {false, true}, "in segments": {true, true}, "closed": {true, false}} {
		l := mustOpen(t, small(fs))
		p := mustEnsure(t, l, "t", cfg(1))
		mustAppend(t, p, batchOf(t, 1, "old"))
		if how.flush {
			if err := p.flush(); err != nil {
				t.Fatal(err)
			}
		}
		crashed := fs.Crash(nil)
		mustClose(t, l)
		if how.crash {
			fs = crashed
		}
		l = mustOpen(t, small(fs))
		p = mustEnsure(t, l, "t", cfg(1))
		if got := values(t, p, false); !slices.Equal(got, []string{"0:old"}) {
			t.Errorf("%s: the same topic has %v", name, got)
		}
		p = mustEnsure(t, l, "t", cfg(2))
		if got := values(t, p, false); len(got) != 0 {
			t.Errorf("%s: another topic has %v", name, got)
		}
		mustAppend(t, p, batchOf(t, 1, "new"))
		crashed = fs.Crash(nil)
		mustClose(t, l)
		l = mustOpen(t, small(crashed))
		p = mustEnsure(t, l, "t", cfg(2))
		if got := values(t, p, false); !slices.Equal(got, []string{"0:new"}) {
			t.Errorf("%s: after a crash the new topic has %v", name, got)
		}
		if err := l.DropPartition(p.ID()); err != nil {
			t.Fatal(err)
		}
		if _, err := p.Read(0, 10, false); !errors.Is(err, ErrUnknownPartition) {
			t.Errorf("%s: read of a removed replica: %v", name, err)
		}
		mustClose(t, l)
		fs = vfs.NewMem()
	}
}

// TestDirectoryWithoutTopicIDIsAdopted: the last release wrote none.
func TestDirectoryWithoutTopicIDIsAdopted(t *testing.T) {
	fs := vfs.NewMem()
	l := mustOpen(t, small(fs))
	mustAppend(t, mustEnsure(t, l, "t", smallConfig()), batchOf(t, 1, "x"))
	mustClose(t, l)
	b, err := vfs.ReadFile(fs, "data/topics/t/0/partition")
	if err != nil || b[7] != identityPlain {
		t.Fatalf("identity % x, %v", b, err)
	}
	cfg := smallConfig()
	cfg.TopicID = [16]byte{9}
	for range 2 {
		l = mustOpen(t, small(fs))
		p := mustEnsure(t, l, "t", cfg)
		mustAppend(t, p, batchOf(t, 1, "y"))
		if got := values(t, p, false); got[0] != "0:x" {
			t.Errorf("%v", got)
		}
		mustClose(t, l)
	}
	if b, err = vfs.ReadFile(fs, "data/topics/t/0/partition"); err != nil || b[7] != identityTopicID {
		t.Errorf("identity % x, %v", b, err)
	}
}

func TestDamagedReplica(t *testing.T) {
	fs := vfs.NewMem()
	l := mustOpen(t, small(fs))
	f := &follower{t: t, p: mustEnsure(t, l, "t", smallConfig())}
	other := mustEnsure(t, l, "other", smallConfig())
	mustAppend(t, other, batchOf(t, 1, "sound"))
	f.follow(1)
	for range 30 {
		f.append(4, 0)
	}
	mustClose(t, l)
	flip(t, fs, "data/topics/t/0/00000000000000000000.log", 2000)
	fs.Remove("data/topics/t/0/00000000000000000000.index")
	o := small(fs)
	o.KeepDamaged = true
	l = mustOpen(t, o)
	p, err := l.EnsurePartition(f.p.ID(), smallConfig())
	if err != nil {
		t.Fatal(err)
	}
	if p.Damaged() == nil {
		t.Fatal("nobody noticed")
	}
	if err := p.Lead(Leadership{Epoch: 2, Self: 1, Replicas: []int32{1, 2}, ISR: []int32{1, 2}}); !errors.Is(err, ErrDamaged) {
		t.Errorf("a damaged replica leads: %v", err)
	}
	if _, err := p.Read(0, 10, false); !errors.Is(err, ErrDamaged) {
		t.Errorf("read of a damaged replica: %v", err)
	}
	if size, _ := fileSize(fs, "data/topics/t/0/00000000000000000000.log"); size < 2000 {
		t.Errorf("the damaged file was shortened to %d bytes", size)
	}
	if got := values(t, mustEnsure(t, l, "other", smallConfig()), false); !slices.Equal(got, []string{"0:sound"}) {
		t.Errorf("another partition has %v", got)
	}
	f.p = p
	f.follow(3)
	f.reset(17)
	if p.Damaged() != nil {
		t.Error("still damaged after Reset")
	}
	f.append(5, 17)
	crashed := fs.Crash(nil)
	mustClose(t, l)
	l = mustOpen(t, small(crashed))
	p = mustEnsure(t, l, "t", smallConfig())
	if got := logOf(t, p); got.start != 17 || !slices.Equal(got.epochs, f.model.epochs) {
		t.Errorf("after repair: %+v, want %+v", got, f.model)
	}
	mustClose(t, l)
}

func TestMarkDamaged(t *testing.T) {
	told := make(chan error, 1)
	o := small(vfs.NewMem())
	o.OnDamage = func(_ *Partition, why error) { told <- why }
	l := mustOpen(t, o)
	defer l.Close()
	p := mustEnsure(t, l, "t", smallConfig())
	lead(t, p, 1, 1, 2)
	pending := p.Append(AppendRequest{Data: batchOf(t, 1, "x")})
	p.MarkDamaged(syscall.EIO)
	if err := <-told; !errors.Is(err, ErrDamaged) || !errors.Is(err, syscall.EIO) {
		t.Errorf("told %v", err)
	}
	if _, err := pending.Wait(context.Background()); !errors.Is(err, ErrDamaged) {
		t.Errorf("append under way: %v", err)
	}
}

func flip(t *testing.T, fs vfs.FS, name string, at int64) {
	t.Helper()
	f, err := fs.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 1)
	if _, err := f.ReadAt(b, at); err != nil {
		t.Fatal(err)
	}
	b[0] ^= 4
	if _, err := f.WriteAt(b, at); err != nil {
		t.Fatal(err)
	}
}

func fileSize(fs vfs.FS, name string) (int64, error) {
	f, err := fs.Open(name)
	if err != nil {
		return 0, err
	}
	return f.Size()
}

func TestHighWatermarkFile(t *testing.T) {
	hints := map[TopicPartition]highHint{{"b", 2}: {7, 100}, {"a", 0}: {1, 0}, {"a", 1}: {3, 5}}
	b := encodeHighs(hints)
	got, err := decodeHighs(b)
	if err != nil || len(got) != 3 || got[TopicPartition{"b", 2}] != hints[TopicPartition{"b", 2}] {
		t.Errorf("%+v, %v", got, err)
	}
	for i := range b {
		bad := slices.Clone(b)
		bad[i] ^= 1
		if _, err := decodeHighs(bad); err == nil {
			t.Errorf("a flipped bit in byte %d was not noticed", i)
		}
		if _, err := decodeHighs(b[:i]); err == nil {
			t.Errorf("a list cut at %d was not noticed", i)
		}
	}
}

func FuzzDecodeHighs(f *testing.F) {
	f.Add(encodeHighs(map[TopicPartition]highHint{{"a", 1}: {3, 5}}))
	f.Fuzz(func(t *testing.T, b []byte) {
		hints, err := decodeHighs(b)
		if err == nil && len(hints) > len(b) {
			t.Errorf("%d entries of %d bytes", len(hints), len(b))
		}
	})
}

func FuzzDecodeIdentity(f *testing.F) {
	f.Add(identity{7, [16]byte{1}}.encode())
	f.Add(identity{incarnation: 7}.encode())
	f.Fuzz(func(t *testing.T, b []byte) {
		if id, err := decodeIdentity(b); err == nil {
			if again, err := decodeIdentity(id.encode()); err != nil || again != id {
				t.Errorf("%+v encodes to %+v, %v", id, again, err)
			}
		}
	})
}

// TestDocumentedHighWatermarks checks the bytes of docs/format/wal.md.
func TestDocumentedHighWatermarks(t *testing.T) {
	doc, err := os.ReadFile("../docs/format/wal.md")
	if err != nil {
		t.Fatal(err)
	}
	var id identity
	id.incarnation = 5
	for i := range id.topicID {
		id.topicID[i] = byte(i + 1)
	}
	for what, b := range map[string][]byte{
		"high watermarks": encodeHighs(map[TopicPartition]highHint{{"t", 0}: {5, 17}}),
		"identity":        id.encode(),
	} {
		if want := fmt.Sprintf("\n%x\n", b); !strings.Contains(string(doc), want) {
			t.Errorf("the document has no %s:%s", what, want)
		}
	}
}

// TestTimesOfWhatIsCommitted: a segment may hold records that are not, and lookups by time must not find them.
func TestTimesOfWhatIsCommitted(t *testing.T) {
	l := mustOpen(t, small(vfs.NewMem()))
	defer l.Close()
	p := mustEnsure(t, l, "t", smallConfig())
	lead(t, p, 1, 1, 2)
	p.Append(AppendRequest{Data: batchOf(t, 10, "x")})
	p.Append(AppendRequest{Data: batchOf(t, 50, "y")})
	waitDurable(t, p, 2)
	fetched(t, p, 2, 1)
	for _, where := range []string{"in memory", "in a segment"} {
		if at, err := p.MaxTimestamp(); err != nil || at.Offset != 0 || at.Timestamp != 10 {
			t.Errorf("%s: greatest timestamp %+v, %v", where, at, err)
		}
		if at, err := p.OffsetForTime(20); err != nil || at.Offset != -1 {
			t.Errorf("%s: %+v, %v: found what is not committed", where, at, err)
		}
		if err := p.flush(); err != nil {
			t.Fatal(err)
		}
	}
}

// FuzzAcceptReplicated gives a follower anything: what it accepts are whole, sound batches of no newer epoch.
func FuzzAcceptReplicated(f *testing.F) {
	f.Add([]byte(stamped(f, 3, 2)), int32(2))
	f.Add(append([]byte(stamped(f, 3, 2)), stamped(f, 4, 3)...), int32(3))
	f.Fuzz(func(t *testing.T, data []byte, epoch int32) {
		batches, err := acceptReplicated(data, epoch)
		if err != nil {
			return
		}
		n := 0
		for _, b := range batches {
			n += len(b)
			if b.Validate() != nil || b.LeaderEpoch() > epoch {
				t.Errorf("accepted %x", []byte(b))
			}
		}
		if n != len(data) {
			t.Errorf("%d bytes of %d", n, len(data))
		}
	})
}
