package broker

import "slices"

// rules are what a change of a partition depends on beside its record.
type rules struct {
	minISR  int              // min.insync.replicas of the topic
	alive   func(int32) bool // not fenced
	leaving func(int32) bool // alive, and not to be given more: it drains
	unclean bool             // unclean.leader.election.enable: rather lose records than wait
}

// min is the effective min.insync.replicas: no more than there are replicas.
func (c rules) min(r PartitionRecord) int { return max(1, min(c.minISR, len(r.Replicas))) }

// newRecord is the record of a new partition. It has no leader when no replica is alive.
func newRecord(replicas []int32, c rules) PartitionRecord {
	r := PartitionRecord{Replicas: slices.Clone(replicas), Leader: noLeader}
	for _, b := range replicas {
		if c.alive(b) {
			r.ISR = append(r.ISR, b)
		}
	}
	if len(r.ISR) < c.min(r) { // nothing is committed yet: any replica may lead
		r.ELR = without(replicas, r.ISR)
	}
	return c.elect(r)
}

// next gives the changed record its epochs. removed is whether a replica that may still fetch is one no more: the new leader
// epoch fences it.
func (r PartitionRecord) next(changed PartitionRecord) PartitionRecord {
	if changed.equal(r) {
		return r
	}
	changed.PartitionEpoch = r.PartitionEpoch + 1
	changed.LeaderEpoch = r.LeaderEpoch
	if changed.Leader != r.Leader || !subset(r.Replicas, changed.Replicas) {
		changed.LeaderEpoch++
	}
	return changed
}

// shrink makes isr the in-sync set. Who leaves it stays eligible while the set is too small to commit anything without them.
func (c rules) shrink(r PartitionRecord, isr []int32) PartitionRecord {
	had := append(slices.Clone(r.ISR), r.ELR...)
	r.ISR, r.ELR = isr, nil
	if len(isr) < c.min(r) {
		r.ELR = within(without(r.Replicas, isr), had)
	}
	return r
}

// elect gives the partition a leader if it has none that can go on: from the in-sync set, else from those that are eligible,
// else, where that is allowed, any replica that is alive, which is then all that counts.
func (c rules) elect(r PartitionRecord) PartitionRecord {
	if r.Leader != noLeader && c.alive(r.Leader) && slices.Contains(r.ISR, r.Leader) {
		return r
	}
	if b, ok := c.choose(within(r.Replicas, r.ISR)); ok {
		r.Leader = b
		return r
	}
	if b, ok := c.choose(within(r.Replicas, r.ELR)); ok {
		r = c.shrink(r, append(slices.Clone(r.ISR), b))
		r.Leader = b
		return r
	}
	r.Leader = noLeader
	if c.unclean {
		return c.force(r)
	}
	return r
}

// force makes any replica that is alive the leader and the whole in-sync set. What only others had is lost.
func (c rules) force(r PartitionRecord) PartitionRecord {
	if b, ok := c.choose(r.Replicas); ok {
		r.Leader, r.ISR, r.ELR = b, []int32{b}, nil
	}
	return r
}

// choose is the first broker that is alive, one that stays before one that drains.
func (c rules) choose(from []int32) (int32, bool) {
	for _, b := range from {
		if c.alive(b) && !c.leaving(b) {
			return b, true
		}
	}
	for _, b := range from {
		if c.alive(b) {
			return b, true
		}
	}
	return noLeader, false
}

// fence takes a broker that is no longer alive out of the in-sync set, and out of office. lost is whether its disk is not what
// it was: it is then not eligible either.
func (c rules) fence(r PartitionRecord, b int32, lost bool) PartitionRecord {
	n := r
	if slices.Contains(r.ISR, b) {
		n = c.shrink(n, without(n.ISR, []int32{b}))
	}
	if lost {
		n.ELR = without(n.ELR, []int32{b})
	}
	if n.Leader == b {
		n.Leader = noLeader
	}
	return r.next(c.elect(n))
}

// handOver moves leadership from a broker that drains to another of the in-sync set, if there is one.
func (c rules) handOver(r PartitionRecord, b int32) PartitionRecord {
	if r.Leader != b {
		return r
	}
	n := r
	if to, ok := c.choose(without(within(r.Replicas, r.ISR), []int32{b})); ok && !c.leaving(to) {
		n.Leader = to
	}
	return r.next(n)
}

// prefer makes the preferred leader lead if it is in sync.
func (c rules) prefer(r PartitionRecord) PartitionRecord {
	first := r.Replicas[0]
	if r.Leader == first || !slices.Contains(r.ISR, first) || !c.alive(first) || c.leaving(first) {
		return r
	}
	n := r
	n.Leader = first
	return r.next(n)
}

// join takes a broker into the in-sync set that has nothing to catch up with: of partitions without records.
func (c rules) join(r PartitionRecord, b int32) PartitionRecord {
	if !slices.Contains(r.Replicas, b) || slices.Contains(r.ISR, b) {
		return r
	}
	n := c.shrink(r, append(slices.Clone(r.ISR), b))
	return r.next(c.elect(c.complete(n)))
}
