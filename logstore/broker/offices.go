package broker

import "sync"

// offices are the partitions of __transaction_state that this node leads, with the leader epoch of each.
type offices struct {
	mu   sync.Mutex
	held map[int32]int32
}

// change takes the offices of now, and returns which partitions were gained, and which were lost.
func (o *offices) change(now map[int32]int32) (gained, lost map[int32]bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	gained, lost = map[int32]bool{}, map[int32]bool{}
	for p, e := range now {
		if had, ok := o.held[p]; !ok || had != e {
			gained[p] = true
		}
	}
	for p := range o.held {
		if _, ok := now[p]; !ok {
			lost[p] = true
		}
	}
	o.held = now
	return gained, lost
}

// takeOffices takes over the transactions of partitions that this node has begun to coordinate: decided ones are completed, and
// open ones are aborted when their time is over. Those of partitions that it no longer coordinates are left to others.
func (b *Broker) takeOffices() {
	t, err := b.topics.get(TxnTopic)
	if err != nil {
		return
	}
	now := map[int32]int32{}
	for p, r := range b.topics.recordsOf(t) {
		if r.Leader == b.opts.NodeID {
			now[int32(p)] = r.LeaderEpoch
		}
	}
	gained, lost := b.offices.change(now)
	if len(gained)+len(lost) == 0 {
		return
	}
	for _, x := range b.txns.list() {
		switch p := coordinatorPartition(x.ID, t.Partitions); {
		case lost[p]:
			b.unwatchTxn(x.ID)
		case gained[p]:
			b.takeOver(x)
		}
	}
}

func (b *Broker) takeOver(t *Txn) {
	switch t.State {
	case TxnPrepareCommit, TxnPrepareAbort:
		b.beginEnding(t)
	case TxnOngoing:
		b.watchTxn(t)
	}
}

// oversee sees to the transactions of this node's office that nobody else sees to: those that other nodes have opened, and those
// whose decision took effect after whoever sent it had given up, because its client was gone or the metadata's leader silent.
func (b *Broker) oversee() {
	for _, t := range b.txns.list() {
		if t.State == TxnEmpty {
			continue
		}
		if _, err := b.Coordinates(TxnCoordinator, t.ID); err == nil {
			b.takeOver(t)
		}
	}
}
