package logstore

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/streamflow/streamflow/internal/vfs"
	"github.com/streamflow/streamflow/logstore/record"
	"github.com/streamflow/streamflow/logstore/replica"
	"github.com/streamflow/streamflow/logstore/wal"
)

// LeaderView is what a fetch response tells a follower beside the batches.
type LeaderView struct {
	Epoch         int32 // the leader epoch that the fetch was sent under
	HighWatermark int64
	LogStart      int64
}

// FetchState is where a follower stands, and what its next fetch says.
type FetchState struct {
	From             int64 // end of what is on this node's disk
	End              int64
	Epoch            int32
	LastFetchedEpoch int32 // of the batch before From; -1 if there is none
	HighWatermark    int64
	LogStart         int64
}

// FetchState is where a follower stands.
func (p *Partition) FetchState() FetchState {
	p.mu.Lock()
	defer p.mu.Unlock()
	f := p.replicaLog().Fetch(0, 0, p.role.Epoch)
	return FetchState{
		From: f.From, End: p.end, Epoch: f.Epoch, LastFetchedEpoch: f.LastFetchedEpoch,
		HighWatermark: p.high, LogStart: p.logStart,
	}
}

// replicaLog is the log as package replica sees it. p.mu is held.
func (p *Partition) replicaLog() replica.Log {
	return replica.Log{Start: p.logStart, Durable: p.durable, End: p.end, Epochs: p.epochs}
}

// AppendReplicated appends batches that the leader stamped: their offsets must continue this log, and their CRCs must hold.
// Batches that this log has already are passed over. The Pending is durable when they are on this node's disk. A view of
// another leader epoch than Follow's is ErrFencedLeaderEpoch.
func (p *Partition) AppendReplicated(data []byte, leader LeaderView) (*Pending, error) {
	batches, err := acceptReplicated(data, leader.Epoch)
	if err == nil && len(batches) > 0 {
		err = p.log.admit()
	}
	if err != nil {
		return nil, fmt.Errorf("logstore: append to %s: %w", p.tp, err)
	}
	p.mu.Lock()
	pending, fill, err := p.takeReplicated(batches, leader)
	p.mu.Unlock()
	if err != nil {
		return nil, fmt.Errorf("logstore: append to %s: %w", p.tp, err)
	}
	if fill != nil {
		fill()
	}
	return pending, nil
}

// acceptReplicated splits and checks what a leader sent.
func acceptReplicated(data []byte, epoch int32) (batches []record.Batch, err error) {
	for len(data) > 0 {
		var b record.Batch
		if b, data, err = record.Next(data); err == nil {
			err = b.Validate()
		}
		switch {
		case err != nil:
			return nil, fmt.Errorf("%w: %w", ErrCorruptMessage, err)
		case b.LeaderEpoch() > epoch:
			return nil, fmt.Errorf("%w: a batch of leader epoch %d from the leader of epoch %d", ErrInvalidRecord, b.LeaderEpoch(), epoch)
		}
		batches = append(batches, b)
	}
	return batches, nil
}

// takeReplicated makes the batches part of the log. fill copies their bytes, and must be called without p.mu. p.mu is held.
func (p *Partition) takeReplicated(batches []record.Batch, leader LeaderView) (pending *Pending, fill func(), err error) {
	if err := p.mayFollow(leader.Epoch); err != nil {
		return nil, nil, err
	}
	for len(batches) > 0 && batches[0].LastOffset() < p.end {
		batches = batches[1:]
	}
	if err := p.continues(batches); err != nil {
		return nil, nil, err
	}
	pending = &Pending{group: p.group}
	if len(batches) > 0 {
		if pending, fill, err = p.push(batches); err != nil {
			return nil, nil, err
		}
	}
	p.repl.leaderHigh = max(p.repl.leaderHigh, leader.HighWatermark)
	p.setHigh(min(p.repl.leaderHigh, p.durable))
	return pending, fill, nil
}

func (p *Partition) mayFollow(epoch int32) error {
	switch {
	case p.failed != nil:
		return p.failed
	case p.role.Leader || p.role.Epoch != epoch || p.repl.cutting:
		return fmt.Errorf("%w: from the leader of epoch %d, in epoch %d", ErrFencedLeaderEpoch, epoch, p.role.Epoch)
	}
	return nil
}

// continues checks the order of offsets. There may be gaps, where the leader's log was compacted. p.mu is held.
func (p *Partition) continues(batches []record.Batch) error {
	end := p.end
	for _, b := range batches {
		if b.BaseOffset() < end {
			return fmt.Errorf("%w: a batch from offset %d on, %d is next", ErrInvalidRecord, b.BaseOffset(), end)
		}
		end = b.LastOffset() + 1
	}
	return nil
}

// push reserves room in the write-ahead log and puts the batches into the tail. p.mu is held.
func (p *Partition) push(batches []record.Batch) (*Pending, func(), error) {
	now, size := p.log.o.Clock.Now().UnixMilli(), 0
	for _, b := range batches {
		size += len(b)
	}
	first, last := batches[0], batches[len(batches)-1]
	head := len(p.walPrefix) + 8
	res, err := p.log.wal.Reserve(wal.Request{
		Type: typeReplicated, Size: head + size, Timestamp: now, To: p, Token: last.LastOffset() + 1,
	})
	if err != nil {
		return nil, nil, appendError(err)
	}
	at, from := head, p.end
	for _, b := range batches {
		p.tail.push(tailBatch{base: b.BaseOffset(), last: b.LastOffset(), data: res.Payload[at : at+len(b)], chunk: res.Chunk})
		if err := p.learn(b, now); err != nil {
			panic("BUG: a batch with a sound CRC does not apply: " + err.Error())
		}
		at += len(b)
	}
	p.end = last.LastOffset() + 1
	p.group = res.Group
	p.log.hold(int64(size))
	fill := func() {
		n := copy(res.Payload, p.walPrefix)
		binary.LittleEndian.PutUint64(res.Payload[n:], uint64(from))
		n += 8
		for _, b := range batches {
			n += copy(res.Payload[n:], b)
		}
		res.Commit()
	}
	return &Pending{group: res.Group, result: AppendResult{
		BaseOffset: first.BaseOffset(), LastOffset: last.LastOffset(), AppendTime: -1, LogStart: p.logStart,
	}}, fill, nil
}

// appendError gives the write-ahead log's refusals this package's names.
func appendError(err error) error {
	switch {
	case vfs.IsDiskFull(err):
		return fmt.Errorf("%w: %w", ErrDiskFull, err)
	case errors.Is(err, wal.ErrTooLarge):
		return fmt.Errorf("%w: %w", ErrMessageTooLarge, err)
	case errors.Is(err, wal.ErrClosed):
		return ErrClosed
	}
	return err
}

// FollowLogStart lets the log begin where the leader's does, as far as this log has what is committed there.
func (p *Partition) FollowLogStart(leader LeaderView) error {
	p.mu.Lock()
	to, err := min(leader.LogStart, p.high), p.mayFollow(leader.Epoch)
	behind := to > p.logStart
	p.mu.Unlock()
	if err == nil && behind {
		err = p.moveLogStart(to)
	}
	if err != nil {
		return fmt.Errorf("logstore: log start of %s: %w", p.tp, err)
	}
	return nil
}
