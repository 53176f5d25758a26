package replica

import (
	"slices"
	"testing"
)

func TestEpochs(t *testing.T) {
	var e Epochs
	for _, n := range []EpochStart{{1, 0}, {1, 3}, {2, 5}, {4, 5}, {-1, 7}, {3, 8}} {
		e.Note(n.Epoch, n.Start)
	}
	if want := (Epochs{{1, 0}, {4, 5}}); !slices.Equal(e, want) {
		t.Fatalf("epochs %v, want %v: 2 wrote nothing, 3 came too late", e, want)
	}
	for _, c := range []struct {
		ask, epoch int32
		end        int64
	}{{0, 0, 0}, {1, 1, 5}, {3, 1, 5}, {4, 4, 9}, {5, -1, -1}} {
		if epoch, end := e.End(c.ask, 9); epoch != c.epoch || end != c.end {
			t.Errorf("end of %d: %d, %d, want %d, %d", c.ask, epoch, end, c.epoch, c.end)
		}
	}
	if e.Of(5) != 1 || e.Of(6) != 4 || e.Of(0) != -1 {
		t.Errorf("epochs of 5, 6, 0: %d, %d, %d", e.Of(5), e.Of(6), e.Of(0))
	}
	e.Cut(5)
	if e.Last() != 1 {
		t.Errorf("after the cut the last epoch is %d", e.Last())
	}
}

// TestLeaderWithoutRecords is a history that the simulation found: the note of an epoch in which nothing was written must not
// hide what an older epoch's leader wrote there.
func TestLeaderWithoutRecords(t *testing.T) {
	var e Epochs
	e.Note(2, 0) // led epoch 2, and wrote nothing
	e.Note(1, 0) // followed the leader of epoch 3, which has records of epoch 1
	leader := Epochs{{1, 0}, {3, 2}}
	if d := leader.Diverging(e.Of(2), 2, 2); d != nil {
		t.Errorf("the follower %v is told to cut at %+v", e, *d)
	}
}

func TestDiverging(t *testing.T) {
	leader := Epochs{{1, 0}, {3, 10}, {5, 20}}
	for _, c := range []struct {
		name string
		last int32
		from int64
		want *DivergingEpoch
	}{
		{"a beginning of the leader's log", 3, 15, nil},
		{"all of it", 5, 25, nil},
		{"an empty log", -1, 0, nil},
		{"a tail of a known epoch", 3, 22, &DivergingEpoch{3, 20}},
		{"an epoch that the leader skipped", 2, 12, &DivergingEpoch{1, 10}},
		{"an epoch beyond the leader's", 7, 30, &DivergingEpoch{5, 25}},
		{"more than the leader has", 5, 27, &DivergingEpoch{5, 25}},
	} {
		got := leader.Diverging(c.last, c.from, 25)
		if (got == nil) != (c.want == nil) || got != nil && *got != *c.want {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
	// KIP-279: the follower has epoch 2 where the leader has 3; both have 1. It cuts where 1 ends, at once.
	follower := Epochs{{1, 0}, {2, 8}}
	if at := follower.CutAt(*leader.Diverging(2, 12, 25), 12); at != 8 {
		t.Errorf("cut at %d, want 8", at)
	}
}

func TestElect(t *testing.T) {
	able := func(dead ...int32) func(int32) bool { return func(n int32) bool { return !slices.Contains(dead, n) } }
	for _, c := range []struct {
		name string
		e    Election
		want Choice
		ok   bool
	}{
		{"the leader stays", Election{ISR: []int32{1, 2}, Current: 2, Able: able()}, Choice{Leader: 2}, true},
		{"the preferred one takes over", Election{ISR: []int32{1, 2}, Current: 2, Prefer: true, Able: able()}, Choice{Leader: 1}, true},
		{"the first in sync", Election{ISR: []int32{3, 2}, Current: -1, Able: able()}, Choice{Leader: 2}, true},
		{"an eligible one", Election{ISR: []int32{1}, ELR: []int32{3}, Current: 1, Able: able(1)}, Choice{Leader: 3}, true},
		{"nobody who has everything", Election{ISR: []int32{1}, Current: 1, Able: able(1)}, Choice{Leader: -1}, false},
		{"unclean", Election{ISR: []int32{1}, Current: 1, Able: able(1), Unclean: true}, Choice{Leader: 2, Unclean: true}, true},
		{"unclean is the last resort", Election{ISR: []int32{3}, Current: 1, Able: able(1), Unclean: true}, Choice{Leader: 3}, true},
	} {
		c.e.Replicas = []int32{1, 2, 3}
		if got, ok := Elect(c.e); got != c.want || ok != c.ok {
			t.Errorf("%s: %+v %v, want %+v %v", c.name, got, ok, c.want, c.ok)
		}
	}
}

func TestEligible(t *testing.T) {
	if got := Eligible([]int32{5}, []int32{1, 2, 3}, []int32{1, 2}, 2); got != nil {
		t.Errorf("enough in sync: %v", got)
	}
	if got := Eligible(nil, []int32{3, 1, 2}, []int32{1}, 2); !slices.Equal(got, []int32{2, 3}) {
		t.Errorf("two left at once: %v", got)
	}
	if got := Eligible([]int32{2}, []int32{1}, nil, 2); !slices.Equal(got, []int32{1, 2}) {
		t.Errorf("the last one left: %v", got)
	}
}

func newTestLeader() *Leader {
	return NewLeader(Leadership{Epoch: 3, PartitionEpoch: 7, Self: 1, Replicas: []int32{1, 2, 3}, ISR: []int32{1, 2}, MinISR: 2}, 10, 10, 5, 1000, 0)
}

func TestLeaderAndLag(t *testing.T) {
	l := newTestLeader()
	if l.Knows() {
		t.Error("a new leader knows the high watermark at once")
	}
	l.Fetched(2, 9, 10, 100)
	if l.High() != 10 || !l.Knows() {
		t.Errorf("high watermark %d", l.High())
	}
	a := l.Fetched(3, 8, 10, 150)
	if a.Propose == nil || !slices.Equal(a.Propose.Nodes(), []int32{1, 2, 3}) || a.Propose.ISR[2].BrokerEpoch != 8 || a.Propose.PartitionEpoch != 7 {
		t.Fatalf("proposal %+v", a.Propose)
	}
	l.Appended(12)
	l.Durable(12)
	l.Fetched(2, 9, 12, 200)
	if l.High() != 10 {
		t.Errorf("the high watermark %d passed a replica that may be in sync", l.High())
	}
	l.Update(Leadership{Epoch: 3, PartitionEpoch: 8, Self: 1, Replicas: []int32{1, 2, 3}, ISR: []int32{1, 2, 3}, MinISR: 2}, 210)
	l.Fetched(3, 8, 12, 220)
	if l.High() != 12 {
		t.Errorf("high watermark %d, want 12", l.High())
	}
	l.Appended(13)
	l.Fetched(2, 9, 13, 900)
	if a := l.Tick(1500); a.Propose == nil || !slices.Equal(a.Propose.Nodes(), []int32{1, 2}) {
		t.Errorf("3 is silent: proposal %+v", a.Propose)
	}
	if a := l.Tick(1600); a.Propose != nil {
		t.Errorf("a second proposal while one is under way: %+v", a.Propose)
	}
	if a := l.Tick(2600); a.Propose == nil {
		t.Error("a proposal whose answer is lost is not made again")
	}
}

func TestRefusedProposalIsSettled(t *testing.T) {
	l := newTestLeader()
	l.Fetched(2, 9, 10, 100)
	l.Fetched(3, 8, 10, 150)
	a := l.Refused(7, 200)
	if a.Propose == nil || !slices.Equal(a.Propose.Nodes(), []int32{1, 2}) {
		t.Fatalf("after a refusal the set in force is proposed: %+v", a.Propose)
	}
	if a := l.Refused(7, 201); a.Propose != nil {
		t.Error("a leader that is refused twice goes on asking at once")
	}
	if a := l.Fetched(3, 8, 10, 300); a.Propose != nil && slices.Contains(a.Propose.Nodes(), 3) {
		t.Error("who was refused is proposed again at once")
	}
	l.Update(Leadership{Epoch: 3, PartitionEpoch: 8, Self: 1, Replicas: []int32{1, 2, 3}, ISR: []int32{1, 2}, MinISR: 2}, 310)
	if got := l.MaximalISR(); !slices.Equal(got, []int32{1, 2}) {
		t.Errorf("maximal in-sync set %v", got)
	}
}

func TestStep(t *testing.T) {
	l := Log{Start: 5, Durable: 20, End: 20, Epochs: Epochs{{1, 5}, {2, 12}}}
	for _, c := range []struct {
		name string
		r    Response
		want Step
	}{
		{"batches", Response{Base: 20}, Step{Kind: Append}},
		{"batches of an older fetch", Response{Base: 18}, Step{Kind: Wait}},
		{"nothing", Response{Base: -1}, Step{Kind: Wait}},
		{"diverging", Response{Base: -1, Diverging: &DivergingEpoch{1, 10}}, Step{Cut, 10}},
		{"the leader's log begins behind", Response{Base: -1, OutOfRange: true, LogStart: 30}, Step{Restart, 30}},
		{"the leader's log ends before", Response{Base: -1, OutOfRange: true, LogStart: 3}, Step{Kind: Wait}},
	} {
		if got := l.Step(c.r); got != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
}

// BenchmarkFetched is what a leader does for each fetch of a follower.
func BenchmarkFetched(b *testing.B) {
	l := newTestLeader()
	l.Fetched(2, 9, 10, 0)
	b.ReportAllocs()
	for i := range b.N {
		at := int64(10 + i)
		l.Appended(at)
		l.Durable(at)
		l.Fetched(2, 9, at, int64(i))
	}
}
