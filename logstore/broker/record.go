package broker

import "slices"

// noLeader is the leader of a partition that has none.
const noLeader int32 = -1

// PartitionRecord is where a partition stands, after KIP-966: every broker acts on the record that the metadata log holds, and
// only a command changes it. A change makes a new record; its slices are never written.
//
//	ISR and ELR are disjoint parts of Replicas
//	a leader is in ISR; no fenced broker is
//	ELR is empty when ISR has min.insync.replicas members or more
//	ISR or ELR has a member, until the last of them loses its disk
//	PartitionEpoch grows with each change, LeaderEpoch with each change of leader or loss of a replica
type PartitionRecord struct {
	Replicas       []int32 `json:"replicas"`         // the first is the preferred leader
	ISR            []int32 `json:"isr"`              // have every committed record, and take part in committing more
	ELR            []int32 `json:"elr,omitempty"`    // have every committed record, and are behind or away
	Adding         []int32 `json:"adding,omitempty"` // of a reassignment; part of Replicas
	Removing       []int32 `json:"removing,omitempty"`
	Leader         int32   `json:"leader"` // -1: none can be elected without loss
	LeaderEpoch    int32   `json:"leaderEpoch"`
	PartitionEpoch int32   `json:"epoch"`
}

// loneRecord is the record of a partition that has none: the one node has it.
func loneRecord(node int32) PartitionRecord {
	return PartitionRecord{Replicas: []int32{node}, ISR: []int32{node}, Leader: node}
}

// Reassigning is whether replicas come or go.
func (r PartitionRecord) Reassigning() bool { return len(r.Adding) > 0 || len(r.Removing) > 0 }

// Target is where a reassignment leads: the replicas that stay and those that come.
func (r PartitionRecord) Target() []int32 { return without(r.Replicas, r.Removing) }

// before is what the replicas were when a reassignment began.
func (r PartitionRecord) before() []int32 { return without(r.Replicas, r.Adding) }

// without is the members of a that are not in b.
func without(a, b []int32) []int32 {
	var out []int32
	for _, x := range a {
		if !slices.Contains(b, x) {
			out = append(out, x)
		}
	}
	return out
}

// within is the members of a that are in b.
func within(a, b []int32) []int32 {
	var out []int32
	for _, x := range a {
		if slices.Contains(b, x) {
			out = append(out, x)
		}
	}
	return out
}

func subset(a, b []int32) bool { return len(without(a, b)) == 0 }

// sameMembers is whether a and b hold the same brokers, in any order. Neither repeats one.
func sameMembers(a, b []int32) bool { return len(a) == len(b) && subset(a, b) }

// equal is whether two records say the same, epochs apart.
func (r PartitionRecord) equal(o PartitionRecord) bool {
	return r.Leader == o.Leader && slices.Equal(r.Replicas, o.Replicas) && slices.Equal(r.ISR, o.ISR) && slices.Equal(r.ELR, o.ELR) &&
		slices.Equal(r.Adding, o.Adding) && slices.Equal(r.Removing, o.Removing)
}
