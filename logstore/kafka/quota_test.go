package kafka

import (
	"context"
	"errors"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/streamflow/streamflow/logstore/meta"
	"github.com/streamflow/streamflow/logstore/quota"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// startLimited is startNode with quotas.
func startLimited(t testing.TB) *node {
	t.Helper()
	m := quota.NewMachine()
	n := &node{t: t, dir: t.TempDir(), machines: []meta.Machine{m}, opts: Options{Logger: quiet, Quotas: quota.NewMeter(m)}}
	n.start("127.0.0.1:0")
	t.Cleanup(n.stop)
	return n
}

// limit sets limits over the admin API; 0 takes one away.
func (n *node) limit(entity map[string]string, key string, value float64) error {
	n.t.Helper()
	e := kadm.AlterClientQuotaEntry{Ops: []kadm.AlterClientQuotaOp{{Key: key, Value: value, Remove: value == 0}}}
	for typ, name := range entity {
		c := kadm.ClientQuotaEntityComponent{Type: typ, Name: &name}
		if name == "" {
			c.Name = nil
		}
		e.Entity = append(e.Entity, c)
	}
	res, err := n.admin().AlterClientQuotas(timeout(n.t, 10*time.Second), []kadm.AlterClientQuotaEntry{e})
	if err != nil {
		return err
	}
	return res[0].Err
}

// throttles collects what a client is told to wait.
type throttles struct {
	mu  sync.Mutex
	all map[int16]time.Duration
}

func (h *throttles) OnBrokerThrottle(_ kgo.BrokerMetadata, d time.Duration, _ bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.all[0] += d
}

func (h *throttles) total() time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.all[0]
}

// TestProduceQuota lets a client write faster than it may: it is told to wait, and is not read while it should.
func TestProduceQuota(t *testing.T) {
	n := startLimited(t)
	n.create("t", 1, nil)
	if err := n.limit(map[string]string{"client-id": "busy"}, "producer_byte_rate", 100_000); err != nil {
		t.Fatal(err)
	}
	for client, want := range map[string]bool{"busy": true, "other": false} {
		told := &throttles{all: map[int16]time.Duration{}}
		cl := n.client(kgo.ClientID(client), kgo.DefaultProduceTopic("t"), kgo.ProducerBatchCompression(kgo.NoCompression()), kgo.WithHooks(told))
		begin := time.Now()
		for range 5 {
			if err := cl.ProduceSync(timeout(t, 20*time.Second), kgo.SliceRecord(make([]byte, 50_000))).FirstErr(); err != nil {
				t.Fatal(err)
			}
		}
		took := time.Since(begin)
		if (told.total() > 0) != want || (took > 800*time.Millisecond) != want {
			t.Errorf("%s: told to wait %v, took %v", client, told.total(), took)
		}
	}
	if err := n.limit(map[string]string{"client-id": "busy"}, "producer_byte_rate", 0); err != nil {
		t.Fatal(err)
	}
	told := &throttles{all: map[int16]time.Duration{}}
	cl := n.client(kgo.ClientID("busy"), kgo.DefaultProduceTopic("t"), kgo.WithHooks(told))
	if err := cl.ProduceSync(timeout(t, 20*time.Second), kgo.SliceRecord(make([]byte, 500_000))).FirstErr(); err != nil || told.total() > 0 {
		t.Errorf("after the limit is gone: %v, told to wait %v", err, told.total())
	}
}

// TestMutedConnection sends requests on a connection that is told to wait, as a client that does not obey.
func TestMutedConnection(t *testing.T) {
	n := startLimited(t)
	n.create("t", 1, nil)
	if err := n.limit(map[string]string{"client-id": ""}, "consumer_byte_rate", 20_000); err != nil {
		t.Fatal(err)
	}
	if err := n.client(kgo.DefaultProduceTopic("t"), kgo.ProducerBatchCompression(kgo.NoCompression())).ProduceSync(timeout(t, 5*time.Second), kgo.SliceRecord(make([]byte, 30_000))).FirstErr(); err != nil {
		t.Fatal(err)
	}
	nc, err := net.Dial("tcp", n.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	_ = nc.SetDeadline(time.Now().Add(10 * time.Second))
	fetch := kmsg.NewPtrFetchRequest()
	fetch.ReplicaID, fetch.MaxBytes = -1, 1<<20
	topic := kmsg.NewFetchRequestTopic()
	topic.Topic = "t"
	part := kmsg.NewFetchRequestTopicPartition()
	part.PartitionMaxBytes, part.CurrentLeaderEpoch = 1<<20, -1
	topic.Partitions = append(topic.Partitions, part)
	fetch.Topics = append(fetch.Topics, topic)
	body := roundTrip(t, nc, framed(fetch, 11))
	resp := kmsg.NewPtrFetchResponse()
	resp.SetVersion(11)
	if err := resp.ReadFrom(body[4:]); err != nil {
		t.Fatal(err)
	}
	told := time.Duration(resp.ThrottleMillis) * time.Millisecond
	if told < 100*time.Millisecond || len(resp.Topics[0].Partitions[0].RecordBatches) < 1000 {
		t.Fatalf("told to wait %v with %d bytes", told, len(resp.Topics[0].Partitions[0].RecordBatches))
	}
	begin := time.Now()
	roundTrip(t, nc, framed(kmsg.NewPtrMetadataRequest(), 8))
	if took := time.Since(begin); took < told-50*time.Millisecond {
		t.Errorf("answered after %v, told to wait %v", took, told)
	}
}

// TestMutationQuota refuses new clients and keeps old ones waiting (KIP-599).
func TestMutationQuota(t *testing.T) {
	n := startLimited(t)
	if err := n.limit(map[string]string{"user": ""}, "controller_mutation_rate", 0.5); err != nil {
		t.Fatal(err)
	}
	ctx := timeout(t, 20*time.Second)
	create := func(version int16, name string) *kmsg.CreateTopicsResponse {
		nc, err := net.Dial("tcp", n.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer nc.Close()
		req := kmsg.NewPtrCreateTopicsRequest()
		topic := kmsg.NewCreateTopicsRequestTopic()
		topic.Topic, topic.NumPartitions, topic.ReplicationFactor = name, 8, 1
		req.Topics = append(req.Topics, topic)
		body := roundTrip(t, nc, framed(req, version))
		resp := kmsg.NewPtrCreateTopicsResponse()
		if resp.SetVersion(version); resp.IsFlexible() {
			body = body[1:]
		}
		if err := resp.ReadFrom(body[4:]); err != nil {
			t.Fatal(err)
		}
		return resp
	}
	if r := create(7, "a"); r.Topics[0].ErrorCode != 0 || r.ThrottleMillis == 0 {
		t.Errorf("the first overdraws, and is served: %+v", r)
	}
	if r := create(7, "b"); r.Topics[0].ErrorCode != kerr.ThrottlingQuotaExceeded.Code || r.ThrottleMillis == 0 {
		t.Errorf("the next is refused: %+v", r)
	}
	if r := create(5, "c"); r.Topics[0].ErrorCode != 0 || r.ThrottleMillis == 0 {
		t.Errorf("an old client is served, and waits: %+v", r)
	}
	if topics, err := n.admin().ListTopics(ctx); err != nil || len(topics) != 2 {
		t.Errorf("topics %v %v", topics.Names(), err)
	}
}

// TestRequestQuota limits the time of handlers.
func TestRequestQuota(t *testing.T) {
	n := startLimited(t)
	if err := n.limit(map[string]string{"client-id": "greedy"}, "request_percentage", 0.001); err != nil {
		t.Fatal(err)
	}
	for client, want := range map[string]bool{"greedy": true, "other": false} {
		told := &throttles{all: map[int16]time.Duration{}}
		cl := n.client(kgo.ClientID(client), kgo.WithHooks(told))
		for range 3 {
			if _, err := kmsg.NewPtrMetadataRequest().RequestWith(timeout(t, 10*time.Second), cl); err != nil {
				t.Fatal(err)
			}
		}
		for range 300 {
			if told.total() > 0 || !want {
				break
			}
			if _, err := kmsg.NewPtrListGroupsRequest().RequestWith(timeout(t, 10*time.Second), cl); err != nil {
				t.Fatal(err)
			}
		}
		if (told.total() > 0) != want {
			t.Errorf("%s was told to wait %v", client, told.total())
		}
	}
}

// TestConnectionQuota opens connections faster than an address may (KIP-612).
func TestConnectionQuota(t *testing.T) {
	n := startLimited(t)
	if err := n.limit(map[string]string{"ip": "127.0.0.1"}, "connection_creation_rate", 2); err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	for range 4 {
		nc, err := net.Dial("tcp", n.addr)
		if err != nil {
			t.Fatal(err)
		}
		roundTrip(t, nc, framed(kmsg.NewPtrMetadataRequest(), 8))
		_ = nc.Close()
	}
	if took := time.Since(begin); took < 800*time.Millisecond {
		t.Errorf("four connections in %v", took)
	}
}

// TestDescribeQuotas selects by part, by default and strictly, and is told of mistakes.
func TestDescribeQuotas(t *testing.T) {
	n := startLimited(t)
	for _, e := range []map[string]string{{"user": "alice"}, {"user": "alice", "client-id": "app"}, {"user": ""}, {"client-id": "app"}} {
		if err := n.limit(e, "producer_byte_rate", 1000); err != nil {
			t.Fatal(err)
		}
	}
	alice := "alice"
	exact := kadm.DescribeClientQuotaComponent{Type: "user", MatchName: &alice, MatchType: kmsg.QuotasMatchTypeExact}
	rest := kadm.DescribeClientQuotaComponent{Type: "user", MatchType: kmsg.QuotasMatchTypeDefault}
	any := kadm.DescribeClientQuotaComponent{Type: "user", MatchType: kmsg.QuotasMatchTypeAny}
	for name, c := range map[string]struct {
		strict bool
		parts  []kadm.DescribeClientQuotaComponent
		want   int
	}{
		"all": {false, nil, 4}, "alice": {false, []kadm.DescribeClientQuotaComponent{exact}, 2}, "alice alone": {true, []kadm.DescribeClientQuotaComponent{exact}, 1},
		"the rest": {true, []kadm.DescribeClientQuotaComponent{rest}, 1}, "any user": {false, []kadm.DescribeClientQuotaComponent{any}, 3},
	} {
		got, err := n.admin().DescribeClientQuotas(timeout(t, 10*time.Second), c.strict, c.parts)
		if err != nil || len(got) != c.want {
			t.Errorf("%s: %d entries, %v", name, len(got), err)
		}
	}
	for name, bad := range map[string]error{
		"unknown key": n.limit(map[string]string{"user": "x"}, "nonsense", 1), "negative": n.limit(map[string]string{"user": "x"}, "producer_byte_rate", -1),
		"unknown type": n.limit(map[string]string{"group": "x"}, "producer_byte_rate", 1), "ip bytes": n.limit(map[string]string{"ip": "10.0.0.1"}, "producer_byte_rate", 1),
	} {
		if !errors.Is(bad, kerr.InvalidRequest) {
			t.Errorf("%s: %v", name, bad)
		}
	}
	n.restart()
	if got, err := n.admin().DescribeClientQuotas(context.Background(), false, nil); err != nil || len(got) != 4 {
		t.Errorf("after a restart %d entries, %v", len(got), err)
	}
	open := startNode(t)
	if err := open.limit(map[string]string{"user": ""}, "producer_byte_rate", 1); err == nil || strings.Contains(err.Error(), "UNKNOWN_SERVER") {
		t.Errorf("without quotas: %v", err)
	}
}
