package kafka

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// TestDamageIsToldToReaders flips bytes on the disk below a partition without other replicas, and wants its readers told that
// records are lost, not that the server failed.
func TestDamageIsToldToReaders(t *testing.T) {
	n := startNode(t)
	fillPartitions(t, n, "t", 1, 2000)
	n.stop()
	files, err := filepath.Glob(filepath.Join(n.dir, "log/topics/t/0/*.log"))
	if err != nil || len(files) != 1 {
		t.Fatalf("segments: %v, %v", files, err)
	}
	data, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	for i := 100; i < 200; i++ {
		data[i] ^= 0xff
	}
	if err := os.WriteFile(files[0], data, 0o600); err != nil {
		t.Fatal(err)
	}
	n.start(n.addr)
	topic, err := n.broker.Topic("t")
	if err != nil {
		t.Fatal(err)
	}
	req := kmsg.NewPtrFetchRequest()
	req.MaxBytes = 1 << 20
	rt := kmsg.NewFetchRequestTopic()
	rt.TopicID = topic.ID
	rp := kmsg.NewFetchRequestTopicPartition()
	rp.PartitionMaxBytes = 1 << 20
	rt.Partitions = append(rt.Partitions, rp)
	req.Topics = append(req.Topics, rt)
	got := ask[*kmsg.FetchResponse](t, n, req, 13).Topics[0].Partitions[0]
	wantCode(t, "fetch", got.ErrorCode, kerr.CorruptMessage)
}
