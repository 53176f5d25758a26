package logstore

import (
	"context"
	"fmt"
	"slices"
)

// waiter is an append that waits for the high watermark.
type waiter struct {
	offset int64 // the high watermark that commits it
	done   chan struct{}
	err    error // set before done is closed
}

// await returns a waiter for the high watermark to reach an offset. Waiters are kept in offset order; appends come in it,
// and only repeats go between.
func (r *replication) await(offset, high int64) *waiter {
	if offset <= high {
		return &waiter{offset: offset, done: closedChan}
	}
	w := &waiter{offset: offset, done: make(chan struct{})}
	at := len(r.waiters)
	for at > 0 && r.waiters[at-1].offset > offset {
		at--
	}
	r.waiters = slices.Insert(r.waiters, at, w)
	return w
}

// release lets those go that wait for no more than high.
func (r *replication) release(high int64) {
	n := 0
	for n < len(r.waiters) && r.waiters[n].offset <= high {
		close(r.waiters[n].done)
		r.waiters[n] = nil
		n++
	}
	if n == len(r.waiters) {
		r.waiters = r.waiters[:0]
	} else {
		r.waiters = r.waiters[n:]
	}
}

// failWaiters tells all that wait that they will not hear the outcome.
func (r *replication) failWaiters(err error) {
	for _, w := range r.waiters {
		w.err = err
		close(w.done)
	}
	r.waiters = nil
}

func (p *Pending) waitCommitted(ctx context.Context) (AppendResult, error) {
	select {
	case <-p.wait.done:
	default:
		select {
		case <-p.wait.done:
		case <-ctx.Done():
			return AppendResult{}, ctx.Err()
		}
	}
	if p.wait.err != nil {
		return AppendResult{}, fmt.Errorf("logstore: append: %w", p.wait.err)
	}
	return p.result, nil
}
