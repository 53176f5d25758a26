package logstore

import (
	"encoding/binary"
	"fmt"

	"github.com/streamflow/streamflow/logstore/replica"
	"github.com/streamflow/streamflow/logstore/wal"
)

// replication is what a partition with other replicas needs beside its log. Partition.mu guards it.
type replication struct {
	leader     *replica.Leader // nil unless this node leads
	leaderHigh int64           // a follower's: the greatest high watermark that its leader told
	filled     int64           // a leader's: the bytes of what is below it are in memory for good; durable <= filled <= end
	early      bool            // a leader's: the start of its epoch is on disk, so followers may have what is not
	waiters    []*waiter
	changed    chan struct{} // nil while no follower waits
	followers  []watching
	cutting    bool // the log is being cut: nothing may be appended
}

// mayAppend checks that this node may append, and gives the batches their leader epoch. p.mu is held.
func (p *Partition) mayAppend(in *incoming) error {
	if p.failed != nil {
		return p.failed
	}
	if p.role.Epoch >= 0 {
		in.epoch = p.role.Epoch
	}
	in.lazy = in.lazy && !p.role.Replicated // readers wait for a marker until it is committed
	switch {
	case !p.role.Leader:
		return fmt.Errorf("%w: node %d leads epoch %d", ErrNotLeader, p.role.LeaderID, p.role.Epoch)
	case p.repl.leader != nil && in.acks == AcksAll && !in.batches[0].Attributes().IsControl() && !p.repl.leader.Record().Enough():
		r := p.repl.leader.Record()
		return fmt.Errorf("%w: %d in sync, %d wanted", ErrNotEnoughReplicas, len(r.ISR), r.MinISR)
	}
	return nil
}

// appendReplicated ends an append to a partition with followers. p.mu is held, and released.
func (p *Partition) appendReplicated(in incoming, res wal.Reservation, out AppendResult, st stamp) *Pending {
	pending := &Pending{result: out}
	if in.acks == AcksAll {
		pending.wait = p.repl.await(p.end, p.high)
	} else {
		pending.group = res.Group
	}
	p.repl.leader.Appended(p.end)
	p.mu.Unlock()
	st.fill(p.walPrefix, res.Payload, in)
	res.Commit()
	p.noteFilled(out.BaseOffset, len(in.batches))
	return pending
}

// noteFilled says that the bytes of n batches, from the one at base on, are as they stay: followers may have them before
// they are on disk here.
func (p *Partition) noteFilled(base int64, n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	list := p.tail.list
	for i := p.tail.from(base); i < len(list) && n > 0; i, n = i+1, n-1 {
		list[i].filled = true
	}
	before := p.repl.filled
	for i := p.tail.from(before); i < len(list) && list[i].filled && list[i].base <= p.repl.filled; i++ {
		p.repl.filled = list[i].last + 1
	}
	if p.repl.filled > before {
		p.feed()
	}
}

// replicaDurable is Committed for a replicated partition. p.mu is held.
func (p *Partition) replicaDurable() {
	p.repl.filled = max(p.repl.filled, p.durable)
	if p.repl.leader != nil {
		p.act(p.repl.leader.Durable(p.durable))
	} else {
		p.setHigh(min(p.repl.leaderHigh, p.durable))
	}
	p.feed()
}

// act carries out what the leader decided, apart from proposals. p.mu is held.
func (p *Partition) act(a replica.Actions) {
	if a.Moved {
		p.setHigh(p.repl.leader.High())
		p.feed()
	}
}

// setHigh moves the high watermark, never back. p.mu is held.
func (p *Partition) setHigh(to int64) {
	if to > p.high {
		p.high = to
		p.settle()
		p.wake()
	}
	p.repl.release(p.high)
}

// feed tells followers that there is something new for them. p.mu is held.
func (p *Partition) feed() {
	if p.repl.changed != nil {
		close(p.repl.changed)
		p.repl.changed = nil
	}
	for _, w := range p.repl.followers {
		w.watcher.Mark(w.tag)
	}
}

// ReplicaChanged is closed when there is something new for followers: batches, a higher high watermark, another role. Take
// it, look, then wait.
func (p *Partition) ReplicaChanged() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.failed != nil {
		return closedChan
	}
	if p.repl.changed == nil {
		p.repl.changed = make(chan struct{})
	}
	return p.repl.changed
}

// WatchReplica is Watch for what ReplicaChanged tells.
func (p *Partition) WatchReplica(w *Watcher, tag int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.repl.followers = append(p.repl.followers, watching{w, tag})
	if p.failed != nil {
		w.Mark(tag)
	}
}

// UnwatchReplica ends WatchReplica.
func (p *Partition) UnwatchReplica(w *Watcher, tag int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, x := range p.repl.followers {
		if x == (watching{w, tag}) {
			p.repl.followers = append(p.repl.followers[:i], p.repl.followers[i+1:]...)
			return
		}
	}
}

// noteEpoch writes down that this node begins a leader epoch here. Nothing waits for it, but it precedes every batch of the
// epoch in the write-ahead log. p.mu is held.
func (p *Partition) noteEpoch(epoch int32) {
	p.epochs.Note(epoch, p.end)
	p.snapDue = true
	r, err := p.log.wal.Reserve(wal.Request{
		Type: typeEpoch, Size: len(p.walPrefix) + 12, Timestamp: p.log.o.Clock.Now().UnixMilli(),
		To: epochSynced{p, epoch},
	})
	if err != nil { // a full disk: followers get what is on disk, which is safe without
		p.log.o.Logger.Warn("leader epoch is not written down", "topic", p.tp.Topic, "partition", p.tp.Partition, "epoch", epoch, "err", err)
		return
	}
	n := copy(r.Payload, p.walPrefix)
	binary.LittleEndian.PutUint32(r.Payload[n:], uint32(epoch))
	binary.LittleEndian.PutUint64(r.Payload[n+4:], uint64(p.end))
	r.Commit()
}

// epochSynced is told that the start of an epoch is on disk.
type epochSynced struct {
	p     *Partition
	epoch int32
}

func (e epochSynced) Committed(int64) {
	e.p.mu.Lock()
	defer e.p.mu.Unlock()
	if e.p.role.Leader && e.p.role.Epoch == e.epoch {
		e.p.repl.early = true
		e.p.feed()
	}
}

// LatestOffsets is Offsets for answers to clients about the end of the log: ErrNotLeader on a follower, and
// ErrOffsetNotAvailable on a new leader that does not know the high watermark yet (KIP-207).
func (p *Partition) LatestOffsets() (Offsets, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	o := Offsets{LogStart: p.logStart, LastStable: p.stable, HighWatermark: p.high, End: p.end}
	switch {
	case p.failed != nil:
		return o, p.failed
	case !p.role.Leader:
		return o, fmt.Errorf("logstore: offsets of %s: %w: node %d leads epoch %d", p.tp, ErrNotLeader, p.role.LeaderID, p.role.Epoch)
	case p.repl.leader != nil && !p.repl.leader.Knows():
		return o, fmt.Errorf("logstore: offsets of %s: %w", p.tp, ErrOffsetNotAvailable)
	}
	return o, nil
}
