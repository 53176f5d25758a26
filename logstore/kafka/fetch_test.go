package kafka

import (
	"context"
	"encoding/binary"
	"fmt"
	"testing"
	"time"

	"github.com/streamflow/streamflow/logstore/broker"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

func fill(t *testing.T, n *node, topic string, records int) {
	t.Helper()
	n.create(topic, 1, nil)
	cl := n.client(kgo.DefaultProduceTopic(topic))
	for i := range records {
		r := &kgo.Record{Value: fmt.Appendf(nil, "%d", i), Timestamp: time.UnixMilli(int64(1_000 * (i + 1)))}
		if err := cl.ProduceSync(timeout(t, 5*time.Second), r).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestConsumeFromAnyOffsetAndTime(t *testing.T) {
	n := startNode(t)
	fill(t, n, "t", 20)
	for _, c := range []struct {
		name string
		at   kgo.Offset
		want string
	}{
		{"start", kgo.NewOffset().AtStart(), "0"},
		{"offset", kgo.NewOffset().At(7), "7"},
		{"time of a record", kgo.NewOffset().AfterMilli(5_000), "4"},
		{"time between records", kgo.NewOffset().AfterMilli(5_001), "5"},
		{"time before all", kgo.NewOffset().AfterMilli(1), "0"},
		{"before the end", kgo.NewOffset().AtEnd().Relative(-3), "17"},
		{"out of range starts over", kgo.NewOffset().At(1_000), "0"},
	} {
		cl := n.client(kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{"t": {0: c.at}}), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
		if got := string(poll(t, cl, 1)[0].Value); got != c.want {
			t.Errorf("%s: first record %s, want %s", c.name, got, c.want)
		}
		cl.Close()
	}
}

func TestListOffsets(t *testing.T) {
	n := startNode(t)
	fill(t, n, "t", 5)
	adm := n.admin()
	ctx := timeout(t, 5*time.Second)
	check := func(what string, got kadmOffsets, err error, offset, ts int64) {
		t.Helper()
		o := got["t"][0]
		if err != nil || o.Err != nil || o.Offset != offset || o.Timestamp != ts {
			t.Errorf("%s: %+v %v, want offset %d timestamp %d", what, o, err, offset, ts)
		}
	}
	start, err := adm.ListStartOffsets(ctx, "t")
	check("start", kadmOffsets(start), err, 0, -1)
	end, err := adm.ListEndOffsets(ctx, "t")
	check("end", kadmOffsets(end), err, 5, -1)
	after, err := adm.ListOffsetsAfterMilli(ctx, 2_500, "t")
	check("after 2.5 s", kadmOffsets(after), err, 2, 3_000)
	late, err := adm.ListMaxTimestampOffsets(ctx, "t")
	check("greatest time", kadmOffsets(late), err, 4, 5_000)
}

func TestLongPollIsWokenByData(t *testing.T) {
	n := startNode(t)
	n.create("t", 3, nil)
	cl := n.client(kgo.ConsumeTopics("t"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchMaxWait(20*time.Second))
	got := make(chan time.Time, 1)
	go func() {
		cl.PollFetches(context.Background())
		got <- time.Now()
	}()
	time.Sleep(300 * time.Millisecond) // the fetch waits now
	start := time.Now()
	if err := n.client().ProduceSync(timeout(t, 5*time.Second), &kgo.Record{Topic: "t", Partition: 2, Value: []byte("x")}).FirstErr(); err != nil {
		t.Fatal(err)
	}
	select {
	case at := <-got:
		if d := at.Sub(start); d > time.Second {
			t.Errorf("woken after %v", d)
		}
	case <-time.After(5 * time.Second):
		t.Error("not woken")
	}
}

// fetchRaw asks for partition 0 of topics from their offsets.
func fetchRaw(t *testing.T, cl *kgo.Client, change func(*kmsg.FetchRequest), from map[string]int64, names ...string) *kmsg.FetchResponse {
	t.Helper()
	req := kmsg.NewPtrFetchRequest()
	req.MaxWaitMillis, req.MinBytes, req.MaxBytes, req.ReplicaID = 0, 1, 1<<20, -1
	for _, name := range names {
		ft := kmsg.NewFetchRequestTopic()
		ft.Topic = name
		fp := kmsg.NewFetchRequestTopicPartition()
		fp.FetchOffset, fp.PartitionMaxBytes, fp.CurrentLeaderEpoch = from[name], 1<<20, -1
		ft.Partitions = append(ft.Partitions, fp)
		req.Topics = append(req.Topics, ft)
	}
	if change != nil {
		change(req)
	}
	resp, err := cl.Broker(0).Request(timeout(t, 5*time.Second), req)
	if err != nil {
		t.Fatal(err)
	}
	return resp.(*kmsg.FetchResponse)
}

func TestFetchBounds(t *testing.T) {
	n := startNode(t)
	fill(t, n, "a", 10)
	fill(t, n, "b", 10)
	cl := n.client(kgo.MaxVersions(versionsUpTo(1, 12))) // by name
	size := len(fetchRaw(t, cl, nil, map[string]int64{"a": 9}, "a").Topics[0].Partitions[0].RecordBatches)
	tiny := fetchRaw(t, cl, func(r *kmsg.FetchRequest) { r.MaxBytes = 1 }, nil, "a", "b")
	if a, b := tiny.Topics[0].Partitions[0], tiny.Topics[1].Partitions[0]; len(a.RecordBatches) == 0 || len(a.RecordBatches) > 2*size || len(b.RecordBatches) != 0 {
		t.Errorf("one byte allowed: %d and %d bytes came; want one batch of the first", len(a.RecordBatches), len(b.RecordBatches))
	}
	two := fetchRaw(t, cl, func(r *kmsg.FetchRequest) { r.Topics[0].Partitions[0].PartitionMaxBytes = int32(3 * size) }, nil, "a", "b")
	if a, b := two.Topics[0].Partitions[0], two.Topics[1].Partitions[0]; len(a.RecordBatches) > 3*size || len(b.RecordBatches) < 9*size {
		t.Errorf("partition bound: %d and %d bytes, a batch has %d", len(a.RecordBatches), len(b.RecordBatches), size)
	}
	p := fetchRaw(t, cl, nil, map[string]int64{"a": 99}, "a").Topics[0].Partitions[0]
	if p.ErrorCode != kerr.OffsetOutOfRange.Code {
		t.Errorf("offset 99: %v", kerr.ErrorForCode(p.ErrorCode))
	}
	p = fetchRaw(t, cl, nil, map[string]int64{"a": 10}, "a").Topics[0].Partitions[0]
	if p.ErrorCode != 0 || p.HighWatermark != 10 || p.LastStableOffset != 10 || p.LogStartOffset != 0 || len(p.RecordBatches) != 0 {
		t.Errorf("at the end: %+v", p)
	}
	start := time.Now()
	fetchRaw(t, cl, func(r *kmsg.FetchRequest) { r.MaxWaitMillis = 200 }, map[string]int64{"a": 10, "b": 10}, "a", "b")
	if d := time.Since(start); d < 190*time.Millisecond || d > 2*time.Second {
		t.Errorf("waited %v for nothing, want 200 ms", d)
	}
	if p := fetchRaw(t, cl, nil, nil, "missing").Topics[0].Partitions[0]; p.ErrorCode != kerr.UnknownTopicOrPartition.Code {
		t.Errorf("missing topic: %v", kerr.ErrorForCode(p.ErrorCode))
	}
}

// TestFetchEveryVersion decodes the hand-written response with kmsg.
func TestFetchEveryVersion(t *testing.T) {
	n := startNode(t)
	fill(t, n, "t", 3)
	topic, _ := n.broker.Topic("t")
	for v := int16(4); v <= 17; v++ {
		cl := n.client(kgo.MaxVersions(versionsUpTo(1, v)))
		resp := fetchRaw(t, cl, func(r *kmsg.FetchRequest) {
			r.Topics[0].TopicID = topic.ID
			r.IsolationLevel = int8(v % 2)
		}, nil, "t")
		if resp.Version != v {
			t.Fatalf("version %d answered as %d", v, resp.Version)
		}
		p := resp.Topics[0].Partitions[0]
		if p.HighWatermark != 3 || len(p.RecordBatches) == 0 || v >= 13 && resp.Topics[0].TopicID != topic.ID {
			t.Errorf("version %d: %+v", v, resp.Topics[0])
		}
		cl.Close()
	}
}

// upper is a converter that makes a row of the payload's bytes.
type upper struct{}

func (upper) ConvertArrow(dst []byte, topic *broker.Topic, batch []byte) ([]byte, error) {
	b := recordBatch(-1, -1, -1, 0, fmt.Sprintf(`{"topic":%q,"bytes":%d}`, topic.Name, len(batch)-batchHeaderBytes))
	binary.BigEndian.PutUint64(b, binary.BigEndian.Uint64(batch))
	return append(dst, b...), nil
}

func TestArrowBatchesAreFetchedAsRows(t *testing.T) {
	n := startNode(t, func(o *Options) { o.Rows = upper{} })
	n.create("cols", 1, map[string]string{"streamflow.format": "arrow", "streamflow.schema": "n INT"})
	cl := n.client()
	if r := produceRaw(t, cl, "cols", recordBatch(-1, -1, -1, 0, "plain")); r.ErrorCode != 0 {
		t.Fatal(kerr.ErrorForCode(r.ErrorCode))
	}
	if r := produceRaw(t, cl, "cols", recordBatch(-1, -1, -1, attrArrow, "columns")); r.ErrorCode != 0 {
		t.Fatal(kerr.ErrorForCode(r.ErrorCode))
	}
	got := poll(t, n.client(kgo.ConsumeTopics("cols"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart())), 2)
	if string(got[0].Value) != "plain" || got[1].Offset != 1 || string(got[1].Value[:15]) != `{"topic":"cols"` {
		t.Errorf("%s, %d %s", got[0].Value, got[1].Offset, got[1].Value)
	}
}
