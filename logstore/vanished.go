package logstore

import (
	"slices"

	"github.com/streamflow/streamflow/logstore/record"
	"github.com/streamflow/streamflow/logstore/segment"
)

// A compaction drops the markers of transactions none of whose records are left. A snapshot from before the marker does not
// know, and the batches behind it do not tell any more, how such a transaction ended.

// dropVanishedAborts forgets the aborted transactions that an old snapshot tells of and whose markers a compaction has
// dropped since, with all their records: a reader that is told of one waits for the marker, and meanwhile takes the
// producer's later records for aborted.
func (p *Partition) dropVanishedAborts() error {
	if len(p.life.compacted) == 0 {
		return nil
	}
	var failed error
	p.state.aborted = slices.DeleteFunc(p.state.aborted, func(a abortedTxn) bool {
		s := p.segmentOf(a.last)
		if s == nil || !p.life.compacted[s.Base()] || failed != nil {
			return false
		}
		there, err := hasMarker(s, a)
		failed = err
		return err == nil && !there
	})
	return failed
}

// hasMarker tells whether the marker of an aborted transaction is in a segment.
func hasMarker(s *segment.Segment, a abortedTxn) (there bool, err error) {
	err = s.Scan(a.last, func(_ int64, b record.Batch) (bool, error) {
		there = b.BaseOffset() == a.last && b.Attributes().IsControl() && b.ProducerID() == a.producerID
		return false, nil
	})
	return there, err
}

// endVanished ends the transactions that an old snapshot takes for open and whose markers a compaction has dropped since.
// Compactions rewrite only what lies below the last stable offset, so a transaction that began below the end of what they wrote
// has ended; if its producer has written in one since, that is the one that is open. The state is as of the end of the log.
func (p *Partition) endVanished(state *producers, segments []*segment.Segment, tail []tailBatch) error {
	end := p.compactedEnd(segments)
	for _, t := range slices.Clone(state.open) {
		if t.first >= end {
			continue
		}
		first, err := openSince(t.producerID, end, segments, tail)
		if err != nil {
			return err
		}
		state.moveOpen(t.producerID, first)
	}
	return nil
}

// compactedEnd is the end of the last segment that a compaction wrote; 0 if there is none.
func (p *Partition) compactedEnd(segments []*segment.Segment) int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, s := range slices.Backward(segments) {
		if p.life.compacted[s.Base()] {
			return s.Summary().Next
		}
	}
	return 0
}

// openSince is where the producer's open transaction begins, of those that began at from or behind; -1 if it has none.
func openSince(producerID, from int64, segments []*segment.Segment, tail []tailBatch) (first int64, err error) {
	first = -1
	look := func(b record.Batch) {
		switch {
		case b.BaseOffset() < from || b.ProducerID() != producerID:
		case b.Attributes().IsControl():
			first = -1
		case b.Attributes().IsTransactional() && first < 0:
			first = b.BaseOffset()
		}
	}
	for _, s := range segments {
		if s.Summary().Next <= from {
			continue
		}
		if err := s.Scan(from, func(_ int64, b record.Batch) (bool, error) { look(b); return true, nil }); err != nil {
			return 0, err
		}
	}
	for _, b := range tail {
		look(b.data)
	}
	return first, nil
}
