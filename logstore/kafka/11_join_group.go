package kafka

import (
	"bytes"
	"github.com/google/uuid"
	"github.com/streamflow/streamflow/logstore/acl"
	"github.com/streamflow/streamflow/logstore/group"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

func (c *call) joinGroup(req *kmsg.JoinGroupRequest) (kmsg.Response, error) {
	resp := req.ResponseKind().(*kmsg.JoinGroupResponse)
	resp.MemberID = req.MemberID
	if req.Group == "" {
		resp.ErrorCode = kerr.InvalidGroupID.Code
		return resp, nil
	}
	if !c.authorize(acl.Read, acl.Group, req.Group) {
		resp.ErrorCode = kerr.GroupAuthorizationFailed.Code
		return resp, nil
	}
	a, err := c.groups.ask(c.ctx, req.Group, func(r group.Req) group.Event { return c.joinEvent(r, req) })
	if err != nil {
		return c.refusedGroup(err, &resp.ErrorCode, resp)
	}
	j := a.(group.JoinReply)
	resp.ErrorCode, resp.Generation, resp.MemberID = int16(j.Code), j.Generation, j.MemberID
	resp.LeaderID, resp.SkipAssignment = j.Leader, j.SkipAssignment
	resp.Protocol = &j.Protocol
	if j.ProtocolType != "" {
		resp.ProtocolType = &j.ProtocolType
	}
	for _, m := range j.Members {
		rm := kmsg.NewJoinGroupResponseMember()
		rm.MemberID, rm.ProtocolMetadata = m.MemberID, m.Metadata
		rm.InstanceID = nullable(m.InstanceID)
		resp.Members = append(resp.Members, rm)
	}
	return resp, nil
}

func (c *call) joinEvent(r group.Req, req *kmsg.JoinGroupRequest) group.Join {
	j := group.Join{
		Req: r, MemberID: req.MemberID, NewMemberID: c.newMemberID(req.InstanceID), InstanceID: deref(req.InstanceID),
		RequireKnownID: req.Version >= 4, SkipAssignment: req.Version >= 9, ClientID: c.clientID,
		ClientHost:     "/" + hostOf(c.conn.nc.RemoteAddr().String()),
		SessionTimeout: int64(req.SessionTimeoutMillis), RebalanceTimeout: int64(req.RebalanceTimeoutMillis),
		ProtocolType: req.ProtocolType,
	}
	if req.Version == 0 {
		j.RebalanceTimeout = j.SessionTimeout
	}
	for _, p := range req.Protocols { // the group keeps them; the request's bytes are its frame's
		j.Protocols = append(j.Protocols, group.Protocol{Name: p.Name, Metadata: bytes.Clone(p.Metadata)})
	}
	return j
}

// newMemberID is the client's name, or its instance's, with something unique.
func (c *call) newMemberID(instance *string) string {
	if instance != nil && *instance != "" {
		return *instance + "-" + uuid.NewString()
	}
	return c.clientID + "-" + uuid.NewString()
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func nullable(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
