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
		case req.ValidateOnly:
			err = c.createTopic(t, true, &r)
		default:
			if err = c.mayMutate(resp, c.partitionsOf(t), req.Version >= 6); err == nil {
				err = c.createTopic(t, false, &r)
			}
		}
		r.ErrorCode, r.ErrorMessage = code(err), message(err)
		if err != nil {
			r.NumPartitions, r.ReplicationFactor = -1, -1
		}
		resp.Topics = append(resp.Topics, r)
	}
	return resp, nil
}

// partitionsOf is how many partitions a request would make.
func (c *call) partitionsOf(t kmsg.CreateTopicsRequestTopic) int32 {
	switch {
	case len(t.ReplicaAssignment) > 0:
		return int32(len(t.ReplicaAssignment))
	case t.NumPartitions < 0:
		return c.broker.DefaultPartitions()
	}
	return t.NumPartitions
}

// mayCreate says whether the client may create topics, or that one.
func (c *call) mayCreate(topic string) bool {
	return c.mayQuietly(acl.Create, acl.Cluster, acl.ClusterName) || c.authorize(acl.Create, acl.Topic, topic)
}

func (c *call) createTopic(t kmsg.CreateTopicsRequestTopic, validateOnly bool, r *kmsg.CreateTopicsResponseTopic) error {
	n, err := askedNewTopic(t)
	if err != nil {
		return err
	}
	var topic *broker.Topic
	if validateOnly {
		topic, err = c.broker.Validate(n)
	} else {
		topic, err = c.broker.Create(c.ctx, n)
	}
	if err != nil {
		return err
	}
	r.TopicID, r.NumPartitions, r.ReplicationFactor = topic.ID, topic.Partitions, c.replicationFactor(n, validateOnly)
	if validateOnly {
		r.TopicID = [16]byte{}
	}
	if !c.mayQuietly(acl.DescribeConfigs, acl.Topic, t.Topic) {
		r.NumPartitions, r.ReplicationFactor, r.ConfigErrorCode = -1, -1, kerr.TopicAuthorizationFailed.Code
		return nil
	}
	for _, k := range broker.ConfigKeys() {
		rc := kmsg.NewCreateTopicsResponseTopicConfig()
		v := topic.Config(k.Name)
		rc.Name, rc.Value, rc.Source = k.Name, &v, configSource(topic, k.Name)
		r.Configs = append(r.Configs, rc)
	}
	return nil
}

// replicationFactor is how many replicas a new topic has.
func (c *call) replicationFactor(n broker.NewTopic, validateOnly bool) int16 {
	if s, err := c.broker.PartitionState(n.Name, 0); err == nil && !validateOnly {
		return int16(len(s.Replicas))
	}
	if len(n.Replicas) > 0 {
		return int16(len(n.Replicas[0]))
	}
	return int16(c.broker.ReplicationFactor(n.ReplicationFactor))
}

// askedNewTopic is what a request wants; -1 asks for the default count or factor.
func askedNewTopic(t kmsg.CreateTopicsRequestTopic) (broker.NewTopic, error) {
	n := broker.NewTopic{Name: t.Topic, Partitions: t.NumPartitions, ReplicationFactor: int(t.ReplicationFactor), Configs: map[string]string{}}
	for _, cfg := range t.Configs {
		if cfg.Value == nil {
			return n, usererr.New(broker.CodeInvalidConfig, "22023", "config %s has no value", cfg.Name)
		}
		n.Configs[cfg.Name] = *cfg.Value
	}
	switch {
	case len(t.ReplicaAssignment) > 0:
		var err error
		n.Replicas, err = askedReplicas(t)
		return n, err
	case t.ReplicationFactor == 0 || t.ReplicationFactor < -1:
		return n, withMessage(kerr.InvalidReplicationFactor, "replication factor %d", t.ReplicationFactor)
	case t.NumPartitions == 0 || t.NumPartitions < -1:
		return n, withMessage(kerr.InvalidPartitions, "%d partitions", t.NumPartitions)
	}
	return n, nil
}

// askedReplicas are the replicas that a request assigns to partitions 0, 1 and so on.
func askedReplicas(t kmsg.CreateTopicsRequestTopic) ([][]int32, error) {
	if t.NumPartitions != -1 || t.ReplicationFactor != -1 {
		return nil, withMessage(kerr.InvalidRequest, "replicas are assigned, so partitions and replication factor must be -1")
	}
	lists := make([][]int32, len(t.ReplicaAssignment))
	for _, a := range t.ReplicaAssignment {
		switch {
		case a.Partition < 0 || int(a.Partition) >= len(lists):
			return nil, withMessage(kerr.InvalidReplicaAssignment, "partition %d: the %d partitions assigned must be 0 to %d", a.Partition, len(lists), len(lists)-1)
		case lists[a.Partition] != nil:
			return nil, withMessage(kerr.InvalidReplicaAssignment, "partition %d is there twice", a.Partition)
		case len(a.Replicas) == 0:
			return nil, withMessage(kerr.InvalidReplicaAssignment, "partition %d has no replica", a.Partition)
		case len(a.Replicas) != len(t.ReplicaAssignment[0].Replicas):
			return nil, withMessage(kerr.InvalidReplicaAssignment, "partition %d has %d replicas, another has %d", a.Partition, len(a.Replicas), len(t.ReplicaAssignment[0].Replicas))
		}
		lists[a.Partition] = a.Replicas
	}
	return lists, nil
}
