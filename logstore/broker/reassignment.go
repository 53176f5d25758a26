package broker

import "slices"

// reassign begins to move a partition to target, after KIP-455: replicas that come are added first, and those that go are
// removed when all that come are in sync. A reassignment under way is replaced.
func (c rules) reassign(r PartitionRecord, target []int32) PartitionRecord {
	before := r.before()
	n := r
	n.Adding, n.Removing = without(target, before), without(before, target)
	n.Replicas = append(slices.Clone(target), n.Removing...)
	n = c.trim(n)
	return r.next(c.elect(c.complete(n)))
}

// cancel takes a reassignment back.
func (c rules) cancel(r PartitionRecord) PartitionRecord {
	n := r
	n.Replicas, n.Adding, n.Removing = r.before(), nil, nil
	return r.next(c.elect(c.trim(n)))
}

// survives is whether one of replicas has every committed record, so that the others may go.
func (r PartitionRecord) survives(replicas []int32) bool {
	return len(within(r.ISR, replicas)) > 0 || len(within(r.ELR, replicas)) > 0
}

// complete ends a reassignment when all that come are in sync; a partition without a leader waits for one.
func (c rules) complete(r PartitionRecord) PartitionRecord {
	if !r.Reassigning() || !subset(r.Adding, r.ISR) || len(within(r.Target(), r.ISR)) == 0 {
		return r
	}
	r.Replicas, r.Adding, r.Removing = r.Target(), nil, nil
	return c.trim(r)
}

// trim takes what is no replica any more out of the sets and out of office.
func (c rules) trim(r PartitionRecord) PartitionRecord {
	elr := within(r.ELR, r.Replicas)
	r.ELR = elr
	r = c.shrink(r, within(r.ISR, r.Replicas))
	if !slices.Contains(r.Replicas, r.Leader) {
		r.Leader = noLeader
	}
	return r
}
