package kafka

import (
	"github.com/streamflow/streamflow/logstore/acl"
	"github.com/streamflow/streamflow/logstore/broker"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// alterPartitionReassignments begins to move replicas, or takes that back (KIP-455).
func (c *call) alterPartitionReassignments(req *kmsg.AlterPartitionAssignmentsRequest) (kmsg.Response, error) {
	resp := req.ResponseKind().(*kmsg.AlterPartitionAssignmentsResponse)
	resp.AllowReplicationFactorChange = req.AllowReplicationFactorChange
	if !c.authorizeCluster(acl.Alter) {
		resp.ErrorCode = kerr.ClusterAuthorizationFailed.Code
		return resp, nil
	}
	var moves []broker.Reassignment
	for _, t := range req.Topics {
		rt := kmsg.NewAlterPartitionAssignmentsResponseTopic()
		rt.Topic = t.Topic
		for _, p := range t.Partitions {
			rp := kmsg.NewAlterPartitionAssignmentsResponseTopicPartition()
			rp.Partition = p.Partition
			err := c.checkReassignment(t.Topic, p, req.AllowReplicationFactorChange)
			if rp.ErrorCode, rp.ErrorMessage = code(err), message(err); err == nil {
				moves = append(moves, broker.Reassignment{Topic: t.Topic, Partition: p.Partition, Replicas: p.Replicas})
			}
			rt.Partitions = append(rt.Partitions, rp)
		}
		resp.Topics = append(resp.Topics, rt)
	}
	if len(moves) == 0 {
		return resp, nil
	}
	errs, err := c.broker.Reassign(c.ctx, moves)
	if err != nil {
		resp.ErrorCode, resp.ErrorMessage = code(err), message(err)
		return resp, nil
	}
	next := 0
	for i := range resp.Topics {
		for j := range resp.Topics[i].Partitions {
			if p := &resp.Topics[i].Partitions[j]; p.ErrorCode == 0 {
				p.ErrorCode, p.ErrorMessage = code(errs[next]), message(errs[next])
				next++
			}
		}
	}
	return resp, nil
}

// checkReassignment refuses what the broker would take for something else: an empty list, which there means to cancel.
func (c *call) checkReassignment(topic string, p kmsg.AlterPartitionAssignmentsRequestTopicPartition, mayChangeFactor bool) error {
	if p.Replicas == nil {
		return nil
	}
	if len(p.Replicas) == 0 {
		return withMessage(kerr.InvalidReplicaAssignment, "partition %d of topic %q: no replicas", p.Partition, topic)
	}
	s, err := c.broker.PartitionState(topic, p.Partition)
	if err == nil && !mayChangeFactor && len(s.Target()) != len(p.Replicas) {
		return withMessage(kerr.InvalidReplicationFactor, "partition %d of topic %q has %d replicas, not %d", p.Partition, topic, len(s.Target()), len(p.Replicas))
	}
	return err
}
