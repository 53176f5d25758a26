package kafka

import (
	"context"

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
	a := c.groups.ask(c.ctx, req.Group, func(r group.Req) group.Event {
		return group.Heartbeat{Req: r, MemberID: req.MemberID, InstanceID: deref(req.InstanceID), Generation: req.Generation}
	})
	if a == nil {
		return nil, context.Cause(c.ctx)
	}
	resp.ErrorCode = int16(a.(group.HeartbeatReply).Code)
	return resp, nil
}
