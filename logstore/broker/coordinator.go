package broker

import "errors"

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

// CoordinatorPartition is the partition of the internal topic that a group or transactional id falls to, as in Kafka.
func CoordinatorPartition(key string) int32 {
	return (javaHash(key) & 0x7fffffff) % coordinatorPartitions
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

// CoordinatorOf is the broker that coordinates a group, a transactional id or a share group; ErrNoCoordinator while none can.
func (b *Broker) CoordinatorOf(kind Coordinator, key string) (node int32, err error) {
	return b.opts.NodeID, nil
}

// Coordinates is nil when this node coordinates key, with the epoch of its office: what a coordinator keeps in memory is void
// once the epoch is another. Otherwise ErrNotCoordinator, or ErrCoordinatorLoading.
func (b *Broker) Coordinates(kind Coordinator, key string) (epoch int32, err error) { return 0, nil }

// IsInternal is whether a topic is one of the internal ones.
func IsInternal(topic string) bool { return topic == OffsetsTopic || topic == TxnTopic }
