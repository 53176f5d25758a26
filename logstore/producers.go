package logstore

import (
	"fmt"
	"slices"
	"sort"

	"github.com/streamflow/streamflow/logstore/record"
)

// keptBatches is how many of a producer's batches are remembered: Kafka clients keep at most five in flight.
const keptBatches = 5

// producer is what a partition remembers of one producer.
type producer struct {
	epoch    int16
	batches  []sentBatch // the newest last, at most keptBatches, all of this epoch
	txnFirst int64       // first offset of the open transaction, or -1
	lastMs   int64
}

// sentBatch is a batch that was appended: enough to recognise its repeat and answer it.
type sentBatch struct {
	first, last int32 // sequences
	base        int64
	delta       int32 // last offset - base
	appendMs    int64 // -1 unless the topic stamps log-append time
}

// abortedTxn is a transaction that ended by an abort marker.
type abortedTxn struct {
	producerID  int64
	first, last int64 // offsets of its first record and of its marker
}

// producers is the state that idempotent and transactional producers leave in a partition. It is a function of the
// batches in offset order, so it can be rebuilt from them. Not safe for concurrent use.
type producers struct {
	byID    map[int64]*producer
	open    []openTxn    // by first offset
	aborted []abortedTxn // by marker offset

	track  bool       // of a replicated partition: keep ending
	ending []endedTxn // by marker offset: their markers may not be committed yet, so that readers still wait for them
}

// endedTxn is a transaction with both its ends: its first record and its marker.
type endedTxn struct{ first, last int64 }

type openTxn struct {
	producerID, first int64
}

// check decides about a batch before it is appended: nil and nil for a new one, the earlier batch for a repeat. The node's
// own transactions (internal) carry no sequence: what they stage is never sent twice.
func (s *producers) check(b record.Batch, internal bool) (*sentBatch, error) {
	id := b.ProducerID()
	if id < 0 {
		if b.Attributes().IsTransactional() {
			return nil, fmt.Errorf("%w: transactional batch without a producer id", ErrInvalidRecord)
		}
		return nil, nil
	}
	unnumbered := internal && b.BaseSequence() < 0
	if b.BaseSequence() < 0 && !unnumbered || b.ProducerEpoch() < 0 {
		return nil, fmt.Errorf("%w: producer %d, epoch %d, sequence %d", ErrInvalidRecord, id, b.ProducerEpoch(), b.BaseSequence())
	}
	p := s.byID[id]
	if p == nil {
		return nil, nil // never seen here, or forgotten: any sequence may be the first
	}
	if b.ProducerEpoch() < p.epoch {
		return nil, fmt.Errorf("%w: producer %d has epoch %d, the batch has %d", ErrInvalidProducerEpoch, id, p.epoch, b.ProducerEpoch())
	}
	if p.txnFirst >= 0 && !b.Attributes().IsTransactional() {
		return nil, fmt.Errorf("%w: producer %d writes outside its open transaction", ErrInvalidTxnState, id)
	}
	if unnumbered {
		return nil, nil
	}
	return p.checkSequence(b)
}

func (p *producer) checkSequence(b record.Batch) (*sentBatch, error) {
	first, last := b.BaseSequence(), b.LastSequence()
	if b.ProducerEpoch() > p.epoch {
		if first != 0 {
			return nil, fmt.Errorf("%w: producer %d begins epoch %d with sequence %d", ErrOutOfOrderSequence, b.ProducerID(), b.ProducerEpoch(), first)
		}
		return nil, nil
	}
	for i := range p.batches {
		if sent := &p.batches[i]; sent.first == first && sent.last == last {
			return sent, nil
		}
	}
	if len(p.batches) == 0 { // a marker bumped the epoch; the producer starts over
		return nil, nil
	}
	want := record.NextSequence(p.batches[len(p.batches)-1].last)
	switch {
	case first == want:
		return nil, nil
	case sequenceBefore(last, want):
		return nil, fmt.Errorf("%w: producer %d sent sequence %d again, %d is next", ErrDuplicateSequence, b.ProducerID(), first, want)
	}
	return nil, fmt.Errorf("%w: producer %d sent sequence %d, %d is next", ErrOutOfOrderSequence, b.ProducerID(), first, want)
}

// sequenceBefore compares sequences that wrap at 2^31.
func sequenceBefore(a, b int32) bool {
	d := uint32(b-a) & 0x7fffffff
	return d != 0 && d < 1<<30
}

// apply takes an appended batch into the state. The batch's offsets are base and on; b itself need not carry them yet.
func (s *producers) apply(b record.Batch, base, appendMs, nowMs int64) error {
	id := b.ProducerID()
	if id < 0 {
		return nil
	}
	if b.Attributes().IsControl() {
		return s.applyMarker(b, base, nowMs)
	}
	p := s.at(id, b.ProducerEpoch())
	p.lastMs = nowMs
	if b.BaseSequence() >= 0 {
		p.remember(b, base, appendMs)
	}
	if b.Attributes().IsTransactional() && p.txnFirst < 0 {
		p.txnFirst = base
		s.open = append(s.open, openTxn{producerID: id, first: base})
	}
	return nil
}

// remember notes a numbered batch, so that its repeat is recognised.
func (p *producer) remember(b record.Batch, base, appendMs int64) {
	if len(p.batches) == keptBatches {
		copy(p.batches, p.batches[1:])
		p.batches = p.batches[:keptBatches-1]
	}
	p.batches = append(p.batches, sentBatch{
		first: b.BaseSequence(), last: b.LastSequence(), base: base, delta: b.LastOffsetDelta(), appendMs: appendMs,
	})
}

// at finds or makes a producer's state; a new epoch starts it over.
func (s *producers) at(id int64, epoch int16) *producer {
	p := s.byID[id]
	if p == nil {
		if s.byID == nil {
			s.byID = map[int64]*producer{}
		}
		p = &producer{epoch: epoch, txnFirst: -1}
		s.byID[id] = p
	}
	if epoch > p.epoch {
		p.epoch, p.batches = epoch, nil
	}
	return p
}

func (s *producers) applyMarker(b record.Batch, base, nowMs int64) error {
	typ, _, err := b.Control()
	if err != nil {
		return err
	}
	p := s.at(b.ProducerID(), b.ProducerEpoch())
	p.lastMs = nowMs
	if p.txnFirst < 0 {
		return nil
	}
	first := p.txnFirst
	p.txnFirst = -1
	for i, t := range s.open {
		if t.producerID == b.ProducerID() {
			s.open = append(s.open[:i], s.open[i+1:]...)
			break
		}
	}
	if s.track {
		s.ending = append(s.ending, endedTxn{first, base})
	}
	if typ == record.ControlAbort {
		s.aborted = append(s.aborted, abortedTxn{producerID: b.ProducerID(), first: first, last: base})
	}
	return nil
}

// moveOpen says where a producer's open transaction really begins; -1: it has none.
func (s *producers) moveOpen(producerID, first int64) {
	s.byID[producerID].txnFirst = first
	s.open = slices.DeleteFunc(s.open, func(t openTxn) bool { return t.producerID == producerID })
	if first >= 0 {
		s.open = append(s.open, openTxn{producerID, first})
		sort.Slice(s.open, func(i, j int) bool { return s.open[i].first < s.open[j].first })
	}
}

// firstOpen is the first offset of the oldest open transaction, or what is given if there is none or it is smaller.
func (s *producers) firstOpen(limit int64) int64 {
	if len(s.open) > 0 {
		return min(s.open[0].first, limit)
	}
	return limit
}

// firstUndecided is firstOpen for readers of what is committed up to high: a transaction whose marker is not counts as open.
func (s *producers) firstUndecided(high int64) int64 {
	n := 0
	for n < len(s.ending) && s.ending[n].last < high {
		n++
	}
	if s.ending = s.ending[n:]; len(s.ending) == 0 {
		s.ending = nil
	}
	first := s.firstOpen(high)
	for _, t := range s.ending {
		first = min(first, t.first)
	}
	return first
}

// abortedIn lists the aborted transactions that have records in [from, to).
func (s *producers) abortedIn(from, to int64) (list []AbortedTxn) {
	i := sort.Search(len(s.aborted), func(i int) bool { return s.aborted[i].last >= from })
	for _, a := range s.aborted[i:] {
		if a.first < to {
			list = append(list, AbortedTxn{ProducerID: a.producerID, FirstOffset: a.first})
		}
	}
	return list
}

// forgetBefore drops aborted transactions that ended before the log start.
func (s *producers) forgetBefore(logStart int64) {
	i := sort.Search(len(s.aborted), func(i int) bool { return s.aborted[i].last >= logStart })
	if i > 0 {
		s.aborted = append([]abortedTxn(nil), s.aborted[i:]...)
	}
}

// expire forgets producers that have been silent since before ms.
func (s *producers) expire(ms int64) {
	for id, p := range s.byID {
		if p.txnFirst < 0 && p.lastMs < ms {
			delete(s.byID, id)
		}
	}
}

func (s *producers) list() []ProducerState {
	out := make([]ProducerState, 0, len(s.byID))
	for id, p := range s.byID {
		ps := ProducerState{ProducerID: id, Epoch: p.epoch, LastSequence: -1, LastAppend: p.lastMs, TxnFirst: p.txnFirst}
		if n := len(p.batches); n > 0 {
			ps.LastSequence = p.batches[n-1].last
		}
		out = append(out, ps)
	}
	sort.Slice(out, func(i, j int) bool { return out[i].ProducerID < out[j].ProducerID })
	return out
}
