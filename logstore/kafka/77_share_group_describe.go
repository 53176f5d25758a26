package kafka

import (
	"github.com/streamflow/streamflow/logstore/acl"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

func (c *call) shareGroupDescribe(req *kmsg.ShareGroupDescribeRequest) (kmsg.Response, error) {
	resp := req.ResponseKind().(*kmsg.ShareGroupDescribeResponse)
	for _, name := range req.GroupIDs {
		g := kmsg.NewShareGroupDescribeResponseGroup()
		g.GroupID = name
		if err := c.describeSharing(name, &g); err != nil {
			g.ErrorCode, g.ErrorMessage = code(err), message(err)
		} else {
			g.AuthorizedOperations = c.operations(req.IncludeAuthorizedOperations, acl.Group, name)
		}
		resp.Groups = append(resp.Groups, g)
	}
	return resp, nil
}

func (c *call) describeSharing(name string, g *kmsg.ShareGroupDescribeResponseGroup) error {
	if !c.authorize(acl.Describe, acl.Group, name) {
		return kerr.GroupAuthorizationFailed
	}
	d, err := c.groups.describe(name)
	switch {
	case err != nil:
		return err
	case d.share != nil:
	case c.broker.HasShareGroup(name):
		g.GroupState = "Empty"
		return nil
	default:
		return withMessage(kerr.GroupIDNotFound, "there is no share group %q", name)
	}
	g.GroupState, g.GroupEpoch, g.AssignmentEpoch, g.Assignor = d.share.State, d.share.Epoch, d.share.AssignmentEpoch, d.share.Assignor
	for _, m := range d.share.Members {
		r := kmsg.NewShareGroupDescribeResponseGroupMember()
		r.MemberID, r.RackID, r.MemberEpoch, r.ClientID, r.ClientHost = m.MemberID, nullable(m.RackID), m.Epoch, m.ClientID, m.ClientHost
		r.SubscribedTopicNames = m.Names
		c.topicsOf(m.Assigned, func(id [16]byte, name string, partitions []int32) {
			t := kmsg.NewShareGroupDescribeResponseGroupMemberAssignmentTopicPartition()
			t.TopicID, t.Topic, t.Partitions = id, name, partitions
			r.Assignment.TopicPartitions = append(r.Assignment.TopicPartitions, t)
		})
		g.Members = append(g.Members, r)
	}
	return nil
}
