package logstore

import (
	"encoding/binary"
	"fmt"
	"hash"

	"github.com/zeebo/xxh3"

	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/logstore/record"
)

// RangeSum is the checksum of a range of offsets.
type RangeSum struct {
	From    int64  `json:"from"`
	To      int64  `json:"to"`
	Records int64  `json:"records"` // rows and control records included
	XXH3    string `json:"xxh3"`    // of what the records say: see Checksum
	// CompactedTo is the offset below which this replica has compacted. Replicas compact each in their own time, so sums of
	// ranges below it may differ while their last values of each key agree.
	CompactedTo int64 `json:"compactedTo"`
}

// Checksum reads the records from one offset up to, not including, another, and sums up what they say: offset, timestamp, key,
// value, headers, and the producer of each batch. It does not depend on where segments end, on empty batches, or on the codec.
// Two replicas agree on a range that neither has compacted if, and only if, their sums are equal.
func (p *Partition) Checksum(from, to int64) (RangeSum, error) {
	o := p.Offsets()
	if from < o.LogStart || to > o.HighWatermark || from > to {
		return RangeSum{}, fmt.Errorf("logstore: checksum of %s: %w: %d to %d is not in %d to %d", p.tp, ErrOffsetOutOfRange, from, to, o.LogStart, o.HighWatermark)
	}
	s := summing{sum: RangeSum{From: from, To: to, CompactedTo: p.compactedTo()}, h: xxh3.New()}
	for at := from; at < to; {
		res, err := p.Read(at, 4<<20, false)
		if err != nil {
			return RangeSum{}, p.damaged(err)
		}
		if res.Remote != nil {
			return RangeSum{}, fmt.Errorf("logstore: checksum of %s: offset %d is in the cold tier only", p.tp, at)
		}
		if at, err = s.take(res.Data, at); err != nil {
			return RangeSum{}, fmt.Errorf("logstore: checksum of %s: %w", p.tp, p.damaged(err))
		}
		res.Release()
	}
	s.sum.XXH3 = fmt.Sprintf("%016x", s.h.Sum64())
	return s.sum, nil
}

// damaged says what a checksum has found, as a scrub does: a damaged replica is fetched again from its peers.
func (p *Partition) damaged(err error) error {
	if _, is := usererr.As(err); is {
		p.tellDamage(err)
	}
	return err
}

// Summable is the range that Checksum can sum up now, without a sum.
func (p *Partition) Summable() RangeSum {
	o := p.Offsets()
	return RangeSum{From: max(o.LogStart, p.LocalStart()), To: o.HighWatermark, CompactedTo: p.compactedTo()}
}

// compactedTo is where the last segment ends that a compaction wrote.
func (p *Partition) compactedTo() (to int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, s := range p.segments {
		if p.life.compacted[s.Base()] {
			to = s.Summary().Next
		}
	}
	return to
}

// summing is a checksum under way.
type summing struct {
	sum RangeSum
	h   hash.Hash64
	it  record.Iterator
	buf []byte
}

// take sums up the records of whole batches, and tells where to go on.
func (s *summing) take(data []byte, at int64) (next int64, err error) {
	for len(data) > 0 {
		b, rest, err := record.Next(data)
		if err != nil {
			return at, err
		}
		if err := s.batch(b); err != nil {
			return at, err
		}
		data, at = rest, b.LastOffset()+1
	}
	return at, nil
}

func (s *summing) batch(b record.Batch) error {
	if b.Attributes().IsArrow() {
		s.sum.Records += int64(b.Count())
		s.number(b.BaseOffset(), int64(b.Count()))
		s.bytes(b.Payload())
		return nil
	}
	s.it.Reset(b)
	for s.it.Next() {
		r := &s.it.Record
		if r.Offset < s.sum.From || r.Offset >= s.sum.To {
			continue
		}
		s.sum.Records++
		s.number(r.Offset, r.Timestamp, b.ProducerID(), int64(b.ProducerEpoch()), int64(b.Attributes()&(record.AttrControl|record.AttrTransactional)))
		s.bytes(r.Key)
		s.bytes(r.Value)
		for _, h := range r.Headers {
			s.bytes([]byte(h.Key))
			s.bytes(h.Value)
		}
	}
	return s.it.Err()
}

func (s *summing) number(list ...int64) {
	s.buf = s.buf[:0]
	for _, v := range list {
		s.buf = binary.LittleEndian.AppendUint64(s.buf, uint64(v))
	}
	_, _ = s.h.Write(s.buf) // a hash takes everything
}

func (s *summing) bytes(b []byte) {
	n := int64(len(b))
	if b == nil {
		n = -1
	}
	s.number(n)
	_, _ = s.h.Write(b)
}
