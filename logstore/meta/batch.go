package meta

import (
	"context"
	"fmt"
	"sync"
)

// maxEntryBytes bounds the commands that share a log entry; a larger command has an entry to itself.
const maxEntryBytes = 1 << 20

// Pending is a command on its way.
type Pending struct {
	cmd   command
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

// Wait returns the machine's answer, or ctx's error when ctx ends first.
func (p *Pending) Wait(ctx context.Context) ([]byte, error) {
	select {
	case <-p.done:
		return p.out.result, p.out.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (p *Pending) finish(o outcome) {
	p.out = o
	close(p.done)
}

// queue holds commands that wait for the next entry.
type queue struct {
	mu      sync.Mutex
	waiting []*Pending
	closed  bool
	wake    chan struct{} // capacity 1
}

func (q *queue) init() { q.wake = make(chan struct{}, 1) }

func (q *queue) add(c command) *Pending {
	p := &Pending{cmd: c, done: make(chan struct{})}
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
	batch = append(batch, q.waiting[:n]...)
	q.waiting = append(q.waiting[:0], q.waiting[n:]...)
	return batch, q.closed
}

func (q *queue) close() {
	q.mu.Lock()
	q.closed = true
	q.mu.Unlock()
	q.signal()
}

// batchLoop turns the queue into log entries, one at a time: what queues during an entry's sync is the next entry.
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
	cmds := make([]command, len(batch))
	for i, p := range batch {
		cmds[i] = p.cmd
	}
	f := n.raft.Apply(appendEntry(nil, cmds), 0)
	if err := f.Error(); err != nil {
		failAll(batch, fmt.Errorf("meta: metadata log not writable: %w", err))
		return
	}
	done := f.Response().(entryOutcome)
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
