package kafka

import (
	"github.com/google/uuid"
	"github.com/twmb/franz-go/pkg/kerr"
)

// named is the topic that a request means: by name, or from some version on by id (KIP-516). UNKNOWN_TOPIC_ID when no topic
// has the id, as when it was deleted and one of the same name made since.
func (c *call) named(name string, id [16]byte, byID bool) (string, error) {
	if !byID {
		return name, nil
	}
	t := c.broker.TopicByID(uuid.UUID(id))
	if t == nil {
		return "", kerr.UnknownTopicID
	}
	return t.Name, nil
}

// exists is whether there is such a partition, on whichever node.
func (c *call) exists(topic string, partition int32) error {
	t, err := c.broker.Topic(topic)
	if err != nil {
		return err
	}
	if partition < 0 || partition >= t.Partitions {
		return kerr.UnknownTopicOrPartition
	}
	return nil
}
