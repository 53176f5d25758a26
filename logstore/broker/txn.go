package broker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/streamflow/streamflow/logstore"
)

// InitTxn gives a producer a transactional id: a producer id and an epoch that fence whoever had it, whose open transaction
// is aborted. pid and epoch are what the producer believes it has, -1 for a new one.
func (b *Broker) InitTxn(ctx context.Context, id string, timeoutMs, pid int64, epoch int16) (*Txn, error) {
	fresh, err := b.NextProducerID(ctx)
	if err != nil {
		return nil, err
	}
	c := txnCommand{Op: txnInit, ID: id, ProducerID: pid, Epoch: epoch, FreshID: fresh, TimeoutMs: timeoutMs}
	t, err := b.applyTxn(ctx, c)
	if err != nil || t.State == TxnEmpty {
		return t, err
	}
	if _, err = b.finishTxn(ctx, t); err != nil {
		return nil, err
	}
	c.ProducerID, c.Epoch = -1, -1 // ErrTxnConcurrent while markers are still being written
	return b.applyTxn(ctx, c)
}

// AddToTxn makes partitions part of a producer's transaction, which opens it.
func (b *Broker) AddToTxn(ctx context.Context, id string, pid int64, epoch int16, places []TxnPlace) error {
	t, err := b.applyTxn(ctx, txnCommand{Op: txnAdd, ID: id, ProducerID: pid, Epoch: epoch, Partitions: places, NowMs: b.nowMs()})
	if err == nil {
		b.watchTxn(t)
	}
	return err
}

// JoinTxn is AddToTxn for partitions that a producer writes to without having announced them (KIP-890). It costs nothing when
// they are part of the transaction already. The leader of the partitions calls it, which need not be the coordinator: the
// producer's epoch says whether the transaction is still the one that is meant.
func (b *Broker) JoinTxn(ctx context.Context, id string, pid int64, epoch int16, places []TxnPlace) error {
	if t := b.txns.get(id); t != nil && t.ProducerID == pid && t.Epoch == epoch && t.State == TxnOngoing && t.hasAll(places) {
		return nil
	}
	return b.joinTxn(ctx, txnCommand{Op: txnAdd, ID: id, ProducerID: pid, Epoch: epoch, Partitions: places, NowMs: b.nowMs()})
}

// joinTxn sends a command in no office. The coordinator, if it is another, finds the open transaction by itself.
func (b *Broker) joinTxn(ctx context.Context, c txnCommand) error {
	t, err := b.sendTxn(ctx, c)
	if err != nil {
		return err
	}
	if _, err := b.Coordinates(TxnCoordinator, c.ID); err == nil {
		b.watchTxn(t)
	}
	return nil
}

// JoinTxnGroup is AddGroupToTxn for a group that the producer has not announced.
func (b *Broker) JoinTxnGroup(ctx context.Context, id string, pid int64, epoch int16, group string) error {
	t := b.txns.get(id)
	if t != nil && t.ProducerID == pid && t.Epoch == epoch && t.State == TxnOngoing && slices.Contains(t.Groups, group) {
		return nil
	}
	return b.joinTxn(ctx, txnCommand{Op: txnGroup, ID: id, ProducerID: pid, Epoch: epoch, Group: group, NowMs: b.nowMs()})
}

// AddGroupToTxn makes a group's offsets part of a producer's transaction.
func (b *Broker) AddGroupToTxn(ctx context.Context, id string, pid int64, epoch int16, group string) error {
	t, err := b.applyTxn(ctx, txnCommand{Op: txnGroup, ID: id, ProducerID: pid, Epoch: epoch, Group: group, NowMs: b.nowMs()})
	if err == nil {
		b.watchTxn(t)
	}
	return err
}

// CommitTxnOffsets records offsets that become a group's when the transaction is committed.
func (b *Broker) CommitTxnOffsets(ctx context.Context, id string, pid int64, epoch int16, group string, offsets []GroupOffset) error {
	_, err := b.applyTxn(ctx, txnCommand{Op: txnOffsets, ID: id, ProducerID: pid, Epoch: epoch, Group: group, Offsets: offsets})
	return err
}

// EndTxn commits or aborts. The decision, with the offsets, is one metadata command; markers follow it, and follow it again
// after a crash.
func (b *Broker) EndTxn(ctx context.Context, id string, pid int64, epoch int16, commit bool) error {
	_, err := b.endTxn(ctx, txnCommand{Op: txnEnd, ID: id, ProducerID: pid, Epoch: epoch, Commit: commit})
	return err
}

// EndTxnBump is EndTxn for a producer whose epoch grows with each transaction (KIP-890): it goes on with the producer id
// and the epoch of the answer.
func (b *Broker) EndTxnBump(ctx context.Context, id string, pid int64, epoch int16, commit bool) (*Txn, error) {
	c := txnCommand{Op: txnEnd, ID: id, ProducerID: pid, Epoch: epoch, Commit: commit, Bump: true}
	if epoch >= math.MaxInt16-3 {
		var err error
		if c.FreshID, err = b.NextProducerID(ctx); err != nil {
			return nil, err
		}
	}
	return b.endTxn(ctx, c)
}

func (b *Broker) endTxn(ctx context.Context, c txnCommand) (*Txn, error) {
	t, err := b.applyTxn(ctx, c)
	if err != nil || t.State == TxnEmpty { // a retry
		return t, err
	}
	return b.finishTxn(ctx, t)
}

// Txns returns all transactional ids.
func (b *Broker) Txns() []*Txn { return b.txns.list() }

// Txn returns one transactional id; nil when nobody has used it.
func (b *Broker) Txn(id string) *Txn { return b.txns.get(id) }

// PendingOffsets are the partitions of a topic for which an open transaction holds offsets of a group.
func (b *Broker) PendingOffsets(group, topic string) map[int32]bool {
	return b.txns.pending(group, topic)
}

// AppendInTxn appends a transactional batch, if the partition is part of the producer's open transaction. Without this check
// a batch that was delayed on its way could become part of a later transaction.
func (b *Broker) AppendInTxn(id string, pid int64, epoch int16, topic string, partition int32, data []byte) (*logstore.Pending, error) {
	part, err := b.Partition(topic, partition)
	if err != nil {
		return nil, err
	}
	pending, err := b.appendGated(part, id, pid, epoch, data)
	if err == nil || !b.clustered() {
		return pending, err
	}
	// What this node knows of the transaction may be old: it asks how far the metadata log is, and looks again.
	ctx, cancel := context.WithTimeout(b.ctx, b.opts.Membership.Session)
	defer cancel()
	if err := b.node.Barrier(ctx); err != nil {
		return nil, ErrTxnConcurrent // clients try again
	}
	return b.appendGated(part, id, pid, epoch, data)
}

// appendGated checks and appends while no decision about a transaction can come between.
func (b *Broker) appendGated(part *logstore.Partition, id string, pid int64, epoch int16, data []byte) (*logstore.Pending, error) {
	b.txnGate.RLock()
	defer b.txnGate.RUnlock()
	place := TxnPlace{part.ID().Topic, part.ID().Partition}
	t := b.txns.get(id)
	switch {
	case t == nil || t.ProducerID != pid:
		return nil, ErrTxnMapping
	case t.Epoch != epoch:
		return nil, ErrProducerFenced
	case t.State != TxnOngoing || !t.Has(place):
		return nil, ErrTxnState
	}
	return part.Append(logstore.AppendRequest{Data: data}), nil
}

// passGate returns when the appends that were let in before a decision that this node knows are in the log.
func (b *Broker) passGate() {
	b.txnGate.Lock()
	//lint:ignore SA2001 an empty section on purpose
	b.txnGate.Unlock()
}

// finishTxn writes the markers of a decided transaction. In a cluster it may return before all are written: the decision stands,
// and they follow.
func (b *Broker) finishTxn(ctx context.Context, t *Txn) (*Txn, error) {
	b.unwatchTxn(t.ID)
	if b.clustered() {
		return b.finishAcross(ctx, t)
	}
	b.passGate()
	markers := make([]TxnMarker, 0, len(t.Partitions))
	for _, p := range t.Partitions {
		m, err := b.mark(p, t.ProducerID, t.Epoch, t.State == TxnPrepareCommit)
		if err != nil {
			return nil, err
		}
		if m != nil {
			markers = append(markers, *m)
		}
	}
	return b.applyTxn(ctx, txnCommand{Op: txnComplete, ID: t.ID, ProducerID: t.ProducerID, Epoch: t.Epoch, Markers: markers})
}

// mark ends a transaction in one partition; nil when the topic is gone.
func (b *Broker) mark(p TxnPlace, pid int64, epoch int16, commit bool) (*TxnMarker, error) {
	part, err := b.Partition(p.Topic, p.Partition)
	if err != nil {
		return nil, nil
	}
	topic, err := b.Topic(p.Topic)
	if err != nil {
		return nil, nil
	}
	err = part.EndTxn(pid, epoch, commit)
	if err != nil && !errors.Is(err, logstore.ErrUnknownPartition) {
		return nil, fmt.Errorf("broker: transaction marker: %w", err)
	}
	return &TxnMarker{TxnPlace: p, TopicID: topic.ID, End: part.Offsets().End}, nil
}

// recoverTxns does again what a crash may have undone: markers are not synced, the decisions are.
func (b *Broker) recoverTxns() error {
	for _, t := range b.txns.list() {
		if err := b.recoverTxn(t); err != nil {
			return err
		}
	}
	return nil
}

func (b *Broker) recoverTxn(t *Txn) error {
	if t.Ended != nil {
		for _, m := range t.Ended.Places {
			if err := b.remark(t, m); err != nil {
				return err
			}
		}
	}
	switch t.State {
	case TxnPrepareCommit, TxnPrepareAbort:
		_, err := b.finishTxn(context.Background(), t)
		return err
	case TxnOngoing:
		b.watchTxn(t)
	}
	return nil
}

// remark writes one marker of an ended transaction again, if its records are in the log and the marker is not.
func (b *Broker) remark(t *Txn, m TxnMarker) error {
	topic := b.TopicByID(m.TopicID)
	if topic == nil {
		return nil
	}
	part, err := b.Partition(topic.Name, m.Partition)
	if err != nil {
		return nil
	}
	pid := t.Ended.producer(t)
	for _, o := range part.OpenTxns() {
		if o.ProducerID == pid && o.FirstOffset < m.End {
			return part.EndTxn(pid, t.Ended.Epoch, t.Ended.State == TxnPrepareCommit)
		}
	}
	return nil
}

// watchTxn aborts a transaction that is still open when its time is over.
func (b *Broker) watchTxn(t *Txn) {
	b.txnMu.Lock()
	defer b.txnMu.Unlock()
	if b.txnTimers == nil || b.txnTimers[t.ID] != nil || t.State != TxnOngoing {
		return
	}
	wait := time.Duration(t.StartMs+t.TimeoutMs-b.nowMs()) * time.Millisecond
	b.txnTimers[t.ID] = time.AfterFunc(max(0, wait), func() { b.expireTxn(t.ID, t.StartMs) })
}

func (b *Broker) unwatchTxn(id string) {
	b.txnMu.Lock()
	defer b.txnMu.Unlock()
	if timer := b.txnTimers[id]; timer != nil {
		timer.Stop()
		delete(b.txnTimers, id)
	}
}

func (b *Broker) stopTxnTimers() {
	b.txnMu.Lock()
	defer b.txnMu.Unlock()
	for _, timer := range b.txnTimers {
		timer.Stop()
	}
	b.txnTimers = nil
}

func (b *Broker) expireTxn(id string, startMs int64) {
	b.unwatchTxn(id)
	t := b.txns.get(id)
	if t == nil || t.State != TxnOngoing || t.StartMs != startMs {
		return
	}
	ctx := context.Background()
	t, err := b.applyTxn(ctx, txnCommand{Op: txnExpire, ID: id, ProducerID: t.ProducerID, Epoch: t.Epoch})
	if err == nil {
		_, err = b.finishTxn(ctx, t)
	}
	if err != nil {
		b.opts.Logger.Warn("broker: expired transaction not aborted", "id", id, "err", err)
		return
	}
	b.opts.Logger.Info("broker: transaction aborted, its time was over", "id", id)
}

// applyTxn sends a command in this node's office: as the coordinator of the transactional id, or, for a group's offsets, of the
// group.
//
// A node that is alone does not give up with its caller: the command would take effect all the same, and nobody would go on from
// there. In a cluster, oversee does.
func (b *Broker) applyTxn(ctx context.Context, c txnCommand) (*Txn, error) {
	if !b.clustered() {
		ctx = context.WithoutCancel(ctx)
	}
	c.Office = b.office(TxnCoordinator, c.ID)
	if c.Op == txnOffsets {
		c.Office = b.office(GroupCoordinator, c.Group)
	}
	return b.sendTxn(ctx, c)
}

func (b *Broker) sendTxn(ctx context.Context, c txnCommand) (*Txn, error) {
	out, err := b.apply(ctx, b.txns, c)
	if err != nil {
		return nil, err
	}
	t := new(Txn)
	if err := json.Unmarshal(out, t); err != nil {
		return nil, fmt.Errorf("broker: transaction state: %w", err)
	}
	return t, nil
}

func (b *Broker) nowMs() int64 { return b.opts.Now().UnixMilli() }
