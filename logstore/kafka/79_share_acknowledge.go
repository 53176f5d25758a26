package kafka

import (
	"github.com/google/uuid"
	"github.com/streamflow/streamflow/logstore/group/share"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// shareAcknowledge takes what a member says of records that it was given.
func (c *call) shareAcknowledge(req *kmsg.ShareAcknowledgeRequest) (kmsg.Response, error) {
	resp := req.ResponseKind().(*kmsg.ShareAcknowledgeResponse)
	who, err := c.shareMember(req.GroupID, req.MemberID)
	if err == nil && req.ShareSessionEpoch == epochInitial {
		err = kerr.InvalidShareSessionEpoch
	}
	var s *shareSession
	if err == nil {
		s, err = c.shares.sessions.take(who, req.ShareSessionEpoch)
	}
	if err != nil {
		resp.ErrorCode, resp.ErrorMessage = code(err), message(err)
		return resp, nil
	}
	resp.AcquisitionLockTimeoutMillis = c.shares.lockMs(who.group)
	var leaders []leader
	for _, t := range req.Topics {
		rt := kmsg.NewShareAcknowledgeResponseTopic()
		rt.TopicID = t.TopicID
		for _, p := range t.Partitions {
			var acks []share.Ack
			for _, b := range p.AcknowledgementBatches {
				acks = append(acks, share.Ack{First: b.FirstOffset, Last: b.LastOffset, Types: b.AcknowledgeTypes})
			}
			k := shareKey{who.group, uuid.UUID(t.TopicID), p.Partition}
			rp := kmsg.NewShareAcknowledgeResponseTopicPartition()
			err := c.acknowledgeAt(k, who.id, acks, req.IsRenewAck)
			rp.Partition, rp.ErrorCode, rp.ErrorMessage = p.Partition, code(err), message(err)
			if l, wrong := c.leaderOfShare(k, rp.ErrorCode); wrong {
				rp.CurrentLeader.LeaderID, rp.CurrentLeader.LeaderEpoch = l.id, l.epoch
				leaders = append(leaders, l)
			}
			rt.Partitions = append(rt.Partitions, rp)
		}
		resp.Topics = append(resp.Topics, rt)
	}
	for _, e := range c.conn.endpointsOf(leaders) {
		n := kmsg.NewShareAcknowledgeResponseNodeEndpoint()
		n.NodeID, n.Host, n.Port, n.Rack = e.node, e.host, e.port, nullable(e.rack)
		resp.NodeEndpoints = append(resp.NodeEndpoints, n)
	}
	if req.ShareSessionEpoch == epochFinal {
		c.shares.end(s)
	}
	return resp, nil
}
