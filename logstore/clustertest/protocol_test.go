package clustertest

import (
	"testing"
	"time"

	"github.com/streamflow/streamflow/logstore/broker"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// A consumer group of KIP-848 goes on under its next coordinator: members are told that this one does not know them, join again
// and continue where they have committed.
func TestConsumerGroupSurvivesItsCoordinator(t *testing.T) {
	c := Start(t, 3)
	create(t, c, "orders", 3, 3)
	cl := c.Client()
	produce(t, cl, "orders", 0, 100)
	setHeartbeat(t, c, "readers")
	member := c.Client(kgo.ConsumerGroup("readers"), kgo.ServerSideBalancer(), kgo.Balancers(kgo.StickyBalancer()), kgo.ConsumeTopics("orders"),
		kgo.DisableAutoCommit(), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	seen := map[string]int{}
	read := func(n int) {
		t.Helper()
		ctx := timeout(t, 40*time.Second)
		for len(seen) < n {
			fs := member.PollFetches(ctx)
			if ctx.Err() != nil {
				t.Fatalf("%d of %d values came", len(seen), n)
			}
			fs.EachRecord(func(r *kgo.Record) { seen[string(r.Value)]++ })
		}
	}
	read(100)
	if err := member.CommitUncommittedOffsets(timeout(t, 30*time.Second)); err != nil {
		t.Fatal(err)
	}
	c.Kill(coordinator(t, c, broker.GroupCoordinator, "readers"))
	produce(t, cl, "orders", 100, 200)
	read(200)
	for v, n := range seen {
		if n > 2 {
			t.Errorf("value %s came %d times", v, n)
		}
	}
}

func setHeartbeat(t *testing.T, c *Cluster, group string) {
	t.Helper()
	if err := c.Any().AlterGroupConfigs(timeout(t, 10*time.Second), group, map[string]string{"consumer.heartbeat.interval.ms": "200"}, nil, false); err != nil {
		t.Fatal(err)
	}
}

// The wrong node names the right one, with its address (KIP-951), and another node's group is not this one's.
func TestWrongNodeNamesTheLeader(t *testing.T) {
	c := Start(t, 3)
	create(t, c, "orders", 1, 3)
	c.InSync("orders", 3)
	leader := c.State("orders", 0).Leader
	other := leader%3 + 1
	topic, err := c.Any().Topic("orders")
	if err != nil {
		t.Fatal(err)
	}
	cl := c.Client()

	fetch := kmsg.NewPtrFetchRequest()
	ft := kmsg.NewFetchRequestTopic()
	ft.TopicID = topic.ID
	fp := kmsg.NewFetchRequestTopicPartition()
	fp.PartitionMaxBytes = 1 << 20
	ft.Partitions = append(ft.Partitions, fp)
	fetch.Topics = append(fetch.Topics, ft)
	resp, err := cl.Broker(int(other)).Request(timeout(t, 10*time.Second), fetch)
	if err != nil {
		t.Fatal(err)
	}
	fr := resp.(*kmsg.FetchResponse)
	got := fr.Topics[0].Partitions[0]
	if got.ErrorCode != kerr.NotLeaderForPartition.Code || got.CurrentLeader.LeaderID != leader || len(fr.Brokers) != 1 || fr.Brokers[0].NodeID != leader || fr.Brokers[0].Port == 0 {
		t.Errorf("fetch from node %d: %+v, brokers %+v; node %d leads", other, got, fr.Brokers, leader)
	}

	prod := kmsg.NewPtrProduceRequest()
	prod.Acks, prod.TimeoutMillis = -1, 1000
	pt := kmsg.NewProduceRequestTopic()
	pt.TopicID = topic.ID
	pp := kmsg.NewProduceRequestTopicPartition()
	pp.Records = make([]byte, 61)
	pt.Partitions = append(pt.Partitions, pp)
	prod.Topics = append(prod.Topics, pt)
	resp, err = cl.Broker(int(other)).Request(timeout(t, 10*time.Second), prod)
	if err != nil {
		t.Fatal(err)
	}
	pr := resp.(*kmsg.ProduceResponse)
	if got := pr.Topics[0].Partitions[0]; got.ErrorCode != kerr.NotLeaderForPartition.Code || got.CurrentLeader.LeaderID != leader || len(pr.Brokers) != 1 || pr.Brokers[0].NodeID != leader {
		t.Errorf("produce to node %d: %+v, brokers %+v; node %d leads", other, got, pr.Brokers, leader)
	}

	list := kmsg.NewPtrListOffsetsRequest()
	lt := kmsg.NewListOffsetsRequestTopic()
	lt.Topic = "orders"
	for _, epoch := range []int32{-1, 1000} {
		lp := kmsg.NewListOffsetsRequestTopicPartition()
		lp.Timestamp, lp.CurrentLeaderEpoch = -1, epoch
		lt.Partitions = append(lt.Partitions, lp)
	}
	list.Topics = append(list.Topics, lt)
	resp, err = cl.Broker(int(leader)).Request(timeout(t, 10*time.Second), list)
	if err != nil {
		t.Fatal(err)
	}
	ps := resp.(*kmsg.ListOffsetsResponse).Topics[0].Partitions
	if ps[0].ErrorCode != 0 || ps[1].ErrorCode != kerr.UnknownLeaderEpoch.Code {
		t.Errorf("list offsets: %+v", ps)
	}

	node := settledCoordinator(t, c, broker.GroupCoordinator, "readers")
	hb := kmsg.NewPtrConsumerGroupHeartbeatRequest()
	hb.Group, hb.MemberID, hb.MemberEpoch = "readers", "m", 3
	resp, err = cl.Broker(int(node%3+1)).Request(timeout(t, 10*time.Second), hb)
	if err != nil {
		t.Fatal(err)
	}
	if ec := resp.(*kmsg.ConsumerGroupHeartbeatResponse).ErrorCode; ec != kerr.NotCoordinator.Code {
		t.Errorf("heartbeat to another node: %v", kerr.ErrorForCode(ec))
	}
}

// A member that waits for its group is told at once when its coordinator is another node.
func TestWaitingMembersAreToldOfTheNextCoordinator(t *testing.T) {
	c := Start(t, 3)
	node := settledCoordinator(t, c, broker.GroupCoordinator, "waiters")
	b := c.Node(node).Broker
	c.Eventually("it knows", func() bool { _, err := b.Coordinates(broker.GroupCoordinator, "waiters"); return err == nil })
	join := func(member string) *kmsg.JoinGroupResponse {
		req := kmsg.NewPtrJoinGroupRequest()
		req.Group, req.SessionTimeoutMillis, req.RebalanceTimeoutMillis, req.ProtocolType, req.MemberID = "waiters", 30_000, 60_000, "consumer", member
		p := kmsg.NewJoinGroupRequestProtocol()
		p.Name = "range"
		req.Protocols = append(req.Protocols, p)
		resp, err := c.Client().Broker(int(node)).Request(timeout(t, 40*time.Second), pinnedJoin{req})
		if err != nil {
			t.Error(err)
			return nil
		}
		return resp.(*kmsg.JoinGroupResponse)
	}
	if first := join(""); first == nil || first.ErrorCode != 0 {
		t.Fatalf("%+v", first)
	}
	waits := make(chan *kmsg.JoinGroupResponse, 1)
	go func() { waits <- join("") }() // waits for the first to join again
	time.Sleep(300 * time.Millisecond)
	b.HandOver()
	select {
	case r := <-waits:
		if r != nil && r.ErrorCode != kerr.NotCoordinator.Code {
			t.Errorf("%v", kerr.ErrorForCode(r.ErrorCode))
		}
	case <-time.After(20 * time.Second):
		t.Error("it waits on")
	}
}

// pinnedJoin is a JoinGroup that makes a member at once.
type pinnedJoin struct{ *kmsg.JoinGroupRequest }

func (pinnedJoin) MaxVersion() int16 { return 3 }

// A share group's records survive the leader of their partition: what was accepted does not come again, the rest does.
func TestShareGroupSurvivesALeader(t *testing.T) {
	c := Start(t, 3)
	create(t, c, "orders", 1, 3)
	c.InSync("orders", 3)
	if err := c.Any().AlterGroupConfigs(timeout(t, 10*time.Second), "workers",
		map[string]string{"share.auto.offset.reset": "earliest", "share.heartbeat.interval.ms": "200", "share.record.lock.duration.ms": "1000"}, nil, false); err != nil {
		t.Fatal(err)
	}
	cl := c.Client()
	produce(t, cl, "orders", 0, 100)
	worker := c.Client(kgo.ShareGroup("workers"), kgo.ConsumeTopics("orders"), kgo.ShareMaxRecords(10), kgo.ShareMaxRecordsStrict(), kgo.FetchMaxWait(300*time.Millisecond))
	accepted := map[string]int{}
	work := func(n int) {
		t.Helper()
		ctx := timeout(t, 40*time.Second)
		for len(accepted) < n {
			fs := worker.PollFetches(ctx)
			if ctx.Err() != nil {
				t.Fatalf("%d of %d values came", len(accepted), n)
			}
			fs.EachRecord(func(r *kgo.Record) {
				r.Ack(kgo.AckAccept)
				accepted[string(r.Value)]++
			})
			_ = worker.FlushAcks(ctx) // what is lost with a leader comes again
		}
	}
	work(50)
	c.Kill(c.State("orders", 0).Leader)
	work(100)
	for v, n := range accepted {
		if n > 3 {
			t.Errorf("%s was delivered %d times", v, n)
		}
	}
	c.Eventually("the group is done", func() bool {
		for _, s := range c.Any().ShareStates("workers") {
			return s.Start == 100
		}
		return false
	})
}
