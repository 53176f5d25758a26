package kafka

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

func fillPartitions(t *testing.T, n *node, topic string, partitions int32, each int) {
	t.Helper()
	n.create(topic, partitions, nil)
	cl := n.client(kgo.RecordPartitioner(kgo.ManualPartitioner()))
	for p := range partitions {
		for i := range each {
			r := &kgo.Record{Topic: topic, Partition: p, Value: fmt.Appendf(nil, "%d-%d", p, i)}
			cl.Produce(context.Background(), r, func(_ *kgo.Record, err error) {
				if err != nil {
					t.Error(err)
				}
			})
		}
	}
	if err := cl.Flush(timeout(t, 10*time.Second)); err != nil {
		t.Fatal(err)
	}
}

func TestGroupContinuesWhereItCommitted(t *testing.T) {
	n := startNode(t)
	fillPartitions(t, n, "t", 1, 20)
	member := func() *kgo.Client {
		return n.client(kgo.ConsumerGroup("g"), kgo.ConsumeTopics("t"), kgo.DisableAutoCommit(), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	}
	first := member()
	got := poll(t, first, 20)
	if err := first.CommitRecords(timeout(t, 5*time.Second), got[:8]...); err != nil {
		t.Fatal(err)
	}
	first.Close()
	n.restart()
	if got := poll(t, member(), 12); string(got[0].Value) != "0-8" {
		t.Errorf("after the commit the first record is %s, want 0-8", got[0].Value)
	}
}

// TestGroupRebalances lets members come and go while records come, with each assignor, and wants each record at least once,
// and no partition with two owners at a time.
func TestGroupRebalances(t *testing.T) {
	for name, balancer := range map[string]kgo.GroupBalancer{
		"range": kgo.RangeBalancer(), "roundrobin": kgo.RoundRobinBalancer(), "sticky": kgo.StickyBalancer(),
		"cooperative": kgo.CooperativeStickyBalancer(),
	} {
		t.Run(name, func(t *testing.T) {
			n := startNode(t)
			const partitions, records = 6, 600
			fillPartitions(t, n, "t", partitions, records/partitions/2)
			var mu sync.Mutex
			seen, owner := map[string]int{}, map[int32]string{}
			done := make(chan struct{})
			start := func(id string) (stop func()) {
				cl := n.client(kgo.ConsumerGroup("g"), kgo.ConsumeTopics("t"), kgo.Balancers(balancer), kgo.ClientID(id),
					kgo.FetchMaxWait(200*time.Millisecond), // a fetch under way delays partitions that are added to a member
					kgo.HeartbeatInterval(50*time.Millisecond), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.BlockRebalanceOnPoll(),
					kgo.OnPartitionsAssigned(func(_ context.Context, _ *kgo.Client, m map[string][]int32) {
						mu.Lock()
						defer mu.Unlock()
						for _, p := range m["t"] {
							if owner[p] != "" {
								t.Errorf("partition %d given to %s while %s has it", p, id, owner[p])
							}
							owner[p] = id
						}
					}),
					kgo.OnPartitionsRevoked(func(ctx context.Context, cl *kgo.Client, m map[string][]int32) {
						_ = cl.CommitMarkedOffsets(ctx)
						mu.Lock()
						defer mu.Unlock()
						for _, p := range m["t"] {
							owner[p] = ""
						}
					}), kgo.AutoCommitMarks())
				ctx, cancel := context.WithCancel(context.Background())
				var wg sync.WaitGroup
				wg.Go(func() {
					for ctx.Err() == nil {
						fs := cl.PollRecords(ctx, 20)
						mu.Lock()
						for _, r := range fs.Records() {
							seen[string(r.Value)]++
							cl.MarkCommitRecords(r)
						}
						if len(seen) == records {
							select {
							case <-done:
							default:
								close(done)
							}
						}
						mu.Unlock()
						cl.AllowRebalance()
					}
				})
				return func() {
					cancel()
					wg.Wait()
					_ = cl.LeaveGroupContext(timeout(t, 5*time.Second))
					cl.Close()
				}
			}
			stopA := start("a")
			time.Sleep(300 * time.Millisecond)
			stopB := start("b")
			time.Sleep(300 * time.Millisecond)
			stopC := start("c")
			time.Sleep(300 * time.Millisecond)
			stopA()
			more := n.client(kgo.RecordPartitioner(kgo.ManualPartitioner()))
			for i := range records / 2 {
				more.Produce(context.Background(), &kgo.Record{Topic: "t", Partition: int32(i % partitions), Value: fmt.Appendf(nil, "more-%d", i)}, nil)
			}
			if err := more.Flush(timeout(t, 10*time.Second)); err != nil {
				t.Fatal(err)
			}
			select {
			case <-done:
			case <-time.After(15 * time.Second):
				mu.Lock()
				t.Errorf("%d of %d records came", len(seen), records)
				mu.Unlock()
			}
			stopB()
			stopC()
		})
	}
}

func TestStaticMemberReturnsWithoutRebalance(t *testing.T) {
	n := startNode(t)
	fillPartitions(t, n, "t", 2, 1)
	assigned := make(chan map[string][]int32, 10)
	start := func() *kgo.Client {
		cl := n.client(kgo.ConsumerGroup("g"), kgo.InstanceID("i"), kgo.ConsumeTopics("t"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
			kgo.OnPartitionsAssigned(func(_ context.Context, _ *kgo.Client, m map[string][]int32) { assigned <- m }))
		poll(t, cl, 2)
		return cl
	}
	first := start()
	generation := func() int32 {
		d, err := n.server.groups.describe("g")
		if err != nil || d.classic == nil {
			t.Fatal("no group", err)
		}
		return d.classic.Generation
	}
	before := generation()
	first.Close() // static members do not leave
	second := n.client(kgo.ConsumerGroup("g"), kgo.InstanceID("i"), kgo.ConsumeTopics("t"),
		kgo.OnPartitionsAssigned(func(_ context.Context, _ *kgo.Client, m map[string][]int32) { assigned <- m }))
	<-assigned
	go second.PollFetches(timeout(t, 5*time.Second))
	select {
	case m := <-assigned:
		if len(m["t"]) != 2 {
			t.Errorf("assigned %v", m)
		}
	case <-time.After(5 * time.Second):
		t.Fatal("not assigned again")
	}
	if after := generation(); after != before {
		t.Errorf("generation %d became %d", before, after)
	}
}

func TestGroupsByAdmin(t *testing.T) {
	n := startNode(t)
	fillPartitions(t, n, "t", 2, 5)
	cl := n.client(kgo.ConsumerGroup("busy"), kgo.ConsumeTopics("t"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.ClientID("me"))
	poll(t, cl, 10)
	adm, ctx := n.admin(), timeout(t, 10*time.Second)

	var offsets kadm.Offsets
	offsets.Add(kadm.Offset{Topic: "t", Partition: 1, At: 3, LeaderEpoch: -1, Metadata: "note"})
	if _, err := adm.CommitOffsets(ctx, "idle", offsets); err != nil {
		t.Fatal(err)
	}
	listed, err := adm.ListGroups(ctx)
	if err != nil || listed["busy"].State != "Stable" || listed["idle"].State != "Empty" {
		t.Errorf("%+v %v", listed, err)
	}
	described, err := adm.DescribeGroups(ctx, "busy", "idle", "nobody")
	if err != nil || len(described["busy"].Members) != 1 || described["busy"].Members[0].ClientID != "me" || described["nobody"].State != "Dead" {
		t.Errorf("%+v %v", described, err)
	}
	fetched, err := adm.FetchOffsets(ctx, "idle")
	if o, _ := fetched.Lookup("t", 1); err != nil || o.At != 3 || o.Metadata != "note" {
		t.Errorf("%+v %v", fetched, err)
	}
	if fetched, err = adm.FetchOffsets(ctx, "nobody"); err != nil || len(fetched) != 0 {
		t.Errorf("a group that nobody knows: %v %v", fetched, err)
	}
	var lost kadm.Offsets
	lost.Add(kadm.Offset{Topic: "missing", Partition: 0, At: 3})
	rs, err := adm.CommitOffsets(ctx, "idle", lost)
	if o, _ := rs.Lookup("missing", 0); err != nil || !errors.Is(o.Err, kerr.UnknownTopicOrPartition) {
		t.Errorf("commit for a missing topic: %v %v", rs, err)
	}
	rs, err = adm.CommitOffsets(ctx, "busy", offsets)
	if o, _ := rs.Lookup("t", 1); err != nil || !errors.Is(o.Err, kerr.UnknownMemberID) {
		t.Errorf("commit into a busy group from outside: %v %v", rs, err)
	}
	if dr, err := adm.DeleteGroups(ctx, "busy", "idle", "nobody"); err != nil || !errors.Is(dr["busy"].Err, kerr.NonEmptyGroup) ||
		dr["idle"].Err != nil || !errors.Is(dr["nobody"].Err, kerr.GroupIDNotFound) {
		t.Errorf("%+v %v", dr, err)
	}
	if fetched, _ = adm.FetchOffsets(ctx, "idle"); len(fetched) != 0 {
		t.Errorf("offsets of a deleted group: %v", fetched)
	}
}

func TestGroupsWithoutMembersAreForgotten(t *testing.T) {
	n := startNode(t)
	fillPartitions(t, n, "t", 1, 1)
	for i := range 5 {
		cl := n.client(kgo.ConsumerGroup(fmt.Sprintf("g%d", i)), kgo.ConsumeTopics("t"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
		if err := cl.CommitRecords(timeout(t, 5*time.Second), poll(t, cl, 1)...); err != nil {
			t.Error(err)
		}
		if got := n.server.groups.names(); len(got) != 1 {
			t.Errorf("groups in memory: %v", got)
		}
		cl.Close()
	}
	if got := n.server.groups.names(); len(got) != 0 {
		t.Errorf("groups in memory: %v", got)
	}
	if listed, err := n.admin().ListGroups(timeout(t, 5*time.Second)); err != nil || len(listed) != 5 {
		t.Errorf("%v %v: groups with committed offsets stay listed", listed, err)
	}
}
