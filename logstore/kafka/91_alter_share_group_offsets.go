package kafka

import (
	"github.com/streamflow/streamflow/logstore/acl"
	"github.com/streamflow/streamflow/logstore/broker"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// alterShareGroupOffsets moves a share group without members to other offsets. A group that is not there is made.
func (c *call) alterShareGroupOffsets(req *kmsg.AlterShareGroupOffsetsRequest) (kmsg.Response, error) {
	resp := req.ResponseKind().(*kmsg.AlterShareGroupOffsetsResponse)
	if err := c.mayChangeShare(req.GroupID, acl.Read); err != nil {
		resp.ErrorCode, resp.ErrorMessage = code(err), message(err)
		return resp, nil
	}
	starts := map[broker.SharePlace]int64{}
	for _, t := range req.Topics {
		rt := kmsg.NewAlterShareGroupOffsetsResponseTopic()
		rt.Topic = t.Topic
		topic, err := c.readable(t.Topic)
		if err == nil {
			rt.TopicID = topic.ID
		}
		for _, p := range t.Partitions {
			rp := kmsg.NewAlterShareGroupOffsetsResponseTopicPartition()
			perr := err
			switch {
			case err != nil:
			case p.Partition < 0 || p.Partition >= topic.Partitions:
				perr = kerr.UnknownTopicOrPartition
			case p.StartOffset < 0:
				perr = kerr.OffsetOutOfRange
			default:
				starts[broker.SharePlace{TopicID: topic.ID, Partition: p.Partition}] = p.StartOffset
			}
			rp.Partition, rp.ErrorCode, rp.ErrorMessage = p.Partition, code(perr), message(perr)
			rt.Partitions = append(rt.Partitions, rp)
		}
		resp.Topics = append(resp.Topics, rt)
	}
	if len(starts) > 0 {
		err := c.broker.SetShareStarts(c.ctx, req.GroupID, starts)
		resp.ErrorCode, resp.ErrorMessage = code(err), message(err)
	}
	return resp, nil
}

func (c *call) readable(name string) (*broker.Topic, error) {
	if !c.authorize(acl.Read, acl.Topic, name) {
		return nil, kerr.TopicAuthorizationFailed
	}
	return c.broker.Topic(name)
}

// mayChangeShare says why a share group's offsets cannot be changed: there is a member, or the group is another's or not there.
func (c *call) mayChangeShare(group string, op acl.Operation) error {
	if !c.authorize(op, acl.Group, group) {
		return kerr.GroupAuthorizationFailed
	}
	d, err := c.groups.describe(group)
	switch {
	case err != nil:
		return err
	case d.share != nil && len(d.share.Members) > 0:
		return kerr.NonEmptyGroup
	case d.busy():
		return withMessage(kerr.GroupIDNotFound, "group %q is not a share group", group)
	case op == acl.Delete && d.share == nil && !c.broker.HasShareGroup(group):
		return withMessage(kerr.GroupIDNotFound, "there is no share group %q", group)
	}
	return nil
}
