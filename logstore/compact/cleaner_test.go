package compact

import (
	"fmt"
	"strings"
	"testing"

	"github.com/streamflow/streamflow/logstore/record"
)

// pen writes batches at ascending offsets.
type pen struct {
	t    *testing.T
	next int64
}

func (p *pen) batch(producer int64, txn bool, kv ...string) record.Batch {
	b := record.NewBuilder(record.None)
	if producer >= 0 {
		b.SetProducer(record.Producer{ID: producer})
	}
	b.SetTransactional(txn)
	for _, s := range kv {
		key, value, ok := strings.Cut(s, "=")
		var v []byte
		if ok {
			v = []byte(value)
		}
		var k []byte
		if key != "" {
			k = []byte(key)
		}
		b.Add(1000, k, v)
	}
	out, err := b.Finish()
	if err != nil {
		p.t.Fatal(err)
	}
	return p.place(out)
}

func (p *pen) place(b record.Batch) record.Batch {
	b.SetBaseOffset(p.next)
	b.SetLeaderEpoch(0)
	p.next = b.LastOffset() + 1
	return b
}

func (p *pen) marker(producer int64, typ record.ControlType) record.Batch {
	return p.place(record.AppendMarker(nil, typ, producer, 0, 0, 1000))
}

// clean runs a pass over everything, and shows what stays.
func clean(t *testing.T, f Facts, mapBytes int64, batches ...record.Batch) (out []record.Batch, c *Cleaner) {
	t.Helper()
	keys := NewMap(mapBytes)
	c = NewCleaner(f, keys)
	full := false
	for _, b := range batches {
		if full = full || !c.Note(b, 0); full {
			break
		}
	}
	if !full {
		keys.Latest = batches[len(batches)-1].LastOffset()
	}
	var data []byte
	var err error
	for _, b := range batches {
		if data, err = c.Clean(data, b); err != nil {
			t.Fatal(err)
		}
	}
	next := batches[0].BaseOffset()
	for data = c.Flush(data); len(data) > 0; {
		b, rest, err := record.Next(data)
		if err != nil {
			t.Fatal(err)
		}
		if err := b.Validate(); err != nil {
			t.Fatal(err)
		}
		if b.BaseOffset() != next {
			t.Fatalf("offset %d comes after %d", b.BaseOffset(), next-1)
		}
		next = b.LastOffset() + 1
		out, data = append(out, b), rest
	}
	if want := batches[len(batches)-1].LastOffset() + 1; next != want {
		t.Fatalf("ends at %d, want %d", next, want)
	}
	return out, c
}

// show is a short form of batches: records as offset:key=value, fillers as (from-to), markers as C or A.
func show(batches []record.Batch) string {
	var parts []string
	for _, b := range batches {
		switch {
		case b.Attributes().IsControl():
			typ, _, _ := b.Control()
			parts = append(parts, fmt.Sprintf("%d:%s", b.BaseOffset(), map[record.ControlType]string{0: "A", 1: "C", 100: "I"}[typ]))
		case b.Count() == 0 && b.ProducerID() >= 0:
			parts = append(parts, fmt.Sprintf("(%d-%d p%d)", b.BaseOffset(), b.LastOffset(), b.ProducerID()))
		case b.Count() == 0:
			parts = append(parts, fmt.Sprintf("(%d-%d)", b.BaseOffset(), b.LastOffset()))
		default:
			it := b.Records()
			for it.Next() {
				v := "=" + string(it.Value)
				if it.Value == nil {
					v = ""
				}
				parts = append(parts, fmt.Sprintf("%d:%s%s", it.Offset, it.Key, v))
			}
		}
	}
	return strings.Join(parts, " ")
}

func check(t *testing.T, what string, got []record.Batch, want string) {
	t.Helper()
	if s := show(got); s != want {
		t.Errorf("%s\n got %s\nwant %s", what, s, want)
	}
}

func TestLastOfEachKeyStays(t *testing.T) {
	p := &pen{t: t}
	out, c := clean(t, Facts{}, 1<<16,
		p.batch(-1, false, "a=1", "b=1", "c=1"), p.batch(-1, false, "a=2"), p.batch(-1, false, "b=2"), p.batch(-1, false, "a=3", "=no key"), p.batch(-1, false, "d=1"))
	check(t, "values", out, "2:c=1 (3-3) 4:b=2 5:a=3 6:=no key 7:d=1")
	if k := c.Counts; k.Kept != 5 || k.Superseded != 3 || k.Keyless != 1 || k.Fillers != 1 || !c.Changed {
		t.Errorf("counts: %+v", k)
	}
	again, c := clean(t, Facts{}, 1<<16, out...)
	check(t, "again", again, "2:c=1 (3-3) 4:b=2 5:a=3 6:=no key 7:d=1")
	if c.Changed {
		t.Error("a clean log was changed")
	}
}

func TestTombstonesLiveForAWhile(t *testing.T) {
	p := &pen{t: t}
	all := []record.Batch{p.batch(-1, false, "a=1"), p.batch(-1, false, "a", "b=1"), p.batch(-1, false, "c=1")}
	first, _ := clean(t, Facts{NowMs: 10_000, DeleteRetentionMs: 500}, 1<<16, all...)
	check(t, "first pass", first, "(0-0) 1:a 2:b=1 3:c=1")
	if ms, ok := first[1].DeleteHorizon(); !ok || ms != 10_500 {
		t.Errorf("horizon %d, %v", ms, ok)
	}
	it := first[1].Records()
	if it.Next(); it.Timestamp != 1000 {
		t.Errorf("a horizon changed the timestamp to %d", it.Timestamp)
	}
	early, _ := clean(t, Facts{NowMs: 10_499, DeleteRetentionMs: 500}, 1<<16, first...)
	check(t, "before the horizon", early, "(0-0) 1:a 2:b=1 3:c=1")
	late, c := clean(t, Facts{NowMs: 10_500, DeleteRetentionMs: 500}, 1<<16, early...)
	check(t, "after the horizon", late, "(0-0) 2:b=1 3:c=1")
	if c.Counts.Tombstones != 1 {
		t.Errorf("counts: %+v", c.Counts)
	}
}

// TestTombstoneBehindUnknownKeys: where a batch may hold an older value of the key, its tombstone stays.
func TestTombstoneBehindUnknownKeys(t *testing.T) {
	p := &pen{t: t}
	arrow := p.place(record.Pack(nil, record.Meta{Attributes: record.AttrArrow, Count: 2, Producer: record.NoProducer}, []byte("columns")))
	all := []record.Batch{arrow, p.batch(-1, false, "a"), p.batch(-1, false, "b=1")}
	first, _ := clean(t, Facts{NowMs: 1}, 1<<16, all...)
	late, c := clean(t, Facts{NowMs: 1 << 40}, 1<<16, first...)
	if len(late) != 3 || !late[0].Attributes().IsArrow() || show(late[1:]) != "2:a 3:b=1" || c.Counts.Opaque != 2 {
		t.Errorf("got %s, %+v", show(late[1:]), c.Counts)
	}
}

func TestTransactions(t *testing.T) {
	p := &pen{t: t}
	all := []record.Batch{
		p.batch(1, true, "a=1"), p.batch(2, true, "a=2", "b=2"), p.marker(2, record.ControlAbort), p.marker(1, record.ControlCommit), // 0 1-2 3 4
		p.batch(2, true, "c=1"), p.marker(2, record.ControlCommit), // 5 6
		p.batch(3, true, "c=2"), p.marker(3, record.ControlCommit), p.place(record.AppendControl(nil, record.ControlIdle, nil, 1)), // 7 8 9
	}
	f := Facts{NowMs: 100, DeleteRetentionMs: 10, Aborted: []Txn{{ProducerID: 2, First: 1, Last: 3}}}
	out, c := clean(t, f, 1<<16, all...)
	check(t, "first pass", out, "0:a=1 (1-2) 3:A 4:C (5-5) 6:C 7:c=2 8:C 9:I")
	if len(c.Emptied) != 1 || c.Emptied[0].Last != 3 || c.Counts.Aborted != 2 {
		t.Errorf("emptied %+v, counts %+v", c.Emptied, c.Counts)
	}
	for i, horizon := range map[int]bool{2: true, 3: false, 5: true, 7: false} {
		if _, ok := out[i].DeleteHorizon(); ok != horizon {
			t.Errorf("marker at %d: horizon %v", out[i].BaseOffset(), ok)
		}
	}
	out, c = clean(t, Facts{NowMs: 110}, 1<<16, out...)
	check(t, "after the horizon", out, "0:a=1 (1-3) 4:C (5-6) 7:c=2 8:C 9:I")
	if c.Counts.Markers != 2 {
		t.Errorf("counts: %+v", c.Counts)
	}
}

// TestNewestBatchOfAProducer: its header stays, so that its sequence is known after a recovery without a snapshot.
func TestNewestBatchOfAProducer(t *testing.T) {
	p := &pen{t: t}
	all := []record.Batch{p.batch(7, false, "a=1"), p.batch(7, false, "a=2"), p.batch(-1, false, "a=3"), p.batch(-1, false, "a=4")}
	out, _ := clean(t, Facts{Producers: map[int64]Last{7: {Base: 1}}}, 1<<16, all...)
	check(t, "live", out, "(0-0) (1-1 p7) (2-2) 3:a=4")
	if out[1].LastSequence() != all[1].LastSequence() || out[1].ProducerID() != 7 {
		t.Errorf("header: %x", out[1])
	}
	out, _ = clean(t, Facts{}, 1<<16, out...)
	check(t, "expired", out, "(0-2) 3:a=4")
}

// TestFillersKeepEpochs: leader epochs are learnt from batches, so a filler never spans two.
func TestFillersKeepEpochs(t *testing.T) {
	p := &pen{t: t}
	var all []record.Batch
	for i := range 6 {
		b := p.batch(-1, false, "a=1")
		b.SetLeaderEpoch(int32(i / 3))
		all = append(all, b)
	}
	out, _ := clean(t, Facts{}, 1<<16, all...)
	if show(out) != "(0-2) (3-4) 5:a=1" || out[0].LeaderEpoch() != 0 || out[1].LeaderEpoch() != 1 {
		t.Errorf("got %s", show(out))
	}
}

// TestFullMap: what the map has no room for is left to the next pass.
func TestFullMap(t *testing.T) {
	p := &pen{t: t}
	var all []record.Batch
	for i := range 100 {
		all = append(all, p.batch(-1, false, fmt.Sprintf("k%d=1", i%50)))
	}
	out, c := clean(t, Facts{}, 0, all...) // the smallest map: 14 keys
	if c.keys.Len() != 14 || c.Counts.Superseded != 0 || len(out) != 100 {
		t.Errorf("%d keys, %+v", c.keys.Len(), c.Counts)
	}
	p = &pen{t: t}
	tomb := p.batch(-1, false, "a")
	many := []record.Batch{tomb}
	for i := range 20 {
		many = append(many, p.batch(-1, false, fmt.Sprintf("k%d", i)))
	}
	out, _ = clean(t, Facts{NowMs: 5}, 0, many...)
	_, seen := out[0].DeleteHorizon()
	_, unseen := out[20].DeleteHorizon()
	if !seen || unseen {
		t.Errorf("horizons: %v of a key in the map, %v of one that had no room", seen, unseen)
	}
}

func TestMapHoldsWhatItSays(t *testing.T) {
	m := NewMap(24 << 10)
	n := 0
	for m.Put(fmt.Appendf(nil, "key %d", n), int64(n)) {
		n++
	}
	if n != m.limit {
		t.Errorf("%d keys in %d slots", n, len(m.slots))
	}
	for i := range n {
		if got := m.Get(fmt.Appendf(nil, "key %d", i)); got != int64(i) {
			t.Fatalf("key %d at %d", i, got)
		}
	}
	if m.Get([]byte("other")) != -1 || !m.Put([]byte("key 3"), 9999) || m.Get([]byte("key 3")) != 9999 {
		t.Error("a full map does not take a known key")
	}
}

func BenchmarkClean(b *testing.B) {
	bl := record.NewBuilder(record.None)
	for i := range 1000 {
		bl.Add(1, fmt.Appendf(nil, "key-%06d", i*7%1000), make([]byte, 100))
	}
	batch, err := bl.Finish()
	if err != nil {
		b.Fatal(err)
	}
	keys := NewMap(1 << 20)
	c := NewCleaner(Facts{}, keys)
	b.SetBytes(int64(len(batch)))
	var buf []byte
	for b.Loop() {
		c.Note(batch, 0)
		buf, _ = c.Clean(buf[:0], batch)
	}
}
