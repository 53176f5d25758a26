package connect

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync"

	"github.com/google/uuid"
	"github.com/streamflow/streamflow/column"
	pb "github.com/streamflow/streamflow/driver/connect/proto/sparkpb"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/structured"
	"github.com/streamflow/streamflow/structured/logical"
	"google.golang.org/grpc"
)

// Execute sends a plan. Statements go as spark.sql does, so that a command takes effect once, at the time of the call.
func (c *Client) Execute(ctx context.Context, plan logical.Plan, opts structured.ExecOptions) (structured.Rows, error) {
	if sql, ok := plan.(*logical.SQLText); ok {
		return c.statement(ctx, sql, opts)
	}
	cmd, ok, err := commandToProto(plan)
	if err != nil {
		return nil, err
	}
	if ok {
		return c.effect(ctx, cmd, opts)
	}
	r, err := planToProto(plan)
	if err != nil {
		return nil, err
	}
	return c.query(ctx, r, opts)
}

func (c *Client) query(ctx context.Context, r *pb.Relation, opts structured.ExecOptions) (structured.Rows, error) {
	s := c.open(ctx, &pb.Plan{OpType: &pb.Plan_Root{Root: r}}, opts)
	rows := &remoteRows{stream: s}
	if err := rows.readSchema(); err != nil {
		return nil, errors.Join(err, rows.Close())
	}
	return rows, nil
}

// statement runs SQL: the server carries out a command and gives back its rows, or gives back a query to be run.
func (c *Client) statement(ctx context.Context, sql *logical.SQLText, opts structured.ExecOptions) (structured.Rows, error) {
	result, counters, err := c.sqlCommand(ctx, sql, opts)
	if err != nil {
		return nil, err
	}
	if l := result.GetLocalRelation(); l != nil {
		return localRows(l, counters)
	}
	return c.query(ctx, result, structured.ExecOptions{Tags: opts.Tags, Progress: opts.Progress})
}

// sqlCommand sends a statement and returns the relation that the server gave back for it.
func (c *Client) sqlCommand(ctx context.Context, sql *logical.SQLText, opts structured.ExecOptions) (*pb.Relation, map[string]int64, error) {
	input, err := planToProto(sql)
	if err != nil {
		return nil, nil, err
	}
	var result *pb.Relation
	counters, err := c.drain(ctx, &pb.Command{CommandType: &pb.Command_SqlCommand{SqlCommand: &pb.SqlCommand{Input: input}}}, opts,
		func(r *pb.ExecutePlanResponse) error {
			if x := r.GetSqlCommandResult(); x != nil {
				result = x.GetRelation()
			}
			return nil
		})
	if err == nil && result == nil {
		err = protocol("a statement was answered without a result")
	}
	return result, counters, err
}

// localRows reads rows that came in a relation, without another call.
func localRows(l *pb.LocalRelation, counters map[string]int64) (structured.Rows, error) {
	p, err := (&decoder{}).local(l)
	if err != nil {
		return nil, err
	}
	local, ok := p.(*logical.Local)
	if !ok {
		return nil, protocol("the rows of a command do not have the schema that it declared")
	}
	return &batchRows{schema: local.Schema, batches: local.Batches, counters: counters}, nil
}

// effect runs a command that answers nothing.
func (c *Client) effect(ctx context.Context, cmd *pb.Command, opts structured.ExecOptions) (structured.Rows, error) {
	out := &batchRows{schema: column.NewSchema()}
	counters, err := c.drain(ctx, cmd, opts, func(r *pb.ExecutePlanResponse) error {
		metrics, err := metricsFromProto(r.GetObservedMetrics())
		out.observed = append(out.observed, metrics...)
		return err
	})
	out.counters = counters
	if err != nil {
		return nil, err
	}
	return out, nil
}

// drain runs a command to its end and hands its responses to each.
func (c *Client) drain(ctx context.Context, cmd *pb.Command, opts structured.ExecOptions, each func(*pb.ExecutePlanResponse) error) (map[string]int64, error) {
	s := c.open(ctx, &pb.Plan{OpType: &pb.Plan_Command{Command: cmd}}, opts)
	defer s.close()
	for {
		r, err := s.next()
		if errors.Is(err, io.EOF) {
			return s.counters, nil
		}
		if err != nil {
			return nil, err
		}
		if err := each(r); err != nil {
			return nil, err
		}
	}
}

func protocol(what string) error {
	return usererr.New("CONNECT_PROTOCOL", "08P01", "The server broke the Spark Connect protocol: %s.", what)
}

// batchRows are rows that are here already.
type batchRows struct {
	schema   *column.Schema
	batches  []*column.Batch
	counters map[string]int64
	observed []structured.Metrics
}

func (b *batchRows) Schema() *column.Schema     { return b.schema }
func (b *batchRows) Counters() map[string]int64 { return b.counters }
func (b *batchRows) Close() error               { b.batches = nil; return nil }
func (b *batchRows) Next(context.Context) (*column.Batch, error) {
	if len(b.batches) == 0 {
		return nil, io.EOF
	}
	next := b.batches[0]
	b.batches = b.batches[1:]
	return next, nil
}

// responses is the stream of one operation, attached again wherever it broke.
type responses struct {
	c        *Client
	ctx      context.Context
	cancel   context.CancelFunc
	request  *pb.ExecutePlanRequest
	progress func(structured.Progress)
	stream   grpc.ServerStreamingClient[pb.ExecutePlanResponse]
	lastID   string // the last response received: where to attach again
	started  bool
	complete bool
	once     sync.Once
	counters map[string]int64
	observed []structured.Metrics
}

func (c *Client) open(ctx context.Context, p *pb.Plan, opts structured.ExecOptions) *responses {
	id := opts.Operation
	if id == "" {
		id = uuid.NewString()
	}
	ctx, cancel := context.WithCancel(ctx)
	return &responses{c: c, ctx: ctx, cancel: cancel, progress: opts.Progress, request: &pb.ExecutePlanRequest{SessionId: c.id, UserContext: c.user,
		ClientType: c.clientType(), ClientObservedServerSideSessionId: c.observed(), OperationId: ptr(id), Plan: p, Tags: opts.Tags,
		RequestOptions: []*pb.ExecutePlanRequest_RequestOption{
			{RequestOption: &pb.ExecutePlanRequest_RequestOption_ReattachOptions{ReattachOptions: &pb.ReattachOptions{Reattachable: true}}},
			{RequestOption: &pb.ExecutePlanRequest_RequestOption_ResultChunkingOptions{ResultChunkingOptions: &pb.ResultChunkingOptions{AllowArrowBatchChunking: true}}},
		}}}
}

// next returns the next response that has something to say, or io.EOF after the server said that all is done.
func (s *responses) next() (*pb.ExecutePlanResponse, error) {
	for {
		r, err := s.receive()
		if err != nil {
			return nil, err
		}
		if err := s.c.check(r); err != nil {
			return nil, err
		}
		s.lastID = r.GetResponseId()
		s.note(r.GetMetrics())
		metrics, err := metricsFromProto(r.GetObservedMetrics())
		if err != nil {
			return nil, err
		}
		s.observed = append(s.observed, metrics...)
		switch {
		case r.GetResultComplete() != nil:
			s.complete = true
			return nil, io.EOF
		case r.GetExecutionProgress() != nil:
			if s.progress != nil {
				s.progress(progressOf(r.GetExecutionProgress()))
			}
			continue
		}
		return r, nil
	}
}

func (s *responses) note(m *pb.ExecutePlanResponse_Metrics) {
	for _, o := range m.GetMetrics() {
		if o.GetName() != countersName {
			continue
		}
		if s.counters == nil {
			s.counters = map[string]int64{}
		}
		for name, v := range o.GetExecutionMetrics() {
			s.counters[name] = v.GetValue()
		}
	}
}

func progressOf(p *pb.ExecutePlanResponse_ExecutionProgress) structured.Progress {
	out := structured.Progress{Running: p.GetNumInflightTasks()}
	for _, x := range p.GetStages() {
		out.Stages = append(out.Stages, structured.StageProgress{ID: x.GetStageId(), Tasks: x.GetNumTasks(), Completed: x.GetNumCompletedTasks(),
			BytesRead: x.GetInputBytesRead(), Done: x.GetDone()})
	}
	return out
}

// receive reads one response, and opens the stream anew when it breaks: by ReattachExecute, or by ExecutePlan when the
// server never saw the first one. The operation's id makes that safe.
func (s *responses) receive() (*pb.ExecutePlanResponse, error) {
	if s.complete {
		return nil, io.EOF
	}
	var r *pb.ExecutePlanResponse
	err := s.c.retry.do(s.ctx, func() error {
		var err error
		if s.stream == nil {
			if s.stream, err = s.connect(); err != nil {
				return err
			}
		}
		if r, err = s.stream.Recv(); err == nil {
			return nil
		}
		s.stream = nil
		if errors.Is(err, io.EOF) {
			// The server ended the stream before the result was complete: attach again at once.
			if s.stream, err = s.reattach(); err != nil {
				return err
			}
			r, err = s.stream.Recv()
		}
		if err != nil && s.lastID == "" && unknownOperation(err) {
			s.request.OperationId = ptr(uuid.NewString())
			if s.stream, err = s.c.stub.ExecutePlan(s.ctx, s.request); err == nil {
				r, err = s.stream.Recv()
			}
		}
		if err != nil {
			s.stream = nil
		}
		return err
	})
	if err != nil {
		if s.ctx.Err() != nil {
			return nil, s.ctx.Err()
		}
		return nil, s.c.explained(s.ctx, err)
	}
	return r, nil
}

// connect sends the operation, or attaches to it again. Before the first operation of a session the server is asked who it
// is: with the answer in the request, a server that died and came back refuses the operation when it is sent again, instead
// of carrying it out a second time.
func (s *responses) connect() (grpc.ServerStreamingClient[pb.ExecutePlanResponse], error) {
	if !s.started {
		if err := s.c.meet(s.ctx); err != nil {
			return nil, err
		}
		s.request.ClientObservedServerSideSessionId = s.c.observed()
		s.started = true
		return s.c.stub.ExecutePlan(s.ctx, s.request)
	}
	return s.reattach()
}

func (s *responses) reattach() (grpc.ServerStreamingClient[pb.ExecutePlanResponse], error) {
	r := &pb.ReattachExecuteRequest{SessionId: s.c.id, UserContext: s.c.user, ClientType: s.c.clientType(),
		ClientObservedServerSideSessionId: s.c.observed(), OperationId: s.request.GetOperationId()}
	if s.lastID != "" {
		r.LastResponseId = ptr(s.lastID)
	}
	return s.c.stub.ReattachExecute(s.ctx, r)
}

func unknownOperation(err error) bool {
	text := err.Error()
	return strings.Contains(text, "INVALID_HANDLE.OPERATION_NOT_FOUND") || strings.Contains(text, "INVALID_HANDLE.SESSION_NOT_FOUND")
}

// close lets go of the operation, which ends it on the server if it still runs.
func (s *responses) close() {
	s.once.Do(func() {
		s.cancel()
		if !s.started {
			return
		}
		ctx, cancel := context.WithTimeout(context.Background(), releaseTimeout)
		defer cancel()
		// Releasing is a courtesy: the server forgets the operation by itself after a while.
		_, _ = s.c.stub.ReleaseExecute(ctx, &pb.ReleaseExecuteRequest{SessionId: s.c.id, UserContext: s.c.user, ClientType: s.c.clientType(),
			OperationId: s.request.GetOperationId(), Release: &pb.ReleaseExecuteRequest_ReleaseAll_{ReleaseAll: &pb.ReleaseExecuteRequest_ReleaseAll{}}})
	})
}

// remoteRows is a query's result as it arrives.
type remoteRows struct {
	stream  *responses
	schema  *column.Schema
	batches []*column.Batch
	pending []byte // chunks of a batch so far
	rows    int64
}

func (r *remoteRows) Schema() *column.Schema     { return r.schema }
func (r *remoteRows) Counters() map[string]int64 { return r.stream.counters }
func (r *remoteRows) Close() error               { r.stream.close(); return nil }

func (r *remoteRows) readSchema() error {
	for r.schema == nil {
		if err := r.step(); errors.Is(err, io.EOF) {
			return protocol("a result ended without a schema")
		} else if err != nil {
			return err
		}
	}
	return nil
}

func (r *remoteRows) Next(context.Context) (*column.Batch, error) {
	for len(r.batches) == 0 {
		if err := r.step(); err != nil {
			return nil, err
		}
	}
	b := r.batches[0]
	r.batches = r.batches[1:]
	return b, nil
}

// step takes one response in.
func (r *remoteRows) step() error {
	resp, err := r.stream.next()
	if err != nil {
		return err
	}
	if resp.GetSchema() != nil && r.schema == nil {
		if r.schema, err = schemaFromProto(resp.GetSchema()); err != nil {
			return err
		}
	}
	if a := resp.GetArrowBatch(); a != nil {
		return r.arrow(a)
	}
	return nil
}

func (r *remoteRows) arrow(a *pb.ExecutePlanResponse_ArrowBatch) error {
	data := a.GetData()
	if n := a.GetNumChunksInBatch(); n > 1 {
		r.pending = append(r.pending, data...)
		if a.GetChunkIndex() < n-1 {
			return nil
		}
		data, r.pending = r.pending, nil
	}
	if a.StartOffset != nil && a.GetStartOffset() != r.rows {
		return protocol("rows of a result were lost or sent twice")
	}
	schema, batches, err := readStream(data)
	if err != nil {
		return protocol(err.Error())
	}
	if r.schema == nil {
		r.schema = schema
	}
	n := int64(0)
	for _, b := range batches {
		n += int64(b.N)
		if b.N > 0 {
			r.batches = append(r.batches, column.NewBatch(r.schema, b.N, b.Cols...))
		}
	}
	if n != a.GetRowCount() {
		return protocol("a batch does not hold the rows that it declares")
	}
	r.rows += n
	return nil
}

// Statement sends SQL as spark.sql does: what comes back is a plan, of rows for a command, of the query otherwise.
func (c *Client) Statement(ctx context.Context, sql *logical.SQLText) (logical.Plan, error) {
	result, _, err := c.sqlCommand(ctx, sql, structured.ExecOptions{})
	if err != nil {
		return nil, err
	}
	if l := result.GetLocalRelation(); l != nil {
		return (&decoder{}).local(l)
	}
	return sql, nil
}
