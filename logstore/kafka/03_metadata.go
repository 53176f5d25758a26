package kafka

import (
	"errors"

	"github.com/google/uuid"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/logstore/broker"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

func (c *call) metadata(req *kmsg.MetadataRequest) (kmsg.Response, error) {
	resp := req.ResponseKind().(*kmsg.MetadataResponse)
	host, port := c.address(c.conn)
	b := kmsg.NewMetadataResponseBroker()
	b.NodeID, b.Host, b.Port = c.opts.NodeID, host, port
	resp.Brokers = append(resp.Brokers, b)
	id := c.broker.ClusterID()
	resp.ClusterID, resp.ControllerID = &id, c.opts.NodeID
	if req.Topics == nil || req.Version == 0 && len(req.Topics) == 0 {
		for _, t := range c.broker.Topics() {
			resp.Topics = append(resp.Topics, c.topicMetadata(t))
		}
		return resp, nil
	}
	create := !c.opts.DisableAutoCreate && (req.Version < 4 || req.AllowAutoTopicCreation)
	for _, t := range req.Topics {
		resp.Topics = append(resp.Topics, c.askedTopic(t, create))
	}
	return resp, nil
}

// askedTopic is the metadata of one topic by name or id, made first if need be and allowed.
func (c *call) askedTopic(asked kmsg.MetadataRequestTopic, create bool) kmsg.MetadataResponseTopic {
	if asked.Topic == nil {
		if t := c.broker.TopicByID(uuid.UUID(asked.TopicID)); t != nil {
			return c.topicMetadata(t)
		}
		r := kmsg.NewMetadataResponseTopic()
		r.TopicID, r.ErrorCode = asked.TopicID, kerr.UnknownTopicID.Code
		return r
	}
	t, err := c.broker.Topic(*asked.Topic)
	if err != nil && create {
		t, err = c.autoCreate(*asked.Topic)
	}
	if err != nil {
		r := kmsg.NewMetadataResponseTopic()
		r.Topic, r.ErrorCode = asked.Topic, code(err)
		return r
	}
	return c.topicMetadata(t)
}

// autoCreate makes a topic with the default count of partitions; somebody else may be faster.
func (c *call) autoCreate(name string) (*broker.Topic, error) {
	t, err := c.broker.CreateTopic(c.ctx, name, 0, nil)
	var ue *usererr.Error
	if errors.As(err, &ue) && ue.Code == broker.CodeTopicExists {
		return c.broker.Topic(name)
	}
	if err == nil {
		c.log.Info("kafka: topic created on demand", "topic", name, "client", c.clientID, "partitions", t.Partitions)
	}
	return t, err
}

func (c *call) topicMetadata(t *broker.Topic) kmsg.MetadataResponseTopic {
	r := kmsg.NewMetadataResponseTopic()
	name := t.Name
	r.Topic, r.TopicID = &name, t.ID
	r.IsInternal = false
	for p := range t.Partitions {
		m := kmsg.NewMetadataResponseTopicPartition()
		m.Partition, m.Leader, m.LeaderEpoch = p, c.opts.NodeID, leaderEpoch
		m.Replicas, m.ISR = []int32{c.opts.NodeID}, []int32{c.opts.NodeID}
		r.Partitions = append(r.Partitions, m)
	}
	return r
}
