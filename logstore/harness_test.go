package logstore

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"testing"
	"time"

	"github.com/streamflow/streamflow/internal/clock"
	"github.com/streamflow/streamflow/internal/vfs"
	"github.com/streamflow/streamflow/logstore/record"
)

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

// small makes everything happen early: files of 64 KiB, flushes at 4 KiB.
func small(fs vfs.FS) Options {
	return Options{
		Dir: "data", FS: fs, Logger: quiet, WALFileSize: 64 << 10, FlushBytes: 4 << 10, CheckpointFiles: 2,
		FlushInterval: 5 * time.Millisecond,
	}
}

func smallConfig() PartitionConfig {
	return PartitionConfig{SegmentBytes: 16 << 10, IndexInterval: 512}
}

func mustOpen(t testing.TB, o Options) *Log {
	t.Helper()
	l, err := Open(o)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	return l
}

func mustEnsure(t testing.TB, l *Log, topic string, cfg PartitionConfig) *Partition {
	t.Helper()
	p, err := l.EnsurePartition(TopicPartition{Topic: topic}, cfg)
	if err != nil {
		t.Fatalf("ensure %s: %v", topic, err)
	}
	return p
}

func mustClose(t testing.TB, l *Log) {
	t.Helper()
	if err := l.Close(); err != nil {
		t.Fatalf("close: %v", err)
	}
}

// batchOf makes a batch with a record for each value, whose timestamps count up from ts.
func batchOf(t testing.TB, ts int64, values ...string) record.Batch {
	t.Helper()
	b := record.NewBuilder(record.None)
	for i, v := range values {
		b.Add(ts+int64(i), nil, []byte(v))
	}
	return finish(t, b)
}

func finish(t testing.TB, b *record.Builder) record.Batch {
	t.Helper()
	out, err := b.Finish()
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// sent makes one-record batches of an idempotent producer.
type sender struct {
	b  *record.Builder
	ts int64
}

func newSender(id int64, epoch int16, txn bool) *sender {
	b := record.NewBuilder(record.None)
	b.SetProducer(record.Producer{ID: id, Epoch: epoch})
	b.SetTransactional(txn)
	return &sender{b: b}
}

func (s *sender) batch(t testing.TB, value string) record.Batch {
	s.ts++
	s.b.Add(s.ts, nil, []byte(value))
	return finish(t, s.b)
}

func mustAppend(t testing.TB, p *Partition, b []byte) AppendResult {
	t.Helper()
	res, err := wait(p.Append(AppendRequest{Data: b}))
	if err != nil {
		t.Fatalf("append: %v", err)
	}
	return res
}

func wait(p *Pending) (AppendResult, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	return p.Wait(ctx)
}

// values reads a partition to its end and lists "offset:value" of its data records.
func values(t testing.TB, p *Partition, committed bool) []string {
	t.Helper()
	var out []string
	at := p.Offsets().LogStart
	for {
		res, err := p.Read(at, 1<<20, committed)
		if err != nil {
			t.Fatalf("read at %d: %v", at, err)
		}
		if len(res.Data) == 0 {
			return out
		}
		aborted := map[int64]int64{}
		for _, a := range res.Aborted {
			if first, ok := aborted[a.ProducerID]; !ok || a.FirstOffset < first {
				aborted[a.ProducerID] = a.FirstOffset
			}
		}
		at = visible(t, res.Data, at, aborted, &out)
		res.Release()
	}
}

// visible adds the records of data from the offset at on, as a client would see them; next is where to read on.
func visible(t testing.TB, data []byte, at int64, aborted map[int64]int64, out *[]string) (next int64) {
	for len(data) > 0 {
		b, rest, err := record.Next(data)
		if err != nil {
			t.Fatalf("read: %v", err)
		}
		if err := b.Validate(); err != nil {
			t.Fatalf("read: %v", err)
		}
		data, next = rest, b.LastOffset()+1
		if b.Attributes().IsControl() {
			if typ, _, _ := b.Control(); typ == record.ControlAbort {
				delete(aborted, b.ProducerID())
			}
			continue
		}
		if first, ok := aborted[b.ProducerID()]; ok && b.Attributes().IsTransactional() && b.BaseOffset() >= first {
			continue
		}
		it := b.Records()
		for it.Next() {
			if it.Offset >= at {
				*out = append(*out, fmt.Sprintf("%d:%s", it.Offset, it.Value))
			}
		}
		if it.Err() != nil {
			t.Fatal(it.Err())
		}
	}
	return next
}

func startClock() *clock.Manual { return clock.NewManual(time.UnixMilli(1_700_000_000_000)) }
