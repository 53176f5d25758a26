package connect

import (
	"context"
	"sync"
	"time"

	"github.com/google/uuid"
	pb "github.com/streamflow/streamflow/driver/connect/proto/sparkpb"
	"google.golang.org/protobuf/proto"
)

// Bounds on the responses that an operation keeps.
const (
	// maxUnsent is how far an operation may run ahead of its reader.
	maxUnsent = 64 << 20
	// maxSent is how much of what was sent is kept for a client that attaches again and never releases.
	maxSent = 10 << 20
)

// operation is one ExecutePlan. It runs on a goroutine of its own and leaves its responses in a buffer; an RPC only
// drains the buffer, so that a client whose stream broke attaches again where it stopped.
//
//	responses: first ≤ sent ≤ first+len(buf);  buf[i] has the index first+i
type operation struct {
	id           string
	tags         []string
	reattachable bool
	cancel       context.CancelFunc
	stamp        func(*pb.ExecutePlanResponse) // sets the session's ids

	mu       sync.Mutex
	changed  chan struct{} // closed and replaced at each change
	buf      []response
	first    int // index of buf[0]
	sent     int // index of the next response that no RPC has sent yet
	unsent   int // bytes in buf from sent on
	kept     int // bytes in buf before sent
	done     bool
	err      error
	reader   int // generation of the RPC that drains; a newer one takes over
	attached bool
	idleFrom time.Time // when the last RPC let go
}

// sendError is the failure of a stream, not of the operation that it drains.
type sendError struct{ err error }

func (e *sendError) Error() string { return e.err.Error() }
func (e *sendError) Unwrap() error { return e.err }

type response struct {
	msg  *pb.ExecutePlanResponse
	size int
}

func newOperation(id string, tags []string, reattachable bool, stamp func(*pb.ExecutePlanResponse)) *operation {
	return &operation{id: id, tags: tags, reattachable: reattachable, stamp: stamp, changed: make(chan struct{}), idleFrom: time.Now()}
}

// wake tells everyone who waits that something changed. It is called with mu held.
func (o *operation) wake() {
	close(o.changed)
	o.changed = make(chan struct{})
}

// emit adds a response. It waits while the reader is too far behind.
func (o *operation) emit(ctx context.Context, msg *pb.ExecutePlanResponse) error {
	size := proto.Size(msg)
	o.mu.Lock()
	defer o.mu.Unlock()
	for o.unsent > 0 && o.unsent+size > maxUnsent {
		wait := o.changed
		o.mu.Unlock()
		select {
		case <-wait:
			o.mu.Lock()
		case <-ctx.Done():
			o.mu.Lock()
			return ctx.Err()
		}
	}
	o.push(msg)
	return nil
}

// push adds a response. It is called with mu held.
func (o *operation) push(msg *pb.ExecutePlanResponse) {
	o.stamp(msg)
	msg.OperationId, msg.ResponseId = o.id, uuid.NewString()
	size := proto.Size(msg)
	o.buf = append(o.buf, response{msg, size})
	o.unsent += size
	o.wake()
}

// finish marks the end. A reattachable operation says so to the client, for whom a stream that merely ends is broken.
func (o *operation) finish(err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if err == nil && o.reattachable {
		o.push(&pb.ExecutePlanResponse{ResponseType: &pb.ExecutePlanResponse_ResultComplete_{
			ResultComplete: &pb.ExecutePlanResponse_ResultComplete{}}})
	}
	o.done, o.err = true, err
	o.wake()
}

// attach drains the buffer into send, from the response after the one named, or from the start. It returns the
// operation's own error at its end. A later attach takes over from this one.
func (o *operation) attach(ctx context.Context, after string, send func(*pb.ExecutePlanResponse) error) error {
	o.mu.Lock()
	next, err := o.position(after)
	if err != nil {
		o.mu.Unlock()
		return err
	}
	o.reader++
	me := o.reader
	o.attached = true
	o.wake()
	o.mu.Unlock()
	defer o.detach(me)
	for {
		msg, err := o.await(ctx, me, next)
		if msg == nil {
			return err
		}
		if err := send(msg); err != nil {
			return &sendError{err}
		}
		o.wasSent(next)
		next++
	}
}

// position is the index after the response with the id.
func (o *operation) position(after string) (int, error) {
	if after == "" {
		if o.first > 0 {
			return 0, handleError("INVALID_CURSOR.POSITION_NOT_AVAILABLE", "The cursor is invalid. The cursor position id <start> is no longer available at index 0.")
		}
		return 0, nil
	}
	for i, r := range o.buf {
		if r.msg.GetResponseId() == after {
			return o.first + i + 1, nil
		}
	}
	if o.first > 0 {
		return 0, handleError("INVALID_CURSOR.POSITION_NOT_AVAILABLE", "The cursor is invalid. The cursor position id %s is no longer available.", after)
	}
	return 0, handleError("INVALID_CURSOR.POSITION_NOT_FOUND", "The cursor is invalid. The cursor position id %s is not found.", after)
}

// await returns the response at index next when there is one, nil and the operation's error at its end.
func (o *operation) await(ctx context.Context, me, next int) (*pb.ExecutePlanResponse, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for {
		switch {
		case o.reader != me:
			return nil, handleError("INVALID_CURSOR.DISCONNECTED", "The cursor is invalid. The cursor has been disconnected by the server.")
		case next < o.first:
			return nil, handleError("INVALID_CURSOR.POSITION_NOT_AVAILABLE", "The cursor is invalid. The cursor position is no longer available at index %d.", next)
		case next < o.first+len(o.buf):
			return o.buf[next-o.first].msg, nil
		case o.done:
			return nil, o.err
		}
		wait := o.changed
		o.mu.Unlock()
		select {
		case <-wait:
			o.mu.Lock()
		case <-ctx.Done():
			o.mu.Lock()
			return nil, ctx.Err()
		}
	}
}

// wasSent notes that the response at index i went out, and forgets what need not be kept.
func (o *operation) wasSent(i int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if i >= o.sent && i < o.first+len(o.buf) {
		for ; o.sent <= i; o.sent++ {
			size := o.buf[o.sent-o.first].size
			o.unsent -= size
			o.kept += size
		}
	}
	keep := maxSent
	if !o.reattachable {
		keep = 0
	}
	for o.kept > keep && o.first < o.sent-1 || !o.reattachable && o.first < o.sent {
		o.dropFirst()
	}
	o.wake()
}

// dropFirst forgets the oldest response, which was sent.
func (o *operation) dropFirst() {
	o.kept -= o.buf[0].size
	o.buf[0] = response{}
	o.buf = o.buf[1:]
	o.first++
}

// release forgets the responses up to and including the one named.
func (o *operation) release(until string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for i, r := range o.buf {
		if r.msg.GetResponseId() != until {
			continue
		}
		for ; i >= 0 && o.first < o.sent; i-- {
			o.dropFirst()
		}
		o.wake()
		return
	}
}

func (o *operation) detach(me int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.reader == me {
		o.attached, o.idleFrom = false, time.Now()
	}
}

// state reports whether the operation has ended, and since when no RPC drains it (zero when one does).
func (o *operation) state() (done bool, idleFrom time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.attached {
		return o.done, time.Time{}
	}
	return o.done, o.idleFrom
}

func (o *operation) hasTag(tag string) bool {
	for _, t := range o.tags {
		if t == tag {
			return true
		}
	}
	return false
}
