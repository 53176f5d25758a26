package kafka

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/streamflow/streamflow/logstore/group/share"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

func fastSharing(o *Options) {
	o.Sharing = share.Config{HeartbeatInterval: 50, SessionTimeout: 2_000}
}

// groupConfig sets a config of a group.
func groupConfig(t testing.TB, n *node, group string, kv ...string) {
	t.Helper()
	set := map[string]string{}
	for i := 0; i < len(kv); i += 2 {
		set[kv[i]] = kv[i+1]
	}
	if err := n.broker.AlterGroupConfigs(timeout(t, 5*time.Second), group, set, nil, false); err != nil {
		t.Fatal(err)
	}
}

func sharer(n *node, group string, opts ...kgo.Opt) *kgo.Client {
	return n.client(append([]kgo.Opt{kgo.ShareGroup(group), kgo.ConsumeTopics("t"), kgo.FetchMaxWait(500 * time.Millisecond)}, opts...)...)
}

// TestShareGroupDeliversEachRecord lets three members work on two partitions, one of them stopping in the middle, and wants every
// record accepted, and the group done with both partitions.
func TestShareGroupDeliversEachRecord(t *testing.T) {
	n := startNode(t, fastSharing)
	const each = 150
	fillPartitions(t, n, "t", 2, each)
	groupConfig(t, n, "g", "share.auto.offset.reset", "earliest", "share.record.lock.duration.ms", "1000")
	accepted := make(chan string, 10*each)
	member := func(ctx context.Context, stopAfter int) {
		cl := sharer(n, "g", kgo.ShareMaxRecords(20))
		defer cl.CloseAllowingRebalance()
		for got := 0; ctx.Err() == nil; {
			fs := cl.PollFetches(ctx)
			rs := fs.Records()
			if got += len(rs); stopAfter > 0 && got > stopAfter {
				return // with records in its hands
			}
			for _, r := range rs {
				r.Ack(kgo.AckAccept)
			}
			if err := cl.FlushAcks(timeout(t, 5*time.Second)); err != nil && ctx.Err() == nil {
				t.Logf("acks: %v", err)
			}
			for _, r := range rs {
				accepted <- string(r.Value)
			}
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{}, 3)
	for _, stopAfter := range []int{0, 0, 40} {
		go func() { member(ctx, stopAfter); done <- struct{}{} }()
	}
	seen := map[string]int{}
	for end := time.After(20 * time.Second); len(seen) < 2*each; {
		select {
		case v := <-accepted:
			seen[v]++
		case <-end:
			t.Fatalf("%d of %d values came", len(seen), 2*each)
		}
	}
	wait(t, "done with both partitions", func() bool {
		s := shareStarts(t, n, "g")
		return s[0] == each && s[1] == each
	})
	cancel()
	for range 3 {
		<-done
	}
	for v, times := range seen {
		if times > 2 {
			t.Errorf("%s came %d times", v, times)
		}
	}
}

// shareStarts is where a share group stands, by partition.
func shareStarts(t testing.TB, n *node, group string) map[int32]int64 {
	t.Helper()
	req := kmsg.NewPtrDescribeShareGroupOffsetsRequest()
	g := kmsg.NewDescribeShareGroupOffsetsRequestGroup()
	g.GroupID = group
	req.Groups = append(req.Groups, g)
	out := map[int32]int64{}
	for _, topic := range ask[*kmsg.DescribeShareGroupOffsetsResponse](t, n, req, 1).Groups[0].Topics {
		for _, p := range topic.Partitions {
			out[p.Partition] = p.StartOffset
		}
	}
	return out
}

// rawShare is a member's share session by hand.
type rawShare struct {
	t      *testing.T
	n      *node
	cl     *kgo.Client
	id     string
	epoch  int32
	strict bool
	acks   []kmsg.ShareFetchRequestTopicPartitionAcknowledgementBatch
}

func newRawShare(t *testing.T, n *node, id string) *rawShare {
	return &rawShare{t: t, n: n, cl: n.client(), id: id}
}

func (s *rawShare) ack(first, last int64, types ...int8) *rawShare {
	b := kmsg.NewShareFetchRequestTopicPartitionAcknowledgementBatch()
	b.FirstOffset, b.LastOffset, b.AcknowledgeTypes = first, last, types
	s.acks = append(s.acks, b)
	return s
}

// fetch returns what it is given, such as "0-4 x1", and the error codes.
func (s *rawShare) fetch(maxWait int32, records int32) string {
	s.t.Helper()
	group := "g"
	topic, err := s.n.broker.Topic("t")
	if err != nil {
		s.t.Fatal(err)
	}
	req := kmsg.NewPtrShareFetchRequest()
	req.GroupID, req.MemberID, req.ShareSessionEpoch, req.MaxWaitMillis, req.MaxBytes, req.MaxRecords = &group, &s.id, s.epoch, maxWait, 1<<20, records
	if s.strict {
		req.ShareAcquireMode = 1
	}
	rt := kmsg.NewShareFetchRequestTopic()
	rt.TopicID = topic.ID
	rp := kmsg.NewShareFetchRequestTopicPartition()
	rp.AcknowledgementBatches, s.acks = s.acks, nil
	rt.Partitions = append(rt.Partitions, rp)
	req.Topics = append(req.Topics, rt)
	resp, err := s.cl.Broker(0).Request(timeout(s.t, 10*time.Second), req)
	if err != nil {
		s.t.Fatal(err)
	}
	r := resp.(*kmsg.ShareFetchResponse)
	if r.ErrorCode != 0 {
		return kerr.ErrorForCode(r.ErrorCode).(*kerr.Error).Message
	}
	if s.epoch >= 0 {
		s.epoch = nextEpoch(s.epoch)
	}
	out := ""
	for _, t := range r.Topics {
		for _, p := range t.Partitions {
			for _, ec := range []int16{p.ErrorCode, p.AcknowledgeErrorCode} {
				if ec != 0 {
					out += kerr.ErrorForCode(ec).(*kerr.Error).Message + " "
				}
			}
			for _, a := range p.AcquiredRecords {
				out += fmt.Sprintf("%d-%d x%d ", a.FirstOffset, a.LastOffset, a.DeliveryCount)
			}
		}
	}
	return out
}

func TestShareFetchReadsLikeAConversation(t *testing.T) {
	n := startNode(t, fastSharing)
	fillPartitions(t, n, "t", 1, 10) // one batch
	groupConfig(t, n, "g", "share.auto.offset.reset", "earliest", "share.record.lock.duration.ms", "600")
	want := func(what, got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("%s: %q, want %q", what, got, want)
		}
	}
	a, b := newRawShare(t, n, "a"), newRawShare(t, n, "b")
	a.strict, b.strict = true, true
	want("acks in a new session", newRawShare(t, n, "x").ack(0, 1, share.Accept).fetch(0, 10), "INVALID_REQUEST")
	want("a takes four", a.fetch(0, 4), "0-3 x1 ")
	want("b takes what is left", b.fetch(0, 100), "4-9 x1 ")
	want("nothing is left", a.fetch(0, 100), "")
	want("a accepts, releases and rejects", a.ack(0, 3, share.Accept, share.Release, share.Reject, share.Accept).fetch(0, 100), "1-1 x2 ")
	want("what is b's", a.ack(4, 5, share.Accept).fetch(0, 100), "INVALID_RECORD_STATE ")
	want("a batch where the log has none", a.ack(70, 71, share.Accept).fetch(0, 100), "INVALID_RECORD_STATE ")
	want("no such word", a.ack(1, 1, 9).fetch(0, 100), "INVALID_REQUEST ")
	if got := shareStarts(t, n, "g")[0]; got != 1 {
		t.Errorf("the group stands at %d, want 1", got)
	}
	got := a.fetch(5000, 100)
	for range 3 {
		if !strings.Contains(got, "1-1 x3") || !strings.Contains(got, "4-9 x2") {
			got += a.fetch(5000, 100) // locks are over one after the other, while a waits
		}
	}
	if got != "1-1 x3 4-9 x2 " && got != "4-9 x2 1-1 x3 " {
		t.Errorf("locks are over: %q", got)
	}
	b.epoch = 9
	want("a wrong number", b.fetch(0, 100), "INVALID_SHARE_SESSION_EPOCH")
	want("nobody", (&rawShare{t: t, n: n, cl: n.client(), id: "nobody", epoch: 1}).fetch(0, 1), "SHARE_SESSION_NOT_FOUND")

	// a's last request gives back what it does not accept.
	a.epoch = epochFinal
	want("the end", a.ack(4, 5, share.Accept).fetch(0, 100), "")
	b.epoch = 0
	want("b begins anew", b.fetch(0, 100), "1-1 x4 6-9 x3 ")

	// A connection that ends gives back too.
	b.cl.Close()
	c := newRawShare(t, n, "c")
	want("c waits for it", c.fetch(5000, 100), "1-1 x5 6-9 x4 ")
	c.epoch = epochFinal
	want("the last delivery", c.ack(6, 9, share.Accept).fetch(0, 100), "")
	if got := shareStarts(t, n, "g")[0]; got != 10 {
		t.Errorf("the group stands at %d, want 10: 1 was delivered five times", got)
	}
	produceTo(t, n, "t", 0, "new")
	d := newRawShare(t, n, "d")
	want("batch by batch", d.fetch(0, 1), "10-10 x1 ")
}

func TestShareStateSurvivesRestart(t *testing.T) {
	n := startNode(t, fastSharing)
	fillPartitions(t, n, "t", 1, 10)
	groupConfig(t, n, "g", "share.auto.offset.reset", "earliest")
	a := newRawShare(t, n, "a")
	if got := a.fetch(0, 100); got != "0-9 x1 " {
		t.Fatal(got)
	}
	a.ack(0, 2, share.Accept).ack(5, 5, share.Reject).fetch(0, 100)
	a.cl.Close()
	n.restart()
	b := newRawShare(t, n, "b")
	if got := b.fetch(0, 100); got != "3-4 x2 6-9 x2 " {
		t.Errorf("after a restart: %q", got)
	}
	b.epoch = epochFinal
	b.fetch(0, 0)

	// An operator moves the group; what was known of records is void.
	alter := func(start int64) int16 {
		req := kmsg.NewPtrAlterShareGroupOffsetsRequest()
		req.GroupID = "g"
		rt := kmsg.NewAlterShareGroupOffsetsRequestTopic()
		rt.Topic = "t"
		rp := kmsg.NewAlterShareGroupOffsetsRequestTopicPartition()
		rp.StartOffset = start
		rt.Partitions = append(rt.Partitions, rp)
		req.Topics = append(req.Topics, rt)
		return ask[*kmsg.AlterShareGroupOffsetsResponse](t, n, req, 0).ErrorCode
	}
	wantCode(t, "move", alter(1), nil)
	c := newRawShare(t, n, "c")
	if got := c.fetch(0, 100); got != "1-9 x1 " {
		t.Errorf("moved: %q", got)
	}
	drop := kmsg.NewPtrDeleteShareGroupOffsetsRequest()
	drop.GroupID = "g"
	dt := kmsg.NewDeleteShareGroupOffsetsRequestTopic()
	dt.Topic = "t"
	drop.Topics = append(drop.Topics, dt)
	if r := ask[*kmsg.DeleteShareGroupOffsetsResponse](t, n, drop, 0); r.ErrorCode != 0 || r.Topics[0].ErrorCode != 0 {
		t.Errorf("%+v", r)
	}
	if got := shareStarts(t, n, "g"); len(got) != 0 {
		t.Errorf("kept: %v", got)
	}
	drop.GroupID = "nobody"
	wantCode(t, "a group that is not there", ask[*kmsg.DeleteShareGroupOffsetsResponse](t, n, drop, 0).ErrorCode, kerr.GroupIDNotFound)
	wantCode(t, "a group that is made by it", alter(4), nil)
	if got := shareStarts(t, n, "g"); got[0] != 4 {
		t.Errorf("made: %v", got)
	}
}

func TestShareGroupIsolation(t *testing.T) {
	for level, want := range map[string]string{"read_committed": "0-1 x1 6-7 x1 ", "read_uncommitted": "0-1 x1 3-4 x1 6-7 x1 "} {
		t.Run(level, func(t *testing.T) {
			n := startNode(t, fastSharing)
			n.create("t", 2, nil)
			cl := n.client(kgo.TransactionalID("x"), kgo.RecordPartitioner(kgo.ManualPartitioner()))
			for i, end := range []kgo.TransactionEndTry{kgo.TryCommit, kgo.TryAbort, kgo.TryCommit} {
				txn(t, cl, "t", end, fmt.Sprint(i), "elsewhere", fmt.Sprint(i))
			}
			produceTo(t, n, "t", 1, "durable") // whatever came before is visible then
			groupConfig(t, n, "g", "share.auto.offset.reset", "earliest", "share.isolation.level", level)
			if got := newRawShare(t, n, "a").fetch(0, 100); got != want {
				t.Errorf("%q, want %q", got, want)
			}
		})
	}
}

func TestShareGroupByAdmin(t *testing.T) {
	n := startNode(t, fastSharing)
	fillPartitions(t, n, "t", 2, 1)
	cl := sharer(n, "g")
	go cl.PollFetches(timeout(t, 10*time.Second))
	describe := func() kmsg.ShareGroupDescribeResponseGroup {
		req := kmsg.NewPtrShareGroupDescribeRequest()
		req.GroupIDs = []string{"g"}
		return ask[*kmsg.ShareGroupDescribeResponse](t, n, req, 1).Groups[0]
	}
	wait(t, "a member", func() bool { g := describe(); return g.GroupState == "Stable" && len(g.Members) == 1 })
	if g := describe(); len(g.Members[0].Assignment.TopicPartitions) != 1 || len(g.Members[0].Assignment.TopicPartitions[0].Partitions) != 2 {
		t.Errorf("%+v", g)
	}
	types := kmsg.NewPtrListGroupsRequest()
	types.TypesFilter = []string{"share"}
	if r := ask[*kmsg.ListGroupsResponse](t, n, types, 5); len(r.Groups) != 1 || r.Groups[0].GroupType != "share" || r.Groups[0].ProtocolType != "share" {
		t.Errorf("%+v", r.Groups)
	}
	wantCode(t, "a consumer in it", newRawConsumer(t, n, "g", "x").join("t").ErrorCode, kerr.InconsistentGroupProtocol)
	wait(t, "where it stands", func() bool { return len(shareStarts(t, n, "g")) == 2 })
	del := kmsg.NewPtrDeleteGroupsRequest()
	del.Groups = []string{"g"}
	wantCode(t, "delete with a member", ask[*kmsg.DeleteGroupsResponse](t, n, del, 2).Groups[0].ErrorCode, kerr.NonEmptyGroup)
	cl.Close()
	wait(t, "empty", func() bool { return describe().GroupState == "Empty" })
	wantCode(t, "delete", ask[*kmsg.DeleteGroupsResponse](t, n, del, 2).Groups[0].ErrorCode, nil)
	wantCode(t, "gone", describe().ErrorCode, kerr.GroupIDNotFound)
}
