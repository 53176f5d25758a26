package broker

import (
	"context"
	"errors"
	"time"

	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/logstore/meta"
)

// Coordinator is a kind of coordinator. The leader of a partition of its internal topic is the coordinator of the groups or
// transactional ids that fall to the partition, and the partition's leader epoch fences the coordinators before it.
type Coordinator int8

const (
	GroupCoordinator Coordinator = 0 // numbered as FindCoordinator's key types
	TxnCoordinator   Coordinator = 1
	ShareCoordinator Coordinator = 2
)

// The internal topics. Their partitions hold no records: what coordinators keep is in the metadata log.
const (
	OffsetsTopic = "__consumer_offsets"
	TxnTopic     = "__transaction_state"

	coordinatorPartitions = 50
)

// What a node answers that is asked to coordinate and should not.
var (
	ErrNotCoordinator     = errors.New("another broker is the coordinator")
	ErrCoordinatorLoading = errors.New("the coordinator is not ready yet")
	ErrNoCoordinator      = errors.New("no broker can be the coordinator now")
)

// topic is the internal topic of a kind. Share groups stand beside the other groups.
func (k Coordinator) topic() string {
	if k == TxnCoordinator {
		return TxnTopic
	}
	return OffsetsTopic
}

// coordinatorPartition is the partition of an internal topic that a group or transactional id falls to, as in Kafka.
func coordinatorPartition(key string, partitions int32) int32 {
	h := javaHash(key)
	if h < 0 {
		h = max(0, -h) // Kafka's Utils.abs: of the least number it is 0
	}
	return h % max(1, partitions)
}

// javaHash is Java's String.hashCode: over UTF-16 code units.
func javaHash(s string) int32 {
	var h int32
	for _, r := range s {
		if r >= 0x10000 {
			r -= 0x10000
			h = 31*h + int32(0xd800+r>>10)
			r = 0xdc00 + r&0x3ff
		}
		h = 31*h + int32(r)
	}
	return h
}

// office is a coordinator's: its command counts only while the partition of the internal topic has that leader epoch. Both the
// election and the command stand in the metadata log, so that one of them is first on every node.
type office struct {
	Kind      Coordinator `json:"kind,omitempty"`
	Partition int32       `json:"p"`
	Epoch     int32       `json:"epoch"`
}

// inOffice is ErrNotCoordinator for a command of a coordinator that was deposed. A command without office comes from a node
// that is alone.
func (m *topicsMachine) inOffice(o *office) error {
	if o == nil || m == nil {
		return nil
	}
	m.mu.RLock()
	defer m.mu.RUnlock()
	t := m.topics[o.Kind.topic()]
	if t == nil || o.Partition < 0 || o.Partition >= t.Partitions || m.record(t, o.Partition).LeaderEpoch != o.Epoch {
		return ErrNotCoordinator
	}
	return nil
}

// coordinatorRecord is the record of the partition that coordinates a key; ErrNoCoordinator while there is no such topic.
func (b *Broker) coordinatorRecord(kind Coordinator, key string) (p int32, r PartitionRecord, err error) {
	t, err := b.topics.get(kind.topic())
	if err != nil {
		return 0, r, ErrNoCoordinator
	}
	p = coordinatorPartition(key, t.Partitions)
	return p, b.topics.recordOf(t, p), nil
}

// CoordinatorOf is the broker that coordinates a group, a transactional id or a share group; ErrNoCoordinator while none can.
// The internal topic is created when it is first asked for.
func (b *Broker) CoordinatorOf(kind Coordinator, key string) (node int32, err error) {
	if err := b.ensureInternal(kind.topic()); err != nil && b.clustered() {
		return noLeader, err
	}
	if !b.clustered() {
		return b.opts.NodeID, nil
	}
	_, r, err := b.coordinatorRecord(kind, key)
	if err != nil || r.Leader == noLeader {
		return noLeader, ErrNoCoordinator
	}
	return r.Leader, nil
}

// Coordinates is nil when this node coordinates key, with the epoch of its office: what a coordinator keeps in memory is void
// once the epoch is another. Otherwise ErrNotCoordinator, or ErrCoordinatorLoading.
func (b *Broker) Coordinates(kind Coordinator, key string) (epoch int32, err error) {
	if !b.clustered() {
		return 0, nil
	}
	_, r, err := b.coordinatorRecord(kind, key)
	if err != nil || r.Leader != b.opts.NodeID {
		return 0, ErrNotCoordinator
	}
	return r.LeaderEpoch, nil
}

// office is this node's for a key; one that nobody holds when it has none.
func (b *Broker) office(kind Coordinator, key string) *office {
	if !b.clustered() {
		return nil
	}
	p, r, err := b.coordinatorRecord(kind, key)
	if err != nil || r.Leader != b.opts.NodeID {
		return &office{Kind: kind, Partition: p, Epoch: -1}
	}
	return &office{Kind: kind, Partition: p, Epoch: r.LeaderEpoch}
}

// ensureInternal creates an internal topic when there is none.
func (b *Broker) ensureInternal(name string) error {
	if _, err := b.topics.get(name); err == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(b.ctx, 10*time.Second)
	defer cancel()
	_, err := b.create(ctx, NewTopic{Name: name, Partitions: coordinatorPartitions, Configs: map[string]string{
		"cleanup.policy": "compact", "min.insync.replicas": "1"}})
	if userCodeOf(err) == CodeTopicExists {
		return nil
	}
	return err
}

// errInternal refuses what only the cluster does to its internal topics.
func errInternal(name string) error {
	return usererr.New(CodeInvalidTopic, "42939", "topic %q is internal: the cluster makes it when it needs it, and keeps it", name)
}

// IsInternal is whether a topic is one of the internal ones.
func IsInternal(topic string) bool { return topic == OffsetsTopic || topic == TxnTopic }

func init() {
	for code, err := range map[string]error{
		"NOT_COORDINATOR": ErrNotCoordinator, "PRODUCER_FENCED": ErrProducerFenced, "INVALID_TXN_STATE": ErrTxnState,
		"CONCURRENT_TRANSACTIONS": ErrTxnConcurrent, "INVALID_PRODUCER_ID_MAPPING": ErrTxnMapping,
	} {
		meta.RegisterError(code, err)
	}
}
