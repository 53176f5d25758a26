package logstore

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/streamflow/streamflow/internal/clock"
	"github.com/streamflow/streamflow/internal/vfs"
	"github.com/streamflow/streamflow/logstore/record"
	"github.com/streamflow/streamflow/logstore/segment"
	"pgregory.net/rapid"
)

func compactConfig() PartitionConfig {
	return PartitionConfig{SegmentBytes: 1500, IndexInterval: 128, Compact: true, DirtyRatio: 0.5, DeleteRetention: time.Hour}
}

// keyed makes a batch of "key=value" records; a key alone is a tombstone.
func keyed(t testing.TB, b *record.Builder, kv ...string) record.Batch {
	t.Helper()
	for _, s := range kv {
		key, value, ok := strings.Cut(s, "=")
		var v []byte
		if ok {
			v = []byte(value)
		}
		b.Add(5, []byte(key), v)
	}
	return finish(t, b)
}

// settled puts everything into synced segments.
func settled(t testing.TB, l *Log) {
	t.Helper()
	if err := l.flushDirty(); err != nil {
		t.Fatal(err)
	}
	if err := l.checkpoint(false); err != nil {
		t.Fatal(err)
	}
}

func mustCompact(t testing.TB, p *Partition) CompactionResult {
	t.Helper()
	res, err := p.Compact()
	if err != nil {
		t.Fatal(err)
	}
	return res
}

// asMap is what a consumer that begins at the log start ends with.
func asMap(t testing.TB, p *Partition) map[string]string {
	t.Helper()
	m := map[string]string{}
	for _, r := range committedRecords(t, p) {
		if r.value == "" {
			delete(m, r.key)
		} else {
			m[r.key] = r.value
		}
	}
	return m
}

type seen struct {
	offset     int64
	key, value string // "": a tombstone
}

// committedRecords reads as a read-committed consumer does, and requires that no offset is missing.
func committedRecords(t testing.TB, p *Partition) (out []seen) {
	t.Helper()
	at := p.Offsets().LogStart
	for {
		res, err := p.Read(at, 4<<10, true)
		if err != nil {
			t.Fatalf("read at %d: %v", at, err)
		}
		if len(res.Data) == 0 {
			return out
		}
		aborts := &consumer{aborted: res.Aborted, now: map[int64]bool{}}
		for data := res.Data; len(data) > 0; {
			b, rest, err := record.Next(data)
			if err != nil || b.Validate() != nil {
				t.Fatalf("read at %d: %v, %v", at, err, b.Validate())
			}
			if b.BaseOffset() > at {
				t.Fatalf("offset %d is missing: the next batch begins at %d", at, b.BaseOffset())
			}
			data = rest
			out = append(out, aborts.take(t, b, at)...)
			at = b.LastOffset() + 1
		}
		res.Release()
	}
}

// consumer skips what was aborted as Kafka's do: from a transaction's first offset to its abort marker.
type consumer struct {
	aborted []AbortedTxn
	now     map[int64]bool
}

func (c *consumer) take(t testing.TB, b record.Batch, at int64) (out []seen) {
	c.aborted = slices.DeleteFunc(slices.Clone(c.aborted), func(a AbortedTxn) bool {
		if a.FirstOffset <= b.LastOffset() {
			c.now[a.ProducerID] = true
		}
		return a.FirstOffset <= b.LastOffset()
	})
	if b.Attributes().IsControl() {
		if typ, _, _ := b.Control(); typ == record.ControlAbort {
			delete(c.now, b.ProducerID())
		}
		return nil
	}
	if c.now[b.ProducerID()] && b.Attributes().IsTransactional() {
		return nil
	}
	it := b.Records()
	for it.Next() {
		if it.Offset >= at {
			out = append(out, seen{it.Offset, string(it.Key), string(it.Value)})
		}
	}
	if it.Err() != nil {
		t.Fatal(it.Err())
	}
	return out
}

func TestCompactKeepsTheLastOfEachKey(t *testing.T) {
	fs := vfs.NewMem()
	l, c := clocked(t, fs)
	p := mustEnsure(t, l, "t", compactConfig())
	for i := range 200 {
		mustAppend(t, p, keyed(t, record.NewBuilder(record.Codec(i%5)), fmt.Sprintf("k%d=%d", i%20, i), fmt.Sprintf("k%d=%d", 100+i%7, i)))
	}
	mustAppend(t, p, keyed(t, record.NewBuilder(record.None), "k3", "k4"))
	settled(t, l)
	want, before := asMap(t, p), p.Size()
	if len(want) != 25 {
		t.Fatalf("%d keys", len(want))
	}
	res := mustCompact(t, p)
	if got := asMap(t, p); !maps.Equal(got, want) {
		t.Errorf("after compaction: %v\nwant %v", got, want)
	}
	if res.Passes != 1 || res.Replaced < 5 || p.Size() > before/3 || res.Before-res.After != before-p.Size() {
		t.Errorf("%+v; %d bytes became %d", res, before, p.Size())
	}
	if res := mustCompact(t, p); res.Replaced == 0 || res.Written >= res.Replaced || res.Counts.Dropped() != 0 {
		t.Errorf("a second time, what has become small is put together: %+v", res)
	}
	if res := mustCompact(t, p); res.Replaced != 0 {
		t.Errorf("a third time: %+v", res)
	}
	states := map[SegmentState]int{}
	for _, s := range p.Segments() {
		states[s.State]++
	}
	if states[SegmentActive] != 1 || states[SegmentSealed] == 0 {
		t.Errorf("segments: %v", states)
	}
	ops, err := ReadAudit(fs, "data", func(l BadLine) { t.Errorf("%+v", l) })
	if err != nil || len(ops) <= res.Written || ops[0].Op != "compact" || len(ops[0].Before[0].SHA256) != 64 || ops[0].After[0].Bytes == 0 {
		t.Errorf("audit: %+v, %v", ops, err)
	}
	c.Advance(2 * time.Hour)
	mustAppend(t, p, keyed(t, record.NewBuilder(record.None), "k9=again"))
	mustClose(t, l)
	l, _ = clocked(t, fs)
	p = mustEnsure(t, l, "t", compactConfig())
	want["k9"] = "again"
	if got := asMap(t, p); !maps.Equal(got, want) {
		t.Errorf("after a restart: %v\nwant %v", got, want)
	}
	mustClose(t, l)
}

func TestCompactWhenDue(t *testing.T) {
	l, c := clocked(t, vfs.NewMem())
	cfg := compactConfig()
	cfg.MinCompactionLag, cfg.MaxCompactionLag = time.Minute, 10*time.Hour
	p := mustEnsure(t, l, "t", cfg)
	write := func(n int) {
		for i := range n {
			mustAppend(t, p, keyed(t, record.NewBuilder(record.None), fmt.Sprintf("k%d=%d", i%5, i)))
		}
		settled(t, l)
	}
	write(100)
	l.compactDue()
	if c := p.cleanable(l.o.Clock.Now()); len(c.segments) != 0 {
		t.Errorf("younger than min.compaction.lag.ms: %d segments", len(c.segments))
	}
	c.Advance(2 * time.Minute)
	size := p.Size()
	l.compactDue()
	if p.Size() >= size {
		t.Error("nothing was compacted")
	}
	cfg.DirtyRatio = 0.99
	p.SetConfig(cfg)
	write(60)
	c.Advance(2 * time.Minute)
	size = p.Size()
	l.compactDue()
	if p.Size() != size {
		t.Error("compacted below the dirty ratio")
	}
	c.Advance(10 * time.Hour)
	l.compactDue()
	if p.Size() >= size {
		t.Error("not compacted after max.compaction.lag.ms")
	}
	mustClose(t, l)
}

// TestReadersKeepReplacedSegments: a range that was handed out before a compaction still gives the old bytes.
func TestReadersKeepReplacedSegments(t *testing.T) {
	fs := vfs.NewMem()
	l, c := clocked(t, fs)
	cfg := compactConfig()
	cfg.SegmentBytes, cfg.DeleteDelay = 80<<10, time.Minute
	p := mustEnsure(t, l, "t", cfg)
	value := strings.Repeat("v", 500)
	for i := range 400 {
		mustAppend(t, p, keyed(t, record.NewBuilder(record.None), fmt.Sprintf("k%d=%s%d", i%5, value, i)))
	}
	settled(t, l)
	r, err := p.segments[0].ReadRange(0, segment.NoLimit, 64<<10)
	if err != nil || r == nil {
		t.Fatalf("range: %v, %v", r, err)
	}
	first := make([]byte, r.Size)
	if _, err := r.ReadAt(first, 0); err != nil {
		t.Fatal(err)
	}
	mustCompact(t, p)
	mustCompact(t, p)
	again := make([]byte, r.Size)
	if _, err := r.ReadAt(again, 0); err != nil || !reflect.DeepEqual(first, again) {
		t.Errorf("after the compaction: %v", err)
	}
	gone := func() (n int) {
		for _, s := range p.Segments() {
			if s.State == SegmentDeleted {
				n++
			}
		}
		return n
	}
	names, _ := fs.ReadDir("data/topics/t/0")
	if gone() == 0 || !slices.ContainsFunc(names, func(s string) bool { return strings.HasSuffix(s, segment.DeletedExt) }) {
		t.Errorf("%d deleted segments, files %v", gone(), names)
	}
	c.Advance(time.Minute)
	l.tend()
	names, _ = fs.ReadDir("data/topics/t/0")
	if gone() != 0 || slices.ContainsFunc(names, func(s string) bool { return strings.HasSuffix(s, segment.DeletedExt) }) {
		t.Errorf("a minute later: %d deleted segments, files %v", gone(), names)
	}
	if _, err := r.ReadAt(again, 0); err != nil || !reflect.DeepEqual(first, again) {
		t.Errorf("a reader that holds on: %v", err)
	}
	r.Release()
	mustClose(t, l)
}

// TestVanishedMarkerEndsItsTransaction: a snapshot from before an abort takes the transaction for open; what a compaction wrote
// says that it has ended, though the marker may be gone.
func TestVanishedMarkerEndsItsTransaction(t *testing.T) {
	fs := vfs.NewMem()
	l, _ := clocked(t, fs)
	p := mustEnsure(t, l, "t", compactConfig())
	for i := range 120 {
		mustAppend(t, p, keyed(t, record.NewBuilder(record.None), fmt.Sprintf("k%d=%d", i%15, i)))
	}
	settled(t, l)
	mustCompact(t, p)
	old := func() producers {
		state := producers{byID: map[int64]*producer{4: {txnFirst: 7}, 5: {txnFirst: 119}}}
		state.open = []openTxn{{4, 7}, {5, 119}}
		return state
	}
	check := func(want ...openTxn) {
		t.Helper()
		state := old()
		if err := p.endVanished(&state, p.segments, p.tail.list); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(state.open, want) {
			t.Errorf("open are %v, want %v", state.open, want)
		}
		for id, producer := range state.byID {
			i := slices.IndexFunc(want, func(o openTxn) bool { return o.producerID == id })
			if i < 0 != (producer.txnFirst < 0) || i >= 0 && producer.txnFirst != want[i].first {
				t.Errorf("producer %d: its transaction begins at %d", id, producer.txnFirst)
			}
		}
	}
	check(openTxn{5, 119}) // the last segment was not compacted
	s := newSender(4, 0, true)
	first := mustAppend(t, p, s.batch(t, "next")).BaseOffset
	mustAppend(t, p, s.batch(t, "more"))
	check(openTxn{5, 119}, openTxn{4, first})
	settled(t, l) // from memory into a segment
	check(openTxn{5, 119}, openTxn{4, first})
	if err := p.EndTxn(4, 0, true); err != nil {
		t.Fatal(err)
	}
	check(openTxn{5, 119})
	if err := l.Sync(); err != nil {
		t.Fatal(err)
	}
	mustClose(t, l)
}

// TestCrashWithinCompaction takes a crash image before every write, rename, removal and sync of a compaction, and opens each.
func TestCrashWithinCompaction(t *testing.T) {
	n := seed(t)
	defer func() {
		if t.Failed() {
			t.Logf("repeat with: SEED=%d go test ./logstore -run TestCrashWithinCompaction", n)
		}
	}()
	mem := vfs.NewMem()
	c := &crasher{r: rand.New(rand.NewPCG(n, 2)), mem: mem, acked: map[string]int{}, every: 1 << 30}
	o := small(&vfs.Fault{FS: mem, Hook: c.hook})
	o.Clock, o.FlushBytes, o.CheckpointFiles, o.WALFileSize = startClock(), 1<<30, 1000, 1<<20
	l := mustOpen(t, o)
	p := mustEnsure(t, l, "t", compactConfig())
	aborted := newSender(4, 0, true)
	mustAppend(t, p, aborted.batch(t, "aborted"))
	if err := p.EndTxn(4, 0, false); err != nil {
		t.Fatal(err)
	}
	for i := range 120 {
		mustAppend(t, p, keyed(t, record.NewBuilder(record.None), fmt.Sprintf("k%d=%d", i%15, i)))
	}
	settled(t, l)
	want, end := asMap(t, p), p.Offsets().End
	c.mu.Lock()
	c.every = 1
	c.mu.Unlock()
	mustCompact(t, p)
	o.Clock.(*clock.Manual).Advance(2 * time.Hour)
	mustAppend(t, p, keyed(t, record.NewBuilder(record.None), "k1=last"))
	mustCompact(t, p) // the marker goes
	c.mu.Lock()
	c.every = 1 << 30
	c.mu.Unlock()
	mustClose(t, l)
	if len(c.points) < 60 {
		t.Errorf("only %d crash points", len(c.points))
	}
	for i, pt := range c.points {
		name := fmt.Sprintf("point %d (%s %s)", i, pt.op, pt.name)
		l, err := Open(small(pt.fs))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		p := mustEnsure(t, l, "t", compactConfig())
		got := asMap(t, p)
		if o := p.Offsets(); o.End < end {
			t.Fatalf("%s: ends at %d", name, o.End)
		} else if o.End > end && got["k1"] == "last" {
			got["k1"] = want["k1"]
		}
		if !maps.Equal(got, want) {
			t.Fatalf("%s: %v\nwant %v", name, got, want)
		}
		mustCompact(t, p)
		if got := asMap(t, p); len(got) != len(want) {
			t.Fatalf("%s: compacted again: %v", name, got)
		}
		mustClose(t, l)
		if r, err := Verify(VerifyOptions{Dir: "data", FS: pt.fs}); err != nil || !r.Sound() {
			t.Fatalf("%s: %+v, %v", name, r.Findings, err)
		}
	}
}

// modelEntry is a record that was sent.
type modelEntry struct {
	seen
	txn int64 // producer, or -1
}

// compactionModel is a partition beside what it must hold.
type compactionModel struct {
	fs      *vfs.Mem
	l       *Log
	c       *clock.Manual
	p       *Partition
	cfg     PartitionConfig
	memory  int64
	sent    []modelEntry
	aborted map[int64]bool // offsets
	open    map[int64]*sender
	log     []string
	senders map[int64]*sender
	start   int64 // the greatest log start that was seen
}

func (m *compactionModel) reopen(t testing.TB, fs *vfs.Mem) {
	o := small(fs)
	o.Clock, o.FlushBytes, o.CheckpointFiles, o.WALFileSize, o.CompactionMemory = m.c, 1<<30, 1000, 1<<20, m.memory
	o.ProducerExpiry = 10_000 * time.Hour // a producer that was forgotten, and is remembered half, is told so: not the model's business
	m.fs, m.l = fs, mustOpen(t, o)
	m.p = mustEnsure(t, m.l, "t", m.cfg)
}

func (m *compactionModel) send(t testing.TB, b record.Batch, txn int64) {
	res := mustAppend(t, m.p, b)
	m.logf("%d producer %d txn %d dup %v", res.BaseOffset, b.ProducerID(), txn, res.Duplicate)
	b.SetBaseOffset(res.BaseOffset)
	it := b.Records()
	for it.Next() {
		m.sent = append(m.sent, modelEntry{seen{it.Offset, string(it.Key), string(it.Value)}, txn})
	}
}

func (m *compactionModel) logf(format string, args ...any) {
	m.log = append(m.log, fmt.Sprintf(format, args...))
}

func (m *compactionModel) end(t testing.TB, id int64, commit bool) {
	m.logf("end %d commit %v at %d", id, commit, m.p.Offsets().End)
	if err := m.p.EndTxn(id, 0, commit); err != nil {
		t.Fatal(err)
	}
	if err := m.l.Sync(); err != nil {
		t.Fatal(err)
	}
	for i, e := range m.sent {
		if e.txn == id && !commit {
			m.aborted[e.offset] = true
		}
		if e.txn == id {
			m.sent[i].txn = -1
		}
	}
	delete(m.open, id)
}

// check reads as a consumer from the start, and compares with what was sent.
func (m *compactionModel) check(t testing.TB) {
	o := m.p.Offsets()
	if o.LogStart < m.start {
		t.Fatalf("%s\nlog start moved back from %d to %d; %+v, sent %d", strings.Join(m.log, "\n"), m.start, o.LogStart, o, m.sent[len(m.sent)-1].offset)
	}
	m.start = o.LogStart
	want, byOffset := map[string]string{}, map[int64]seen{}
	for _, e := range m.sent {
		if m.aborted[e.offset] || e.offset >= o.LastStable || e.offset < o.LogStart {
			continue
		}
		byOffset[e.offset] = e.seen
		if e.value == "" {
			delete(want, e.key)
		} else {
			want[e.key] = e.value
		}
	}
	for _, r := range committedRecords(t, m.p) {
		if byOffset[r.offset] != r {
			t.Fatalf("%s\noffset %d holds %+v, want %+v; aborted %v", strings.Join(m.log, "\n"), r.offset, r, byOffset[r.offset], m.aborted[r.offset])
		}
	}
	if got := asMap(t, m.p); !maps.Equal(got, want) {
		t.Fatalf("%s\nconsumer's map %v\nwant %v\n%+v, then %+v", strings.Join(m.log, "\n"), got, want, o, m.p.Offsets())
	}
	if _, err := m.p.Read(o.LogStart-1, 1, false); err == nil {
		t.Fatal("a read below the log start succeeds")
	}
}

// shrinking gives failures to rapid, so that it looks for a shorter program.
type shrinking struct {
	testing.TB
	rt *rapid.T
}

func (s shrinking) Fatal(args ...any)                 { s.rt.Fatal(args...) }
func (s shrinking) Fatalf(format string, args ...any) { s.rt.Fatalf(format, args...) }

// TestCompactionModel runs random programs of appends, transactions, compactions, crashes and deletions against a map.
func TestCompactionModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		t := shrinking{t, rt}
		m := &compactionModel{c: startClock(), aborted: map[int64]bool{}, open: map[int64]*sender{}, senders: map[int64]*sender{}}
		m.cfg = compactConfig()
		m.cfg.SegmentBytes = rapid.Int64Range(300, 4000).Draw(rt, "segment bytes")
		m.cfg.DeleteRetention = time.Duration(rapid.IntRange(0, 2).Draw(rt, "retention")) * time.Hour
		m.memory = rapid.SampledFrom([]int64{1, 600, 1 << 20}).Draw(rt, "memory")
		m.reopen(t, vfs.NewMem())
		kv := func() []string {
			return rapid.SliceOfN(rapid.Custom(func(rt *rapid.T) string {
				key := fmt.Sprintf("k%d", rapid.IntRange(0, 9).Draw(rt, "key"))
				if rapid.IntRange(0, 3).Draw(rt, "kind") == 0 {
					return key
				}
				return fmt.Sprintf("%s=%s", key, strings.Repeat("v", rapid.IntRange(1, 60).Draw(rt, "value")))
			}), 1, 5).Draw(rt, "records")
		}
		sender := func(id int64, txn bool) *sender {
			if m.senders[id] == nil {
				m.senders[id] = newSender(id, 0, txn)
			}
			return m.senders[id]
		}
		rt.Repeat(map[string]func(*rapid.T){
			"append": func(rt *rapid.T) {
				for range rapid.IntRange(1, 20).Draw(rt, "times") {
					m.send(t, keyed(t, record.NewBuilder(record.Codec(rapid.IntRange(0, 4).Draw(rt, "codec"))), kv()...), -1)
				}
			},
			"idempotent": func(rt *rapid.T) {
				m.send(t, keyed(t, sender(rapid.Int64Range(1, 3).Draw(rt, "id"), false).b, kv()...), -1)
			},
			"txn": func(rt *rapid.T) {
				id := rapid.Int64Range(11, 13).Draw(rt, "id")
				m.send(t, keyed(t, sender(id, true).b, kv()...), id)
				m.open[id] = m.senders[id]
			},
			"end": func(rt *rapid.T) {
				for _, id := range slices.Sorted(maps.Keys(m.open)) {
					if rapid.Bool().Draw(rt, "end") {
						m.end(t, id, rapid.Bool().Draw(rt, "commit"))
					}
				}
			},
			"checkpoint": func(*rapid.T) { m.logf("checkpoint"); settled(t, m.l) },
			"compact":    func(*rapid.T) { m.logf("compact %+v", mustCompact(t, m.p)) },
			"time": func(rt *rapid.T) {
				m.c.Advance(time.Duration(rapid.IntRange(1, 90).Draw(rt, "minutes")) * time.Minute)
				m.logf("time")
				m.l.tend()
			},
			"delete": func(rt *rapid.T) {
				if o := m.p.Offsets(); rapid.IntRange(0, 5).Draw(rt, "really") == 0 {
					to := rapid.Int64Range(o.LogStart, o.HighWatermark).Draw(rt, "to")
					m.logf("delete to %d", to)
					if _, err := m.p.DeleteRecords(to); err != nil {
						rt.Fatal(err)
					}
				}
			},
			"crash": func(rt *rapid.T) {
				m.logf("crash")
				next := m.fs.Crash(nil)
				mustClose(t, m.l)
				m.reopen(t, next)
			},
			"restart": func(rt *rapid.T) {
				m.logf("restart")
				mustClose(t, m.l)
				if rapid.Bool().Draw(rt, "without snapshots") {
					names, _ := m.fs.ReadDir("data/topics/t/0")
					for _, name := range names {
						if strings.HasSuffix(name, snapshotExt) && m.start == 0 {
							m.logf("no snapshot")
							m.fs.Remove("data/topics/t/0/" + name)
						}
					}
				}
				m.reopen(t, m.fs)
			},
			"": func(*rapid.T) { m.check(t) },
		})
		mustClose(t, m.l)
	})
}
