package tier

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/streamflow/streamflow/logstore"
)

// TestLeadersChange: two replicas cut their segments in different places. The leader archives, the follower frees its disk
// by what the leader wrote; after a change the new leader goes on where the archive ends, and the old one's writes lose.
func TestLeadersChange(t *testing.T) {
	topics(t, func(t *testing.T, topic Topic) {
		store := newMemStore()
		a, b := newNode(t, store, topic), newNode(t, store, topic)
		cfg := b.cfg
		cfg.SegmentBytes = 5 << 10
		b.p.SetConfig(cfg)
		lead(t, a, 1)
		follow(t, b, 1, 1)
		a.fill(0, 900)
		replicate(t, a, b)
		want := a.batches(false)

		b.round() // it finds nothing, and must not archive
		if keys := store.keys("data"); len(keys) != 0 {
			t.Fatalf("a follower archived %v", keys)
		}
		a.round()
		b.round()
		if b.p.LocalStart() == 0 || b.p.Offsets().LogStart != 0 {
			t.Fatalf("follower: local start %d, log start %d", b.p.LocalStart(), b.p.Offsets().LogStart)
		}
		same(t, want, b.batches(false))

		follow(t, a, 2, 2)
		lead(t, b, 2)
		b.fill(900, 900)
		replicate(t, b, a)
		want = b.batches(false)
		b.round()
		a.round()
		same(t, want, a.batches(false))
		same(t, want, b.batches(false))
		if local := a.p.LocalStart(); local <= 900 {
			t.Errorf("the old leader's local start is %d", local)
		}

		stale := newLedger(store, partitionID{topic.ID, 0})
		if err := stale.claim(context.Background(), 1, func(*Manifest) {}); err != ErrFenced {
			t.Errorf("a leader of epoch 1 comes back: %v", err)
		}

		if _, err := b.p.DeleteRecords(500); err != nil {
			t.Fatal(err)
		}
		b.round()
		a.round() // it waits for no news, and does not ask
		if m := a.tier.Partitions()[0].ledger.current; m.Start != 0 {
			t.Errorf("a follower that has all asks the store")
		}
		a.tier.Partitions()[0].looked = time.Time{} // a minute later
		a.round()
		m := a.tier.Partitions()[0].ledger.current
		if m.Start != 500 || m.finished()[0].Next <= 500 {
			t.Errorf("the archive begins at %d with an object to %d", m.Start, m.finished()[0].Next)
		}
		got := values(t, readBatches(t, a.p, max(500, a.p.Offsets().LogStart), false))
		i := slices.Index(got, `500:{"id": 500`)
		if i < 0 || len(got)-i != 1300 {
			t.Errorf("%d records from the old leader, 500 at %d", len(got), i)
		}
	})
}

func lead(t *testing.T, n *node, epoch int32) {
	t.Helper()
	err := n.p.Lead(logstore.Leadership{Epoch: epoch, PartitionEpoch: epoch, Self: epoch, Replicas: []int32{epoch}, ISR: []int32{epoch}, MinISR: 1})
	if err != nil {
		t.Fatal(err)
	}
}

func follow(t *testing.T, n *node, leader, epoch int32) {
	t.Helper()
	if err := n.p.Follow(leader, epoch); err != nil {
		t.Fatal(err)
	}
}

// replicate gives a follower what it has not.
func replicate(t *testing.T, from, to *node) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	o := from.p.Offsets()
	view := logstore.LeaderView{Epoch: from.p.Role().Epoch, HighWatermark: o.HighWatermark, LogStart: o.LogStart}
	for _, b := range readBatches(t, from.p, to.p.Offsets().End, false) {
		p, err := to.p.AppendReplicated(b, view)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.Wait(ctx); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := to.p.AppendReplicated(nil, view); err != nil {
		t.Fatal(err)
	}
	to.settle()
}
