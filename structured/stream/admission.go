package stream

import (
	"context"
	"sync"
)

// Admission shares memory out among batches that read much: queries that catch up from history at the same time take turns
// rather than fill the memory together. Batches that read little are never held back.
type Admission struct {
	// Limit is what batches may read at the same time, in bytes of their splits. A batch that wants more than all of it runs
	// alone. 0 admits everything.
	Limit int64

	mu      sync.Mutex
	used    int64
	waiting []*turn // in order of arrival
}

// turn is a batch that waits.
type turn struct {
	bytes    int64
	admitted chan struct{}
}

// smallBatch is what a batch may read without asking.
const smallBatch = 8 << 20

// Enter waits until there is room for a batch; held is called first when it has to wait. leave gives the room back.
func (a *Admission) Enter(ctx context.Context, bytes int64, held func()) (leave func(), err error) {
	if a == nil || a.Limit <= 0 || bytes < smallBatch {
		return func() {}, nil
	}
	t := &turn{min(bytes, a.Limit), make(chan struct{})}
	a.mu.Lock()
	a.waiting = append(a.waiting, t)
	a.admit()
	a.mu.Unlock()
	leave = func() { a.give(t.bytes) }
	select {
	case <-t.admitted:
		return leave, nil
	default:
		held()
	}
	select {
	case <-t.admitted:
		return leave, nil
	case <-ctx.Done():
		a.withdraw(t)
		return nil, context.Cause(ctx)
	}
}

// admit lets in those that wait, in their order, as far as there is room. The caller holds a.mu.
func (a *Admission) admit() {
	for len(a.waiting) > 0 && a.used+a.waiting[0].bytes <= a.Limit {
		t := a.waiting[0]
		a.waiting = a.waiting[1:]
		a.used += t.bytes
		close(t.admitted)
	}
}

func (a *Admission) give(bytes int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.used -= bytes
	a.admit()
}

// withdraw takes back a turn that nobody waits for any more, admitted or not.
func (a *Admission) withdraw(t *turn) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for i, w := range a.waiting {
		if w == t {
			a.waiting = append(a.waiting[:i], a.waiting[i+1:]...)
			a.admit()
			return
		}
	}
	a.used -= t.bytes // it was admitted a moment ago
	a.admit()
}
