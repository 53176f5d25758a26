package kafka

import (
	"strings"

	"github.com/streamflow/streamflow/logstore/acl"
	"github.com/streamflow/streamflow/logstore/broker"
	"github.com/streamflow/streamflow/logstore/group/consumer"
	"github.com/streamflow/streamflow/logstore/group/share"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// shareGroupHeartbeat is all that a member of a share group says to the group's coordinator (KIP-932).
func (c *call) shareGroupHeartbeat(req *kmsg.ShareGroupHeartbeatRequest) (kmsg.Response, error) {
	resp := req.ResponseKind().(*kmsg.ShareGroupHeartbeatResponse)
	err := c.mayBeatShare(req)
	var r consumer.Reply
	if err == nil {
		r, err = c.groups.beatShare(req.GroupID, share.Heartbeat{
			MemberID: req.MemberID, Epoch: req.MemberEpoch, Rack: req.RackID, Names: req.SubscribedTopicNames, ClientID: c.clientID,
			ClientHost: "/" + hostOf(c.conn.nc.RemoteAddr().String()),
		})
	}
	if err != nil {
		resp.ErrorMessage = message(err)
		return c.refusedGroup(err, &resp.ErrorCode, resp)
	}
	if resp.ErrorCode = int16(r.Code); r.Code != 0 {
		return resp, nil
	}
	resp.MemberID, resp.MemberEpoch, resp.HeartbeatIntervalMillis = &r.MemberID, r.Epoch, int32(r.HeartbeatInterval)
	if r.Assignment != nil {
		resp.Assignment = &kmsg.ShareGroupHeartbeatResponseAssignment{}
		for _, t := range heartbeatTopics(*r.Assignment) {
			a := kmsg.NewShareGroupHeartbeatResponseAssignmentTopicPartition()
			a.TopicID, a.Partitions = t.TopicID, t.Partitions
			resp.Assignment.TopicPartitions = append(resp.Assignment.TopicPartitions, a)
		}
	}
	return resp, nil
}

// mayBeatShare says what is wrong with a heartbeat before any group looks at it.
func (c *call) mayBeatShare(req *kmsg.ShareGroupHeartbeatRequest) error {
	joins := req.MemberEpoch == consumer.EpochJoin
	switch {
	case c.broker.FeatureLevel(broker.FeatureShares) < 1:
		return kerr.UnsupportedVersion
	case !c.authorize(acl.Read, acl.Group, req.GroupID):
		return kerr.GroupAuthorizationFailed
	case strings.TrimSpace(req.GroupID) == "" || req.MemberID == "":
		return withMessage(kerr.InvalidRequest, "a heartbeat wants a group and a member")
	case req.MemberEpoch < consumer.EpochLeave:
		return withMessage(kerr.InvalidRequest, "member epoch %d", req.MemberEpoch)
	case joins && len(req.SubscribedTopicNames) == 0:
		return withMessage(kerr.InvalidRequest, "a member that joins must subscribe to something")
	}
	for _, t := range req.SubscribedTopicNames {
		if !c.authorize(acl.Describe, acl.Topic, t) {
			return kerr.TopicAuthorizationFailed
		}
	}
	return nil
}
