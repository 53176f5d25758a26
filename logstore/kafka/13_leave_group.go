package kafka

import (
	"github.com/streamflow/streamflow/logstore/acl"
	"github.com/streamflow/streamflow/logstore/group"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

func (c *call) leaveGroup(req *kmsg.LeaveGroupRequest) (kmsg.Response, error) {
	resp := req.ResponseKind().(*kmsg.LeaveGroupResponse)
	if req.Group == "" {
		resp.ErrorCode = kerr.InvalidGroupID.Code
		return resp, nil
	}
	if !c.authorize(acl.Read, acl.Group, req.Group) {
		resp.ErrorCode = kerr.GroupAuthorizationFailed.Code
		return resp, nil
	}
	var ids []group.Identity
	if req.Version < 3 {
		ids = append(ids, group.Identity{MemberID: req.MemberID})
	}
	for _, m := range req.Members {
		ids = append(ids, group.Identity{MemberID: m.MemberID, InstanceID: deref(m.InstanceID)})
	}
	a, err := c.groups.ask(c.ctx, req.Group, func(r group.Req) group.Event { return group.Leave{Req: r, Members: ids} })
	if err != nil {
		return c.refusedGroup(err, &resp.ErrorCode, resp)
	}
	codes := a.(group.LeaveReply).Codes
	if req.Version < 3 {
		resp.ErrorCode = int16(codes[0])
		return resp, nil
	}
	for i, m := range req.Members {
		rm := kmsg.NewLeaveGroupResponseMember()
		rm.MemberID, rm.InstanceID, rm.ErrorCode = m.MemberID, m.InstanceID, int16(codes[i])
		resp.Members = append(resp.Members, rm)
	}
	return resp, nil
}
