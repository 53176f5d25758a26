package structured

import (
	"context"
	"errors"
	"time"

	"github.com/streamflow/streamflow/structured/logical"
)

// DataStreamWriter says where a streaming query puts its results.
type DataStreamWriter struct {
	d *DataFrame
	q logical.CreateStream
}

// WriteStream begins a streaming query over the DataFrame.
func (d *DataFrame) WriteStream() *DataStreamWriter {
	return &DataStreamWriter{d: d, q: logical.CreateStream{OutputMode: "append"}}
}

// Format is the kind of sink: "topic", "console", "memory", "parquet" …
func (w *DataStreamWriter) Format(name string) *DataStreamWriter {
	c := *w
	c.q.Format = name
	return &c
}

// OutputMode is "append" (rows once they are final), "update" (rows as they change) or "complete" (the whole result each
// time).
func (w *DataStreamWriter) OutputMode(mode string) *DataStreamWriter {
	c := *w
	c.q.OutputMode = mode
	return &c
}

// QueryName names the query; side outputs are named after it.
func (w *DataStreamWriter) QueryName(name string) *DataStreamWriter {
	c := *w
	c.q.Name = name
	return &c
}

// Option sets an option of the sink or the query.
func (w *DataStreamWriter) Option(key string, value any) *DataStreamWriter {
	c := *w
	c.q.Options = withOption(w.q.Options, key, value)
	return &c
}

// From says where the query begins to read: "beginning", "now" or a timestamp. A query that has run before goes on
// where it stopped.
func (w *DataStreamWriter) From(start string) *DataStreamWriter {
	c := *w
	c.q.Start = start
	return &c
}

// Trigger says when a batch starts.
type Trigger struct{ text string }

// ProcessingTime starts a batch at each interval: "5 seconds". Without a trigger a batch starts as soon as data is there.
func ProcessingTime(interval string) Trigger { return Trigger{interval} }

// AvailableNow processes what there is at the start, in as many batches as it takes, and ends.
func AvailableNow() Trigger { return Trigger{"available_now"} }

// Once processes what there is at the start in one batch and ends.
func Once() Trigger { return Trigger{"once"} }

// Trigger sets when a batch starts.
func (w *DataStreamWriter) Trigger(t Trigger) *DataStreamWriter {
	c := *w
	c.q.Trigger = t.text
	return &c
}

// Start starts the query into the sink of Format; path is for sinks that have one, "" for others.
func (w *DataStreamWriter) Start(ctx context.Context, path string) (*StreamingQuery, error) {
	if path != "" {
		w = w.Option("path", path)
	}
	return w.start(ctx)
}

// ForeachBatch starts the query into a function that was registered with process.RegisterBatch: it is called with the rows of
// each micro-batch and the batch's id, once unless the node dies before it returns, and then again with the same.
func (w *DataStreamWriter) ForeachBatch(ctx context.Context, function string) (*StreamingQuery, error) {
	return w.Format("foreachBatch").Option("function", function).start(ctx)
}

// ToTable starts the query into a table or topic.
func (w *DataStreamWriter) ToTable(ctx context.Context, name string) (*StreamingQuery, error) {
	parts, err := SplitName(name)
	if err != nil {
		return nil, err
	}
	c := *w
	c.q.Sink = parts
	return c.start(ctx)
}

func (w *DataStreamWriter) start(ctx context.Context) (*StreamingQuery, error) {
	if w.d.err != nil {
		return nil, w.d.err
	}
	switch w.q.OutputMode {
	case "append", "update", "complete":
	default:
		return nil, invalidValue("output mode", w.q.OutputMode, `it is none of "append", "update", "complete"`)
	}
	q := w.q
	q.Query = w.d.plan
	h, err := w.d.s.backend.StartQuery(ctx, &q)
	if err != nil {
		return nil, err
	}
	return &StreamingQuery{h}, nil
}

// StreamingQuery is a query that runs until it is stopped, fails, or its input ends.
type StreamingQuery struct{ h QueryHandle }

// ID stays the same when the query is started again; RunID is of this start.
func (q *StreamingQuery) ID() string    { return q.h.ID() }
func (q *StreamingQuery) RunID() string { return q.h.RunID() }
func (q *StreamingQuery) Name() string  { return q.h.Name() }

// Status is what the query is doing now.
func (q *StreamingQuery) Status(ctx context.Context) (QueryStatus, error) { return q.h.Status(ctx) }

// IsActive reports whether the query still runs.
func (q *StreamingQuery) IsActive(ctx context.Context) (bool, error) {
	s, err := q.h.Status(ctx)
	return s.Active, err
}

// RecentProgress are the last batches, oldest first.
func (q *StreamingQuery) RecentProgress(ctx context.Context) ([]QueryProgress, error) {
	return q.h.Recent(ctx)
}

// LastProgress is the last batch; ok is false when there was none yet.
func (q *StreamingQuery) LastProgress(ctx context.Context) (p QueryProgress, ok bool, err error) {
	list, err := q.h.Recent(ctx)
	if err != nil || len(list) == 0 {
		return QueryProgress{}, false, err
	}
	return list[len(list)-1], true, nil
}

// Stop ends the query after the batch in hand.
func (q *StreamingQuery) Stop(ctx context.Context) error { return q.h.Stop(ctx) }

// AwaitTermination blocks until the query has ended and returns the error that ended it.
func (q *StreamingQuery) AwaitTermination(ctx context.Context) error { return q.h.Await(ctx) }

// AwaitTerminationFor is AwaitTermination for a time; ended is false when the query still runs after it.
func (q *StreamingQuery) AwaitTerminationFor(ctx context.Context, d time.Duration) (ended bool, err error) {
	limited, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	err = q.h.Await(limited)
	if ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded) {
		return false, nil
	}
	return true, err
}

// ProcessAllAvailable blocks until everything that is in the sources now is in the sink.
func (q *StreamingQuery) ProcessAllAvailable(ctx context.Context) error {
	return q.h.ProcessAllAvailable(ctx)
}

// Exception is the error that ended the query, or nil.
func (q *StreamingQuery) Exception(ctx context.Context) (failure, err error) { return q.h.Err(ctx) }

// ExplainString is the plan that the query runs.
func (q *StreamingQuery) ExplainString(ctx context.Context, extended bool) (string, error) {
	return q.h.Explain(ctx, extended)
}

// Streams are the streaming queries that the session may see, ended ones included, oldest first.
func (s *Session) Streams(ctx context.Context) ([]*StreamingQuery, error) {
	list, err := s.backend.Queries(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]*StreamingQuery, len(list))
	for i, h := range list {
		out[i] = &StreamingQuery{h}
	}
	return out, nil
}
