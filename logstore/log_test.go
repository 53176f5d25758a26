package logstore

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/internal/vfs"
	"github.com/streamflow/streamflow/logstore/record"
)

func TestAppendReadRestart(t *testing.T) {
	fs := vfs.NewMem()
	l := mustOpen(t, small(fs))
	p := mustEnsure(t, l, "t", smallConfig())
	var want []string
	for i := range 500 {
		v := fmt.Sprintf("value-%d-%s", i, strings.Repeat("x", i%97))
		res := mustAppend(t, p, batchOf(t, int64(i), v, v))
		if res.BaseOffset != int64(2*i) || res.LastOffset != int64(2*i+1) {
			t.Fatalf("append %d went to %d-%d", i, res.BaseOffset, res.LastOffset)
		}
		want = append(want, fmt.Sprintf("%d:%s", 2*i, v), fmt.Sprintf("%d:%s", 2*i+1, v))
	}
	if got := values(t, p, false); !reflect.DeepEqual(got, want) {
		t.Fatalf("read %d records, want %d", len(got), len(want))
	}
	if err := p.flush(); err != nil {
		t.Fatal(err)
	}
	if n := len(p.segments); n < 3 {
		t.Errorf("%d segments, want several", n)
	}
	for range 3 {
		mustClose(t, l)
		l = mustOpen(t, small(fs))
		p = mustEnsure(t, l, "t", smallConfig())
		if got := values(t, p, false); !reflect.DeepEqual(got, want) {
			t.Fatalf("after a restart: read %d records, want %d", len(got), len(want))
		}
	}
	if o := p.Offsets(); o != (Offsets{LogStart: 0, LastStable: 1000, HighWatermark: 1000, End: 1000}) {
		t.Errorf("offsets %+v", o)
	}
	mustClose(t, l)
	if used := fs.Used(); used > 1<<20 {
		t.Errorf("%d bytes on disk: write-ahead log files were not freed", used)
	}
}

func TestReadBorders(t *testing.T) {
	l := mustOpen(t, small(vfs.NewMem()))
	defer mustClose(t, l)
	p := mustEnsure(t, l, "t", smallConfig())
	mustAppend(t, p, batchOf(t, 1, "a", "b", "c"))
	mustAppend(t, p, batchOf(t, 1, "d"))
	for _, flushed := range []bool{false, true} {
		if flushed {
			if err := p.flush(); err != nil {
				t.Fatal(err)
			}
		}
		res, err := p.Read(1, 1, false)
		if err != nil {
			t.Fatal(err)
		}
		if b := record.Batch(res.Data); b.BaseOffset() != 0 || b.Count() != 3 || len(b.Payload())+record.HeaderSize != len(res.Data) {
			t.Errorf("flushed=%v: a read of offset 1 with one byte gives %d bytes from %d", flushed, len(res.Data), b.BaseOffset())
		}
		if res, err = p.Read(4, 1<<20, false); err != nil || len(res.Data) != 0 || res.HighWatermark != 4 {
			t.Errorf("flushed=%v: read at the end: %d bytes, high watermark %d, %v", flushed, len(res.Data), res.HighWatermark, err)
		}
		for _, at := range []int64{-1, 5} {
			if _, err := p.Read(at, 1<<20, false); !errors.Is(err, ErrOffsetOutOfRange) {
				t.Errorf("flushed=%v: read at %d: %v", flushed, at, err)
			}
		}
	}
}

func TestChangedWakesReaders(t *testing.T) {
	l := mustOpen(t, small(vfs.NewMem()))
	p := mustEnsure(t, l, "t", smallConfig())
	changed := p.Changed()
	select {
	case <-changed:
		t.Fatal("closed before anything happened")
	default:
	}
	p.Append(AppendRequest{Data: batchOf(t, 1, "a")})
	select {
	case <-changed:
	case <-time.After(10 * time.Second):
		t.Fatal("an append did not wake")
	}
	if hw := p.Offsets().HighWatermark; hw != 1 {
		t.Errorf("woken with high watermark %d", hw)
	}
	changed = p.Changed()
	mustClose(t, l)
	select {
	case <-changed:
	default:
		t.Error("close did not wake")
	}
	if _, err := p.Read(0, 1, false); !errors.Is(err, ErrClosed) {
		t.Errorf("read after close: %v", err)
	}
	if _, err := wait(p.Append(AppendRequest{Data: batchOf(t, 1, "a")})); !errors.Is(err, ErrClosed) {
		t.Errorf("append after close: %v", err)
	}
}

func TestRefusedBatches(t *testing.T) {
	l := mustOpen(t, small(vfs.NewMem()))
	defer mustClose(t, l)
	p := mustEnsure(t, l, "t", PartitionConfig{MaxBatchBytes: 200})
	good := batchOf(t, 1, "hello")
	edit := func(f func(b record.Batch)) record.Batch {
		b := append(record.Batch(nil), good...)
		f(b)
		return b
	}
	count2 := edit(func(b record.Batch) { b[60] = 2; b.Seal() })
	keyed := mustEnsure(t, l, "keyed", PartitionConfig{RequireKeys: true})
	for _, c := range []struct {
		name string
		p    *Partition
		data []byte
		want error
	}{
		{"empty", p, nil, ErrCorruptMessage},
		{"short", p, good[:40], ErrCorruptMessage},
		{"cut", p, good[:len(good)-1], ErrCorruptMessage},
		{"flipped bit", p, edit(func(b record.Batch) { b[len(b)-1] ^= 1 }), ErrCorruptMessage},
		{"magic 1", p, edit(func(b record.Batch) { b[16] = 1 }), ErrCorruptMessage},
		{"two batches", p, append(append([]byte(nil), good...), good...), ErrInvalidRecord},
		{"count and delta disagree", p, count2, ErrCorruptMessage},
		{"codec 6", p, edit(func(b record.Batch) { b[22] = 6; b.Seal() }), ErrUnsupportedCodec},
		{"control", p, record.AppendMarker(nil, record.ControlCommit, 1, 0, 0, 1), ErrInvalidRecord},
		{"too large", p, batchOf(t, 1, strings.Repeat("x", 300)), ErrMessageTooLarge},
		{"no key", keyed, good, ErrInvalidRecord},
	} {
		if _, err := wait(c.p.Append(AppendRequest{Data: c.data})); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", c.name, err, c.want)
		}
	}
	var bad *InvalidRecordError
	if _, err := wait(keyed.Append(AppendRequest{Data: good})); !errors.As(err, &bad) || bad.Index != 0 {
		t.Errorf("no key: %v does not name the record", err)
	}
	if o := p.Offsets(); o.End != 0 {
		t.Errorf("refused batches took offsets: %+v", o)
	}
	p.SetConfig(PartitionConfig{Sealed: true})
	if _, err := wait(p.Append(AppendRequest{Data: good})); !errors.Is(err, ErrSealed) {
		t.Errorf("sealed: %v", err)
	}
}

func TestLogAppendTime(t *testing.T) {
	c := startClock()
	o := small(vfs.NewMem())
	o.Clock = c
	l := mustOpen(t, o)
	defer mustClose(t, l)
	p := mustEnsure(t, l, "t", PartitionConfig{LogAppendTime: true})
	res := mustAppend(t, p, batchOf(t, 5, "a"))
	if res.AppendTime != c.Now().UnixMilli() {
		t.Errorf("append time %d", res.AppendTime)
	}
	got, err := p.Read(0, 1<<20, false)
	if err != nil {
		t.Fatal(err)
	}
	it := record.Batch(got.Data).Records()
	if !it.Next() || it.Timestamp != res.AppendTime || !record.Batch(got.Data).CheckCRC() {
		t.Errorf("record has timestamp %d", it.Timestamp)
	}
}

func TestDataDirLocked(t *testing.T) {
	dir := t.TempDir()
	l := mustOpen(t, Options{Dir: dir, Logger: quiet, WALFileSize: 1 << 20})
	_, err := Open(Options{Dir: dir, Logger: quiet})
	if e, ok := usererr.As(err); !ok || e.Code != "DATA_DIR_LOCKED" {
		t.Errorf("second open: %v", err)
	}
	mustClose(t, l)
	mustClose(t, mustOpen(t, Options{Dir: dir, Logger: quiet, WALFileSize: 1 << 20}))
}

func TestDeleteTopic(t *testing.T) {
	fs := vfs.NewMem()
	l := mustOpen(t, small(fs))
	p := mustEnsure(t, l, "t", smallConfig())
	other := mustEnsure(t, l, "other", smallConfig())
	mustAppend(t, p, batchOf(t, 1, "old", "old"))
	mustAppend(t, other, batchOf(t, 1, "kept"))
	if err := l.DeleteTopic("t"); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Read(0, 1, false); !errors.Is(err, ErrUnknownPartition) {
		t.Errorf("read after delete: %v", err)
	}
	if _, err := wait(p.Append(AppendRequest{Data: batchOf(t, 1, "x")})); !errors.Is(err, ErrUnknownPartition) {
		t.Errorf("append after delete: %v", err)
	}
	if err := l.DeleteTopic("t"); !errors.Is(err, ErrUnknownPartition) {
		t.Errorf("second delete: %v", err)
	}
	p = mustEnsure(t, l, "t", smallConfig())
	mustAppend(t, p, batchOf(t, 1, "new"))
	check := func(when string, l *Log) {
		t.Helper()
		if got := values(t, mustEnsure(t, l, "t", smallConfig()), false); !reflect.DeepEqual(got, []string{"0:new"}) {
			t.Errorf("%s: the new topic has %v", when, got)
		}
		if got := values(t, mustEnsure(t, l, "other", smallConfig()), false); !reflect.DeepEqual(got, []string{"0:kept"}) {
			t.Errorf("%s: the other topic has %v", when, got)
		}
	}
	check("live", l)
	crashed := mustOpen(t, small(fs.Crash(nil)))
	check("after a crash", crashed)
	mustClose(t, crashed)
	mustClose(t, l)
	l = mustOpen(t, small(fs))
	check("after a restart", l)
	mustClose(t, l)
}

func TestPartitionNames(t *testing.T) {
	l := mustOpen(t, small(vfs.NewMem()))
	defer mustClose(t, l)
	for _, topic := range []string{"", ".", "..", "a/b", "ä", strings.Repeat("x", 250)} {
		if _, err := l.EnsurePartition(TopicPartition{Topic: topic}, PartitionConfig{}); !errors.Is(err, ErrInvalidTopic) {
			t.Errorf("topic %q: %v", topic, err)
		}
	}
	for _, tp := range []TopicPartition{{"b", 10}, {"b", 9}, {"a.x_-", 0}} {
		if _, err := l.EnsurePartition(tp, PartitionConfig{}); err != nil {
			t.Fatal(err)
		}
	}
	got, err := l.Partitions()
	if want := []TopicPartition{{"a.x_-", 0}, {"b", 9}, {"b", 10}}; err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("partitions %v, %v", got, err)
	}
}
