package kafka

import (
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/logstore/acl"
	"github.com/streamflow/streamflow/logstore/broker"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

func (c *call) createTopics(req *kmsg.CreateTopicsRequest) (kmsg.Response, error) {
	resp := req.ResponseKind().(*kmsg.CreateTopicsResponse)
	seen := map[string]int{}
	for _, t := range req.Topics {
		seen[t.Topic]++
	}
	for _, t := range req.Topics {
		r := kmsg.NewCreateTopicsResponseTopic()
		r.Topic = t.Topic
		err := error(nil)
		switch {
		case seen[t.Topic] > 1:
			err = kerr.InvalidRequest
		case !c.mayCreate(t.Topic):
			err = kerr.TopicAuthorizationFailed
		default:
			err = c.createTopic(t, req.ValidateOnly, &r)
		}
		r.ErrorCode, r.ErrorMessage = code(err), message(err)
		if err != nil {
			r.NumPartitions, r.ReplicationFactor = -1, -1
		}
		resp.Topics = append(resp.Topics, r)
	}
	return resp, nil
}

// mayCreate says whether the client may create topics, or that one.
func (c *call) mayCreate(topic string) bool {
	return c.mayQuietly(acl.Create, acl.Cluster, acl.ClusterName) || c.authorize(acl.Create, acl.Topic, topic)
}

func (c *call) createTopic(t kmsg.CreateTopicsRequestTopic, validateOnly bool, r *kmsg.CreateTopicsResponseTopic) error {
	partitions, err := c.askedPartitions(t)
	if err != nil {
		return err
	}
	configs := map[string]string{}
	for _, cfg := range t.Configs {
		if cfg.Value == nil {
			return usererr.New(broker.CodeInvalidConfig, "22023", "config %s has no value", cfg.Name)
		}
		configs[cfg.Name] = *cfg.Value
	}
	topic := &broker.Topic{Name: t.Topic, Partitions: partitions, Configs: configs}
	if validateOnly {
		err = c.broker.ValidateTopic(t.Topic, partitions, configs)
	} else {
		topic, err = c.broker.CreateTopic(c.ctx, t.Topic, partitions, configs)
	}
	if err != nil {
		return err
	}
	if r.TopicID = topic.ID; !c.mayQuietly(acl.DescribeConfigs, acl.Topic, t.Topic) {
		r.ConfigErrorCode = kerr.TopicAuthorizationFailed.Code
		return nil
	}
	r.NumPartitions, r.ReplicationFactor = topic.Partitions, 1
	for _, k := range broker.ConfigKeys() {
		rc := kmsg.NewCreateTopicsResponseTopicConfig()
		v := topic.Config(k.Name)
		rc.Name, rc.Value, rc.Source = k.Name, &v, configSource(topic, k.Name)
		r.Configs = append(r.Configs, rc)
	}
	return nil
}

// askedPartitions is the count of partitions that a request wants; the default for -1. This node is the only replica.
func (c *call) askedPartitions(t kmsg.CreateTopicsRequestTopic) (int32, error) {
	if len(t.ReplicaAssignment) > 0 {
		return c.assignedPartitions(t)
	}
	if t.ReplicationFactor != -1 && t.ReplicationFactor != 1 {
		return 0, withMessage(kerr.InvalidReplicationFactor, "there is one broker; replication factor %d is not possible", t.ReplicationFactor)
	}
	if t.NumPartitions == 0 || t.NumPartitions < -1 {
		return 0, withMessage(kerr.InvalidPartitions, "%d partitions", t.NumPartitions)
	}
	if t.NumPartitions == -1 {
		return c.broker.DefaultPartitions(), nil
	}
	return t.NumPartitions, nil
}

func (c *call) assignedPartitions(t kmsg.CreateTopicsRequestTopic) (int32, error) {
	if t.NumPartitions != -1 || t.ReplicationFactor != -1 {
		return 0, withMessage(kerr.InvalidRequest, "replicas are assigned, so partitions and replication factor must be -1")
	}
	seen := map[int32]bool{}
	for _, a := range t.ReplicaAssignment {
		if len(a.Replicas) != 1 || a.Replicas[0] != c.opts.NodeID || seen[a.Partition] {
			return 0, withMessage(kerr.InvalidReplicaAssignment, "partition %d: the only replica can be broker %d", a.Partition, c.opts.NodeID)
		}
		seen[a.Partition] = true
	}
	for p := range int32(len(seen)) {
		if !seen[p] {
			return 0, withMessage(kerr.InvalidReplicaAssignment, "partition %d is missing", p)
		}
	}
	return int32(len(seen)), nil
}
