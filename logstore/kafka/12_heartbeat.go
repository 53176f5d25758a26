package kafka

import (
	"github.com/streamflow/streamflow/logstore/acl"
	"github.com/streamflow/streamflow/logstore/group"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

func (c *call) heartbeat(req *kmsg.HeartbeatRequest) (kmsg.Response, error) {
	resp := req.ResponseKind().(*kmsg.HeartbeatResponse)
	if req.Group == "" {
		resp.ErrorCode = kerr.InvalidGroupID.Code
		return resp, nil
	}
	if !c.authorize(acl.Read, acl.Group, req.Group) {
		resp.ErrorCode = kerr.GroupAuthorizationFailed.Code
		return resp, nil
	}
	a, err := c.groups.ask(c.ctx, req.Group, func(r group.Req) group.Event {
		return group.Heartbeat{Req: r, MemberID: req.MemberID, InstanceID: deref(req.InstanceID), Generation: req.Generation}
	})
	if err != nil {
		return c.refusedGroup(err, &resp.ErrorCode, resp)
	}
	resp.ErrorCode = int16(a.(group.HeartbeatReply).Code)
	return resp, nil
}
