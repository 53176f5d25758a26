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
		err := c.growTopic(resp, t, req.ValidateOnly, req.Version >= 3)
		r.ErrorCode, r.ErrorMessage = code(err), message(err)
		resp.Topics = append(resp.Topics, r)
	}
	return resp, nil
}

func (c *call) growTopic(resp kmsg.Response, t kmsg.CreatePartitionsRequestTopic, validateOnly, strict bool) error {
	if !c.authorize(acl.Alter, acl.Topic, t.Topic) {
		return kerr.TopicAuthorizationFailed
	}
	var replicas [][]int32
	for _, a := range t.Assignment {
		replicas = append(replicas, a.Replicas)
	}
	if t.Assignment != nil && len(replicas) == 0 {
		return withMessage(kerr.InvalidReplicaAssignment, "no partition is assigned")
	}
	if topic, err := c.broker.Topic(t.Topic); err == nil && !validateOnly {
		if err := c.mayMutate(resp, t.Count-topic.Partitions, strict); err != nil {
			return err
		}
	}
	return c.broker.Grow(c.ctx, t.Topic, t.Count, replicas, validateOnly)
}
