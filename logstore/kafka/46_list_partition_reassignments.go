package kafka

import (
	"github.com/streamflow/streamflow/logstore/acl"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// listPartitionReassignments lists what is being moved (KIP-455).
func (c *call) listPartitionReassignments(req *kmsg.ListPartitionReassignmentsRequest) (kmsg.Response, error) {
	resp := req.ResponseKind().(*kmsg.ListPartitionReassignmentsResponse)
	if !c.authorizeCluster(acl.Describe) {
		resp.ErrorCode = kerr.ClusterAuthorizationFailed.Code
		return resp, nil
	}
	asked := req.Topics
	if asked == nil {
		for _, t := range c.broker.AllTopics() {
			a := kmsg.NewListPartitionReassignmentsRequestTopic()
			a.Topic = t.Name
			for p := range t.Partitions {
				a.Partitions = append(a.Partitions, p)
			}
			asked = append(asked, a)
		}
	}
	for _, a := range asked {
		t := kmsg.NewListPartitionReassignmentsResponseTopic()
		t.Topic = a.Topic
		for _, p := range a.Partitions {
			s, err := c.broker.PartitionState(a.Topic, p)
			if err != nil || !s.Reassigning() {
				continue
			}
			rp := kmsg.NewListPartitionReassignmentsResponseTopicPartition()
			rp.Partition, rp.Replicas, rp.AddingReplicas, rp.RemovingReplicas = p, s.Replicas, s.Adding, s.Removing
			t.Partitions = append(t.Partitions, rp)
		}
		if len(t.Partitions) > 0 {
			resp.Topics = append(resp.Topics, t)
		}
	}
	return resp, nil
}
