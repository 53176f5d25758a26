package kafka

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

func codecs() map[string]kgo.CompressionCodec {
	return map[string]kgo.CompressionCodec{
		"none": kgo.NoCompression(), "gzip": kgo.GzipCompression(), "snappy": kgo.SnappyCompression(),
		"lz4": kgo.Lz4Compression(), "zstd": kgo.ZstdCompression(),
	}
}

func TestProduceAndConsumeWithEveryCodec(t *testing.T) {
	n := startNode(t)
	for name, codec := range codecs() {
		t.Run(name, func(t *testing.T) {
			n.create(name, 1, nil)
			producer := n.client(kgo.DefaultProduceTopic(name), kgo.ProducerBatchCompression(codec))
			const records = 500
			for i := range records {
				r := &kgo.Record{
					Key: fmt.Appendf(nil, "k%d", i), Value: bytes.Repeat([]byte{byte('a' + i%26)}, 100),
					Headers: []kgo.RecordHeader{{Key: "h", Value: []byte("v")}}, Timestamp: time.UnixMilli(int64(1_000_000 + i)),
				}
				producer.Produce(context.Background(), r, func(_ *kgo.Record, err error) {
					if err != nil {
						t.Error(err)
					}
				})
			}
			if err := producer.Flush(timeout(t, 10*time.Second)); err != nil {
				t.Fatal(err)
			}
			got := poll(t, n.client(kgo.ConsumeTopics(name), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart())), records)
			for i, r := range got {
				if r.Offset != int64(i) || string(r.Key) != fmt.Sprintf("k%d", i) || r.Value[0] != byte('a'+i%26) || len(r.Value) != 100 ||
					len(r.Headers) != 1 || r.Timestamp.UnixMilli() != int64(1_000_000+i) {
					t.Fatalf("record %d: %+v", i, r)
				}
			}
		})
	}
}

func TestAcksOfEachKind(t *testing.T) {
	n := startNode(t)
	for name, acks := range map[string]kgo.Acks{"all": kgo.AllISRAcks(), "leader": kgo.LeaderAck(), "none": kgo.NoAck()} {
		t.Run(name, func(t *testing.T) {
			topic := "acks-" + name
			n.create(topic, 1, nil)
			cl := n.client(kgo.DefaultProduceTopic(topic), kgo.RequiredAcks(acks), kgo.DisableIdempotentWrite())
			for i := range 10 {
				if err := cl.ProduceSync(timeout(t, 5*time.Second), kgo.StringRecord(fmt.Sprint(i))).FirstErr(); err != nil {
					t.Fatal(err)
				}
			}
			got := poll(t, n.client(kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart())), 10)
			if string(got[9].Value) != "9" {
				t.Errorf("last record %q", got[9].Value)
			}
		})
	}
}

func TestRepeatedBatchIsAppendedOnce(t *testing.T) {
	n := startNode(t)
	n.create("idem", 1, nil)
	cl := n.client()
	pid, err := n.broker.NextProducerID(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	send := func(epoch int16, seq int32) *kmsg.ProduceResponseTopicPartition {
		return produceRaw(t, cl, "idem", rawBatch(pid, epoch, seq, "value"))
	}
	first, again := send(0, 0), send(0, 0)
	if first.ErrorCode != 0 || again.ErrorCode != 0 || first.BaseOffset != 0 || again.BaseOffset != 0 {
		t.Errorf("first %+v, again %+v: both should be offset 0", first, again)
	}
	if r := send(0, 1); r.ErrorCode != 0 || r.BaseOffset != 1 {
		t.Errorf("next sequence: %+v", r)
	}
	if r := send(0, 5); r.ErrorCode != kerr.OutOfOrderSequenceNumber.Code {
		t.Errorf("gap: %+v", r)
	}
	if r := send(1, 0); r.ErrorCode != 0 || r.BaseOffset != 2 {
		t.Errorf("new epoch: %+v", r)
	}
	if r := send(0, 2); r.ErrorCode != kerr.InvalidProducerEpoch.Code {
		t.Errorf("old epoch: %+v", r)
	}
}

func TestProduceRefusals(t *testing.T) {
	n := startNode(t)
	n.create("small", 1, map[string]string{"max.message.bytes": "1000"})
	n.create("compacted", 1, map[string]string{"cleanup.policy": "compact"})
	n.create("sealed", 1, map[string]string{"streamflow.sealed": "true"})
	n.create("plain", 1, nil)
	cl := n.client()
	corrupt := rawBatch(-1, -1, -1, "value")
	corrupt[len(corrupt)-1] ^= 1
	arrow := rawBatch(-1, -1, -1, "value")
	arrow[21] |= 1
	for _, c := range []struct {
		topic string
		data  []byte
		want  *kerr.Error
	}{
		{"small", rawBatch(-1, -1, -1, strings.Repeat("x", 2000)), kerr.MessageTooLarge},
		{"compacted", rawBatch(-1, -1, -1, "no key"), kerr.InvalidRecord},
		{"sealed", rawBatch(-1, -1, -1, "value"), kerr.PolicyViolation},
		{"plain", corrupt, kerr.CorruptMessage},
		{"plain", []byte("short"), kerr.CorruptMessage},
		{"plain", arrow, kerr.InvalidRecord},
		{"missing", rawBatch(-1, -1, -1, "value"), kerr.UnknownTopicOrPartition},
	} {
		r := produceRaw(t, cl, c.topic, c.data)
		if c.topic == "compacted" && (len(r.ErrorRecords) != 1 || r.ErrorRecords[0].RelativeOffset != 0) {
			t.Errorf("errors of single records: %+v", r.ErrorRecords)
		}
		if r.ErrorCode != c.want.Code {
			t.Errorf("%s: %v (%v), want %v", c.topic, kerr.ErrorForCode(r.ErrorCode), deref(r.ErrorMessage), c.want)
		}
	}
}

func TestAcknowledgedRecordsSurviveRestart(t *testing.T) {
	n := startNode(t)
	n.create("durable", 2, nil)
	cl := n.client(kgo.DefaultProduceTopic("durable"), kgo.RecordPartitioner(kgo.RoundRobinPartitioner()))
	for i := range 20 {
		if err := cl.ProduceSync(timeout(t, 5*time.Second), kgo.StringRecord(fmt.Sprint(i))).FirstErr(); err != nil {
			t.Fatal(err)
		}
		if i == 9 {
			n.restart()
		}
	}
	n.restart()
	seen := map[string]int{}
	for _, r := range poll(t, n.client(kgo.ConsumeTopics("durable"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart())), 20) {
		seen[string(r.Value)]++
	}
	if len(seen) != 20 {
		t.Errorf("values %v, want 0 to 19 once each", seen)
	}
}

// rawBatch is a batch with one record without a key. A negative producer id is none.
func rawBatch(pid int64, epoch int16, seq int32, value string) []byte {
	return recordBatch(pid, epoch, seq, 0, value)
}

// produceRaw sends one batch to partition 0.
func produceRaw(t *testing.T, cl *kgo.Client, topic string, batch []byte) *kmsg.ProduceResponseTopicPartition {
	t.Helper()
	req := kmsg.NewPtrProduceRequest()
	req.Acks, req.TimeoutMillis = -1, 5000
	rt := kmsg.NewProduceRequestTopic()
	rt.Topic = topic
	rp := kmsg.NewProduceRequestTopicPartition()
	rp.Records = batch
	rt.Partitions = append(rt.Partitions, rp)
	req.Topics = append(req.Topics, rt)
	resp, err := cl.Broker(0).Request(timeout(t, 5*time.Second), pinned{req, 11}) // the last with names and announced partitions
	if err != nil {
		t.Fatal(err)
	}
	return &resp.(*kmsg.ProduceResponse).Topics[0].Partitions[0]
}

func TestProducerSeesMissingTopic(t *testing.T) {
	n := startNode(t, func(o *Options) { o.DisableAutoCreate = true })
	cl := n.client(kgo.UnknownTopicRetries(1))
	err := cl.ProduceSync(timeout(t, 10*time.Second), &kgo.Record{Topic: "nowhere", Value: []byte("x")}).FirstErr()
	if !errors.Is(err, kerr.UnknownTopicOrPartition) {
		t.Errorf("error %v", err)
	}
}
