package tier

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/internal/vfs"
	"github.com/streamflow/streamflow/logstore"
	"github.com/streamflow/streamflow/logstore/record"
)

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

// node is a log and its tier over files that a test can look at.
type node struct {
	t     testing.TB
	fs    *vfs.Mem // of the log
	dir   string   // of the tier
	store Store
	topic Topic
	cfg   logstore.PartitionConfig
	log   *logstore.Log
	tier  *Tier
	p     *logstore.Partition
}

func jsonTopic(t testing.TB) Topic {
	t.Helper()
	s, err := column.ParseDDL("id BIGINT, name STRING, at TIMESTAMP, price DOUBLE")
	if err != nil {
		t.Fatal(err)
	}
	return Topic{ID: uuid.New(), Name: "orders", Schema: s}
}

func rawTopic() Topic { return Topic{ID: uuid.New(), Name: "orders"} }

func newNode(t testing.TB, store Store, topic Topic) *node {
	t.Helper()
	n := &node{t: t, fs: vfs.NewMem(), dir: t.TempDir(), store: store, topic: topic,
		cfg: logstore.PartitionConfig{SegmentBytes: 8 << 10, IndexInterval: 512, LocalRetention: 1}}
	n.open()
	t.Cleanup(n.close)
	return n
}

func (n *node) open() {
	n.t.Helper()
	var err error
	n.log, err = logstore.Open(logstore.Options{Dir: "data", FS: n.fs, Logger: quiet, WALFileSize: 64 << 10, FlushBytes: 4 << 10, CheckpointFiles: 2, FlushInterval: 5 * time.Millisecond})
	if err != nil {
		n.t.Fatal(err)
	}
	if n.p, err = n.log.EnsurePartition(logstore.TopicPartition{Topic: n.topic.Name}, n.cfg); err != nil {
		n.t.Fatal(err)
	}
	if n.tier, err = Open(Options{Store: n.store, Dir: n.dir, Interval: -1, Logger: quiet}); err != nil {
		n.t.Fatal(err)
	}
	n.tier.Attach(n.p, n.topic)
}

func (n *node) close() {
	if n.tier != nil {
		if err := n.tier.Close(); err != nil {
			n.t.Error(err)
		}
		if err := n.log.Close(); err != nil {
			n.t.Error(err)
		}
		n.tier = nil
	}
}

// crash loses what was not synced of the log, and everything in memory.
func (n *node) crash() {
	n.t.Helper()
	left := n.fs.Crash(nil)
	n.close()
	n.fs = left
	n.open()
}

func (n *node) round() {
	n.t.Helper()
	if err := n.tier.Round(context.Background()); err != nil {
		n.t.Fatalf("round: %v", err)
	}
}

func (n *node) append(b record.Batch) {
	n.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if _, err := n.p.Append(logstore.AppendRequest{Data: b, LeaderEpoch: -1}).Wait(ctx); err != nil {
		n.t.Fatalf("append: %v", err)
	}
}

// fill appends count records in batches, numbered on from first.
func (n *node) fill(first, count int) {
	n.t.Helper()
	for i := first; i < first+count; {
		b := record.NewBuilder(record.None)
		for end := min(i+7, first+count); i < end; i++ {
			addOrder(b, i)
		}
		out, err := b.Finish()
		if err != nil {
			n.t.Fatal(err)
		}
		n.append(out)
	}
	n.settle()
}

// orderTime is a record's timestamp: rising, a record a second.
func orderTime(i int) int64 { return 1_700_000_000_000 + int64(i)*1000 }

func addOrder(b *record.Builder, i int) {
	key := []byte(fmt.Sprintf("key-%d", i%10))
	if i%5 == 0 {
		key = nil
	}
	b.Add(orderTime(i), key, []byte(order(i)), record.Header{Key: "h", Value: []byte{byte(i)}})
}

func order(i int) string {
	return fmt.Sprintf(`{"id": %d, "name": "customer number %d", "at": "2024-01-01T00:00:%02d", "price": %d.5}`, i, i%17, i%60, i)
}

// settle waits until everything is in segments.
func (n *node) settle() {
	n.t.Helper()
	o := n.p.Offsets()
	for range 2000 {
		if list := n.p.Segments(); len(list) > 0 && list[len(list)-1].Next == o.End {
			return
		}
		time.Sleep(2 * time.Millisecond)
	}
	n.t.Fatal("the segments do not catch up")
}

// batches reads everything from the log start, batch by batch.
func (n *node) batches(committed bool) []record.Batch {
	n.t.Helper()
	return readBatches(n.t, n.p, n.p.Offsets().LogStart, committed)
}

func readBatches(t testing.TB, p *logstore.Partition, from int64, committed bool) (list []record.Batch) {
	t.Helper()
	for {
		res, err := p.ReadWait(context.Background(), from, 1<<20, committed)
		if err != nil {
			t.Fatalf("read at %d: %v", from, err)
		}
		if len(res.Data) == 0 {
			return list
		}
		for rest := slices.Clone(res.Data); len(rest) > 0; {
			var b record.Batch
			if b, rest, err = record.Next(rest); err != nil {
				t.Fatal(err)
			}
			list, from = append(list, b), b.LastOffset()+1
		}
		res.Release()
	}
}

// values lists "offset:id" of all records.
func values(t testing.TB, list []record.Batch) (out []string) {
	t.Helper()
	for _, b := range list {
		if b.Attributes().IsControl() {
			continue
		}
		it := b.Records()
		for it.Next() {
			id, _, _ := strings.Cut(string(it.Value), ",")
			out = append(out, fmt.Sprintf("%d:%s", it.Offset, id))
		}
		if it.Err() != nil {
			t.Fatal(it.Err())
		}
	}
	return out
}

// memStore is a store in memory, for tests that count and break calls.
type memStore struct {
	mu   sync.Mutex
	objs map[string][]byte
}

func newMemStore() *memStore { return &memStore{objs: map[string][]byte{}} }

func (m *memStore) Put(_ context.Context, key string, b Body) error {
	data := make([]byte, b.Size)
	if n, err := b.ReadAt(data, 0); n < len(data) {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.objs[key] = data
	return nil
}

func (m *memStore) Get(_ context.Context, key string, off, n int64) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	b, ok := m.objs[key]
	switch {
	case !ok:
		return nil, fmt.Errorf("%w: %s", ErrNotFound, key)
	case off+n > int64(len(b)):
		return nil, io.ErrUnexpectedEOF
	}
	return slices.Clone(b[off : off+n]), nil
}

func (m *memStore) List(_ context.Context, prefix string) (list []Info, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for k, b := range m.objs {
		if strings.HasPrefix(k, prefix) {
			list = append(list, Info{k, int64(len(b))})
		}
	}
	slices.SortFunc(list, func(a, b Info) int { return strings.Compare(a.Key, b.Key) })
	return list, nil
}

func (m *memStore) Delete(_ context.Context, key string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.objs, key)
	return nil
}

func (m *memStore) keys(kind string) (list []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for k := range m.objs {
		if strings.Contains(k, "/"+kind+"/") {
			list = append(list, path.Base(k))
		}
	}
	slices.Sort(list)
	return list
}

// lastOffset is the last offset in data.
func lastOffset(t testing.TB, data []byte) (last int64) {
	t.Helper()
	for len(data) > 0 {
		b, rest, err := record.Next(data)
		if err != nil {
			t.Fatal(err)
		}
		last, data = b.LastOffset(), rest
	}
	return last
}
