package meta

import (
	"sync"
	"sync/atomic"
)

// waiters are callers that wait for an index to be applied.
type waiters struct {
	n    atomic.Int32
	mu   sync.Mutex
	list []waiter
}

type waiter struct {
	index uint64
	done  chan struct{}
}

// add returns a channel that is closed when index is applied, and a function that gives up. applied is read once the waiter
// is in the list, so that no wake is missed.
func (w *waiters) add(index uint64, applied *atomic.Uint64) (<-chan struct{}, func()) {
	done := make(chan struct{})
	w.mu.Lock()
	defer w.mu.Unlock()
	w.list = append(w.list, waiter{index, done})
	w.n.Store(int32(len(w.list)))
	if now := applied.Load(); now >= index {
		w.sweep(now)
	}
	return done, func() { w.drop(done) }
}

func (w *waiters) wake(index uint64) {
	if w.n.Load() == 0 {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sweep(index)
}

func (w *waiters) sweep(index uint64) {
	kept := w.list[:0]
	for _, x := range w.list {
		if x.index <= index {
			close(x.done)
		} else {
			kept = append(kept, x)
		}
	}
	clear(w.list[len(kept):])
	w.list = kept
	w.n.Store(int32(len(kept)))
}

func (w *waiters) drop(done chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i, x := range w.list {
		if x.done == done {
			w.list = append(w.list[:i], w.list[i+1:]...)
			break
		}
	}
	w.n.Store(int32(len(w.list)))
}
