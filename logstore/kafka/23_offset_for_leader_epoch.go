package kafka

import (
	"github.com/streamflow/streamflow/logstore/acl"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

func (c *call) offsetForLeaderEpoch(req *kmsg.OffsetForLeaderEpochRequest) (kmsg.Response, error) {
	resp := req.ResponseKind().(*kmsg.OffsetForLeaderEpochResponse)
	for _, t := range req.Topics {
		rt := kmsg.NewOffsetForLeaderEpochResponseTopic()
		rt.Topic = t.Topic
		for _, p := range t.Partitions {
			rp := kmsg.NewOffsetForLeaderEpochResponseTopicPartition()
			rp.Partition = p.Partition
			if !c.authorize(acl.Describe, acl.Topic, t.Topic) {
				rp.ErrorCode = kerr.TopicAuthorizationFailed.Code
				rt.Partitions = append(rt.Partitions, rp)
				continue
			}
			var err error
			rp.LeaderEpoch, rp.EndOffset, err = c.epochEnd(t.Topic, p)
			rp.ErrorCode = code(err)
			rt.Partitions = append(rt.Partitions, rp)
		}
		resp.Topics = append(resp.Topics, rt)
	}
	return resp, nil
}

// epochEnd is where a leader epoch ends. Only the leader knows, and only under the epoch that the client knows (KIP-320).
func (c *call) epochEnd(topic string, p kmsg.OffsetForLeaderEpochRequestTopicPartition) (epoch int32, end int64, err error) {
	part, err := c.broker.Partition(topic, p.Partition)
	if err == nil {
		err = checkLeader(part.Role(), p.CurrentLeaderEpoch)
	}
	if err != nil {
		return -1, -1, err
	}
	epoch, end = part.EpochEnd(p.LeaderEpoch)
	return epoch, end, nil
}
