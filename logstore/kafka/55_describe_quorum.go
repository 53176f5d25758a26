package kafka

import (
	"github.com/streamflow/streamflow/logstore/acl"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// metadataTopic is what Kafka calls the metadata log (KIP-595). Ours is a Raft log that is no topic; it is told of under that name.
const metadataTopic = "__cluster_metadata"

// describeQuorum tells who keeps the metadata log, who leads, and how far it is. How far others are only they know: -1.
func (c *call) describeQuorum(req *kmsg.DescribeQuorumRequest) (kmsg.Response, error) {
	resp := req.ResponseKind().(*kmsg.DescribeQuorumResponse)
	if !c.authorizeCluster(acl.Describe) {
		resp.ErrorCode = kerr.ClusterAuthorizationFailed.Code
		return resp, nil
	}
	for _, t := range req.Topics {
		rt := kmsg.NewDescribeQuorumResponseTopic()
		rt.Topic = t.Topic
		for _, p := range t.Partitions {
			rp := kmsg.NewDescribeQuorumResponseTopicPartition()
			rp.Partition = p.Partition
			if t.Topic != metadataTopic || p.Partition != 0 {
				rp.ErrorCode = kerr.UnknownTopicOrPartition.Code
			} else {
				c.quorum(&rp)
			}
			rt.Partitions = append(rt.Partitions, rp)
		}
		resp.Topics = append(resp.Topics, rt)
	}
	for _, m := range c.broker.Meta().Members() {
		n := kmsg.NewDescribeQuorumResponseNode()
		n.NodeID = m.ID
		resp.Nodes = append(resp.Nodes, n)
	}
	return resp, nil
}

func (c *call) quorum(p *kmsg.DescribeQuorumResponseTopicPartition) {
	s := c.broker.Meta().Status()
	p.LeaderID, p.LeaderEpoch, p.HighWatermark = s.Leader, int32(s.Term), int64(s.Commit)
	for _, m := range c.broker.Meta().Members() {
		r := kmsg.NewDescribeQuorumResponseTopicPartitionReplicaState()
		r.ReplicaID, r.LogEndOffset, r.LastFetchTimestamp, r.LastCaughtUpTimestamp = m.ID, -1, -1, -1
		if m.ID == s.Node {
			r.LogEndOffset = int64(s.Last)
			if !s.Contact.IsZero() {
				r.LastFetchTimestamp = s.Contact.UnixMilli()
			}
		}
		if m.Voter {
			p.CurrentVoters = append(p.CurrentVoters, r)
		} else {
			p.Observers = append(p.Observers, r)
		}
	}
}
