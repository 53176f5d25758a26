package stream

import (
	"context"
	"errors"
)

// ErrEnded says that a loop has ended and runs nothing between batches any more.
var ErrEnded = errors.New("stream: the query's loop has ended")

// request is work that somebody wants done between two batches.
type request struct {
	work func(Record)
	done chan struct{}
}

// Between runs work in the loop's goroutine between two batches, when the last committed batch is published and state is at
// its version, and waits for it. The record that work is given is that of this moment. A loop that waits for input is woken.
func (l *Loop) Between(ctx context.Context, work func(Record)) error {
	r := request{work: work, done: make(chan struct{})}
	select {
	case l.requests <- r:
	case <-l.ended:
		return ErrEnded
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	<-r.done // the loop has it and will do it
	return nil
}

// Ended is closed when Run has returned: nothing touches the query's state then.
func (l *Loop) Ended() <-chan struct{} { return l.ended }

// oblige does what was asked for, if anything, between two batches.
func (l *Loop) oblige(r *Record) {
	for {
		select {
		case q := <-l.requests:
			q.do(r)
		default:
			return
		}
	}
}

func (q request) do(r *Record) {
	defer close(q.done)
	q.work(*r)
}
