package kafka

import (
	"github.com/google/uuid"
	"github.com/streamflow/streamflow/logstore/acl"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

func (c *call) deleteTopics(req *kmsg.DeleteTopicsRequest) (kmsg.Response, error) {
	resp := req.ResponseKind().(*kmsg.DeleteTopicsResponse)
	asked := req.Topics
	for _, name := range req.TopicNames {
		t := kmsg.NewDeleteTopicsRequestTopic()
		n := name
		t.Topic = &n
		asked = append(asked, t)
	}
	for _, a := range asked {
		r := kmsg.NewDeleteTopicsResponseTopic()
		r.Topic, r.TopicID = a.Topic, a.TopicID
		err := c.deleteTopic(resp, a, &r, req.Version >= 5)
		r.ErrorCode, r.ErrorMessage = code(err), message(err)
		resp.Topics = append(resp.Topics, r)
	}
	return resp, nil
}

func (c *call) deleteTopic(resp kmsg.Response, a kmsg.DeleteTopicsRequestTopic, r *kmsg.DeleteTopicsResponseTopic, strict bool) error {
	if a.Topic == nil {
		t := c.broker.TopicByID(uuid.UUID(a.TopicID))
		if t == nil {
			return kerr.UnknownTopicID
		}
		if !c.authorize(acl.Describe, acl.Topic, t.Name) {
			return kerr.TopicAuthorizationFailed
		}
		r.Topic = &t.Name
	}
	if !c.authorize(acl.Delete, acl.Topic, *r.Topic) {
		return kerr.TopicAuthorizationFailed
	}
	if t, err := c.broker.Topic(*r.Topic); err == nil {
		r.TopicID = t.ID
		if err := c.mayMutate(resp, t.Partitions, strict); err != nil {
			return err
		}
	}
	return c.broker.DeleteTopic(c.ctx, *r.Topic)
}
