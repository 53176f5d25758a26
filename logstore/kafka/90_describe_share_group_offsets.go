package kafka

import (
	"github.com/google/uuid"
	"github.com/streamflow/streamflow/logstore/acl"
	"github.com/streamflow/streamflow/logstore/broker"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// describeShareGroupOffsets says where share groups stand: the first record in each partition that is not done, -1 where nothing
// is kept.
func (c *call) describeShareGroupOffsets(req *kmsg.DescribeShareGroupOffsetsRequest) (kmsg.Response, error) {
	resp := req.ResponseKind().(*kmsg.DescribeShareGroupOffsetsResponse)
	for _, g := range req.Groups {
		rg := kmsg.NewDescribeShareGroupOffsetsResponseGroup()
		rg.GroupID = g.GroupID
		if err := c.mayDescribeShare(g.GroupID); err != nil {
			rg.ErrorCode, rg.ErrorMessage = code(err), message(err)
		} else {
			rg.Topics = c.shareOffsets(g)
		}
		resp.Groups = append(resp.Groups, rg)
	}
	return resp, nil
}

func (c *call) mayDescribeShare(group string) error {
	if !c.authorize(acl.Describe, acl.Group, group) {
		return kerr.GroupAuthorizationFailed
	}
	return c.coordinatesGroup(group)
}

func (c *call) shareOffsets(g kmsg.DescribeShareGroupOffsetsRequestGroup) []kmsg.DescribeShareGroupOffsetsResponseGroupTopic {
	states := c.broker.ShareStates(g.GroupID)
	asked := g.Topics
	if asked == nil {
		asked = c.allShared(states)
	}
	var out []kmsg.DescribeShareGroupOffsetsResponseGroupTopic
	for _, t := range asked {
		rt := kmsg.NewDescribeShareGroupOffsetsResponseGroupTopic()
		rt.Topic = t.Topic
		topic, err := c.describable(t.Topic)
		if err == nil {
			rt.TopicID = topic.ID
		}
		for _, p := range t.Partitions {
			rp := kmsg.NewDescribeShareGroupOffsetsResponseGroupTopicPartition()
			rp.Partition, rp.StartOffset, rp.LeaderEpoch, rp.Lag = p, -1, 0, -1
			rp.ErrorCode, rp.ErrorMessage = code(err), message(err)
			if s, ok := states[broker.SharePlace{TopicID: uuid.UUID(rt.TopicID), Partition: p}]; ok && err == nil {
				rp.StartOffset, rp.LeaderEpoch, rp.Lag = s.Start, s.LeaderEpoch, c.shareLag(t.Topic, p, s.Start)
			}
			rt.Partitions = append(rt.Partitions, rp)
		}
		out = append(out, rt)
	}
	return out
}

// allShared are the partitions of which something is kept, of topics that the client may know of.
func (c *call) allShared(states map[broker.SharePlace]broker.ShareState) (out []kmsg.DescribeShareGroupOffsetsRequestGroupTopic) {
	for _, t := range c.broker.AllTopics() {
		rt := kmsg.NewDescribeShareGroupOffsetsRequestGroupTopic()
		rt.Topic = t.Name
		for p := range t.Partitions {
			if _, ok := states[broker.SharePlace{TopicID: t.ID, Partition: p}]; ok {
				rt.Partitions = append(rt.Partitions, p)
			}
		}
		if len(rt.Partitions) > 0 && c.mayQuietly(acl.Describe, acl.Topic, t.Name) {
			out = append(out, rt)
		}
	}
	return out
}

// shareLag is how many offsets lie from start to the end; -1 where this node does not know the end.
func (c *call) shareLag(topic string, p int32, start int64) int64 {
	part, err := c.broker.LeaderPartition(topic, p)
	if err != nil {
		return -1
	}
	return max(0, part.Offsets().HighWatermark-start)
}
