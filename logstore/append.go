package logstore

import (
	"errors"
	"fmt"

	"github.com/streamflow/streamflow/internal/vfs"
	"github.com/streamflow/streamflow/logstore/record"
	"github.com/streamflow/streamflow/logstore/wal"
)

// Append stamps a batch with its offsets and sends it to the write-ahead log. It copies req.Data and returns at once,
// unless the disk is so far behind that the memory for appends is used up: then it waits. Batches get their offsets in
// the order of the calls.
func (p *Partition) Append(req AppendRequest) *Pending {
	batches, err := p.accept(req)
	if err != nil {
		return refused(fmt.Errorf("logstore: append to %s: %w", p.tp, err))
	}
	if err := p.log.admit(); err != nil {
		return refused(fmt.Errorf("logstore: append to %s: %w", p.tp, err))
	}
	return p.append(incoming{batches: batches, size: len(req.Data), epoch: req.LeaderEpoch, internal: req.Internal, acks: req.Acks})
}

// accept checks what can be checked without the partition's state.
func (p *Partition) accept(req AppendRequest) ([]record.Batch, error) {
	cfg := p.Config()
	if cfg.Sealed && !req.Internal {
		return nil, ErrSealed
	}
	var batches []record.Batch
	for rest := req.Data; len(rest) > 0 || batches == nil; {
		b, more, err := record.Next(rest)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrCorruptMessage, err)
		}
		if err := acceptBatch(b, cfg, req.Internal); err != nil {
			return nil, err
		}
		batches, rest = append(batches, b), more
	}
	if len(batches) > 1 && !req.Internal {
		return nil, fmt.Errorf("%w: %d batches in one request, want 1", ErrInvalidRecord, len(batches))
	}
	return batches, nil
}

func acceptBatch(b record.Batch, cfg PartitionConfig, internal bool) error {
	a := b.Attributes()
	switch {
	case !internal && len(b) > cfg.MaxBatchBytes:
		return fmt.Errorf("%w: %d bytes, at most %d", ErrMessageTooLarge, len(b), cfg.MaxBatchBytes)
	case a.Codec() > record.Zstd:
		return fmt.Errorf("%w: %v", ErrUnsupportedCodec, a.Codec())
	}
	if err := b.Validate(); err != nil {
		return fmt.Errorf("%w: %w", ErrCorruptMessage, err)
	}
	switch {
	case b.Count() < 1 || b.LastOffsetDelta() != b.Count()-1:
		return fmt.Errorf("%w: %d records with last offset delta %d", ErrInvalidRecord, b.Count(), b.LastOffsetDelta())
	case a.IsControl() && !internal:
		return fmt.Errorf("%w: control batch from a client", ErrInvalidRecord)
	case cfg.RequireKeys && !a.IsControl() && !a.IsArrow():
		return requireKeys(b)
	}
	return nil
}

// requireKeys is the one check that decodes records: compaction needs a key in each.
func requireKeys(b record.Batch) error {
	it := b.Records()
	for i := 0; it.Next(); i++ {
		if it.Key == nil {
			return &InvalidRecordError{Index: i, Reason: "the topic is compacted and the record has no key"}
		}
	}
	if err := it.Err(); err != nil {
		return fmt.Errorf("%w: %w", ErrCorruptMessage, err)
	}
	return nil
}

// incoming is an append that passed accept.
type incoming struct {
	batches  []record.Batch
	size     int
	epoch    int32
	internal bool
	lazy     bool
	acks     Acks
}

// append gives the batches their offsets and their place in the log.
func (p *Partition) append(in incoming) *Pending {
	now := p.log.o.Clock.Now().UnixMilli()
	p.mu.Lock()
	earlier, err := (*sentBatch)(nil), p.mayAppend(&in)
	if err == nil {
		earlier, err = p.checkProducers(in)
	}
	if err == nil && earlier != nil {
		defer p.mu.Unlock()
		return p.repeated(earlier)
	}
	var res wal.Reservation
	if err == nil {
		res, err = p.reserve(in, now)
	}
	if err != nil {
		p.mu.Unlock()
		return refused(fmt.Errorf("logstore: append to %s: %w", p.tp, err))
	}
	out, stamp := p.take(in, res, now)
	if p.role.Replicated {
		return p.appendReplicated(in, res, out, stamp)
	}
	p.mu.Unlock()
	stamp.fill(p.walPrefix, res.Payload, in)
	res.Commit()
	return &Pending{group: res.Group, result: out}
}

// checkProducers checks the batches against the producers' state.
func (p *Partition) checkProducers(in incoming) (*sentBatch, error) {
	for _, b := range in.batches {
		if b.Attributes().IsControl() {
			continue
		}
		earlier, err := p.state.check(b, in.internal)
		if err != nil || (earlier != nil && len(in.batches) == 1) {
			return earlier, err
		}
	}
	return nil, nil
}

// repeated answers a repeat with the first one's offsets, when that is committed. It is durable when the newest append is.
func (p *Partition) repeated(sent *sentBatch) *Pending {
	out := &Pending{group: p.group, result: AppendResult{
		BaseOffset: sent.base, LastOffset: sent.base + int64(sent.delta), AppendTime: sent.appendMs,
		LogStart: p.logStart, Duplicate: true,
	}}
	if p.role.Replicated {
		out.group, out.wait = nil, p.repl.await(out.result.LastOffset+1, p.high)
	}
	return out
}

func (p *Partition) reserve(in incoming, now int64) (wal.Reservation, error) {
	end := p.end
	for _, b := range in.batches {
		end += int64(b.Count())
	}
	res, err := p.log.wal.Reserve(wal.Request{
		Type: typeAppend, Size: len(p.walPrefix) + in.size, Timestamp: now, Lazy: in.lazy, To: p, Token: end,
	})
	switch {
	case vfs.IsDiskFull(err):
		return res, fmt.Errorf("%w: %w", ErrDiskFull, err)
	case errors.Is(err, wal.ErrTooLarge):
		return res, fmt.Errorf("%w: %w", ErrMessageTooLarge, err)
	case errors.Is(err, wal.ErrClosed):
		return res, ErrClosed
	}
	return res, err
}

// take makes the batches part of the partition, above the high watermark. Their bytes are still to be filled in.
func (p *Partition) take(in incoming, res wal.Reservation, now int64) (AppendResult, stamp) {
	out := AppendResult{BaseOffset: p.end, AppendTime: -1, LogStart: p.logStart}
	st := stamp{base: p.end}
	if p.cfg.LogAppendTime {
		out.AppendTime, st.appendMs = now, now
	}
	at := len(p.walPrefix)
	for _, b := range in.batches {
		base, last := p.end, p.end+int64(b.Count())-1
		p.tail.push(tailBatch{base: base, last: last, data: res.Payload[at : at+len(b)], chunk: res.Chunk})
		if err := p.state.apply(b, base, out.AppendTime, now); err != nil {
			panic("BUG: an accepted batch does not apply: " + err.Error())
		}
		p.epochs.Note(in.epoch, base)
		p.end = last + 1
		at += len(b)
	}
	out.LastOffset = p.end - 1
	p.group = res.Group
	p.log.hold(int64(in.size))
	return out, st
}

// stamp is what changes in the copy of a batch.
type stamp struct {
	base     int64
	appendMs int64 // 0: records keep their own timestamps
}

// fill is the one copy that a batch takes.
func (st stamp) fill(prefix, to []byte, in incoming) {
	at := copy(to, prefix)
	for _, from := range in.batches {
		b := record.Batch(to[at : at+len(from)])
		copy(b, from)
		b.SetBaseOffset(st.base)
		b.SetLeaderEpoch(in.epoch)
		if st.appendMs != 0 && !b.Attributes().IsControl() {
			b.SetLogAppendTime(st.appendMs)
		}
		st.base += int64(b.Count())
		at += len(b)
	}
}
