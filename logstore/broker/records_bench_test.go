package broker

import (
	"fmt"
	"testing"

	"github.com/google/uuid"
)

// full is a machine with 10 brokers and 10,000 partitions of three replicas.
func full(b *testing.B) (*topicsMachine, []*Topic) {
	m := newTopicsMachine()
	for id := range int32(10) {
		for _, c := range []topicCommand{{Register: &registerBroker{ID: id, Session: "s"}}, {Unfence: &brokerEpoch{id, int64(id) + 1}}} {
			if _, err := m.apply(c); err != nil {
				b.Fatal(err)
			}
		}
	}
	var topics []*Topic
	ring := ringOf(m.brokerInfos())
	for i := range 100 {
		t := &Topic{Name: fmt.Sprint("topic-", i), ID: uuid.New(), Partitions: 100, Configs: map[string]string{"min.insync.replicas": "2"}}
		if _, err := m.apply(topicCommand{Create: t, Assign: ring.Assign(t.Name, 0, 100, 3)}); err != nil {
			b.Fatal(err)
		}
		topics = append(topics, t)
	}
	return m, topics
}

// BenchmarkFence is a broker that dies and comes back among 10,000 partitions: 3,000 in-sync sets shrink, 1,000 leaders are elected.
func BenchmarkFence(b *testing.B) {
	m, _ := full(b)
	for b.Loop() {
		for _, c := range []topicCommand{{Fence: &brokerEpoch{3, 4}}, {Unfence: &brokerEpoch{3, 4}}} {
			if _, err := m.apply(c); err != nil {
				b.Fatal(err)
			}
		}
	}
}

// BenchmarkAlterISR is one command with the in-sync sets of 1,000 partitions that one broker leads.
func BenchmarkAlterISR(b *testing.B) {
	m, topics := full(b)
	for b.Loop() {
		c := alterPartitions{Leader: brokerEpoch{5, 6}}
		for _, t := range topics {
			for p := range t.Partitions {
				if r := m.record(t, p); r.Leader == 5 {
					x := isrChange{TopicID: t.ID, Partition: p, LeaderEpoch: r.LeaderEpoch, PartitionEpoch: r.PartitionEpoch}
					for _, id := range r.Replicas {
						x.ISR = append(x.ISR, brokerEpoch{ID: id})
					}
					c.Changes = append(c.Changes, x)
				}
			}
		}
		if _, err := m.apply(topicCommand{AlterISR: &c}); err != nil {
			b.Fatal(err)
		}
	}
}
