package kafka

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/streamflow/streamflow/logstore"
	"github.com/streamflow/streamflow/logstore/broker"
	"github.com/streamflow/streamflow/logstore/record"
	"github.com/streamflow/streamflow/logstore/replicator"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// leading is a node that leads partitions with followers, its internal address, and a follower of it.
type leading struct {
	*node
	topic    *broker.Topic
	internal string
	follower *logstore.Log
}

func startLeading(t testing.TB, partitions int32) *leading {
	t.Helper()
	l := &leading{node: startNode(t)}
	topic, err := l.broker.CreateTopic(context.Background(), "t", partitions, nil)
	if err != nil {
		t.Fatal(err)
	}
	l.topic = topic
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.internal = ln.Addr().String()
	go func() { _ = l.server.ServePeers(ln) }()
	if l.follower, err = logstore.Open(logstore.Options{Dir: t.TempDir(), Logger: quiet}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.follower.Close() })
	return l
}

func (l *leading) lead(p int32) *logstore.Partition {
	l.t.Helper()
	part, err := l.broker.Partition("t", p)
	if err == nil {
		err = part.Lead(logstore.Leadership{Epoch: 1, PartitionEpoch: 1, Self: 0, Replicas: []int32{0, 5}, ISR: []int32{0, 5}, MinISR: 2})
	}
	if err != nil {
		l.t.Fatal(err)
	}
	return part
}

func (l *leading) follow(p int32) replicator.Followed {
	l.t.Helper()
	part, err := l.follower.EnsurePartition(logstore.TopicPartition{Topic: "t", Partition: p}, logstore.PartitionConfig{TopicID: l.topic.ID})
	if err == nil {
		err = part.Follow(0, 1)
	}
	if err != nil {
		l.t.Fatal(err)
	}
	return replicator.Followed{Partition: part, TopicID: l.topic.ID, Leader: 0, Addr: l.internal, Epoch: 1}
}

func startReplicator(t testing.TB, followed []replicator.Followed) *replicator.Replicator {
	r := replicator.New(replicator.Options{
		Node: 5, BrokerEpoch: func() int64 { return 9 }, Logger: quiet,
		Dial: func(ctx context.Context, addr string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "tcp", addr)
		},
	})
	t.Cleanup(func() { _ = r.Close() })
	r.Set(followed)
	return r
}

// TestReplicationOverFetchSessions copies many partitions to a follower over one session, and waits for acknowledgements that
// only it can give.
func TestReplicationOverFetchSessions(t *testing.T) {
	const partitions = 40
	l := startLeading(t, partitions)
	var followed []replicator.Followed
	for p := range int32(partitions) {
		l.lead(p)
		followed = append(followed, l.follow(p))
	}
	r := startReplicator(t, followed)
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	for i := range 200 {
		part, _ := l.broker.Partition("t", int32(i*7%partitions))
		b := record.NewBuilder(record.None)
		b.Add(int64(i), nil, []byte(fmt.Sprint(i, strings.Repeat("r", i))))
		data, _ := b.Finish()
		if _, err := part.Append(logstore.AppendRequest{Data: data}).Wait(ctx); err != nil {
			t.Fatalf("append %d: %v", i, err)
		}
	}
	for p := range int32(partitions) {
		part, _ := l.broker.Partition("t", p)
		want := part.Offsets()
		for got := followed[p].Partition.Offsets(); got.HighWatermark != want.HighWatermark; got = followed[p].Partition.Offsets() {
			if ctx.Err() != nil {
				t.Fatalf("partition %d: the follower has %+v, the leader %+v", p, got, want)
			}
			time.Sleep(time.Millisecond)
		}
		a, _ := part.Read(0, 1<<20, false)
		b, _ := followed[p].Partition.Read(0, 1<<20, false)
		if string(a.Data) != string(b.Data) || len(a.Data) == 0 {
			t.Errorf("partition %d: %d bytes on the leader, %d on the follower", p, len(a.Data), len(b.Data))
		}
	}
	l.server.sessions.mu.Lock()
	for _, s := range l.server.sessions.byID {
		if !s.follower || s.epoch < 20 || len(l.server.sessions.byID) != 1 {
			t.Errorf("%d sessions; follower %v, epoch %d: it is not kept", len(l.server.sessions.byID), s.follower, s.epoch)
		}
	}
	l.server.sessions.mu.Unlock()
	for _, lag := range r.Lags() {
		if lag.Offsets != 0 || lag.Err != nil {
			t.Errorf("lag %+v", lag)
		}
	}
}

// TestFollowersAreNodes: a client that says it is a follower gets nothing, least of all a say in what is committed.
func TestFollowersAreNodes(t *testing.T) {
	l := startLeading(t, 1)
	part := l.lead(0)
	req := kmsg.NewPtrFetchRequest()
	req.ReplicaState.ID, req.ReplicaState.Epoch, req.MaxWaitMillis, req.SessionEpoch = 5, 9, 1, -1
	tp := kmsg.NewFetchRequestTopic()
	tp.TopicID = l.topic.ID
	p := kmsg.NewFetchRequestTopicPartition()
	p.CurrentLeaderEpoch, p.PartitionMaxBytes = 1, 1000
	tp.Partitions = append(tp.Partitions, p)
	req.Topics = append(req.Topics, tp)
	pending := part.Append(logstore.AppendRequest{Data: oneRecord(t)})
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	resp, err := req.RequestWith(ctx, l.client().SeedBrokers()[0])
	if err != nil || resp.ErrorCode != kerr.ClusterAuthorizationFailed.Code {
		t.Errorf("a client's fetch as a follower: %+v, %v", resp, err)
	}
	req.Topics[0].Partitions[0].FetchOffset = 1
	_, _ = req.RequestWith(ctx, l.client().SeedBrokers()[0])
	if o := part.Offsets(); o.HighWatermark != 0 {
		t.Errorf("%+v: a client moved the high watermark", o)
	}
	select {
	case <-pending.Done():
		t.Error("a client acknowledged an append")
	default:
	}
}

func oneRecord(t testing.TB) []byte {
	b := record.NewBuilder(record.None)
	b.Add(1, nil, []byte("x"))
	data, err := b.Finish()
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// BenchmarkReplicatedAppend is acks=all with one follower over loopback, both disks synced before the acknowledgement.
func BenchmarkReplicatedAppend(b *testing.B) {
	for _, c := range []struct{ writers, records, size int }{{1, 1, 1000}, {64, 1, 1000}, {6, 1000, 1000}} {
		b.Run(fmt.Sprintf("writers=%d/records=%d/size=%d", c.writers, c.records, c.size), func(b *testing.B) {
			l := startLeading(b, 6)
			var followed []replicator.Followed
			for p := range int32(6) {
				l.lead(p)
				followed = append(followed, l.follow(p))
			}
			startReplicator(b, followed)
			batch := record.NewBuilder(record.None)
			for i := range c.records {
				batch.Add(int64(i), nil, make([]byte, c.size))
			}
			data, _ := batch.Finish()
			took := make([][]time.Duration, c.writers)
			var left atomic.Int64
			left.Store(int64(b.N))
			b.ReportAllocs()
			b.SetBytes(int64(len(data)))
			b.ResetTimer()
			var wg sync.WaitGroup
			for w := range c.writers {
				part, _ := l.broker.Partition("t", int32(w%6))
				wg.Go(func() {
					for left.Add(-1) >= 0 {
						start := time.Now()
						if _, err := part.Append(logstore.AppendRequest{Data: data}).Wait(context.Background()); err != nil {
							b.Error(err)
							return
						}
						took[w] = append(took[w], time.Since(start))
					}
				})
			}
			wg.Wait()
			all := slices.Concat(took...)
			slices.Sort(all)
			b.ReportMetric(float64(all[len(all)/2].Microseconds()), "p50-us")
			b.ReportMetric(float64(all[len(all)*99/100].Microseconds()), "p99-us")
			b.ReportMetric(float64(b.N*c.records)/b.Elapsed().Seconds(), "records/s")
		})
	}
}
