package kafka

import (
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
	"go.uber.org/goleak"
)

// TestClosingLeavesNothing opens connections in all kinds of states, closes the server, and wants no goroutine and no
// counted request byte to be left.
func TestClosingLeavesNothing(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	n := startNode(t)
	n.create("t", 1, nil)
	fetch := kmsg.NewPtrFetchRequest()
	fetch.MaxWaitMillis, fetch.MinBytes, fetch.MaxBytes = 60_000, 1, 1<<20
	ft := kmsg.NewFetchRequestTopic()
	ft.Topic = "t"
	fp := kmsg.NewFetchRequestTopicPartition()
	fp.PartitionMaxBytes, fp.CurrentLeaderEpoch = 1<<20, -1
	ft.Partitions = append(ft.Partitions, fp)
	fetch.Topics = append(fetch.Topics, ft)
	waiting := request(fetch, 11, 1)
	produce := kmsg.NewPtrProduceRequest()
	produce.Acks = -1
	pt := kmsg.NewProduceRequestTopic()
	pt.Topic = "t"
	pp := kmsg.NewProduceRequestTopicPartition()
	pp.Records = recordBatch(-1, -1, -1, 0, "x")
	pt.Partitions = append(pt.Partitions, pp)
	produce.Topics = append(produce.Topics, pt)
	behind := append(append([]byte{}, request(fetch, 11, 1)...), request(produce, 9, 2)...)
	var conns []net.Conn
	for _, b := range [][]byte{nil, waiting, waiting[:20], behind, append(append([]byte{}, waiting...), waiting...)} {
		c := dial(t, n)
		_, _ = c.Write(b)
		conns = append(conns, c)
	}
	time.Sleep(100 * time.Millisecond)
	_ = conns[1].Close() // a client that goes away while its fetch waits
	server := n.server
	n.stop()
	if !server.inflight.TryAcquire(server.opts.MaxInflightBytes) {
		t.Error("request bytes are still counted")
	}
}

func TestClientThatLeavesEndsItsFetch(t *testing.T) {
	n := startNode(t)
	n.create("t", 1, nil)
	for range 20 {
		c := dial(t, n)
		_, _ = c.Write(request(kmsg.NewPtrMetadataRequest(), 9, 1))
		readResponse(t, c)
		_ = c.Close()
	}
	count := func() string {
		n.server.mu.Lock()
		defer n.server.mu.Unlock()
		return fmt.Sprint(len(n.server.conns))
	}
	for range 100 {
		if count() == "0" {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("%s connections are left", count())
}
