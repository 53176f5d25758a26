package tier

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/streamflow/streamflow/logstore"
	"github.com/streamflow/streamflow/logstore/record"
)

// topics are the two kinds: kept as they are, and as Parquet.
func topics(t *testing.T, run func(t *testing.T, topic Topic)) {
	t.Run("raw", func(t *testing.T) { run(t, rawTopic()) })
	t.Run("parquet", func(t *testing.T) { run(t, jsonTopic(t)) })
}

// TestArchiveAndRead: what was read from local segments is read from the tier byte for byte, after a restart too.
func TestArchiveAndRead(t *testing.T) {
	topics(t, func(t *testing.T, topic Topic) {
		n := newNode(t, newMemStore(), topic)
		n.fill(0, 1500)
		before := n.batches(false)
		if len(n.p.Segments()) < 5 {
			t.Fatalf("%d segments: too few to test with", len(n.p.Segments()))
		}
		n.round()
		if n.p.LocalStart() == 0 {
			t.Fatal("nothing was freed")
		}
		if got := n.p.Offsets().LogStart; got != 0 {
			t.Fatalf("log start %d", got)
		}
		same(t, before, n.batches(false))
		n.crash()
		if got, local := n.p.Offsets().LogStart, n.p.LocalStart(); got != 0 || local == 0 {
			t.Fatalf("after a crash: log start %d, local start %d", got, local)
		}
		same(t, before, n.batches(false))
		n.fill(1500, 100)
		n.round()
		if got := len(values(t, n.batches(false))); got != 1600 {
			t.Fatalf("%d records, want 1600", got)
		}
		if state := n.p.Segments()[0].State; state != logstore.SegmentArchived {
			t.Errorf("first segment is %s", state)
		}
	})
}

func same(t *testing.T, want, got []record.Batch) {
	t.Helper()
	if len(want) != len(got) {
		t.Fatalf("%d batches, want %d", len(got), len(want))
	}
	for i := range want {
		if !bytes.Equal(want[i], got[i]) {
			t.Fatalf("batch %d at offset %d differs: offset %d, %d bytes, want %d", i, want[i].BaseOffset(), got[i].BaseOffset(), len(got[i]), len(want[i]))
		}
	}
}

// TestRandomPartition is I16: batches of all kinds (codecs, transactions, markers, empty values, other producers) come back
// from the tier as they came from the local log, at every offset and of every size.
func TestRandomPartition(t *testing.T) {
	topics(t, func(t *testing.T, topic Topic) {
		for seed := range uint64(4) {
			t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
				n := newNode(t, newMemStore(), topic)
				mixed(t, n, seed, 700)
				n.settle()
				type answer struct {
					data    []byte
					aborted []logstore.AbortedTxn
				}
				o := n.p.Offsets()
				read := func(from int64, size int) answer {
					res, err := n.p.ReadWait(context.Background(), from, size, true)
					if err != nil {
						t.Fatalf("seed %d: read at %d: %v", seed, from, err)
					}
					defer res.Release()
					return answer{slices.Clone(res.Data), res.Aborted}
				}
				local := map[int64]answer{}
				for at := range o.LastStable {
					local[at] = read(at, 1)
				}
				times := map[int64]logstore.TimestampOffset{}
				for i := -1; i < 700; i += 13 {
					found, err := n.p.OffsetForTime(orderTime(i))
					if err != nil {
						t.Fatal(err)
					}
					times[orderTime(i)] = found
				}
				most, err := n.p.MaxTimestamp()
				if err != nil {
					t.Fatal(err)
				}
				n.round()
				if n.p.LocalStart() < o.LastStable/2 {
					t.Fatalf("seed %d: local start %d of %d", seed, n.p.LocalStart(), o.LastStable)
				}
				for at, want := range local {
					got := read(at, 1)
					if !bytes.Equal(got.data, want.data) {
						t.Fatalf("seed %d: offset %d differs", seed, at)
					}
					if visible(t, got.data, got.aborted) != visible(t, want.data, want.aborted) {
						t.Fatalf("seed %d: offset %d: aborted %v, want %v", seed, at, got.aborted, want.aborted)
					}
				}
				for ms, want := range times {
					if got, err := n.p.OffsetForTime(ms); err != nil || got != want {
						t.Fatalf("seed %d: time %d: %+v, %v; want %+v", seed, ms, got, err, want)
					}
				}
				if got, err := n.p.MaxTimestamp(); err != nil || got != most {
					t.Fatalf("seed %d: greatest time %+v, %v; want %+v", seed, got, err, most)
				}
			})
		}
	})
}

// visible tells what a read-committed consumer makes of one batch.
func visible(t *testing.T, data []byte, aborted []logstore.AbortedTxn) string {
	t.Helper()
	b, _, err := record.Next(data)
	if err != nil {
		t.Fatal(err)
	}
	if b.Attributes().IsTransactional() && !b.Attributes().IsControl() {
		for _, a := range aborted {
			if a.ProducerID == b.ProducerID() && a.FirstOffset <= b.BaseOffset() {
				return "aborted"
			}
		}
	}
	return "seen"
}

// TestDeleteRecords: the manifest goes first, then the objects; the log start never moves back.
func TestDeleteRecords(t *testing.T) {
	topics(t, func(t *testing.T, topic Topic) {
		store := newMemStore()
		n := newNode(t, store, topic)
		n.fill(0, 1500)
		n.round()
		all := len(store.keys("data"))
		if _, err := n.p.DeleteRecords(700); err != nil {
			t.Fatal(err)
		}
		n.round()
		if got := len(store.keys("data")); got >= all || got == 0 {
			t.Fatalf("%d objects of %d are left", got, all)
		}
		check := func() {
			t.Helper()
			if got := n.p.Offsets().LogStart; got != 700 {
				t.Fatalf("log start %d", got)
			}
			if _, err := n.p.ReadWait(context.Background(), 699, 1, false); err == nil {
				t.Fatal("a deleted record is read")
			}
			got := values(t, n.batches(false))
			if i := slices.Index(got, `700:{"id": 700`); i < 0 || len(got)-i != 800 {
				t.Fatalf("%d records", len(got))
			}
		}
		check()
		n.crash()
		check()
		n.round()
		check()
		if got := len(store.keys("manifest")); got > 2 {
			t.Errorf("%d manifests are kept", got)
		}
	})
}

// TestDeleteTopic: its objects go, also when the node dies before.
func TestDeleteTopic(t *testing.T) {
	store := newMemStore()
	n := newNode(t, store, rawTopic())
	n.fill(0, 500)
	n.round()
	if err := n.tier.DeleteTopic(n.topic.Name); err != nil {
		t.Fatal(err)
	}
	topic := n.topic
	n.topic = rawTopic()
	n.crash()
	n.round()
	if got := len(store.keys("data")); got > 20 {
		t.Fatal(got)
	}
	for k := range store.objs {
		if bytes.HasPrefix([]byte(k), []byte(topic.ID.String())) {
			t.Fatalf("%s is left", k)
		}
	}
}
