package broker

import "slices"

// noLeader is the leader of a partition that has none.
const noLeader int32 = -1

// PartitionRecord is where a partition stands, after KIP-966: every broker acts on the record that the metadata log holds, and
// only a command changes it. A change makes a new record; its slices are never written.
//
//	ISR and ELR are disjoint parts of Replicas, and one of both has a member
//	a leader is in ISR; no fenced broker is
//	ELR is empty when ISR has MinISR members or more
//	PartitionEpoch grows with each change, LeaderEpoch with each change of leader
type PartitionRecord struct {
	Replicas       []int32 `json:"replicas"`         // the first is the preferred leader
	ISR            []int32 `json:"isr"`              // have every committed record, and take part in committing more
	ELR            []int32 `json:"elr,omitempty"`    // have every committed record, and are behind or away
	Adding         []int32 `json:"adding,omitempty"` // of a reassignment: part of Replicas once it began
	Removing       []int32 `json:"removing,omitempty"`
	Leader         int32   `json:"leader"` // -1: none can be elected without loss
	LeaderEpoch    int32   `json:"leaderEpoch"`
	PartitionEpoch int32   `json:"epoch"`
}

// newRecord is the record of a new partition. alive are the brokers that can lead; one of the replicas must be.
func newRecord(replicas []int32, alive func(int32) bool) PartitionRecord {
	r := PartitionRecord{Replicas: slices.Clone(replicas), Leader: noLeader}
	for _, b := range replicas {
		if alive(b) {
			r.ISR = append(r.ISR, b)
		}
	}
	if len(r.ISR) > 0 {
		r.Leader = r.ISR[0]
	}
	return r
}

// loneRecord is the record of a partition that has none: the one node has it.
func loneRecord(node int32) PartitionRecord {
	return PartitionRecord{Replicas: []int32{node}, ISR: []int32{node}, Leader: node}
}

// Reassigning is whether replicas are on their way.
func (r PartitionRecord) Reassigning() bool { return len(r.Adding) > 0 || len(r.Removing) > 0 }
