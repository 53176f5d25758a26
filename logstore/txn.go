package logstore

import (
	"fmt"

	"github.com/streamflow/streamflow/logstore/record"
)

// OpenTxn is a transaction without a marker yet.
type OpenTxn struct {
	ProducerID  int64
	Epoch       int16
	FirstOffset int64
	LastAppend  int64 // milliseconds
}

// ProducerState is what a partition knows of a producer.
type ProducerState struct {
	ProducerID   int64
	Epoch        int16
	LastSequence int32 // -1 if it has sent nothing in this epoch
	LastAppend   int64 // milliseconds
	TxnFirst     int64 // first offset of its open transaction, or -1
}

// EndTxn appends the producer's commit or abort marker and ends its transaction here: at once for readers, without
// waiting for the disk. The decision is kept elsewhere, and whoever keeps it tells it again after a crash. Ending a
// transaction that is not open does nothing, unless the epoch is new: then the marker fences the older one.
//
// Where there are other replicas, readers wait until the marker is committed: another leader may not have it yet.
func (p *Partition) EndTxn(producerID int64, epoch int16, commit bool) error {
	pending := p.WriteMarker(producerID, epoch, commit)
	if pending.err != nil {
		return pending.err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.settle()
	p.wake()
	return nil
}

// WriteMarker is EndTxn for whoever may forget the decision when the marker is committed, which Pending tells. That holds
// for the marker of an earlier call too.
func (p *Partition) WriteMarker(producerID int64, epoch int16, commit bool) *Pending {
	typ := record.ControlAbort
	if commit {
		typ = record.ControlCommit
	}
	marker := record.AppendMarker(nil, typ, producerID, epoch, 0, p.log.o.Clock.Now().UnixMilli())
	done, err := p.txnEnded(producerID, epoch)
	switch {
	case err != nil:
		return refused(err)
	case done:
		return p.allOfNow()
	}
	return p.append(incoming{batches: []record.Batch{marker}, size: len(marker), epoch: p.lastEpoch(), internal: true, lazy: true})
}

// allOfNow waits for everything that was appended until now.
func (p *Partition) allOfNow() *Pending {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.role.Replicated {
		return &Pending{wait: p.repl.await(p.end, p.high)}
	}
	return &Pending{group: p.group}
}

func (p *Partition) txnEnded(producerID int64, epoch int16) (bool, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.failed != nil {
		return false, p.failed
	}
	if !p.role.Leader {
		return false, fmt.Errorf("logstore: end transaction in %s: %w: node %d leads epoch %d", p.tp, ErrNotLeader, p.role.LeaderID, p.role.Epoch)
	}
	prod := p.state.byID[producerID]
	if prod == nil {
		return true, nil
	}
	if epoch < prod.epoch {
		return false, fmt.Errorf("logstore: end transaction in %s: %w: producer %d has epoch %d, the marker has %d",
			p.tp, ErrInvalidProducerEpoch, producerID, prod.epoch, epoch)
	}
	return prod.txnFirst < 0 && epoch == prod.epoch, nil
}

func (p *Partition) lastEpoch() int32 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.epochs.Last()
}

// AppendControl appends a control record of our own: typ is at least record.FirstOwnControl, and Kafka clients skip it.
func (p *Partition) AppendControl(typ int16, value []byte) *Pending {
	if typ < int16(record.FirstOwnControl) {
		return refused(fmt.Errorf("%w: control type %d", ErrInvalidRecord, typ))
	}
	b := record.AppendControl(nil, record.ControlType(typ), value, p.log.o.Clock.Now().UnixMilli())
	return p.Append(AppendRequest{Data: b, LeaderEpoch: p.lastEpoch(), Internal: true})
}

// OpenTxns lists the open transactions, oldest first.
func (p *Partition) OpenTxns() []OpenTxn {
	p.mu.Lock()
	defer p.mu.Unlock()
	list := make([]OpenTxn, 0, len(p.state.open))
	for _, t := range p.state.open {
		prod := p.state.byID[t.producerID]
		list = append(list, OpenTxn{ProducerID: t.producerID, Epoch: prod.epoch, FirstOffset: t.first, LastAppend: prod.lastMs})
	}
	return list
}

// Producers lists the producers that the partition remembers, by id.
func (p *Partition) Producers() []ProducerState {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.state.list()
}
