package logstore

import (
	"context"
	"fmt"

	"github.com/streamflow/streamflow/logstore/wal"
)

// AppendRequest is one append. Data is one batch (a client's) or several (Internal); it is copied before Append returns,
// and is not changed.
type AppendRequest struct {
	Data        []byte
	Acks        Acks
	LeaderEpoch int32 // stamped while nobody told the partition who leads; then it is the leader's own
	Internal    bool  // by the node itself: control batches, several batches, and sealed topics are allowed
}

// Acks says what an append waits for.
type Acks int8

const (
	AcksAll    Acks = iota // every in-sync replica has it on disk
	AcksLeader             // this node has it on disk
	AcksNone               // nothing: nobody calls Wait
)

// AppendResult says where a batch went.
type AppendResult struct {
	BaseOffset int64
	LastOffset int64
	AppendTime int64 // milliseconds if the topic stamps log-append time, else -1
	LogStart   int64
	Duplicate  bool // an idempotent producer's repeat: the offsets are those of the first time
}

// Pending is an append on its way to disk.
type Pending struct {
	group  *wal.Group // nil if the append was refused, or was durable from the start
	wait   *waiter    // of a replicated partition: instead of the group
	result AppendResult
	err    error
}

var closedChan = func() chan struct{} { c := make(chan struct{}); close(c); return c }()

func refused(err error) *Pending { return &Pending{err: err} }

// Result is where the batch is going, before it is durable, or why it was refused.
func (p *Pending) Result() (AppendResult, error) { return p.result, p.err }

// Done is closed when Wait would not block.
func (p *Pending) Done() <-chan struct{} {
	switch {
	case p.wait != nil:
		return p.wait.done
	case p.group == nil:
		return closedChan
	}
	return p.group.Done()
}

// Wait returns when the append is durable (see SyncPolicy), and with AcksAll on every in-sync replica, or when it has
// failed, or ctx is done. An append whose ctx is done, and one that failed with ErrNotLeader or
// ErrNotEnoughReplicasAfterAppend, may still succeed.
func (p *Pending) Wait(ctx context.Context) (AppendResult, error) {
	if p.wait != nil {
		return p.waitCommitted(ctx)
	}
	if p.group == nil {
		return p.result, p.err
	}
	select {
	case <-p.group.Done():
	default:
		select {
		case <-p.group.Done():
		case <-ctx.Done():
			return AppendResult{}, ctx.Err()
		}
	}
	if err := p.group.Err(); err != nil {
		return AppendResult{}, fmt.Errorf("logstore: append: %w", err)
	}
	return p.result, nil
}
