package connect

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"github.com/streamflow/streamflow/column"
	pb "github.com/streamflow/streamflow/driver/connect/proto/sparkpb"
	sfpb "github.com/streamflow/streamflow/driver/connect/proto/streamflowpb"
	"github.com/streamflow/streamflow/structured"
	"github.com/streamflow/streamflow/structured/logical"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
)

// execution carries out one plan and emits its responses.
type execution struct {
	server  *Server
	session *session
	op      *operation
	chunk   int   // split Arrow batches into pieces of this size; 0 when the client does not take chunks
	sent    int64 // rows emitted
}

func (e *execution) run(ctx context.Context, p *pb.Plan) error {
	relation, command, err := openPlan(p)
	if err != nil {
		return err
	}
	if relation != nil {
		return e.relation(ctx, relation)
	}
	return e.command(ctx, command)
}

// relation runs a query. Relations that only stand at the root are answered here.
func (e *execution) relation(ctx context.Context, r *pb.Relation) error {
	switch k := r.GetRelType().(type) {
	case *pb.Relation_ShowString:
		return e.showString(ctx, k.ShowString)
	case *pb.Relation_HtmlString:
		return e.htmlString(ctx, k.HtmlString)
	case *pb.Relation_Catalog:
		return e.catalog(ctx, k.Catalog)
	}
	plan, err := e.decode(ctx, r)
	if err != nil {
		return err
	}
	rows, err := e.execute(ctx, plan)
	if err != nil {
		return err
	}
	return e.emitRows(ctx, rows)
}

func (e *execution) decode(ctx context.Context, r *pb.Relation) (logical.Plan, error) {
	return e.session.decoder(ctx).plan(r)
}

// execute hands a plan to the backend. Its progress is passed on at most once in ProgressInterval.
func (e *execution) execute(ctx context.Context, plan logical.Plan) (structured.Rows, error) {
	var mu sync.Mutex
	last := time.Now()
	rows, err := e.session.backend.Execute(ctx, plan, structured.ExecOptions{Operation: e.op.id, Tags: e.op.tags, Artifact: e.session.file, Progress: func(p structured.Progress) {
		mu.Lock()
		due := time.Since(last) >= e.server.opts.ProgressInterval
		if due {
			last = time.Now()
		}
		mu.Unlock()
		if due {
			// A reader that went away ends the operation by itself; progress need not.
			_ = e.op.emit(ctx, progressResponse(p))
		}
	}})
	if err != nil {
		return nil, err
	}
	return &reporting{rows, e, ctx}, nil
}

func progressResponse(p structured.Progress) *pb.ExecutePlanResponse {
	out := &pb.ExecutePlanResponse_ExecutionProgress{NumInflightTasks: p.Running}
	for _, s := range p.Stages {
		out.Stages = append(out.Stages, &pb.ExecutePlanResponse_ExecutionProgress_StageInfo{StageId: s.ID, NumTasks: s.Tasks,
			NumCompletedTasks: s.Completed, InputBytesRead: s.BytesRead, Done: s.Done})
	}
	return &pb.ExecutePlanResponse{ResponseType: &pb.ExecutePlanResponse_ExecutionProgress_{ExecutionProgress: out}}
}

// emitRows sends the schema, then every batch (an empty one when there are no rows), then the counters.
func (e *execution) emitRows(ctx context.Context, rows structured.Rows) (err error) {
	defer func() { err = errors.Join(err, rows.Close()) }()
	schema := rows.Schema()
	if err := e.op.emit(ctx, &pb.ExecutePlanResponse{Schema: schemaToProto(schema)}); err != nil {
		return err
	}
	any := false
	for {
		b, err := rows.Next(ctx)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		any = any || b.N > 0
		if err := e.emitBatch(ctx, b); err != nil {
			return err
		}
	}
	if !any {
		if err := e.emitArrow(ctx, emptyBatch(schema)); err != nil {
			return err
		}
	}
	return e.emitCounters(ctx, rows.Counters())
}

func emptyBatch(schema *column.Schema) *column.Batch { return column.Concat(schema, nil) }

// Bounds of one Arrow batch on the wire.
const (
	maxBatchRows  = 10_000
	maxBatchBytes = MaxMessage / 10 * 7
)

// emitBatch sends a batch in pieces of at most maxBatchRows rows.
func (e *execution) emitBatch(ctx context.Context, b *column.Batch) error {
	for from := 0; from < b.N; from += maxBatchRows {
		part := b
		if b.N > maxBatchRows {
			part = b.Slice(from, min(from+maxBatchRows, b.N))
		}
		if err := e.emitArrow(ctx, part); err != nil {
			return err
		}
	}
	return nil
}

// emitArrow sends one Arrow stream. Rows that together exceed the message limit are sent in halves.
func (e *execution) emitArrow(ctx context.Context, b *column.Batch) error {
	zone, _, err := e.session.backend.Conf().Get(ctx, structured.ConfTimeZone)
	if err != nil {
		return err
	}
	data := column.AppendIPCStream(nil, b, zone)
	if len(data) > maxBatchBytes && b.N > 1 && e.chunk == 0 {
		half := b.N / 2
		if err := e.emitArrow(ctx, b.Slice(0, half)); err != nil {
			return err
		}
		return e.emitArrow(ctx, b.Slice(half, b.N))
	}
	start := e.sent
	e.sent += int64(b.N)
	if e.chunk == 0 || len(data) <= e.chunk {
		return e.op.emit(ctx, arrowResponse(&pb.ExecutePlanResponse_ArrowBatch{RowCount: int64(b.N), Data: data, StartOffset: ptr(start)}))
	}
	n := (len(data) + e.chunk - 1) / e.chunk
	for i := range n {
		piece := data[i*e.chunk : min((i+1)*e.chunk, len(data))]
		err := e.op.emit(ctx, arrowResponse(&pb.ExecutePlanResponse_ArrowBatch{RowCount: int64(b.N), Data: piece, StartOffset: ptr(start),
			ChunkIndex: ptr(int64(i)), NumChunksInBatch: ptr(int64(n))}))
		if err != nil {
			return err
		}
	}
	return nil
}

func arrowResponse(b *pb.ExecutePlanResponse_ArrowBatch) *pb.ExecutePlanResponse {
	return &pb.ExecutePlanResponse{ResponseType: &pb.ExecutePlanResponse_ArrowBatch_{ArrowBatch: b}}
}

// emitCounters sends the counters as Spark's metrics, which every client reads or skips.
func (e *execution) emitCounters(ctx context.Context, counters map[string]int64) error {
	if len(counters) == 0 {
		return nil
	}
	m := &pb.ExecutePlanResponse_Metrics_MetricObject{Name: countersName, ExecutionMetrics: map[string]*pb.ExecutePlanResponse_Metrics_MetricValue{}}
	for name, v := range counters {
		m.ExecutionMetrics[name] = &pb.ExecutePlanResponse_Metrics_MetricValue{Name: name, Value: v, MetricType: "sum"}
	}
	return e.op.emit(ctx, &pb.ExecutePlanResponse{Metrics: &pb.ExecutePlanResponse_Metrics{Metrics: []*pb.ExecutePlanResponse_Metrics_MetricObject{m}}})
}

// countersName is the metric object that holds an operation's counters.
const countersName = "StreamFlow"

// emitTable sends a small result that the server made itself.
func (e *execution) emitTable(ctx context.Context, schema *column.Schema, rows ...[]any) error {
	b, err := column.FromRows(schema, rows...)
	if err != nil {
		return err
	}
	return e.emitRows(ctx, &tableRows{schema: schema, batch: b})
}

// emitText sends one string, as show and explain answer.
func (e *execution) emitText(ctx context.Context, name, text string) error {
	return e.emitTable(ctx, column.NewSchema(column.Field{Name: name, Type: column.Of(column.String)}), []any{text})
}

// tableRows is one batch as Rows.
type tableRows struct {
	schema *column.Schema
	batch  *column.Batch
}

func (t *tableRows) Schema() *column.Schema { return t.schema }
func (t *tableRows) Next(context.Context) (*column.Batch, error) {
	b := t.batch
	t.batch = nil
	if b == nil {
		return nil, io.EOF
	}
	return b, nil
}
func (t *tableRows) Counters() map[string]int64 { return nil }
func (t *tableRows) Close() error               { return nil }

// collect reads a result whole, its batches copied. limit bounds the rows; 0 is no limit.
func collect(ctx context.Context, rows structured.Rows, limit int) (out []*column.Batch, err error) {
	defer func() { err = errors.Join(err, rows.Close()) }()
	n := 0
	for limit == 0 || n < limit {
		b, err := rows.Next(ctx)
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		if b.N == 0 {
			continue
		}
		if limit > 0 && n+b.N > limit {
			b = b.Slice(0, limit-n)
		}
		n += b.N
		out = append(out, b.Clone())
	}
	return out, nil
}

// emitExtension sends one of StreamFlow's own messages.
func (e *execution) emitExtension(ctx context.Context, m proto.Message) error {
	ext, err := anypb.New(m)
	if err != nil {
		return err
	}
	return e.op.emit(ctx, &pb.ExecutePlanResponse{ResponseType: &pb.ExecutePlanResponse_Extension{Extension: ext}})
}

func (e *execution) serverInfo(ctx context.Context) error {
	return e.emitExtension(ctx, &sfpb.ServerInfo{Product: e.server.opts.Product, Version: e.server.opts.Version,
		SparkVersion: e.server.opts.Version, Node: e.server.opts.Node, StartedMicros: e.server.started.UnixMicro()})
}
