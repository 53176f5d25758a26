package logstore

import (
	"errors"
	"fmt"

	"github.com/streamflow/streamflow/logstore/replica"
	"github.com/streamflow/streamflow/logstore/segment"
)

// ReplicaFetch is a follower's fetch of one partition. From is the end of what the follower has on disk: a leader counts
// everything below it as durable there.
type ReplicaFetch struct {
	Node             int32
	BrokerEpoch      int64 // of the follower's uptime session (KIP-903)
	From             int64
	Epoch            int32 // the leader epoch that the follower knows (KIP-320)
	LastFetchedEpoch int32 // of the batch before From; -1 if it has none (KIP-595)
	MaxBytes         int   // 0: only what the fetch tells is wanted
}

// ReplicaReadResult is the leader's answer to a follower. Data is whole batches; it is valid until Release.
type ReplicaReadResult struct {
	Data          []byte
	HighWatermark int64
	LogStart      int64
	Diverging     *DivergingEpoch // set: there is no data, the follower cuts its log and fetches again

	buf *segment.Buffer
}

// Release gives Data's buffer back to be used again. Calling it is optional.
func (r *ReplicaReadResult) Release() {
	r.buf.Release()
	r.buf, r.Data = nil, nil
}

// ReplicaRead answers a follower, and takes what the fetch tells about it: everything below f.From is durable there. The
// answer may hold batches that are not on this node's disk yet, so that both disks sync at the same time; they are in
// memory for good, and this epoch's start is on disk (see Lead).
//
// The errors are ErrNotLeader, ErrFencedLeaderEpoch, ErrUnknownLeaderEpoch, and ErrOffsetOutOfRange with LogStart set: the
// follower's log does not end between the leader's log start and its end.
func (p *Partition) ReplicaRead(f ReplicaFetch) (ReplicaReadResult, error) {
	p.mu.Lock()
	res, a, err := p.noteFollower(f)
	limit := p.durable
	if p.repl.early {
		limit = p.repl.filled
	}
	p.mu.Unlock()
	p.propose(a)
	if err != nil {
		return res, fmt.Errorf("logstore: replica read of %s: %w", p.tp, err)
	}
	if res.Diverging != nil || f.MaxBytes <= 0 || f.From >= limit {
		return res, nil
	}
	res.Data, res.buf, err = p.readUpTo(f.From, limit, f.MaxBytes)
	if err != nil {
		return res, fmt.Errorf("logstore: replica read of %s at %d: %w", p.tp, f.From, err)
	}
	return res, nil
}

// noteFollower checks a fetch and counts it. p.mu is held.
func (p *Partition) noteFollower(f ReplicaFetch) (res ReplicaReadResult, a replica.Actions, err error) {
	if err := p.mayFeed(f); err != nil {
		return res, a, err
	}
	res = ReplicaReadResult{HighWatermark: p.high, LogStart: p.logStart}
	if res.Diverging = p.epochs.Diverging(f.LastFetchedEpoch, f.From, p.end); res.Diverging != nil {
		return res, a, nil
	}
	if f.From < p.logStart || f.From > p.end {
		return res, a, fmt.Errorf("%w: %d is not in %d to %d", ErrOffsetOutOfRange, f.From, p.logStart, p.end)
	}
	a = p.repl.leader.Fetched(f.Node, f.BrokerEpoch, f.From, p.log.ms())
	p.act(a)
	res.HighWatermark = p.high
	return res, a, nil
}

func (p *Partition) mayFeed(f ReplicaFetch) error {
	switch {
	case p.failed != nil:
		return p.failed
	case !p.role.Leader:
		return fmt.Errorf("%w: node %d leads epoch %d", ErrNotLeader, p.role.LeaderID, p.role.Epoch)
	case f.Epoch < p.role.Epoch:
		return fmt.Errorf("%w: %d, it is %d", ErrFencedLeaderEpoch, f.Epoch, p.role.Epoch)
	case f.Epoch > p.role.Epoch:
		return fmt.Errorf("%w: %d, it is %d", ErrUnknownLeaderEpoch, f.Epoch, p.role.Epoch)
	case p.repl.leader == nil || !p.repl.leader.Has(f.Node):
		return fmt.Errorf("%w: node %d is no replica", ErrNotLeader, f.Node)
	}
	return nil
}

// readUpTo returns whole batches from the one that holds the offset from on, up to limit.
func (p *Partition) readUpTo(from, limit int64, maxBytes int) ([]byte, *segment.Buffer, error) {
	for {
		p.mu.Lock()
		if p.failed != nil {
			p.mu.Unlock()
			return nil, nil, p.failed
		}
		if from >= limit {
			p.mu.Unlock()
			return nil, nil, nil
		}
		if local, cold := p.localStart(), p.cold; from < local {
			p.mu.Unlock()
			data, err := p.coldData(cold, from, min(limit, local), maxBytes)
			return data, nil, err
		}
		if len(p.tail.list) > 0 && from >= p.tail.list[0].base {
			found := p.tail.pick(from, limit, maxBytes)
			p.mu.Unlock()
			buf := gather(found)
			return buf.B, buf, nil
		}
		seg := p.segmentOf(from)
		p.mu.Unlock()
		if seg == nil {
			return nil, nil, errors.New("no segment on this node's disk holds it")
		}
		buf, err := seg.Read(from, limit, maxBytes)
		switch {
		case errors.Is(err, segment.ErrClosed):
			continue // it was removed since: look again
		case err != nil:
			return nil, nil, err
		case buf != nil:
			return buf.B, buf, nil
		}
		next := seg.Summary().Next // the offset lies in a gap before the next segment
		if next <= from {
			return nil, nil, errors.New("it is in no batch")
		}
		from = next
	}
}
