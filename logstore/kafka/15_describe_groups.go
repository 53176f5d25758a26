package kafka

import (
	"github.com/streamflow/streamflow/logstore/acl"
	"github.com/streamflow/streamflow/logstore/group"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

func (c *call) describeGroups(req *kmsg.DescribeGroupsRequest) (kmsg.Response, error) {
	resp := req.ResponseKind().(*kmsg.DescribeGroupsResponse)
	for _, name := range req.Groups {
		g := kmsg.NewDescribeGroupsResponseGroup()
		g.Group, g.AuthorizedOperations = name, noOperations
		if !c.authorize(acl.Describe, acl.Group, name) {
			g.ErrorCode = kerr.GroupAuthorizationFailed.Code
			resp.Groups = append(resp.Groups, g)
			continue
		}
		g.AuthorizedOperations = c.operations(req.IncludeAuthorizedOperations, acl.Group, name)
		if err := c.describeClassic(name, &g, req.Version); err != nil {
			g.ErrorCode, g.AuthorizedOperations = code(err), noOperations
			if req.Version >= 6 {
				g.ErrorMessage = message(err)
			}
		}
		resp.Groups = append(resp.Groups, g)
	}
	return resp, nil
}

// describeClassic fills in a group of the classic protocol. One that nobody knows is dead, and from version 6 on an error.
func (c *call) describeClassic(name string, g *kmsg.DescribeGroupsResponseGroup, version int16) error {
	found, err := c.groups.describe(name)
	d := found.classic
	switch {
	case err != nil:
		return err
	case d == nil && found.busy():
		return withMessage(kerr.GroupIDNotFound, "group %q is not a classic group", name)
	case d != nil:
		g.State, g.ProtocolType, g.Protocol = string(d.State), d.ProtocolType, d.Protocol
	case found.consumer != nil || len(c.broker.FetchOffsets(name)) > 0:
		g.State = string(group.Empty)
		return nil
	default:
		g.State = "Dead"
		if version >= 6 {
			return withMessage(kerr.GroupIDNotFound, "there is no group %q", name)
		}
		return nil
	}
	for _, m := range d.Members {
		rm := kmsg.NewDescribeGroupsResponseGroupMember()
		rm.MemberID, rm.InstanceID, rm.ClientID, rm.ClientHost = m.MemberID, nullable(m.InstanceID), m.ClientID, m.ClientHost
		rm.ProtocolMetadata, rm.MemberAssignment = m.Metadata, m.Assignment
		g.Members = append(g.Members, rm)
	}
	return nil
}
