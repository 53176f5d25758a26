package broker

import (
	"context"
	"fmt"
	"time"

	"github.com/streamflow/streamflow/logstore"
)

// Hanging is a transaction that is open in a partition and that no coordinator will end. It holds the last stable offset back,
// and with it every reader of committed records. It cannot come about by what this broker lets in: it comes with the log of
// another time, or of a producer that wrote past the coordinator (KIP-664).
type Hanging struct {
	TxnPlace
	ProducerID  int64
	Epoch       int16
	FirstOffset int64
	LastAppend  int64  // milliseconds
	Owner       string // the transactional id that has, or had, the producer id; "" if none is known
	Why         string
}

// hangingGrace is how much longer than the longest transaction an open one must have been silent before it is looked at.
const hangingGrace = time.Minute

// HangingTxns finds the transactions that hang in the partitions that this node leads.
func (b *Broker) HangingTxns() []Hanging {
	silentSince := b.nowMs() - (b.opts.TxnMaxTimeout + hangingGrace).Milliseconds()
	var out []Hanging
	for _, p := range b.openList() {
		if !p.Role().Leader {
			continue
		}
		for _, o := range p.OpenTxns() {
			if o.LastAppend > silentSince {
				continue
			}
			place := TxnPlace{p.ID().Topic, p.ID().Partition}
			if owner, why := b.whyHanging(place, o); why != "" {
				out = append(out, Hanging{place, o.ProducerID, o.Epoch, o.FirstOffset, o.LastAppend, owner, why})
			}
		}
	}
	return out
}

// whyHanging is why nobody will end a transaction; "" when somebody will.
func (b *Broker) whyHanging(place TxnPlace, o logstore.OpenTxn) (owner, why string) {
	if b.opts.ProducerOwner != nil {
		if owner, has := b.opts.ProducerOwner(o.ProducerID); has {
			return owner, ""
		}
	}
	t := b.txns.byProducer(o.ProducerID)
	switch {
	case t == nil:
		return "", "no coordinator knows its producer id"
	case t.ProducerID != o.ProducerID || t.Epoch > o.Epoch && t.State != TxnPrepareAbort && t.State != TxnPrepareCommit:
		return t.ID, "its transactional id has another epoch since"
	case t.State == TxnEmpty:
		return t.ID, "its transactional id has no open transaction"
	case !t.Has(place):
		return t.ID, "the open transaction of its transactional id does not have the partition"
	}
	return t.ID, ""
}

// byProducer is the transactional id that has a producer id, or had it in the transaction before.
func (m *txnMachine) byProducer(pid int64) *Txn {
	for _, t := range m.list() {
		if t.ProducerID == pid || t.Ended != nil && t.Ended.Rotated && t.Ended.OldID == pid {
			return t
		}
	}
	return nil
}

func (b *Broker) openList() []*logstore.Partition {
	b.mu.RLock()
	defer b.mu.RUnlock()
	out := make([]*logstore.Partition, 0, len(b.partitions))
	for _, p := range b.partitions {
		out = append(out, p)
	}
	return out
}

// abortHanging aborts what hangs, after asking the metadata log whether it knows better by now.
func (b *Broker) abortHanging(ctx context.Context) error {
	if len(b.HangingTxns()) == 0 {
		return nil
	}
	if err := b.node.Barrier(ctx); err != nil {
		return fmt.Errorf("broker: hanging transactions: %w", err)
	}
	for _, h := range b.HangingTxns() {
		part, err := b.Partition(h.Topic, h.Partition)
		if err != nil {
			continue
		}
		if _, err := part.WriteMarker(h.ProducerID, h.Epoch, false).Wait(ctx); err != nil {
			return fmt.Errorf("broker: abort a hanging transaction in %s-%d: %w", h.Topic, h.Partition, err)
		}
		b.opts.Logger.Warn("broker: hanging transaction aborted", "topic", h.Topic, "partition", h.Partition, "producer", h.ProducerID,
			"epoch", h.Epoch, "first_offset", h.FirstOffset, "last_append_ms", h.LastAppend, "id", h.Owner, "why", h.Why)
	}
	return nil
}

// sweepHanging looks for hanging transactions once in a while.
func (b *Broker) sweepHanging(ctx context.Context) {
	tick := time.NewTicker(b.opts.HangingInterval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := b.abortHanging(ctx); err != nil && ctx.Err() == nil {
			b.opts.Logger.Warn("broker: hanging transactions", "err", err)
		}
	}
}
