package broker

import (
	"context"
	"errors"
	"fmt"
	"maps"

	"github.com/google/uuid"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/logstore"
)

// maxPartitions bounds one topic.
const maxPartitions = 10_000

// CreateTopic creates a topic. partitions <= 0 asks for the default count. Errors are user errors: INVALID_TOPIC,
// INVALID_TOPIC_CONFIG (unknown keys with the nearest known one), INVALID_PARTITION_COUNT, TOPIC_ALREADY_EXISTS.
func (b *Broker) CreateTopic(ctx context.Context, name string, partitions int32, configs map[string]string) (*Topic, error) {
	t, err := b.newTopic(name, partitions, configs)
	if err != nil {
		return nil, err
	}
	if err := b.applyTopic(ctx, topicCommand{Create: t}); err != nil {
		return nil, err
	}
	return t, b.openPartitions(t)
}

// ValidateTopic returns what CreateTopic would refuse, and creates nothing.
func (b *Broker) ValidateTopic(name string, partitions int32, configs map[string]string) error {
	if _, err := b.newTopic(name, partitions, configs); err != nil {
		return err
	}
	if _, err := b.Topic(name); err == nil {
		return errTopicExists(name)
	}
	return nil
}

func (b *Broker) newTopic(name string, partitions int32, configs map[string]string) (*Topic, error) {
	if err := validateName(name); err != nil {
		return nil, err
	}
	if err := ValidateConfigs(configs); err != nil {
		return nil, err
	}
	if partitions <= 0 {
		partitions = b.opts.DefaultPartitions
	}
	if partitions > maxPartitions {
		return nil, usererr.New(CodeInvalidCount, "22023", "topic %q: %d partitions; at most %d are possible", name, partitions, maxPartitions)
	}
	return &Topic{Name: name, ID: uuid.New(), Partitions: partitions, Configs: b.withDefaults(configs), CreatedMs: b.opts.Now().UnixMilli()}, nil
}

// withDefaults adds the node's defaults where they differ from the built-in ones and the topic does not say otherwise.
func (b *Broker) withDefaults(configs map[string]string) map[string]string {
	out := maps.Clone(configs)
	for k, v := range b.opts.TopicDefaults {
		key := configKeys[k]
		if _, set := configs[k]; set || key == nil || key.Default == v {
			continue
		}
		if out == nil {
			out = map[string]string{}
		}
		out[k] = v
	}
	return out
}

// DeleteTopic deletes a topic, its records, and the offsets that groups committed for it.
func (b *Broker) DeleteTopic(ctx context.Context, name string) error {
	if err := b.applyTopic(ctx, topicCommand{Delete: name}); err != nil {
		return err
	}
	return b.removeFiles(context.WithoutCancel(ctx), name) // decided: whether the caller still waits or not
}

// removeFiles finishes a deletion: files, then offsets, then the note that the name is not free.
func (b *Broker) removeFiles(ctx context.Context, name string) error {
	if err := b.deleteFiles(name); err != nil {
		return err
	}
	if err := b.applyOffsets(ctx, offsetCommand{DropTopic: name}); err != nil {
		return err
	}
	return b.applyTopic(ctx, topicCommand{Forget: name})
}

func (b *Broker) deleteFiles(name string) error {
	b.filesMu.Lock()
	defer b.filesMu.Unlock()
	b.mu.Lock()
	for k := range b.partitions {
		if k.topic == name {
			delete(b.partitions, k)
		}
	}
	b.mu.Unlock()
	if err := b.log.DeleteTopic(name); err != nil && !errors.Is(err, logstore.ErrUnknownPartition) {
		return fmt.Errorf("broker: delete files of %s: %w", name, err)
	}
	return nil
}

// AlterConfigs sets and unsets configs of a topic; partitions take them over at once.
func (b *Broker) AlterConfigs(ctx context.Context, name string, set map[string]string, unset []string) error {
	if err := b.ValidateAlter(name, set, unset); err != nil {
		return err
	}
	if err := b.applyTopic(ctx, topicCommand{Alter: &alterTopic{Name: name, Set: set, Unset: unset}}); err != nil {
		return err
	}
	t, err := b.Topic(name)
	if err != nil {
		return err
	}
	return b.openPartitions(t)
}

// ValidateAlter returns what AlterConfigs would refuse, and changes nothing.
func (b *Broker) ValidateAlter(name string, set map[string]string, unset []string) error {
	t, err := b.Topic(name)
	if err != nil {
		return err
	}
	after := t.clone().Configs
	if after == nil {
		after = map[string]string{}
	}
	for _, k := range unset {
		if err := knownConfig(k); err != nil {
			return err
		}
		delete(after, k)
	}
	for k, v := range set {
		after[k] = v
	}
	return ValidateConfigs(after)
}

// CreatePartitions makes a topic have count partitions, more than it has.
func (b *Broker) CreatePartitions(ctx context.Context, name string, count int32) error {
	if count > maxPartitions {
		return usererr.New(CodeInvalidCount, "22023", "topic %q: %d partitions; at most %d are possible", name, count, maxPartitions)
	}
	if err := b.applyTopic(ctx, topicCommand{Grow: &growTopic{Name: name, Partitions: count}}); err != nil {
		return err
	}
	t, err := b.Topic(name)
	if err != nil {
		return err
	}
	return b.openPartitions(t)
}

func (b *Broker) applyTopic(ctx context.Context, c topicCommand) error {
	_, err := b.apply(ctx, b.topics, c)
	return err
}
