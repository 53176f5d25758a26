package kafka

import (
	"github.com/streamflow/streamflow/logstore/acl"
	"github.com/streamflow/streamflow/logstore/group"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

func (c *call) syncGroup(req *kmsg.SyncGroupRequest) (kmsg.Response, error) {
	resp := req.ResponseKind().(*kmsg.SyncGroupResponse)
	if req.Group == "" {
		resp.ErrorCode = kerr.InvalidGroupID.Code
		return resp, nil
	}
	if !c.authorize(acl.Read, acl.Group, req.Group) {
		resp.ErrorCode = kerr.GroupAuthorizationFailed.Code
		return resp, nil
	}
	a, err := c.groups.ask(c.ctx, req.Group, func(r group.Req) group.Event {
		e := group.Sync{
			Req: r, MemberID: req.MemberID, InstanceID: deref(req.InstanceID), Generation: req.Generation,
			ProtocolType: deref(req.ProtocolType), ProtocolName: deref(req.Protocol),
		}
		for _, as := range req.GroupAssignment {
			e.Assignments = append(e.Assignments, group.Assignment{MemberID: as.MemberID, Data: as.MemberAssignment})
		}
		return e
	})
	if err != nil {
		return c.refusedGroup(err, &resp.ErrorCode, resp)
	}
	s := a.(group.SyncReply)
	resp.ErrorCode, resp.MemberAssignment = int16(s.Code), s.Assignment
	if resp.MemberAssignment == nil {
		resp.MemberAssignment = []byte{}
	}
	resp.ProtocolType, resp.Protocol = nullable(s.ProtocolType), nullable(s.Protocol)
	return resp, nil
}
