package kafka

import (
	"slices"

	"github.com/streamflow/streamflow/logstore/acl"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

func (c *call) deleteGroups(req *kmsg.DeleteGroupsRequest) (kmsg.Response, error) {
	resp := req.ResponseKind().(*kmsg.DeleteGroupsResponse)
	known := c.groupNames()
	for _, name := range req.Groups {
		r := kmsg.NewDeleteGroupsResponseGroup()
		r.Group = name
		err := c.deleteGroup(name, slices.Contains(known, name))
		r.ErrorCode, r.ErrorMessage = code(err), message(err)
		resp.Groups = append(resp.Groups, r)
	}
	return resp, nil
}

func (c *call) deleteGroup(name string, known bool) error {
	switch {
	case name == "":
		return kerr.InvalidGroupID
	case !c.authorize(acl.Delete, acl.Group, name):
		return kerr.GroupAuthorizationFailed
	case c.coordinatesGroup(name) != nil:
		return c.coordinatesGroup(name)
	case !known:
		return kerr.GroupIDNotFound
	case !c.groups.drop(name):
		return kerr.NonEmptyGroup
	}
	if c.broker.HasShareGroup(name) {
		c.shares.forget(name)
		if err := c.broker.DropShareStates(c.ctx, name); err != nil {
			return err
		}
	}
	return c.broker.DeleteGroupOffsets(c.ctx, name)
}
