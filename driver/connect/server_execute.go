package connect

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	pb "github.com/streamflow/streamflow/driver/connect/proto/sparkpb"
	"google.golang.org/grpc"
)

// ExecutePlan starts an operation and drains it. A reattachable one runs on when the stream breaks; any other ends with
// its stream.
func (s *Server) ExecutePlan(r *pb.ExecutePlanRequest, stream grpc.ServerStreamingServer[pb.ExecutePlanResponse]) error {
	x, err := s.session(r)
	if err != nil {
		return err
	}
	o, opts, err := s.newExecution(x, r)
	if err != nil {
		return x.fail(err)
	}
	base := context.WithoutCancel(stream.Context())
	if !o.reattachable {
		base = stream.Context()
	}
	ctx, cancel := context.WithCancel(base)
	o.cancel = cancel
	if err := x.begin(o); err != nil {
		cancel()
		return x.fail(err)
	}
	e := &execution{server: s, session: x, op: o, chunk: opts.chunk}
	go func() {
		defer cancel()
		o.finish(e.runSafely(ctx, r.GetPlan()))
	}()
	err = o.attach(stream.Context(), "", stream.Send)
	if !o.reattachable {
		x.end(o.id, time.Now())
	}
	return x.answer(stream.Context(), err)
}

// answer is the end of a stream: nil, the client's own leaving, the stream's failure or the operation's.
func (s *session) answer(ctx context.Context, err error) error {
	var broken *sendError
	switch {
	case err != nil && ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, &broken):
		return broken.err
	}
	return s.fail(err)
}

type executeOptions struct{ chunk int }

func (s *Server) newExecution(x *session, r *pb.ExecutePlanRequest) (*operation, executeOptions, error) {
	id := r.GetOperationId()
	if id == "" {
		id = uuid.NewString()
	} else if _, err := uuid.Parse(id); err != nil {
		return nil, executeOptions{}, handleError("INVALID_HANDLE.FORMAT", "The handle %s is invalid. Handle must be an UUID string of the format '00112233-4455-6677-8899-aabbccddeeff'.", id)
	}
	opts, reattachable := executeOptions{}, false
	for _, o := range r.GetRequestOptions() {
		if o.GetReattachOptions().GetReattachable() {
			reattachable = true
		}
		if c := o.GetResultChunkingOptions(); c.GetAllowArrowBatchChunking() {
			opts.chunk = chunkSize(c)
		}
	}
	return newOperation(id, r.GetTags(), reattachable, x.stamp), opts, nil
}

// Chunks of a batch are between these sizes, when the client takes chunks at all.
const (
	minChunk = 1 << 10
	maxChunk = MaxMessage / 10 * 9
)

func chunkSize(c *pb.ResultChunkingOptions) int {
	if c.PreferredArrowChunkSize == nil {
		return maxChunk
	}
	return int(min(max(c.GetPreferredArrowChunkSize(), minChunk), maxChunk))
}

// ReattachExecute drains an operation from where the client lost it.
func (s *Server) ReattachExecute(r *pb.ReattachExecuteRequest, stream grpc.ServerStreamingServer[pb.ExecutePlanResponse]) error {
	x, err := s.find(r, false)
	if err != nil {
		return err
	}
	o, err := x.operation(r.GetOperationId())
	if err == nil && !o.reattachable {
		err = handleError("INVALID_CURSOR.NOT_REATTACHABLE", "The cursor is invalid. The cursor is not reattachable.")
	}
	if err != nil {
		return x.fail(err)
	}
	return x.answer(stream.Context(), o.attach(stream.Context(), r.GetLastResponseId(), stream.Send))
}

// ReleaseExecute frees responses, or the whole operation, which is stopped if it still runs. Unknown ids are no error.
func (s *Server) ReleaseExecute(_ context.Context, r *pb.ReleaseExecuteRequest) (*pb.ReleaseExecuteResponse, error) {
	x, err := s.find(r, false)
	if err != nil {
		return nil, err
	}
	resp := &pb.ReleaseExecuteResponse{SessionId: x.key.id, ServerSideSessionId: x.serverID}
	o, err := x.operation(r.GetOperationId())
	if err != nil {
		return resp, nil
	}
	resp.OperationId = ptr(o.id)
	switch rel := r.GetRelease().(type) {
	case *pb.ReleaseExecuteRequest_ReleaseAll_:
		x.end(o.id, time.Now())
	case *pb.ReleaseExecuteRequest_ReleaseUntil_:
		o.release(rel.ReleaseUntil.GetResponseId())
	default:
		return nil, x.fail(notSet("spark.connect.ReleaseExecuteRequest", "RELEASE_NOT_SET"))
	}
	return resp, nil
}

// Interrupt cancels running operations.
func (s *Server) Interrupt(_ context.Context, r *pb.InterruptRequest) (*pb.InterruptResponse, error) {
	x, err := s.session(r)
	if err != nil {
		return nil, err
	}
	var match func(*operation) bool
	switch r.GetInterruptType() {
	case pb.InterruptRequest_INTERRUPT_TYPE_ALL:
		match = func(*operation) bool { return true }
	case pb.InterruptRequest_INTERRUPT_TYPE_TAG:
		match = func(o *operation) bool { return o.hasTag(r.GetOperationTag()) }
	case pb.InterruptRequest_INTERRUPT_TYPE_OPERATION_ID:
		match = func(o *operation) bool { return o.id == r.GetOperationId() }
	default:
		return nil, x.fail(invalidPlan("INVALID_ENUM", "The interrupt type %s is not known.", r.GetInterruptType()))
	}
	return &pb.InterruptResponse{SessionId: x.key.id, ServerSideSessionId: x.serverID, InterruptedIds: x.interrupt(match)}, nil
}

// runSafely is run with a panic of the engine answered as an error: one broken query must not end the node's other work.
func (e *execution) runSafely(ctx context.Context, p *pb.Plan) (err error) {
	defer func() {
		if r := recover(); r != nil {
			e.server.opts.Log.Error("connect: operation panicked", "session", e.session.key.id, "operation", e.op.id, "panic", r)
			err = fmt.Errorf("the operation failed inside the engine: %v", r)
		}
	}()
	return e.run(ctx, p)
}
