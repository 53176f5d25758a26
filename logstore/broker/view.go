package broker

import (
	"slices"

	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/logstore"
)

// BrokerInfo is a broker of the cluster as the metadata has it.
type BrokerInfo struct {
	ID         int32  `json:"id"`
	Epoch      int64  `json:"epoch"`            // one for each time that it started
	ClientAddr string `json:"client,omitempty"` // host:port of its Kafka protocol; "": where the client found this node
	PeerAddr   string `json:"peer,omitempty"`
	Rack       string `json:"rack,omitempty"`
	Fenced     bool   `json:"fenced,omitempty"`   // it leads nothing and is in no ISR
	Draining   bool   `json:"draining,omitempty"` // its replicas move elsewhere, and it is given no new ones
}

// PartitionState is a partition's record, with what the brokers' states make of it.
type PartitionState struct {
	PartitionRecord
	Offline []int32 // replicas whose broker is fenced
	MinISR  int     // min.insync.replicas, at most the number of replicas
}

// NodeID is this node's id in the cluster.
func (b *Broker) NodeID() int32 { return b.opts.NodeID }

// Brokers returns the brokers of the cluster by id, fenced ones too.
func (b *Broker) Brokers() []BrokerInfo { return b.topics.brokerInfos() }

// Controller is the broker that clients are told to bring admin requests to: the one that leads the metadata log, which has
// them first. Any other takes them too.
func (b *Broker) Controller() int32 {
	if id, ok := b.node.Leader(); ok && b.clustered() {
		if r := b.topics.broker(id); r != nil && !r.Fenced {
			return id
		}
	}
	return b.opts.NodeID
}

// PartitionState returns where a partition stands; UNKNOWN_TOPIC or UNKNOWN_PARTITION when there is none.
func (b *Broker) PartitionState(topic string, p int32) (PartitionState, error) {
	t, err := b.Topic(topic)
	if err != nil {
		return PartitionState{}, err
	}
	if p < 0 || p >= t.Partitions {
		return PartitionState{}, errUnknownPartition(t, p)
	}
	s := PartitionState{PartitionRecord: b.topics.recordOf(t, p)}
	s.MinISR = max(1, min(t.minISR(), len(s.Replicas)))
	for _, id := range s.Replicas {
		if x := b.topics.broker(id); x == nil || x.Fenced {
			s.Offline = append(s.Offline, id)
		}
	}
	return s, nil
}

// Local is whether this node has a replica of a partition.
func (b *Broker) Local(topic string, p int32) bool {
	s, err := b.PartitionState(topic, p)
	return err == nil && slices.Contains(s.Replicas, b.opts.NodeID)
}

// Leads is whether this node leads a partition, as the metadata has it.
func (b *Broker) Leads(topic string, p int32) bool {
	s, err := b.PartitionState(topic, p)
	return err == nil && s.Leader == b.opts.NodeID
}

// LeaderPartition is Partition for one that this node leads; NOT_LEADER, with the leader's address, for another.
func (b *Broker) LeaderPartition(topic string, p int32) (*logstore.Partition, error) {
	if part := b.open(partitionKey{topic, p}); part != nil && (!b.clustered() || part.Role().Leader) {
		return part, nil // every produce asks: nothing is made for the answer
	}
	s, err := b.PartitionState(topic, p)
	if err != nil {
		return nil, err
	}
	if s.Leader != b.opts.NodeID {
		return nil, b.errNotLeader(topic, p, s.Leader)
	}
	return b.Partition(topic, p)
}

// errNotLeader says who leads a partition.
func (b *Broker) errNotLeader(topic string, p, leader int32) error {
	if leader < 0 {
		return usererr.New(CodeNotLeader, "55000", "partition %d of topic %q has no leader now", p, topic).
			With("topic", topic).WithFix("Bring one of its in-sync replicas back: streamflow partition list shows which.")
	}
	where := ""
	for _, x := range b.Brokers() {
		if x.ID == leader && x.ClientAddr != "" {
			where = " (" + x.ClientAddr + ")"
		}
	}
	return usererr.New(CodeNotLeader, "55000", "partition %d of topic %q is led by node %d%s, not by this node, %d", p, topic, leader, where, b.opts.NodeID).
		With("topic", topic).WithFix("Run it on node %d, or write with a Kafka client, which finds the leader by itself.", leader)
}

func errUnknownPartition(t *Topic, p int32) error {
	return usererr.New(CodeUnknownPart, "22023", "topic %q has partitions 0 to %d, not %d", t.Name, t.Partitions-1, p)
}
