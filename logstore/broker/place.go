package broker

import (
	"strconv"

	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/logstore/placement"
)

// NewTopic is a topic to be created.
type NewTopic struct {
	Name              string
	Partitions        int32     // <= 0: the default
	ReplicationFactor int       // <= 0: the default
	Replicas          [][]int32 // of each partition, the preferred leader first; nil: placed by the broker
	Configs           map[string]string
}

// place says which brokers hold partitions first to first+count-1 of a topic; nil on a node that is alone: it holds all.
func (b *Broker) place(t *Topic, first, count int32, rf int) ([][]int32, error) {
	if rf <= 0 {
		rf = b.replicationFactor()
	}
	if !b.clustered() {
		if rf > 1 {
			return nil, errReplication(t.Name, rf, 1)
		}
		return nil, nil
	}
	all := b.placeable()
	var alive, away []BrokerInfo
	for _, x := range all {
		if x.Fenced {
			away = append(away, x)
		} else {
			alive = append(alive, x)
		}
	}
	if rf > len(all) || len(alive) == 0 {
		return nil, errReplication(t.Name, rf, len(all))
	}
	lists := ringOf(alive).Assign(t.ID.String(), first, count, rf)
	if rf <= len(alive) {
		return lists, nil
	}
	others := ringOf(away)
	for i := range lists { // brokers that are away take what is missing, behind those that can lead
		lists[i] = append(lists[i], others.Replicas(placement.Key(t.ID.String(), first+int32(i)), rf-len(alive))...)
	}
	return lists, nil
}

// ReplicationFactor is how many replicas a topic gets that asks for rf; 0 and below ask for the default.
func (b *Broker) ReplicationFactor(rf int) int {
	if rf > 0 {
		return rf
	}
	return b.replicationFactor()
}

func errReplication(topic string, rf, brokers int) error {
	have := "one broker"
	if brokers != 1 {
		have = strconv.Itoa(brokers) + " brokers"
	}
	return usererr.New(CodeInvalidReplication, "22023", "topic %q: replication factor %d is not possible with %s", topic, rf, have).
		WithFix("Brokers that drain do not count; fenced ones do.")
}

// Balance reports how evenly replicas and leaders lie on the brokers. Bytes are of the replicas that this node has, for each of
// the partition's brokers.
func (b *Broker) Balance() placement.Report {
	var all []placement.Partition
	leaders := map[TxnPlace]int32{}
	b.topics.eachRecord(func(t *Topic, p int32, r PartitionRecord) {
		if !IsInternal(t.Name) {
			all = append(all, placement.Partition{Topic: t.Name, Partition: p, Replicas: r.Replicas})
			leaders[TxnPlace{t.Name, p}] = r.Leader
		}
	})
	for i := range all {
		if part := b.open(partitionKey{all[i].Topic, all[i].Partition}); part != nil {
			all[i].Bytes = part.Size()
		}
	}
	return ringOf(b.Brokers()).Balance(all, func(p placement.Partition) int32 { return leaders[TxnPlace{p.Topic, p.Partition}] })
}
