package broker

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"slices"

	"github.com/google/uuid"
	"github.com/streamflow/streamflow/logstore"
	"github.com/streamflow/streamflow/logstore/replicator"
)

// role is what a partition was last told.
type role struct {
	record int32 // partition epoch
	epoch  int32 // leader epoch
	leader int32
	minISR int
	coming bool // by a reassignment that is not over
}

// reconcileLoop makes this node's partitions what the metadata says, at each change of it.
func (b *Broker) reconcileLoop(ctx context.Context) {
	for {
		changed := b.topics.watch()
		b.reconcile()
		select {
		case <-ctx.Done():
			return
		case <-changed:
		}
	}
}

// reconcile is idempotent: it compares what is open with what should be.
func (b *Broker) reconcile() {
	b.reconcileMu.Lock()
	defer b.reconcileMu.Unlock()
	if b.ctx.Err() != nil {
		return
	}
	b.dropForeign()
	for _, t := range b.topics.list() {
		if IsInternal(t.Name) {
			continue
		}
		if err := b.openPartitions(t); err != nil && !errors.Is(err, logstore.ErrClosed) {
			b.opts.Logger.Error("broker: partitions not opened", "topic", t.Name, slog.Any("err", err))
		}
	}
	if b.replicator != nil {
		b.replicator.Set(b.followed())
	}
	b.takeOffices()
}

// followed are the partitions open here that another node leads.
func (b *Broker) followed() []replicator.Followed {
	addr := map[int32]string{}
	for _, x := range b.topics.brokerInfos() {
		addr[x.ID] = x.PeerAddr
	}
	b.mu.RLock()
	defer b.mu.RUnlock()
	var out []replicator.Followed
	for key, r := range b.roles {
		if r.leader == noLeader || r.leader == b.opts.NodeID || addr[r.leader] == "" {
			continue
		}
		if part := b.partitions[key]; part != nil {
			out = append(out, replicator.Followed{Partition: part, TopicID: b.topicIDs[key.topic], Leader: r.leader, Addr: addr[r.leader], Epoch: r.epoch, Throttled: r.coming})
		}
	}
	slices.SortFunc(out, func(a, b replicator.Followed) int {
		x, y := a.Partition.ID(), b.Partition.ID()
		return cmp.Or(cmp.Compare(x.Topic, y.Topic), cmp.Compare(x.Partition, y.Partition))
	})
	return out
}

// assume tells an open partition its role, if it has another.
func (b *Broker) assume(part *logstore.Partition, t *Topic, p int32, r PartitionRecord) error {
	key := partitionKey{t.Name, p}
	if part.Damaged() != nil {
		if repaired, err := b.repair(part, r); err != nil || !repaired {
			return err
		}
	}
	now := role{record: r.PartitionEpoch, epoch: r.LeaderEpoch, leader: r.Leader, minISR: max(1, min(t.minISR(), len(r.Replicas))), coming: slices.Contains(r.Adding, b.opts.NodeID)}
	b.mu.RLock()
	was, told := b.roles[key]
	b.mu.RUnlock()
	if told && was == now {
		return nil
	}
	var err error
	if r.Leader == b.opts.NodeID {
		err = part.Lead(logstore.Leadership{Epoch: r.LeaderEpoch, PartitionEpoch: r.PartitionEpoch, Self: b.opts.NodeID,
			Replicas: r.Replicas, ISR: r.ISR, MinISR: now.minISR})
	} else {
		err = part.Follow(r.Leader, r.LeaderEpoch)
	}
	if err != nil {
		return err
	}
	b.mu.Lock()
	b.roles[key] = now
	b.mu.Unlock()
	return nil
}

// dropForeign removes what this node has and should not: topics that were deleted, replicas that were moved away, and, the
// first time, what was so while the node was not running.
func (b *Broker) dropForeign() {
	for _, tp := range b.openOrOnDisk() {
		t, err := b.topics.get(tp.Topic)
		switch {
		case err != nil || b.topicIsOther(t):
			err = b.deleteFiles(tp.Topic)
		case !IsInternal(t.Name) && !b.assigned(t, tp.Partition):
			err = b.deletePartition(tp)
		default:
			continue
		}
		if err != nil && !errors.Is(err, logstore.ErrClosed) {
			b.opts.Logger.Error("broker: files not removed", "partition", tp, slog.Any("err", err))
			continue
		}
		b.opts.Logger.Info("broker: replica removed", "partition", tp)
	}
}

// topicIsOther is whether the partitions open under t's name are those of a topic before it.
func (b *Broker) topicIsOther(t *Topic) bool {
	id := b.topicID(t.Name)
	return id != uuid.Nil && id != t.ID
}

// assigned is whether this node is a replica of a partition.
func (b *Broker) assigned(t *Topic, p int32) bool {
	if p >= t.Partitions {
		return false
	}
	return slices.Contains(b.topics.recordOf(t, p).Replicas, b.opts.NodeID)
}

func (b *Broker) openOrOnDisk() []logstore.TopicPartition {
	var all []logstore.TopicPartition
	if !b.swept {
		onDisk, err := b.log.Partitions()
		if err != nil {
			b.opts.Logger.Error("broker: partitions not listed", slog.Any("err", err))
		} else {
			b.swept = true
		}
		all = onDisk
	}
	b.mu.RLock()
	defer b.mu.RUnlock()
	for key := range b.partitions {
		all = append(all, logstore.TopicPartition{Topic: key.topic, Partition: key.partition})
	}
	return all
}

// deletePartition removes one replica.
func (b *Broker) deletePartition(tp logstore.TopicPartition) error {
	b.filesMu.Lock()
	defer b.filesMu.Unlock()
	key := partitionKey{tp.Topic, tp.Partition}
	b.mu.Lock()
	delete(b.partitions, key)
	delete(b.roles, key)
	b.mu.Unlock()
	if b.replicator != nil {
		b.replicator.Set(b.followed())
	}
	if err := b.log.DropPartition(tp); err != nil && !errors.Is(err, logstore.ErrUnknownPartition) {
		return err
	}
	return nil
}
