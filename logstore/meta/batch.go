package meta

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// maxEntryBytes bounds the commands that share a log entry; a larger command has an entry to itself.
const maxEntryBytes = 1 << 20

// maxCommandBytes bounds a command that may have to be sent to another node.
const maxCommandBytes = 32 << 20

// Pending is a command on its way.
type Pending struct {
	queue *queue
	cmd   command
	since time.Time // zero on a node that is alone
	done  chan struct{}
	out   outcome
	index uint64
}

// Done is closed when the outcome is known.
func (p *Pending) Done() <-chan struct{} { return p.done }

// Index is the index of the command's entry in the log; 0 before it is done, and for a command that is not in the log.
func (p *Pending) Index() uint64 {
	select {
	case <-p.done:
		return p.index
	default:
		return 0
	}
}

// Wait returns the machine's answer. When ctx ends first it returns ctx's error, with ErrUnknownOutcome unless the command
// had not left the queue; then it never will.
func (p *Pending) Wait(ctx context.Context) ([]byte, error) {
	select {
	case <-p.done:
		return p.out.result, p.out.err
	case <-ctx.Done():
	}
	if p.queue != nil && p.queue.withdraw(p) {
		p.finish(outcome{err: ctx.Err()})
		return nil, ctx.Err()
	}
	return nil, fmt.Errorf("%w: %w", ErrUnknownOutcome, ctx.Err())
}

func (p *Pending) finish(o outcome) {
	p.out = o
	close(p.done)
}

// queue holds commands that wait for the next entry.
type queue struct {
	timed   bool // commands are told when they have waited too long
	mu      sync.Mutex
	waiting []*Pending
	closed  bool
	wake    chan struct{} // capacity 1
}

func (q *queue) init() { q.wake = make(chan struct{}, 1) }

func (q *queue) add(c command) *Pending {
	p := &Pending{queue: q, cmd: c, done: make(chan struct{})}
	if q.timed {
		p.since = time.Now()
	}
	q.mu.Lock()
	closed := q.closed
	if !closed {
		q.waiting = append(q.waiting, p)
	}
	q.mu.Unlock()
	if closed {
		p.finish(outcome{err: ErrClosed})
		return p
	}
	q.signal()
	return p
}

func (q *queue) signal() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// take returns the commands of the next entry, in order of arrival.
func (q *queue) take() (batch []*Pending, closed bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	n, size := 0, 0
	for n < len(q.waiting) && (n == 0 || size+len(q.waiting[n].cmd.data) <= maxEntryBytes) {
		size += len(q.waiting[n].cmd.data)
		n++
	}
	return q.cut(n), q.closed
}

// cut takes the first n commands out. q.mu is held.
func (q *queue) cut(n int) []*Pending {
	first := append([]*Pending(nil), q.waiting[:n]...)
	rest := append(q.waiting[:0], q.waiting[n:]...)
	clear(q.waiting[len(rest):])
	q.waiting = rest
	return first
}

// expire returns the commands that wait since before a time.
func (q *queue) expire(before time.Time) []*Pending {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := 0
	for n < len(q.waiting) && q.waiting[n].since.Before(before) {
		n++
	}
	return q.cut(n)
}

// withdraw takes a command out that nothing was done with.
func (q *queue) withdraw(p *Pending) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	for i, w := range q.waiting {
		if w == p {
			q.waiting = append(q.waiting[:i], q.waiting[i+1:]...)
			return true
		}
	}
	return false
}

func (q *queue) empty() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.waiting) == 0
}

func (q *queue) close() {
	q.mu.Lock()
	q.closed = true
	q.mu.Unlock()
	q.signal()
}

// batchLoop turns the queue of a node that is alone into log entries, one at a time: what queues during an entry's sync is
// the next entry.
func (n *Node) batchLoop() {
	defer close(n.done)
	for range n.queue.wake {
		for {
			batch, closed := n.queue.take()
			if closed {
				failAll(batch, ErrClosed)
			} else if len(batch) > 0 {
				n.commit(batch)
			}
			if len(batch) == 0 {
				if closed {
					return
				}
				break
			}
		}
	}
}

// commit proposes one entry and hands the outcomes out.
func (n *Node) commit(batch []*Pending) {
	f := n.raft.Apply(appendEntry(nil, commands(batch)), 0)
	if err := f.Error(); err != nil {
		failAll(batch, fmt.Errorf("meta: metadata log not writable: %w", err))
		return
	}
	finishAll(batch, f.Response().(entryOutcome))
}

func commands(batch []*Pending) []command {
	cmds := make([]command, len(batch))
	for i, p := range batch {
		cmds[i] = p.cmd
	}
	return cmds
}

func finishAll(batch []*Pending, done entryOutcome) {
	for i, o := range done.outcomes {
		batch[i].index = done.index
		batch[i].finish(o)
	}
}

func failAll(batch []*Pending, err error) {
	for _, p := range batch {
		p.finish(outcome{err: err})
	}
}
