package broker

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strconv"

	"github.com/google/uuid"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/logstore"
)

// maxPartitions bounds one topic.
const maxPartitions = 10_000

// CreateTopic creates a topic with the default replication factor. partitions <= 0 asks for the default count. Errors are user
// errors: INVALID_TOPIC, INVALID_TOPIC_CONFIG (unknown keys with the nearest known one), INVALID_PARTITION_COUNT,
// TOPIC_ALREADY_EXISTS.
func (b *Broker) CreateTopic(ctx context.Context, name string, partitions int32, configs map[string]string) (*Topic, error) {
	return b.Create(ctx, NewTopic{Name: name, Partitions: partitions, Configs: configs})
}

// Create creates a topic. Beside CreateTopic's errors there are INVALID_REPLICATION_FACTOR and INVALID_REPLICA_ASSIGNMENT.
func (b *Broker) Create(ctx context.Context, n NewTopic) (*Topic, error) {
	if IsInternal(n.Name) {
		return nil, errInternal(n.Name)
	}
	return b.create(ctx, n)
}

func (b *Broker) create(ctx context.Context, n NewTopic) (*Topic, error) {
	t, replicas, err := b.newTopic(n)
	if err != nil {
		return nil, err
	}
	if err := b.applyTopic(ctx, topicCommand{Create: t, Assign: replicas}); err != nil {
		return nil, err
	}
	if IsInternal(t.Name) {
		return t, nil
	}
	return t, b.openPartitions(t)
}

// Validate returns the topic that Create would make, or what it would refuse, and creates nothing.
func (b *Broker) Validate(n NewTopic) (*Topic, error) {
	if IsInternal(n.Name) {
		return nil, errInternal(n.Name)
	}
	t, replicas, err := b.newTopic(n)
	if err != nil {
		return nil, err
	}
	if _, err := b.Topic(n.Name); err == nil {
		return nil, errTopicExists(n.Name)
	}
	return t, b.topics.validate(t, 0, replicas)
}

func (b *Broker) newTopic(n NewTopic) (*Topic, [][]int32, error) {
	if err := validateName(n.Name); err != nil {
		return nil, nil, err
	}
	if err := ValidateConfigs(n.Configs); err != nil {
		return nil, nil, err
	}
	t := &Topic{Name: n.Name, ID: uuid.New(), Partitions: n.Partitions, Configs: b.withDefaults(n.Configs), CreatedMs: b.opts.Now().UnixMilli()}
	if err := b.checkTier(nil, t.Configs); err != nil {
		return nil, nil, err
	}
	if len(n.Replicas) > 0 {
		t.Partitions = int32(len(n.Replicas))
	} else if t.Partitions <= 0 {
		t.Partitions = b.opts.DefaultPartitions
	}
	if t.Partitions > maxPartitions {
		return nil, nil, usererr.New(CodeInvalidCount, "22023", "topic %q: %d partitions; at most %d are possible", n.Name, t.Partitions, maxPartitions)
	}
	replicas, err := b.assignment(t, 0, t.Partitions, n.ReplicationFactor, n.Replicas)
	if err != nil {
		return nil, nil, err
	}
	if rf := widest(replicas); rf > 1 && n.Configs["min.insync.replicas"] == "" {
		if t.Configs == nil {
			t.Configs = map[string]string{}
		}
		t.Configs["min.insync.replicas"] = strconv.Itoa(b.minISR(rf))
	}
	return t, replicas, nil
}

// assignment is who holds new partitions: as asked, or as placed. On a node that is alone it is nil: it holds all.
func (b *Broker) assignment(t *Topic, first, count int32, rf int, asked [][]int32) ([][]int32, error) {
	if len(asked) == 0 {
		return b.place(t, first, count, rf)
	}
	if b.clustered() {
		return asked, nil
	}
	for i, list := range asked {
		if len(list) != 1 || list[0] != b.opts.NodeID {
			return nil, usererr.New(CodeInvalidAssignment, "22023", "partition %d of topic %q: the only replica can be broker %d", first+int32(i), t.Name, b.opts.NodeID)
		}
	}
	return nil, nil
}

func widest(replicas [][]int32) (n int) {
	for _, list := range replicas {
		n = max(n, len(list))
	}
	return n
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
	if IsInternal(name) {
		return errInternal(name)
	}
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
			delete(b.roles, k)
		}
	}
	delete(b.topicIDs, name)
	delete(b.known, name)
	b.mu.Unlock()
	if err := b.deleteTiered(name); err != nil {
		return err
	}
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
	if err := b.checkTier(t.Configs, after); err != nil {
		return err
	}
	return ValidateConfigs(after)
}

// CreatePartitions is Grow with placed replicas.
func (b *Broker) CreatePartitions(ctx context.Context, name string, count int32) error {
	return b.Grow(ctx, name, count, nil, false)
}

// Grow makes a topic have count partitions, more than it has. replicas are those of the new partitions; nil: they
// are placed, as many for each as the topic's first partition has. With validateOnly nothing is changed.
func (b *Broker) Grow(ctx context.Context, name string, count int32, replicas [][]int32, validateOnly bool) error {
	t, err := b.Topic(name)
	if err != nil {
		return err
	}
	if count > maxPartitions {
		return usererr.New(CodeInvalidCount, "22023", "topic %q: %d partitions; at most %d are possible", name, count, maxPartitions)
	}
	if count <= t.Partitions {
		return errCannotShrink(t, count)
	}
	if IsInternal(name) {
		return errInternal(name)
	}
	assign, err := b.assignment(t, t.Partitions, count-t.Partitions, len(b.topics.recordOf(t, 0).Target()), replicas)
	if err != nil {
		return err
	}
	if validateOnly {
		grown := t.clone()
		grown.Partitions = count
		return b.topics.validate(grown, t.Partitions, assign)
	}
	if err := b.applyTopic(ctx, topicCommand{Grow: &growTopic{Name: name, Partitions: count}, Assign: assign}); err != nil {
		return err
	}
	if t, err = b.Topic(name); err != nil {
		return err
	}
	return b.openPartitions(t)
}

func errCannotShrink(t *Topic, count int32) error {
	return usererr.New(CodeInvalidCount, "22023", "topic %q has %d partitions; it can only grow, not become %d", t.Name, t.Partitions, count)
}

func (b *Broker) applyTopic(ctx context.Context, c topicCommand) error {
	_, err := b.apply(ctx, b.topics, c)
	return err
}
