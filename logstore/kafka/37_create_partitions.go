package kafka

import (
	"github.com/streamflow/streamflow/logstore/acl"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

func (c *call) createPartitions(req *kmsg.CreatePartitionsRequest) (kmsg.Response, error) {
	resp := req.ResponseKind().(*kmsg.CreatePartitionsResponse)
	for _, t := range req.Topics {
		r := kmsg.NewCreatePartitionsResponseTopic()
		r.Topic = t.Topic
		err := c.growTopic(t, req.ValidateOnly)
		r.ErrorCode, r.ErrorMessage = code(err), message(err)
		resp.Topics = append(resp.Topics, r)
	}
	return resp, nil
}

func (c *call) growTopic(t kmsg.CreatePartitionsRequestTopic, validateOnly bool) error {
	if !c.authorize(acl.Alter, acl.Topic, t.Topic) {
		return kerr.TopicAuthorizationFailed
	}
	topic, err := c.broker.Topic(t.Topic)
	if err != nil {
		return err
	}
	if t.Count <= topic.Partitions {
		return withMessage(kerr.InvalidPartitions, "topic %s has %d partitions; it can only grow, not become %d", t.Topic, topic.Partitions, t.Count)
	}
	if t.Assignment != nil && int32(len(t.Assignment)) != t.Count-topic.Partitions {
		return withMessage(kerr.InvalidReplicaAssignment, "%d partitions are assigned, %d are new", len(t.Assignment), t.Count-topic.Partitions)
	}
	for _, a := range t.Assignment {
		if len(a.Replicas) != 1 || a.Replicas[0] != c.opts.NodeID {
			return withMessage(kerr.InvalidReplicaAssignment, "the only replica can be broker %d", c.opts.NodeID)
		}
	}
	if validateOnly {
		return nil
	}
	return c.broker.CreatePartitions(c.ctx, t.Topic, t.Count)
}
