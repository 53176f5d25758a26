package kafka

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/streamflow/streamflow/logstore/group/consumer"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// fastConsumers lets tests of consumer groups not wait for seconds.
func fastConsumers(o *Options) {
	o.Consumers = consumer.Config{HeartbeatInterval: 50, SessionTimeout: 2_000}
}

// consumerOf is a member of a KIP-848 group.
func consumerOf(n *node, group string, opts ...kgo.Opt) *kgo.Client {
	return n.client(append([]kgo.Opt{
		kgo.ConsumerGroup(group), kgo.ServerSideBalancer(), kgo.Balancers(kgo.CooperativeStickyBalancer()),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
	}, opts...)...)
}

func describeConsumers(t testing.TB, n *node, group string) kmsg.ConsumerGroupDescribeResponseGroup {
	t.Helper()
	req := kmsg.NewPtrConsumerGroupDescribeRequest()
	req.Groups = []string{group}
	return ask[*kmsg.ConsumerGroupDescribeResponse](t, n, req, 1).Groups[0]
}

// TestConsumerGroupRebalances lets members come and go while records come, and wants each record at least once and each
// partition with one member at a time.
func TestConsumerGroupRebalances(t *testing.T) {
	for name, balancer := range map[string]kgo.GroupBalancer{"uniform": kgo.StickyBalancer(), "range": kgo.RangeBalancer()} {
		t.Run(name, func(t *testing.T) {
			n := startNode(t, fastConsumers)
			const partitions, each = 6, 50
			fillPartitions(t, n, "t", partitions, each)
			var mu sync.Mutex
			owner, seen := map[int32]string{}, map[string]bool{}
			start := func(id string) *kgo.Client {
				cl := consumerOf(n, "g", kgo.Balancers(balancer), kgo.ConsumeTopics("t"), kgo.AutoCommitInterval(100*time.Millisecond),
					kgo.OnPartitionsAssigned(func(_ context.Context, _ *kgo.Client, m map[string][]int32) {
						mu.Lock()
						defer mu.Unlock()
						for _, p := range m["t"] {
							if o := owner[p]; o != "" && o != id {
								t.Errorf("partition %d is with %s and %s", p, o, id)
							}
							owner[p] = id
						}
					}),
					kgo.OnPartitionsRevoked(func(_ context.Context, _ *kgo.Client, m map[string][]int32) {
						mu.Lock()
						defer mu.Unlock()
						for _, p := range m["t"] {
							delete(owner, p)
						}
					}))
				go func() {
					for {
						fs := cl.PollFetches(context.Background())
						if fs.IsClientClosed() {
							return
						}
						mu.Lock()
						fs.EachRecord(func(r *kgo.Record) { seen[string(r.Value)] = true })
						mu.Unlock()
					}
				}()
				return cl
			}
			first := start("first")
			time.Sleep(300 * time.Millisecond)
			second, third := start("second"), start("third")
			wait(t, "three members share", func() bool {
				d := describeConsumers(t, n, "g")
				return d.State == "Stable" && len(d.Members) == 3 && len(d.Members[0].Assignment.TopicPartitions) == 1 &&
					len(d.Members[0].Assignment.TopicPartitions[0].Partitions) == 2
			})
			if d := describeConsumers(t, n, "g"); d.AssignorName != name || d.Epoch != d.AssignmentEpoch || d.Members[0].MemberType != 1 {
				t.Errorf("%+v", d)
			}
			first.Close()
			wait(t, "two members share", func() bool {
				d := describeConsumers(t, n, "g")
				return d.State == "Stable" && len(d.Members) == 2
			})
			wait(t, "every record", func() bool { mu.Lock(); defer mu.Unlock(); return len(seen) == partitions*each })
			second.Close()
			third.Close()
			wait(t, "empty", func() bool { g := describeConsumers(t, n, "g"); return g.ErrorCode == kerr.GroupIDNotFound.Code })
			if o, ok := n.broker.FetchOffset("g", "t", 0); !ok || o.Offset != each {
				t.Errorf("committed %+v, %v", o, ok)
			}
		})
	}
}

func wait(t testing.TB, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(15 * time.Second); !done(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not in time: %s", what)
		}
	}
}

func TestConsumerGroupSubscribesByExpression(t *testing.T) {
	n := startNode(t, fastConsumers)
	fillPartitions(t, n, "orders-eu", 1, 1)
	fillPartitions(t, n, "other", 1, 1)
	cl := consumerOf(n, "g", kgo.ConsumeRegex(), kgo.ConsumeTopics("orders-.*"), kgo.MetadataMinAge(20*time.Millisecond))
	if got := poll(t, cl, 1); got[0].Topic != "orders-eu" {
		t.Errorf("%+v", got[0])
	}
	fillPartitions(t, n, "orders-us", 1, 1) // a topic that comes later
	if got := poll(t, cl, 1); got[0].Topic != "orders-us" {
		t.Errorf("%+v", got[0])
	}
	if d := describeConsumers(t, n, "g"); deref(d.Members[0].SubscribedTopicRegex) == "" {
		t.Errorf("%+v", d)
	}
}

func TestConsumerGroupMemberIsLost(t *testing.T) {
	n := startNode(t, fastConsumers)
	fillPartitions(t, n, "t", 2, 1)
	lost := newRawConsumer(t, n, "g", "lost")
	if r := lost.join("t"); r.ErrorCode != 0 || len(r.Assignment.Topics[0].Partitions) != 2 {
		t.Fatalf("%+v", r)
	}
	if got := poll(t, consumerOf(n, "g", kgo.ConsumeTopics("t")), 2); len(got) != 2 {
		t.Errorf("%+v", got)
	}
	lost.epoch = 1
	wantCode(t, "after its session", lost.beat(func(*kmsg.ConsumerGroupHeartbeatRequest) {}).ErrorCode, kerr.UnknownMemberID)
}

// rawConsumer is a member by hand.
type rawConsumer struct {
	t         *testing.T
	n         *node
	group, id string
	epoch     int32
}

func newRawConsumer(t *testing.T, n *node, group, id string) *rawConsumer {
	return &rawConsumer{t: t, n: n, group: group, id: id}
}

func (c *rawConsumer) beat(change func(*kmsg.ConsumerGroupHeartbeatRequest)) *kmsg.ConsumerGroupHeartbeatResponse {
	c.t.Helper()
	req := kmsg.NewPtrConsumerGroupHeartbeatRequest()
	req.Group, req.MemberID, req.MemberEpoch = c.group, c.id, c.epoch
	change(req)
	r := ask[*kmsg.ConsumerGroupHeartbeatResponse](c.t, c.n, req, 1)
	if r.ErrorCode == 0 {
		c.epoch = r.MemberEpoch
	}
	return r
}

func (c *rawConsumer) join(topics ...string) *kmsg.ConsumerGroupHeartbeatResponse {
	c.t.Helper()
	return c.beat(func(r *kmsg.ConsumerGroupHeartbeatRequest) {
		r.SubscribedTopicNames, r.RebalanceTimeoutMillis, r.Topics = topics, 5_000, []kmsg.ConsumerGroupHeartbeatRequestTopic{}
	})
}

func (c *rawConsumer) commit(version int16, epoch int32) int16 {
	c.t.Helper()
	req := kmsg.NewPtrOffsetCommitRequest()
	req.Group, req.MemberID, req.Generation = c.group, c.id, epoch
	rt := kmsg.NewOffsetCommitRequestTopic()
	rt.Topic = "t"
	if topic, err := c.n.broker.Topic("t"); err == nil {
		rt.TopicID = topic.ID
	}
	rt.Partitions = append(rt.Partitions, kmsg.NewOffsetCommitRequestTopicPartition())
	req.Topics = append(req.Topics, rt)
	return ask[*kmsg.OffsetCommitResponse](c.t, c.n, req, version).Topics[0].Partitions[0].ErrorCode
}

func (c *rawConsumer) fetch(epoch int32) int16 {
	c.t.Helper()
	req := kmsg.NewPtrOffsetFetchRequest()
	g := kmsg.NewOffsetFetchRequestGroup()
	g.Group, g.MemberID, g.MemberEpoch = c.group, &c.id, epoch
	req.Groups = append(req.Groups, g)
	return ask[*kmsg.OffsetFetchResponse](c.t, c.n, req, 9).Groups[0].ErrorCode
}

func TestConsumerGroupFences(t *testing.T) {
	n := startNode(t, fastConsumers)
	n.create("t", 2, nil)
	c := newRawConsumer(t, n, "g", "one")
	bad := func(what string, want *kerr.Error, change func(*kmsg.ConsumerGroupHeartbeatRequest)) {
		t.Helper()
		wantCode(t, what, c.beat(func(r *kmsg.ConsumerGroupHeartbeatRequest) {
			r.SubscribedTopicNames, r.RebalanceTimeoutMillis, r.Topics = []string{"t"}, 5_000, []kmsg.ConsumerGroupHeartbeatRequestTopic{}
			change(r)
		}).ErrorCode, want)
	}
	strange, empty, open := "strange", "", "("
	bad("no group", kerr.InvalidRequest, func(r *kmsg.ConsumerGroupHeartbeatRequest) { r.Group = "" })
	bad("no member id", kerr.InvalidRequest, func(r *kmsg.ConsumerGroupHeartbeatRequest) { r.MemberID = "" })
	bad("no timeout", kerr.InvalidRequest, func(r *kmsg.ConsumerGroupHeartbeatRequest) { r.RebalanceTimeoutMillis = -1 })
	bad("no word of what it has", kerr.InvalidRequest, func(r *kmsg.ConsumerGroupHeartbeatRequest) { r.Topics = nil })
	bad("no subscription", kerr.InvalidRequest, func(r *kmsg.ConsumerGroupHeartbeatRequest) { r.SubscribedTopicNames = nil })
	bad("empty instance", kerr.InvalidRequest, func(r *kmsg.ConsumerGroupHeartbeatRequest) { r.InstanceID = &empty })
	bad("back soon, but not static", kerr.InvalidRequest, func(r *kmsg.ConsumerGroupHeartbeatRequest) { r.MemberEpoch = -2 })
	bad("assignor", kerr.UnsupportedAssignor, func(r *kmsg.ConsumerGroupHeartbeatRequest) { r.ServerAssignor = &strange })
	bad("expression", kerr.InvalidRegularExpression, func(r *kmsg.ConsumerGroupHeartbeatRequest) { r.SubscribedTopicRegex = &open })
	bad("not a member", kerr.UnknownMemberID, func(r *kmsg.ConsumerGroupHeartbeatRequest) { r.MemberEpoch = 3 })

	if r := c.join("t"); r.ErrorCode != 0 || r.MemberEpoch != 1 || r.HeartbeatIntervalMillis != 50 || len(r.Assignment.Topics[0].Partitions) != 2 {
		t.Fatalf("%+v", r)
	}
	wantCode(t, "an epoch to come", c.beat(func(r *kmsg.ConsumerGroupHeartbeatRequest) { r.MemberEpoch = 9 }).ErrorCode, kerr.FencedMemberEpoch)
	wantCode(t, "commit", c.commit(9, 1), nil)
	wantCode(t, "commit by topic id", c.commit(10, 1), nil)
	wantCode(t, "commit in another epoch", c.commit(9, 7), kerr.StaleMemberEpoch)
	wantCode(t, "commit as a classic member", c.commit(8, 1), kerr.UnsupportedVersion)
	wantCode(t, "fetch", c.fetch(1), nil)
	wantCode(t, "fetch in another epoch", c.fetch(7), kerr.StaleMemberEpoch)
	other := newRawConsumer(t, n, "g", "other")
	wantCode(t, "commit of somebody else", other.commit(9, 1), kerr.UnknownMemberID)
	wantCode(t, "commit from outside", other.commit(9, -1), kerr.UnknownMemberID)
	wantCode(t, "leave", c.beat(func(r *kmsg.ConsumerGroupHeartbeatRequest) { r.MemberEpoch = -1 }).ErrorCode, nil)
	wantCode(t, "commit from outside when nobody is there", other.commit(9, -1), nil)
}

// TestGroupChangesProtocol moves a group from the classic protocol to the other, and back, while it is empty; with members in
// it nobody of the other kind comes in.
func TestGroupChangesProtocol(t *testing.T) {
	n := startNode(t, fastConsumers)
	fillPartitions(t, n, "t", 1, 10)
	classic := func() *kgo.Client {
		return n.client(kgo.ConsumerGroup("g"), kgo.ConsumeTopics("t"), kgo.DisableAutoCommit(), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	}
	cl := classic()
	got := poll(t, cl, 10)
	if err := cl.CommitRecords(timeout(t, 5*time.Second), got[:4]...); err != nil {
		t.Fatal(err)
	}
	wantCode(t, "a consumer among classic members", newRawConsumer(t, n, "g", "x").join("t").ErrorCode, kerr.InconsistentGroupProtocol)
	cl.Close()

	next := consumerOf(n, "g", kgo.ConsumeTopics("t"), kgo.DisableAutoCommit())
	if got := poll(t, next, 6); string(got[0].Value) != "0-4" {
		t.Errorf("goes on with %s", got[0].Value)
	}
	join := kmsg.NewPtrJoinGroupRequest()
	join.Group, join.SessionTimeoutMillis, join.ProtocolType = "g", 10_000, "consumer"
	p := kmsg.NewJoinGroupRequestProtocol()
	p.Name = "range"
	join.Protocols = append(join.Protocols, p)
	wantCode(t, "a classic member among consumers", ask[*kmsg.JoinGroupResponse](t, n, join, 3).ErrorCode, kerr.InconsistentGroupProtocol)
	listed, err := n.admin().ListGroups(timeout(t, 5*time.Second))
	if err != nil || listed["g"].ProtocolType != "consumer" || listed["g"].State != "Stable" {
		t.Errorf("%+v, %v", listed, err)
	}
	types := kmsg.NewPtrListGroupsRequest()
	types.TypesFilter = []string{"Consumer"}
	if r := ask[*kmsg.ListGroupsResponse](t, n, types, 5); len(r.Groups) != 1 || r.Groups[0].GroupType != "consumer" {
		t.Errorf("%+v", r.Groups)
	}
	next.Close()
	back := classic()
	if got := poll(t, back, 6); string(got[0].Value) != "0-4" {
		t.Errorf("back with %s", got[0].Value)
	}
}

func TestGroupConfigs(t *testing.T) {
	n := startNode(t, fastConsumers)
	n.create("t", 1, nil)
	alter := func(name, value string, op kmsg.IncrementalAlterConfigOp) int16 {
		req := kmsg.NewPtrIncrementalAlterConfigsRequest()
		r := kmsg.NewIncrementalAlterConfigsRequestResource()
		r.ResourceType, r.ResourceName = kmsg.ConfigResourceTypeGroupConfig, "g"
		cfg := kmsg.NewIncrementalAlterConfigsRequestResourceConfig()
		cfg.Name, cfg.Value, cfg.Op = name, &value, op
		r.Configs = append(r.Configs, cfg)
		req.Resources = append(req.Resources, r)
		return ask[*kmsg.IncrementalAlterConfigsResponse](t, n, req, 1).Resources[0].ErrorCode
	}
	wantCode(t, "unknown", alter("consumer.sesion.timeout.ms", "1", kmsg.IncrementalAlterConfigOpSet), kerr.InvalidConfig)
	wantCode(t, "out of range", alter("consumer.heartbeat.interval.ms", "-1", kmsg.IncrementalAlterConfigOpSet), kerr.InvalidConfig)
	wantCode(t, "set", alter("consumer.heartbeat.interval.ms", "70", kmsg.IncrementalAlterConfigOpSet), nil)
	n.restart()
	if r := newRawConsumer(t, n, "g", "one").join("t"); r.HeartbeatIntervalMillis != 70 {
		t.Errorf("%+v", r)
	}
	if r := newRawConsumer(t, n, "other", "one").join("t"); r.HeartbeatIntervalMillis != 50 {
		t.Errorf("%+v", r)
	}
	got := describeConfig(t, n, kmsg.ConfigResourceTypeGroupConfig, "g", "consumer.heartbeat.interval.ms")
	if deref(got.Value) != "70" || got.Source != kmsg.ConfigSourceGroupConfig || len(got.ConfigSynonyms) != 2 || deref(got.ConfigSynonyms[1].Value) != "5000" {
		t.Errorf("%+v", got)
	}
	wantCode(t, "unset", alter("consumer.heartbeat.interval.ms", "", kmsg.IncrementalAlterConfigOpDelete), nil)
	if got := describeConfig(t, n, kmsg.ConfigResourceTypeGroupConfig, "g", "consumer.heartbeat.interval.ms"); got.Source != kmsg.ConfigSourceDefaultConfig {
		t.Errorf("%+v", got)
	}
}

func describeConfig(t *testing.T, n *node, typ kmsg.ConfigResourceType, name, key string) kmsg.DescribeConfigsResponseResourceConfig {
	t.Helper()
	req := kmsg.NewPtrDescribeConfigsRequest()
	r := kmsg.NewDescribeConfigsRequestResource()
	r.ResourceType, r.ResourceName, r.ConfigNames = typ, name, []string{key}
	req.Resources, req.IncludeSynonyms, req.IncludeDocumentation = append(req.Resources, r), true, true
	resp := ask[*kmsg.DescribeConfigsResponse](t, n, req, 4).Resources[0]
	if resp.ErrorCode != 0 || len(resp.Configs) != 1 {
		t.Fatalf("%+v", resp)
	}
	return resp.Configs[0]
}

func TestConfigsSayWhereTheyComeFrom(t *testing.T) {
	n := startNode(t)
	n.create("t", 1, map[string]string{"retention.ms": "1000"})
	got := describeConfig(t, n, kmsg.ConfigResourceTypeTopic, "t", "retention.ms")
	var names []string
	for _, s := range got.ConfigSynonyms {
		names = append(names, fmt.Sprint(s.Name, " ", deref(s.Value), " ", s.Source))
	}
	want := []string{"retention.ms 1000 DYNAMIC_TOPIC_CONFIG", "log.retention.ms 604800000 DEFAULT_CONFIG"}
	if !slices.Equal(names, want) || got.ConfigType != kmsg.ConfigTypeLong || deref(got.Documentation) == "" {
		t.Errorf("%v, %+v", names, got)
	}
	b := describeConfig(t, n, kmsg.ConfigResourceTypeBroker, "0", "transaction.max.timeout.ms")
	if deref(b.Value) != "900000" || b.Source != kmsg.ConfigSourceDefaultConfig || !b.ReadOnly || b.ConfigType != kmsg.ConfigTypeLong || deref(b.Documentation) == "" {
		t.Errorf("%+v", b)
	}
	if configs, err := n.admin().DescribeBrokerConfigs(timeout(t, 5*time.Second), 0); err != nil || len(configs[0].Configs) < 15 {
		t.Errorf("%+v, %v", configs, err)
	}
}
