package replica

import "slices"

// Leadership is what the cluster decided about a partition, as its leader needs it: KIP-966's partition record.
type Leadership struct {
	Epoch          int32   // the leader epoch; stamped into every batch
	PartitionEpoch int32   // of the record; an answer to an older one is stale
	Self           int32   // this node
	Replicas       []int32 // every replica, this node too
	ISR            []int32 // the in-sync replicas, this node too
	MinISR         int     // min.insync.replicas; never more than there are replicas
}

// Enough tells whether the in-sync replicas are as many as the topic asks for.
func (l Leadership) Enough() bool { return len(l.ISR) >= min(max(l.MinISR, 1), len(l.Replicas)) }

// ISRMember is a member of a proposed in-sync set, with the uptime session in which it was seen to be in sync (KIP-903).
type ISRMember struct {
	Node        int32
	BrokerEpoch int64 // 0: not known, and not to be checked; so the leader itself
}

// ISRProposal asks the controller to change a partition's in-sync replicas (AlterPartition, KIP-497). It is a compare and
// swap on both epochs. One that proposes the set in force is meant: it makes the partition epoch move, so that no earlier
// proposal can become true any more.
type ISRProposal struct {
	LeaderEpoch    int32
	PartitionEpoch int32
	ISR            []ISRMember
}

// Nodes is the proposed set without the sessions.
func (p ISRProposal) Nodes() []int32 {
	out := make([]int32, len(p.ISR))
	for i, m := range p.ISR {
		out[i] = m.Node
	}
	return out
}

// Election is what is known when a partition needs a leader.
type Election struct {
	Replicas []int32 // in the order of preference
	ISR, ELR []int32
	Able     func(node int32) bool // alive, unfenced, and its replica not damaged
	Current  int32                 // stays if it is able and in sync, unless Preferred; -1: nobody
	Prefer   bool                  // the first replica leads if it may (PREFERRED election)
	Unclean  bool                  // allowed: unclean.leader.election.enable, or an operator's word
}

// Choice is an election's outcome. A leader that was not in sync is the only in-sync replica afterwards.
type Choice struct {
	Leader  int32
	Unclean bool // committed records may be lost: to be logged and counted
}

// Elect chooses a leader: the current one, else the first in-sync replica, else the first eligible one (KIP-966), else, if
// allowed, the first that is alive.
func Elect(e Election) (Choice, bool) {
	inSync := func(n int32) bool { return slices.Contains(e.ISR, n) && e.Able(n) }
	if !e.Prefer && e.Current >= 0 && inSync(e.Current) {
		return Choice{Leader: e.Current}, true
	}
	eligible := func(n int32) bool { return slices.Contains(e.ELR, n) && e.Able(n) }
	for _, may := range []func(int32) bool{inSync, eligible} {
		if i := slices.IndexFunc(e.Replicas, may); i >= 0 {
			return Choice{Leader: e.Replicas[i]}, true
		}
	}
	if i := slices.IndexFunc(e.Replicas, e.Able); e.Unclean && i >= 0 {
		return Choice{Leader: e.Replicas[i], Unclean: true}, true
	}
	return Choice{Leader: -1}, false
}

// Eligible is the set of eligible leader replicas after the in-sync replicas changed from before to after (KIP-966): while
// they are fewer than min.insync.replicas the high watermark stands still, so whoever leaves then still has everything.
func Eligible(elr, before, after []int32, minISR int) []int32 {
	if len(after) >= minISR {
		return nil
	}
	var out []int32
	for _, n := range append(slices.Clone(elr), before...) {
		if !slices.Contains(after, n) && !slices.Contains(out, n) {
			out = append(out, n)
		}
	}
	slices.Sort(out)
	return out
}
