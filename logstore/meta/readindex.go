package meta

import (
	"context"
	"errors"
	"fmt"

	"github.com/hashicorp/raft"
)

// Barrier returns when the machines of this node have seen every command that had taken effect anywhere when it was called
// (the read index of section 6.4 of Ongaro's Raft thesis: the leader makes sure that it still leads and says how far the log
// is committed). Without a leader it waits for one until ctx ends, Timing.Apply at most.
func (n *Node) Barrier(ctx context.Context) error {
	if n.group == nil {
		return n.barrierAlone(ctx)
	}
	var index uint64
	err := n.withLeader(ctx, func(ctx context.Context, leader int32) (err error) {
		index, err = n.readIndexAt(ctx, leader)
		return err
	})
	if err != nil {
		return err
	}
	return n.WaitApplied(ctx, index)
}

// barrierAlone: a command of a node that is alone has taken effect when its machines have seen it.
func (n *Node) barrierAlone(ctx context.Context) error {
	if n.ctx.Err() != nil {
		return ErrClosed
	}
	return ctx.Err()
}

func (n *Node) readIndexAt(ctx context.Context, leader int32) (uint64, error) {
	if leader == n.opts.Self.ID {
		return n.readIndex(ctx)
	}
	ctx, cancel := n.whileLeading(ctx, leader)
	defer cancel(nil)
	b, err := n.ask(ctx, leader, kindReadIndex, nil)
	if err != nil {
		return 0, again(ctx, err)
	}
	index, rest, err := uvarint(b)
	if err != nil || len(rest) > 0 {
		return 0, errors.New("meta: read index: answer damaged")
	}
	return index, nil
}

// whileLeading is a context that also ends, because of ErrNotLeader, when this node learns that another one leads.
func (n *Node) whileLeading(ctx context.Context, leader int32) (context.Context, context.CancelCauseFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	go func() {
		for {
			id, known, changed := n.leader.now()
			if known && id != leader {
				cancel(ErrNotLeader)
			}
			select {
			case <-changed:
			case <-ctx.Done():
				return
			}
		}
	}()
	return ctx, cancel
}

// again marks a failed question that may be asked twice.
func again(ctx context.Context, err error) error {
	if errors.Is(context.Cause(ctx), ErrNotLeader) || ctx.Err() == nil && errors.Is(err, ErrConnectionLost) {
		return fmt.Errorf("%w: %w", ErrNotLeader, err)
	}
	return err
}

// nothingDone reports whether an error says that no leader saw what was asked.
func nothingDone(err error) bool {
	return errors.Is(err, ErrNotLeader) || errors.Is(err, ErrUnreachable)
}

// readIndex is the read index of this node, which leads. The term is the same before and after: so it led all the while,
// and no other leader committed anything that its commit index does not cover.
func (n *Node) readIndex(ctx context.Context) (uint64, error) {
	term, ready := n.leader.isReady()
	if !ready {
		return 0, ErrNotLeader
	}
	commit := n.raft.CommitIndex()
	if err := n.confirm(ctx, term); err != nil {
		return 0, err
	}
	if n.raft.CurrentTerm() != term {
		return 0, ErrNotLeader
	}
	return n.lastCommand(commit)
}

// lastCommand is an index that machines reach when they have seen every command up to commit. Other entries than commands do
// not reach machines, so commit itself need not be one.
func (n *Node) lastCommand(commit uint64) (uint64, error) {
	applied := n.fsm.applied.Load()
	for i := commit; i > applied; i-- {
		var l raft.Log
		if err := n.store.GetLog(i, &l); err != nil {
			return 0, fmt.Errorf("meta: read index: entry %d: %w", i, err)
		}
		if l.Type == raft.LogCommand {
			return i, nil
		}
	}
	return applied, nil
}
