package kafka

import (
	"bytes"
	"strings"

	"github.com/google/uuid"
	"github.com/streamflow/streamflow/logstore/acl"
	"github.com/streamflow/streamflow/logstore/broker"
	"github.com/streamflow/streamflow/logstore/group/consumer"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// consumerGroupHeartbeat is all that a member of a KIP-848 group says.
func (c *call) consumerGroupHeartbeat(req *kmsg.ConsumerGroupHeartbeatRequest) (kmsg.Response, error) {
	resp := req.ResponseKind().(*kmsg.ConsumerGroupHeartbeatResponse)
	r, err := c.beat(req)
	if err != nil {
		resp.ErrorMessage = message(err)
		return c.refusedGroup(err, &resp.ErrorCode, resp)
	}
	if resp.ErrorCode = int16(r.Code); r.Code != 0 {
		resp.ErrorMessage = nullable(r.Message)
		return resp, nil
	}
	resp.MemberID, resp.MemberEpoch, resp.HeartbeatIntervalMillis = &r.MemberID, r.Epoch, int32(r.HeartbeatInterval)
	if r.Assignment != nil {
		resp.Assignment = &kmsg.ConsumerGroupHeartbeatResponseAssignment{Topics: heartbeatTopics(*r.Assignment)}
	}
	return resp, nil
}

func heartbeatTopics(s consumer.Set) []kmsg.ConsumerGroupHeartbeatResponseAssignmentTopic {
	var out []kmsg.ConsumerGroupHeartbeatResponseAssignmentTopic
	for _, p := range s {
		if n := len(out); n == 0 || out[n-1].TopicID != p.Topic {
			t := kmsg.NewConsumerGroupHeartbeatResponseAssignmentTopic()
			t.TopicID = p.Topic
			out = append(out, t)
		}
		last := &out[len(out)-1]
		last.Partitions = append(last.Partitions, p.Index)
	}
	return out
}

func (c *call) beat(req *kmsg.ConsumerGroupHeartbeatRequest) (consumer.Reply, error) {
	if err := c.mayBeat(req); err != nil {
		return consumer.Reply{}, err
	}
	h := consumer.Heartbeat{
		MemberID: req.MemberID, Epoch: req.MemberEpoch, InstanceID: deref(req.InstanceID), RackID: req.RackID,
		ClientID: c.clientID, ClientHost: "/" + hostOf(c.conn.nc.RemoteAddr().String()),
		RebalanceTimeout: int64(req.RebalanceTimeoutMillis), Names: req.SubscribedTopicNames, Pattern: req.SubscribedTopicRegex,
		Assignor: req.ServerAssignor,
	}
	if h.MemberID == "" { // version 0: the coordinator names members
		h.MemberID = uuid.NewString()
	}
	if req.Topics != nil {
		var owned []consumer.Partition
		for _, t := range req.Topics {
			for _, p := range t.Partitions {
				owned = append(owned, consumer.Partition{Topic: t.TopicID, Index: p})
			}
		}
		s := consumer.NewSet(owned)
		h.Owned = &s
	}
	return c.groups.beat(req.Group, h, func(topic string) bool { return c.mayQuietly(acl.Describe, acl.Topic, topic) })
}

// mayBeat says what is wrong with a heartbeat before any group looks at it.
func (c *call) mayBeat(req *kmsg.ConsumerGroupHeartbeatRequest) error {
	joins := req.MemberEpoch == consumer.EpochJoin
	switch {
	case c.broker.FeatureLevel(broker.FeatureGroups) < 1:
		return kerr.UnsupportedVersion
	case !c.authorize(acl.Read, acl.Group, req.Group):
		return kerr.GroupAuthorizationFailed
	case strings.TrimSpace(req.Group) == "":
		return withMessage(kerr.InvalidRequest, "the group has no name")
	case req.MemberID == "" && (req.Version > 0 || !joins):
		return withMessage(kerr.InvalidRequest, "the member has no id")
	case req.InstanceID != nil && *req.InstanceID == "":
		return withMessage(kerr.InvalidRequest, "the instance id is empty")
	case req.MemberEpoch < consumer.EpochLeaveStatic:
		return withMessage(kerr.InvalidRequest, "member epoch %d", req.MemberEpoch)
	case req.MemberEpoch == consumer.EpochLeaveStatic && req.InstanceID == nil:
		return withMessage(kerr.InvalidRequest, "only a static member can say that it will be back")
	case joins && req.RebalanceTimeoutMillis < 0:
		return withMessage(kerr.InvalidRequest, "a member that joins must say how long it takes to let partitions go")
	case joins && (req.Topics == nil || len(req.Topics) > 0):
		return withMessage(kerr.InvalidRequest, "a member that joins has no partitions, and must say so")
	case joins && len(req.SubscribedTopicNames) == 0 && deref(req.SubscribedTopicRegex) == "":
		return withMessage(kerr.InvalidRequest, "a member that joins must subscribe to something")
	}
	for _, t := range req.SubscribedTopicNames {
		if !c.authorize(acl.Describe, acl.Topic, t) {
			return kerr.TopicAuthorizationFailed
		}
	}
	return nil
}

// topicsOf groups a set by topic, with the names of those topics that are there.
func (c *call) topicsOf(s consumer.Set, add func(id [16]byte, name string, partitions []int32)) {
	for len(s) > 0 {
		n := 0
		var partitions []int32
		for n < len(s) && bytes.Equal(s[n].Topic[:], s[0].Topic[:]) {
			partitions = append(partitions, s[n].Index)
			n++
		}
		if t := c.broker.TopicByID(uuid.UUID(s[0].Topic)); t != nil {
			add(s[0].Topic, t.Name, partitions)
		}
		s = s[n:]
	}
}
