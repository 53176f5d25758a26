package logstore

import (
	"errors"
	"fmt"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/streamflow/streamflow/internal/clock"
	"github.com/streamflow/streamflow/internal/vfs"
	"github.com/streamflow/streamflow/logstore/record"
	"github.com/streamflow/streamflow/logstore/replica"
)

// clocked opens a log whose time stands still, so that nothing happens in the background.
func clocked(t *testing.T, fs vfs.FS) (*Log, *clock.Manual) {
	c := startClock()
	o := small(fs)
	o.Clock, o.FlushBytes, o.CheckpointFiles = c, 1<<30, 1000
	o.WALFileSize = 1 << 20
	return mustOpen(t, o), c
}

func TestRolls(t *testing.T) {
	for _, c := range []struct {
		name string
		cfg  PartitionConfig
		want int
	}{
		{"by size", PartitionConfig{SegmentBytes: 1000}, 10},
		{"by count", PartitionConfig{SegmentRecords: 7}, 15},
		{"not", PartitionConfig{}, 1},
	} {
		l, _ := clocked(t, vfs.NewMem())
		p := mustEnsure(t, l, "t", c.cfg)
		for i := range 100 {
			mustAppend(t, p, batchOf(t, int64(i), fmt.Sprintf("value %20d", i)))
		}
		if err := p.flush(); err != nil {
			t.Fatal(err)
		}
		if n := len(p.segments); n != c.want {
			t.Errorf("%s: %d segments, want %d", c.name, n, c.want)
		}
		if got := values(t, p, false); len(got) != 100 {
			t.Errorf("%s: %d records", c.name, len(got))
		}
		mustClose(t, l)
	}
}

func TestRetentionByTime(t *testing.T) {
	fs := vfs.NewMem()
	l, c := clocked(t, fs)
	p := mustEnsure(t, l, "t", PartitionConfig{SegmentAge: time.Hour, Retention: 3 * time.Hour})
	for h := range 6 {
		// Event times of long ago must not count: retention is about when a record came.
		mustAppend(t, p, batchOf(t, 1000, fmt.Sprintf("hour %d", h)))
		if err := p.flush(); err != nil {
			t.Fatal(err)
		}
		c.Advance(time.Hour)
	}
	changed := p.Changed()
	l.tend()
	if o := p.Offsets(); o.LogStart != 3 {
		t.Errorf("after six hours: %+v", o)
	}
	select {
	case <-changed:
	default:
		t.Error("readers were not woken")
	}
	if _, err := p.Read(2, 1, false); !errors.Is(err, ErrOffsetOutOfRange) {
		t.Errorf("read of a deleted record: %v", err)
	}
	c.Advance(10 * time.Hour) // the active segment rolls, and goes too
	l.tend()
	if o := p.Offsets(); o.LogStart != 6 || o.End != 6 {
		t.Errorf("after sixteen hours: %+v", o)
	}
	crashed := mustOpen(t, small(fs.Crash(nil)))
	if o := mustEnsure(t, crashed, "t", PartitionConfig{}).Offsets(); o.LogStart != 6 || o.End != 6 {
		t.Errorf("after a crash: %+v", o)
	}
	mustClose(t, crashed)
	mustAppend(t, p, batchOf(t, 1, "later"))
	mustClose(t, l)
	l = mustOpen(t, small(fs))
	if got := values(t, mustEnsure(t, l, "t", PartitionConfig{}), false); !reflect.DeepEqual(got, []string{"6:later"}) {
		t.Errorf("after a restart: %v", got)
	}
	mustClose(t, l)
}

func TestRetentionBySize(t *testing.T) {
	l, _ := clocked(t, vfs.NewMem())
	p := mustEnsure(t, l, "t", PartitionConfig{SegmentBytes: 1000, RetentionBytes: 3000})
	for i := range 100 {
		mustAppend(t, p, batchOf(t, int64(i), fmt.Sprintf("value %20d", i)))
	}
	if err := p.flush(); err != nil {
		t.Fatal(err)
	}
	l.tend()
	if n := p.Size(); n < 3000 || n > 4000 {
		t.Errorf("%d bytes are left, want 3000 and at most a segment more", n)
	}
	open := newSender(1, 0, true)
	mustAppend(t, p, open.batch(t, "open transaction"))
	first := p.Offsets().End - 1
	for i := range 100 {
		mustAppend(t, p, batchOf(t, int64(i), fmt.Sprintf("value %20d", i)))
	}
	p.flush()
	l.tend()
	if o := p.Offsets(); o.LogStart > first {
		t.Errorf("an open transaction at %d was deleted: %+v", first, o)
	}
	mustClose(t, l)
}

func TestDeleteRecords(t *testing.T) {
	fs := vfs.NewMem()
	l, _ := clocked(t, fs)
	p := mustEnsure(t, l, "t", PartitionConfig{SegmentBytes: 300})
	for i := range 20 {
		mustAppend(t, p, batchOf(t, int64(i), fmt.Sprintf("value %20d", i)))
	}
	if err := p.flush(); err != nil {
		t.Fatal(err)
	}
	if _, err := p.DeleteRecords(21); !errors.Is(err, ErrOffsetOutOfRange) {
		t.Errorf("beyond the end: %v", err)
	}
	if start, err := p.DeleteRecords(7); err != nil || start != 7 {
		t.Errorf("to 7: %d, %v", start, err)
	}
	if start, err := p.DeleteRecords(3); err != nil || start != 7 {
		t.Errorf("backwards: %d, %v", start, err)
	}
	if got := values(t, p, false); len(got) != 13 || got[0] != fmt.Sprintf("7:value %20d", 7) {
		t.Errorf("left: %v", got)
	}
	check := func(when string, fs vfs.FS) {
		t.Helper()
		l := mustOpen(t, small(fs))
		p := mustEnsure(t, l, "t", PartitionConfig{})
		if o := p.Offsets(); o.LogStart != 7 || o.End != 20 {
			t.Errorf("%s: %+v", when, o)
		}
		mustClose(t, l)
	}
	check("after a crash", fs.Crash(nil))
	if start, err := p.DeleteRecords(-1); err != nil || start != 20 {
		t.Errorf("to the high watermark: %d, %v", start, err)
	}
	mustClose(t, l)
	l = mustOpen(t, small(fs))
	p = mustEnsure(t, l, "t", PartitionConfig{})
	if o := p.Offsets(); o.LogStart != 20 || o.End != 20 {
		t.Errorf("after a restart: %+v", o)
	}
	mustClose(t, l)
}

func TestDeletedRecordsLeaveTheirProducers(t *testing.T) {
	fs := vfs.NewMem()
	cfg := PartitionConfig{SegmentBytes: 300}
	l := mustOpen(t, small(fs))
	p := mustEnsure(t, l, "t", cfg)
	s := newSender(3, 0, false)
	mustAppend(t, p, s.batch(t, "first"))
	mustClose(t, l) // takes a snapshot that knows of the first batch alone

	l = mustOpen(t, small(fs))
	p = mustEnsure(t, l, "t", cfg)
	second := s.batch(t, "second")
	at := mustAppend(t, p, second).BaseOffset
	for i := range 20 {
		mustAppend(t, p, batchOf(t, int64(i), fmt.Sprintf("value %20d", i)))
	}
	settled(t, l)
	if _, err := p.DeleteRecords(-1); err != nil {
		t.Fatal(err)
	}
	crashed := fs.Crash(nil)
	mustClose(t, l)

	l = mustOpen(t, small(crashed))
	p = mustEnsure(t, l, "t", cfg)
	if res := mustAppend(t, p, second); !res.Duplicate || res.BaseOffset != at {
		t.Errorf("the second batch sent again: %+v, want a duplicate of %d", res, at)
	}
	mustAppend(t, p, s.batch(t, "third"))
	mustClose(t, l)
}

func TestOffsetForTime(t *testing.T) {
	fs := vfs.NewMem()
	l, _ := clocked(t, fs)
	p := mustEnsure(t, l, "t", PartitionConfig{SegmentBytes: 300, IndexInterval: 64})
	if at, err := p.OffsetForTime(0); err != nil || at.Offset != -1 {
		t.Errorf("in an empty partition: %+v, %v", at, err)
	}
	if at, err := p.MaxTimestamp(); err != nil || at.Offset != -1 {
		t.Errorf("maximum of an empty partition: %+v, %v", at, err)
	}
	times := []int64{100, 300, 200, 500, 400, 900, 600}
	for _, ms := range times {
		mustAppend(t, p, batchOf(t, ms, "a", "b")) // at ms and ms+1
	}
	if _, err := wait(p.AppendControl(100, nil)); err != nil { // its time is now: far beyond the records'
		t.Fatal(err)
	}
	check := func(when string) {
		t.Helper()
		for _, c := range []struct{ ms, offset, at int64 }{
			{0, 0, 100}, {101, 1, 101}, {102, 2, 300}, {301, 3, 301}, {302, 6, 500}, {502, 10, 900}, {901, 11, 901}, {902, -1, -1},
		} {
			got, err := p.OffsetForTime(c.ms)
			if err != nil || got.Offset != c.offset || got.Timestamp != c.at {
				t.Errorf("%s: time %d: %+v, want offset %d; %v", when, c.ms, got, c.offset, err)
			}
		}
		if got, err := p.MaxTimestamp(); err != nil || got.Offset != 11 || got.Timestamp != 901 {
			t.Errorf("%s: maximum %+v, %v", when, got, err)
		}
	}
	check("in memory")
	if err := p.flush(); err != nil {
		t.Fatal(err)
	}
	check("in segments")
	mustClose(t, l)
	l = mustOpen(t, small(fs))
	p = mustEnsure(t, l, "t", PartitionConfig{SegmentBytes: 300, IndexInterval: 64})
	check("after a restart")
	if _, err := p.DeleteRecords(1); err != nil {
		t.Fatal(err)
	}
	if got, err := p.OffsetForTime(0); err != nil || got.Offset != 1 {
		t.Errorf("behind the log start: %+v, %v", got, err)
	}
	mustClose(t, l)
}

func TestEpochEnd(t *testing.T) {
	fs := vfs.NewMem()
	l, _ := clocked(t, fs)
	p := mustEnsure(t, l, "t", PartitionConfig{})
	for _, epoch := range []int32{2, 2, 5} {
		if _, err := wait(p.Append(AppendRequest{Data: batchOf(t, 1, "x"), LeaderEpoch: epoch})); err != nil {
			t.Fatal(err)
		}
	}
	mustClose(t, l)
	l, _ = clocked(t, fs)
	p = mustEnsure(t, l, "t", PartitionConfig{})
	for _, c := range []struct {
		ask, epoch int32
		end        int64
	}{{1, 1, 0}, {2, 2, 2}, {4, 2, 2}, {5, 5, 3}, {6, -1, -1}} {
		if epoch, end := p.EpochEnd(c.ask); epoch != c.epoch || end != c.end {
			t.Errorf("epoch %d ends: %d at %d, want %d at %d", c.ask, epoch, end, c.epoch, c.end)
		}
	}
	mustClose(t, l)
}

func TestProducersExpire(t *testing.T) {
	l, c := clocked(t, vfs.NewMem())
	defer mustClose(t, l)
	p := mustEnsure(t, l, "t", PartitionConfig{})
	mustAppend(t, p, newSender(1, 0, false).batch(t, "x"))
	mustAppend(t, p, newSender(2, 0, true).batch(t, "x"))
	c.Advance(25 * time.Hour)
	l.tend()
	if got := p.Producers(); len(got) != 1 || got[0].ProducerID != 2 {
		t.Errorf("remembered: %+v, want the one with an open transaction", got)
	}
}

func FuzzSnapshot(f *testing.F) {
	s := &snapshot{at: 9, logStart: 1, epochs: replica.Epochs{{Epoch: 1, Start: 0}, {Epoch: 2, Start: 5}}}
	b := record.NewBuilder(record.None)
	b.SetProducer(record.Producer{ID: 1})
	b.SetTransactional(true)
	b.Add(1, nil, nil)
	batch, _ := b.Finish()
	s.state.apply(batch, 3, -1, 77)
	s.state.aborted = []abortedTxn{{1, 2, 3}}
	f.Add(s.encode())
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := decodeSnapshot(data)
		if err != nil {
			return
		}
		again, err := decodeSnapshot(s.encode())
		if err != nil || again.at != s.at || len(again.state.byID) != len(s.state.byID) {
			t.Fatalf("does not survive a round trip: %v", err)
		}
	})
}

func TestSnapshotRoundTrip(t *testing.T) {
	s := &snapshot{at: 9, logStart: 1, epochs: replica.Epochs{{Epoch: 1, Start: 0}, {Epoch: 2, Start: 5}}}
	for i := range 3 {
		snd := newSender(int64(i), 1, i > 0)
		for j := range 7 {
			if err := s.state.apply(snd.batch(t, "x"), int64(10*i+j), -1, 77); err != nil {
				t.Fatal(err)
			}
		}
	}
	s.state.aborted = []abortedTxn{{1, 2, 3}, {4, 5, 6}}
	got, err := decodeSnapshot(s.encode())
	if err != nil || !reflect.DeepEqual(got, s) {
		t.Errorf("got %+v, %v\nwant %+v", got, err, s)
	}
}

// A log start that was told to a client does not move back after a crash, though checkpoints went on beside it and let the
// write-ahead log's record of it go.
func TestLogStartBesideCheckpoints(t *testing.T) {
	for round := range 60 {
		fs := vfs.NewMem()
		l := mustOpen(t, small(fs))
		var parts []*Partition
		for i := range 16 {
			p := mustEnsure(t, l, fmt.Sprintf("t%d", i), PartitionConfig{})
			for j := range 5 {
				mustAppend(t, p, batchOf(t, int64(j), value("v", j)))
			}
			parts = append(parts, p)
		}
		var deleting, all sync.WaitGroup
		for _, p := range parts {
			deleting.Go(func() {
				if _, err := p.DeleteRecords(3); err != nil {
					t.Error(err)
				}
			})
		}
		stop := make(chan struct{})
		for range 2 {
			all.Go(func() {
				for {
					select {
					case <-stop:
						return
					default:
					}
					if err := l.checkpoint(false); err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		deleting.Wait()
		next := fs.Crash(nil)
		close(stop)
		all.Wait()
		mustClose(t, l)
		l = mustOpen(t, small(next))
		for i := range parts {
			if o := mustEnsure(t, l, fmt.Sprintf("t%d", i), PartitionConfig{}).Offsets(); o.LogStart != 3 || o.End != 5 {
				t.Fatalf("round %d, partition %d: %+v", round, i, o)
			}
		}
		mustClose(t, l)
	}
}
