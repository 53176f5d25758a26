package kafka

import (
	"github.com/streamflow/streamflow/logstore/acl"
	"github.com/streamflow/streamflow/logstore/group/consumer"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// consumerMember is the type of a member that speaks the consumer protocol.
const consumerMember = 1

func (c *call) consumerGroupDescribe(req *kmsg.ConsumerGroupDescribeRequest) (kmsg.Response, error) {
	resp := req.ResponseKind().(*kmsg.ConsumerGroupDescribeResponse)
	for _, name := range req.Groups {
		g := kmsg.NewConsumerGroupDescribeResponseGroup()
		g.Group = name
		if err := c.describeConsumers(name, &g); err != nil {
			g.ErrorCode, g.ErrorMessage = code(err), message(err)
		} else {
			g.AuthorizedOperations = c.operations(req.IncludeAuthorizedOperations, acl.Group, name)
		}
		resp.Groups = append(resp.Groups, g)
	}
	return resp, nil
}

func (c *call) describeConsumers(name string, g *kmsg.ConsumerGroupDescribeResponseGroup) error {
	if !c.authorize(acl.Describe, acl.Group, name) {
		return kerr.GroupAuthorizationFailed
	}
	found, err := c.groups.describe(name)
	if err != nil {
		return err
	}
	d := found.consumer
	if d == nil {
		return withMessage(kerr.GroupIDNotFound, "there is no consumer group %q", name)
	}
	g.State, g.Epoch, g.AssignmentEpoch, g.AssignorName = d.State, d.Epoch, d.AssignmentEpoch, d.Assignor
	for _, m := range d.Members {
		g.Members = append(g.Members, c.describeConsumer(m))
	}
	return nil
}

func (c *call) describeConsumer(m consumer.MemberDescription) kmsg.ConsumerGroupDescribeResponseGroupMember {
	r := kmsg.NewConsumerGroupDescribeResponseGroupMember()
	r.MemberID, r.InstanceID, r.RackID, r.MemberEpoch = m.MemberID, nullable(m.InstanceID), nullable(m.RackID), m.Epoch
	r.ClientID, r.ClientHost, r.SubscribedTopics, r.SubscribedTopicRegex = m.ClientID, m.ClientHost, m.Names, nullable(m.Pattern)
	r.Assignment, r.TargetAssignment, r.MemberType = c.assignment(m.Assigned), c.assignment(m.Target), consumerMember
	return r
}

func (c *call) assignment(s consumer.Set) kmsg.Assignment {
	a := kmsg.NewAssignment()
	c.topicsOf(s, func(id [16]byte, name string, partitions []int32) {
		t := kmsg.NewAssignmentTopicPartition()
		t.TopicID, t.Topic, t.Partitions = id, name, partitions
		a.TopicPartitions = append(a.TopicPartitions, t)
	})
	return a
}
