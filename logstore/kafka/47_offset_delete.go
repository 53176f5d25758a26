package kafka

import (
	"slices"

	"github.com/streamflow/streamflow/logstore/acl"
	"github.com/streamflow/streamflow/logstore/broker"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// offsetDelete forgets committed offsets of a group without members. (Kafka also allows it for topics that no member
// subscribes to; subscriptions are the clients' bytes, which we do not read.)
func (c *call) offsetDelete(req *kmsg.OffsetDeleteRequest) (kmsg.Response, error) {
	resp := req.ResponseKind().(*kmsg.OffsetDeleteResponse)
	if !c.authorize(acl.Delete, acl.Group, req.Group) {
		resp.ErrorCode = kerr.GroupAuthorizationFailed.Code
		return resp, nil
	}
	d, err := c.groups.describe(req.Group)
	if err != nil {
		resp.ErrorCode = code(err)
		return resp, nil
	}
	known := d != groupDescription{}
	if !known && !slices.Contains(c.groupNames(), req.Group) {
		resp.ErrorCode = kerr.GroupIDNotFound.Code
		return resp, nil
	}
	busy := d.busy()
	var good []broker.GroupOffset
	for _, t := range req.Topics {
		rt := kmsg.NewOffsetDeleteResponseTopic()
		rt.Topic = t.Topic
		for _, p := range t.Partitions {
			rp := kmsg.NewOffsetDeleteResponseTopicPartition()
			rp.Partition = p.Partition
			switch err := c.exists(t.Topic, p.Partition); {
			case !c.authorize(acl.Read, acl.Topic, t.Topic):
				rp.ErrorCode = kerr.TopicAuthorizationFailed.Code
			case err != nil:
				rp.ErrorCode = code(err)
			case busy:
				rp.ErrorCode = kerr.GroupSubscribedToTopic.Code
			default:
				good = append(good, broker.GroupOffset{Topic: t.Topic, Partition: p.Partition})
			}
			rt.Partitions = append(rt.Partitions, rp)
		}
		resp.Topics = append(resp.Topics, rt)
	}
	if len(good) > 0 {
		resp.ErrorCode = code(c.broker.DeleteOffsets(c.ctx, req.Group, good))
	}
	return resp, nil
}
