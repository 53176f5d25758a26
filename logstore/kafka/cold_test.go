package kafka

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/streamflow/streamflow/internal/vfs"
	"github.com/streamflow/streamflow/logstore"
	"github.com/streamflow/streamflow/logstore/tier"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// gate is a store whose data cannot be read while it is closed.
type gate struct {
	tier.Store
	open chan struct{}
}

func (g *gate) Get(ctx context.Context, key string, off, n int64) ([]byte, error) {
	if strings.Contains(key, "/data/") {
		select {
		case <-g.open:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return g.Store.Get(ctx, key, off, n)
}

// archive gives the node a cold tier, and a topic whose records are in it but for the last segment.
func archive(t *testing.T, n *node, topic string, records int, configs map[string]string) (*gate, *logstore.Partition) {
	t.Helper()
	dir := t.TempDir()
	g := &gate{Store: tier.NewDir(vfs.OS, dir+"/store"), open: make(chan struct{})}
	close(g.open)
	cold, err := tier.Open(tier.Options{Store: g, Dir: dir + "/local", Interval: -1, Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cold.Close() })
	n.broker.UseTier(cold)
	all := map[string]string{"remote.storage.enable": "true", "local.retention.ms": "0", "segment.bytes": "4096"}
	for k, v := range configs {
		all[k] = v
	}
	n.create(topic, 1, all)
	cl := n.client(kgo.DefaultProduceTopic(topic))
	for i := range records {
		r := &kgo.Record{Key: fmt.Appendf(nil, "k%d", i), Value: fmt.Appendf(nil, `{"id":%d}`, i), Timestamp: time.UnixMilli(int64(1_000 * (i + 1)))}
		if i%20 < 19 {
			cl.Produce(context.Background(), r, nil)
		} else if err := cl.ProduceSync(timeout(t, 5*time.Second), r).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	p, err := n.broker.Partition(topic, 0)
	if err != nil {
		t.Fatal(err)
	}
	for range 200 {
		if err := cold.Round(context.Background()); err != nil {
			t.Fatal(err)
		}
		if p.LocalStart() > int64(records/2) {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	if p.LocalStart() <= int64(records/2) {
		t.Fatalf("local start %d", p.LocalStart())
	}
	return g, p
}

// TestConsumeFromTheColdTier: a client sees one log, from its first record on.
func TestConsumeFromTheColdTier(t *testing.T) {
	for name, configs := range map[string]map[string]string{"raw": nil, "parquet": {"streamflow.schema": "id BIGINT"}} {
		t.Run(name, func(t *testing.T) {
			n := startNode(t)
			const records = 1000
			_, p := archive(t, n, "t", records, configs)
			cl := n.client(kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{"t": {0: kgo.NewOffset().AtStart()}}), kgo.FetchMaxPartitionBytes(3000))
			for i, r := range poll(t, cl, records) {
				if r.Offset != int64(i) || string(r.Value) != fmt.Sprintf(`{"id":%d}`, i) || string(r.Key) != fmt.Sprintf("k%d", i) {
					t.Fatalf("record %d is %d: %s", i, r.Offset, r.Value)
				}
			}
			adm, ctx := n.admin(), timeout(t, 5*time.Second)
			for ts, want := range map[int64]int64{-2: 0, -4: p.LocalStart(), -5: p.ArchivedTo() - 1, -6: p.ArchivedTo(), 5_000: 4, 5_001: 5, 1: 0, 900_000: 899} {
				if got := listed(t, n, "t", ts); got != want {
					t.Errorf("offset for %d is %d, want %d", ts, got, want)
				}
			}
			// Deleted records are out of range, in the tier too.
			if _, err := adm.DeleteRecords(ctx, kadm.Offsets{"t": {0: {Topic: "t", At: 300}}}); err != nil {
				t.Fatal(err)
			}
			if got := listed(t, n, "t", -2); got != 300 {
				t.Errorf("log start %d", got)
			}
			late := n.client(kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{"t": {0: kgo.NewOffset().At(10)}}), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
			if r := poll(t, late, 1)[0]; r.Offset != 300 {
				t.Errorf("first record %d", r.Offset)
			}
		})
	}
}

func listed(t *testing.T, n *node, topic string, ts int64) int64 {
	t.Helper()
	req := kmsg.NewPtrListOffsetsRequest()
	rt := kmsg.NewListOffsetsRequestTopic()
	rt.Topic = topic
	rp := kmsg.NewListOffsetsRequestTopicPartition()
	rp.Timestamp = ts
	rt.Partitions = append(rt.Partitions, rp)
	req.Topics = append(req.Topics, rt)
	resp, err := req.RequestWith(timeout(t, 5*time.Second), n.client())
	if err != nil {
		t.Fatal(err)
	}
	p := resp.Topics[0].Partitions[0]
	if p.ErrorCode != 0 {
		t.Fatalf("list offsets of %d: error %d", ts, p.ErrorCode)
	}
	return p.Offset
}

// TestSlowTierHoldsNobodyUp: what the tier has not brought yet is waited for beside the rest.
func TestSlowTierHoldsNobodyUp(t *testing.T) {
	n := startNode(t)
	g, _ := archive(t, n, "cold", 400, nil)
	n.create("hot", 1, nil)
	prod := n.client(kgo.DefaultProduceTopic("hot"))
	if err := prod.ProduceSync(timeout(t, 5*time.Second), &kgo.Record{Value: []byte("x")}).FirstErr(); err != nil {
		t.Fatal(err)
	}
	g.open = make(chan struct{})
	cl := n.client()
	fetch := func(wait time.Duration, topics ...string) map[string]kmsg.FetchResponseTopicPartition {
		t.Helper()
		req := kmsg.NewPtrFetchRequest()
		req.Version, req.MaxWaitMillis, req.MinBytes, req.MaxBytes = 12, int32(wait.Milliseconds()), 1, 1<<20
		for _, topic := range topics {
			rt := kmsg.NewFetchRequestTopic()
			rt.Topic = topic
			if meta, err := n.broker.Topic(topic); err == nil {
				rt.TopicID = meta.ID
			}
			rp := kmsg.NewFetchRequestTopicPartition()
			rp.PartitionMaxBytes = 1 << 20
			rt.Partitions = append(rt.Partitions, rp)
			req.Topics = append(req.Topics, rt)
		}
		kresp, err := cl.Broker(0).Request(timeout(t, 20*time.Second), req)
		if err != nil {
			t.Fatal(err)
		}
		out := map[string]kmsg.FetchResponseTopicPartition{}
		for i, rt := range kresp.(*kmsg.FetchResponse).Topics {
			out[topics[i]] = rt.Partitions[0]
		}
		return out
	}
	began := time.Now()
	got := fetch(10*time.Second, "cold", "hot")
	if p := got["hot"]; len(p.RecordBatches) == 0 || time.Since(began) > 5*time.Second {
		t.Errorf("the hot partition has %d bytes after %v", len(p.RecordBatches), time.Since(began))
	}
	if p := got["cold"]; p.ErrorCode != 0 || len(p.RecordBatches) != 0 || p.HighWatermark != 400 {
		t.Errorf("cold: error %d, %d bytes, high watermark %d", p.ErrorCode, len(p.RecordBatches), p.HighWatermark)
	}
	if p := fetch(100*time.Millisecond, "cold")["cold"]; p.ErrorCode != 0 || len(p.RecordBatches) != 0 {
		t.Errorf("cold: error %d, %d bytes", p.ErrorCode, len(p.RecordBatches))
	}
	time.AfterFunc(100*time.Millisecond, func() { close(g.open) })
	began = time.Now()
	if p := fetch(10*time.Second, "cold")["cold"]; len(p.RecordBatches) == 0 || time.Since(began) > 5*time.Second {
		t.Errorf("cold: %d bytes after %v", len(p.RecordBatches), time.Since(began))
	}
}
