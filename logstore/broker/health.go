package broker

// Health counts what an operator should look at, over the whole cluster as this node has it.
type Health struct {
	Brokers         int // that are not fenced
	Fenced          int
	Partitions      int
	Offline         int   // partitions without a leader
	UnderReplicated int   // with fewer replicas in sync than they have
	UnderMinISR     int   // that refuse acks=all
	Reassigning     int   // with replicas that come or go
	Led             int   // by this node
	Unclean         int64 // elections that may have lost records, since the cluster began
}

// Health looks at every partition.
func (b *Broker) Health() Health {
	var h Health
	for _, x := range b.Brokers() {
		if x.Fenced {
			h.Fenced++
		} else {
			h.Brokers++
		}
	}
	b.topics.eachRecord(func(t *Topic, _ int32, r PartitionRecord) {
		h.Partitions++
		h.Offline += one(r.Leader == noLeader)
		h.UnderReplicated += one(len(r.ISR) < len(r.Replicas))
		h.UnderMinISR += one(len(r.ISR) < min(t.minISR(), len(r.Replicas)))
		h.Reassigning += one(r.Reassigning())
		h.Led += one(r.Leader == b.opts.NodeID)
	})
	h.Unclean = b.UncleanElections()
	return h
}

func one(b bool) int {
	if b {
		return 1
	}
	return 0
}
