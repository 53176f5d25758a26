package kafka

import (
	"errors"

	"github.com/google/uuid"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/logstore/acl"
	"github.com/streamflow/streamflow/logstore/broker"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

func (c *call) metadata(req *kmsg.MetadataRequest) (kmsg.Response, error) {
	resp := req.ResponseKind().(*kmsg.MetadataResponse)
	for _, x := range c.broker.AliveBrokers() {
		e := c.conn.endpointOf(x)
		b := kmsg.NewMetadataResponseBroker()
		b.NodeID, b.Host, b.Port, b.Rack = e.node, e.host, e.port, nullable(e.rack)
		resp.Brokers = append(resp.Brokers, b)
	}
	id := c.broker.ClusterID()
	resp.ClusterID, resp.ControllerID = &id, c.broker.Controller()
	resp.AuthorizedOperations = c.clusterOperations(req.IncludeClusterAuthorizedOperations)
	if req.Topics == nil || req.Version == 0 && len(req.Topics) == 0 {
		for _, t := range c.broker.AllTopics() {
			if c.mayQuietly(acl.Describe, acl.Topic, t.Name) {
				resp.Topics = append(resp.Topics, c.topicMetadata(t, req.IncludeTopicAuthorizedOperations))
			}
		}
		return resp, nil
	}
	create := !c.opts.DisableAutoCreate && (req.Version < 4 || req.AllowAutoTopicCreation)
	for _, t := range req.Topics {
		resp.Topics = append(resp.Topics, c.askedTopic(t, create, req.IncludeTopicAuthorizedOperations))
	}
	return resp, nil
}

// askedTopic is the metadata of one topic by name or id, made first if need be and allowed. Of a topic that the client may not
// describe it says neither whether it is there nor, when asked by id, its name.
func (c *call) askedTopic(asked kmsg.MetadataRequestTopic, create, operations bool) kmsg.MetadataResponseTopic {
	t, err := c.namedTopic(asked, create)
	if err != nil {
		r := kmsg.NewMetadataResponseTopic()
		r.Topic, r.TopicID, r.ErrorCode = asked.Topic, asked.TopicID, code(err)
		return r
	}
	return c.topicMetadata(t, operations)
}

func (c *call) namedTopic(asked kmsg.MetadataRequestTopic, create bool) (*broker.Topic, error) {
	if asked.Topic == nil {
		t := c.broker.TopicByID(uuid.UUID(asked.TopicID))
		switch {
		case t == nil:
			return nil, kerr.UnknownTopicID
		case !c.authorize(acl.Describe, acl.Topic, t.Name):
			return nil, kerr.TopicAuthorizationFailed
		}
		return t, nil
	}
	name := *asked.Topic
	if !c.authorize(acl.Describe, acl.Topic, name) {
		return nil, kerr.TopicAuthorizationFailed
	}
	t, err := c.broker.Topic(name)
	if err == nil || !create {
		return t, err
	}
	if !c.mayCreate(name) {
		return nil, kerr.TopicAuthorizationFailed
	}
	return c.autoCreate(name)
}

// clusterOperations is what the client may do with the cluster; nothing at all when it may not look.
func (c *call) clusterOperations(asked bool) int32 {
	if asked && !c.mayQuietly(acl.Describe, acl.Cluster, acl.ClusterName) {
		return 0
	}
	return c.operations(asked, acl.Cluster, acl.ClusterName)
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

func (c *call) topicMetadata(t *broker.Topic, operations bool) kmsg.MetadataResponseTopic {
	r := kmsg.NewMetadataResponseTopic()
	name := t.Name
	r.Topic, r.TopicID = &name, t.ID
	r.IsInternal = broker.IsInternal(name)
	r.AuthorizedOperations = c.operations(operations, acl.Topic, name)
	for p := range t.Partitions {
		if m, ok := c.partitionMetadata(name, p); ok {
			r.Partitions = append(r.Partitions, m)
		}
	}
	return r
}

// partitionMetadata is where a partition stands; ok is false when the topic has just been deleted.
func (c *call) partitionMetadata(topic string, p int32) (m kmsg.MetadataResponseTopicPartition, ok bool) {
	s, err := c.broker.PartitionState(topic, p)
	if err != nil {
		return m, false
	}
	m = kmsg.NewMetadataResponseTopicPartition()
	m.Partition, m.Leader, m.LeaderEpoch = p, s.Leader, s.LeaderEpoch
	m.Replicas, m.ISR, m.OfflineReplicas = s.Replicas, s.ISR, s.Offline
	if s.Leader < 0 {
		m.ErrorCode = kerr.LeaderNotAvailable.Code
	}
	return m, true
}
