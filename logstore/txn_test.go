package logstore

import (
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/streamflow/streamflow/internal/vfs"
	"github.com/streamflow/streamflow/logstore/record"
)

func TestIdempotentProducer(t *testing.T) {
	fs := vfs.NewMem()
	l := mustOpen(t, small(fs))
	p := mustEnsure(t, l, "t", smallConfig())
	s := newSender(7, 0, false)
	var sent []record.Batch
	for i := range 8 {
		b := s.batch(t, string(rune('a'+i)))
		sent = append(sent, b)
		if res := mustAppend(t, p, b); res.BaseOffset != int64(i) || res.Duplicate {
			t.Fatalf("batch %d: %+v", i, res)
		}
	}
	check := func(when string) {
		t.Helper()
		for i, b := range sent {
			res, err := wait(p.Append(AppendRequest{Data: b}))
			if i < 3 {
				if !errors.Is(err, ErrDuplicateSequence) {
					t.Errorf("%s: repeat of batch %d, beyond the last five: %v", when, i, err)
				}
				continue
			}
			if err != nil || !res.Duplicate || res.BaseOffset != int64(i) || res.LastOffset != int64(i) {
				t.Errorf("%s: repeat of batch %d: %+v, %v", when, i, res, err)
			}
		}
		gap := newSender(7, 0, false)
		gap.b.SetProducer(record.Producer{ID: 7, Sequence: 10})
		if _, err := wait(p.Append(AppendRequest{Data: gap.batch(t, "x")})); !errors.Is(err, ErrOutOfOrderSequence) {
			t.Errorf("%s: a gap: %v", when, err)
		}
		if end := p.Offsets().End; end != 8 {
			t.Errorf("%s: end is %d: something was appended", when, end)
		}
	}
	check("live")
	for i, restart := range []func() *vfs.Mem{
		func() *vfs.Mem { return fs.Crash(nil) },
		func() *vfs.Mem { mustClose(t, l); return fs },
	} {
		crashed := restart()
		l = mustOpen(t, small(crashed))
		p = mustEnsure(t, l, "t", smallConfig())
		check([]string{"after a crash", "after a restart"}[i])
		if i == 0 {
			mustClose(t, l)
			fs = crashed
			l = mustOpen(t, small(fs))
		}
	}
	next := newSender(7, 1, false)
	mustAppend(t, p, next.batch(t, "new epoch"))
	if _, err := wait(p.Append(AppendRequest{Data: sent[7]})); !errors.Is(err, ErrInvalidProducerEpoch) {
		t.Errorf("old epoch: %v", err)
	}
	late := newSender(7, 2, false)
	late.b.SetProducer(record.Producer{ID: 7, Epoch: 2, Sequence: 3})
	if _, err := wait(p.Append(AppendRequest{Data: late.batch(t, "x")})); !errors.Is(err, ErrOutOfOrderSequence) {
		t.Errorf("new epoch that begins with sequence 3: %v", err)
	}
	mustClose(t, l)
}

func TestSequenceWraps(t *testing.T) {
	l := mustOpen(t, small(vfs.NewMem()))
	defer mustClose(t, l)
	p := mustEnsure(t, l, "t", smallConfig())
	s := newSender(7, 0, false)
	s.b.SetProducer(record.Producer{ID: 7, Sequence: 1<<31 - 2})
	for range 4 {
		mustAppend(t, p, s.batch(t, "x"))
	}
	if got := p.Producers()[0].LastSequence; got != 1 {
		t.Errorf("last sequence %d, want 1", got)
	}
}

func TestTransactions(t *testing.T) {
	fs := vfs.NewMem()
	l := mustOpen(t, small(fs))
	p := mustEnsure(t, l, "t", smallConfig())
	commits, aborts := newSender(1, 0, true), newSender(2, 0, true)
	mustAppend(t, p, batchOf(t, 1, "plain"))       // 0
	mustAppend(t, p, commits.batch(t, "c1"))       // 1
	mustAppend(t, p, aborts.batch(t, "a1"))        // 2
	mustAppend(t, p, commits.batch(t, "c2"))       // 3
	mustAppend(t, p, batchOf(t, 1, "plain again")) // 4
	if o := p.Offsets(); o.LastStable != 1 || o.HighWatermark != 5 {
		t.Fatalf("with two open transactions: %+v", o)
	}
	if got := values(t, p, true); !reflect.DeepEqual(got, []string{"0:plain"}) {
		t.Errorf("committed read sees %v", got)
	}
	changed := p.Changed()
	if err := p.EndTxn(1, 0, true); err != nil {
		t.Fatal(err)
	}
	select {
	case <-changed:
	default:
		t.Error("a commit does not wake readers at once")
	}
	if o := p.Offsets(); o.LastStable != 2 {
		t.Errorf("with one open transaction: %+v", o)
	}
	if open := p.OpenTxns(); len(open) != 1 || open[0].ProducerID != 2 || open[0].FirstOffset != 2 {
		t.Errorf("open transactions %+v", open)
	}
	if err := p.EndTxn(2, 0, false); err != nil {
		t.Fatal(err)
	}
	if o := p.Offsets(); o.LastStable < 5 {
		t.Errorf("with no open transaction: %+v: it waits for the marker's fsync", o)
	}
	mustAppend(t, p, batchOf(t, 1, "last")) // 7
	want := []string{"0:plain", "1:c1", "3:c2", "4:plain again", "7:last"}
	if got := values(t, p, true); !reflect.DeepEqual(got, want) {
		t.Errorf("committed read sees %v", got)
	}
	if got := values(t, p, false); len(got) != 6 {
		t.Errorf("uncommitted read sees %v", got)
	}
	if err := p.EndTxn(1, 0, true); err != nil || p.Offsets().End != 8 {
		t.Errorf("ending a transaction twice: %v, end %d", err, p.Offsets().End)
	}
	crashed := mustOpen(t, small(fs.Crash(nil)))
	if got := values(t, mustEnsure(t, crashed, "t", smallConfig()), true); !reflect.DeepEqual(got, want) {
		t.Errorf("after a crash, committed read sees %v", got)
	}
	mustClose(t, crashed)
	mustClose(t, l)
	l = mustOpen(t, small(fs))
	p = mustEnsure(t, l, "t", smallConfig())
	if got := values(t, p, true); !reflect.DeepEqual(got, want) {
		t.Errorf("after a restart, committed read sees %v", got)
	}
	mustClose(t, l)
}

func TestTransactionFencing(t *testing.T) {
	fs := vfs.NewMem()
	l := mustOpen(t, small(fs))
	p := mustEnsure(t, l, "t", smallConfig())
	old := newSender(1, 3, true)
	mustAppend(t, p, old.batch(t, "old"))
	if _, err := wait(p.Append(AppendRequest{Data: newSender(1, 3, false).batch(t, "x")})); !errors.Is(err, ErrInvalidTxnState) {
		t.Errorf("plain batch inside a transaction: %v", err)
	}
	if err := p.EndTxn(1, 2, false); !errors.Is(err, ErrInvalidProducerEpoch) {
		t.Errorf("marker of an old epoch: %v", err)
	}
	if err := p.EndTxn(1, 4, false); err != nil {
		t.Fatal(err)
	}
	if _, err := wait(p.Append(AppendRequest{Data: old.batch(t, "zombie")})); !errors.Is(err, ErrInvalidProducerEpoch) {
		t.Errorf("batch of a fenced epoch: %v", err)
	}
	mustAppend(t, p, newSender(1, 4, true).batch(t, "new"))
	mustClose(t, l)
	l = mustOpen(t, small(fs))
	p = mustEnsure(t, l, "t", smallConfig())
	if open := p.OpenTxns(); len(open) != 1 || open[0].Epoch != 4 || open[0].FirstOffset != 2 {
		t.Errorf("after a restart: open transactions %+v", open)
	}
	if o := p.Offsets(); o.LastStable != 2 {
		t.Errorf("after a restart: %+v", o)
	}
	mustClose(t, l)
}

func TestControlRecords(t *testing.T) {
	l := mustOpen(t, small(vfs.NewMem()))
	defer mustClose(t, l)
	p := mustEnsure(t, l, "t", PartitionConfig{Sealed: true})
	res, err := wait(p.AppendControl(int16(record.ControlIdle), []byte("mark")))
	if err != nil || res.BaseOffset != 0 {
		t.Fatalf("%+v, %v", res, err)
	}
	if _, err := wait(p.AppendControl(1, nil)); !errors.Is(err, ErrInvalidRecord) {
		t.Errorf("a commit marker by hand: %v", err)
	}
	got, err := p.Read(0, 1<<20, true)
	if err != nil {
		t.Fatal(err)
	}
	typ, value, err := record.Batch(got.Data).Control()
	if err != nil || typ != record.ControlIdle || string(value) != "mark" {
		t.Errorf("control record %d %q, %v", typ, value, err)
	}
}

// A marker goes to disk when something else does. Sync sends it at once, under every policy.
func TestSyncKeepsMarkers(t *testing.T) {
	for _, policy := range []SyncPolicy{SyncPerBatch, SyncPerWrite, SyncAsync} {
		fs := vfs.NewMem()
		o := small(fs)
		o.Sync, o.SyncInterval = policy, time.Hour
		l := mustOpen(t, o)
		p := mustEnsure(t, l, "t", smallConfig())
		mustAppend(t, p, newSender(1, 0, true).batch(t, "committed"))
		if err := p.EndTxn(1, 0, true); err != nil {
			t.Fatal(err)
		}
		if err := l.Sync(); err != nil {
			t.Fatal(err)
		}
		crashed := mustOpen(t, small(fs.Crash(nil)))
		if got := values(t, mustEnsure(t, crashed, "t", smallConfig()), true); !reflect.DeepEqual(got, []string{"0:committed"}) {
			t.Errorf("%s: after a crash, committed read sees %v", policy, got)
		}
		mustClose(t, crashed)
		mustClose(t, l)
		if err := l.Sync(); !errors.Is(err, ErrClosed) {
			t.Errorf("%s: sync of a closed log: %v", policy, err)
		}
	}
}
