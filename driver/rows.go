package driver

import (
	"context"
	"io"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/structured"
)

// batchRows are rows that are there already: the result of a command.
type batchRows struct {
	schema   *column.Schema
	batches  []*column.Batch
	counters map[string]int64
}

var _ structured.Rows = (*batchRows)(nil)

func (r *batchRows) Schema() *column.Schema { return r.schema }

func (r *batchRows) Next(context.Context) (*column.Batch, error) {
	if len(r.batches) == 0 {
		return nil, io.EOF
	}
	b := r.batches[0]
	r.batches = r.batches[1:]
	return b, nil
}

func (r *batchRows) Counters() map[string]int64 { return r.counters }
func (r *batchRows) Close() error               { return nil }

// nothing is the result of a command that prints nothing.
func nothing() *batchRows { return &batchRows{schema: column.NewSchema()} }

// text is a schema of string columns.
func text(names ...string) *column.Schema {
	s := &column.Schema{}
	for _, n := range names {
		s.Fields = append(s.Fields, column.Field{Name: n, Type: column.Of(column.String), Nullable: true})
	}
	return s
}

// table makes rows of a command's result.
func table(schema *column.Schema, rows ...[]any) (structured.Rows, error) {
	b, err := column.FromRows(schema, rows...)
	if err != nil {
		return nil, err
	}
	return &batchRows{schema: schema, batches: []*column.Batch{b}}, nil
}

// handoff passes batches from a running job to a reader, one at a time and without copying: a batch that was given is
// valid until the reader comes back for the next.
type handoff struct {
	schema   *column.Schema
	batches  chan *column.Batch
	taken    chan struct{} // the reader is done with the last batch
	done     chan struct{} // the job has ended
	cancel   context.CancelFunc
	held     bool
	err      error            // set before done is closed
	counters map[string]int64 // likewise
}

var _ structured.Rows = (*handoff)(nil)

func newHandoff(schema *column.Schema, cancel context.CancelFunc) *handoff {
	return &handoff{schema: schema, batches: make(chan *column.Batch), taken: make(chan struct{}), done: make(chan struct{}), cancel: cancel}
}

// give hands a batch over and returns when the reader is done with it.
func (h *handoff) give(ctx context.Context, b *column.Batch) error {
	select {
	case h.batches <- b:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	select {
	case <-h.taken:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// end tells the reader how the job ended.
func (h *handoff) end(err error, counters map[string]int64) {
	h.err, h.counters = err, counters
	close(h.done)
}

func (h *handoff) Schema() *column.Schema { return h.schema }

func (h *handoff) Next(ctx context.Context) (*column.Batch, error) {
	if h.held {
		h.held = false
		select {
		case h.taken <- struct{}{}:
		case <-h.done:
		}
	}
	select {
	case b := <-h.batches:
		h.held = true
		return b, nil
	case <-h.done:
		if h.err != nil {
			return nil, h.err
		}
		return nil, io.EOF
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

func (h *handoff) Counters() map[string]int64 {
	select {
	case <-h.done:
		return h.counters
	default:
		return nil
	}
}

// Close ends the job if it still runs.
func (h *handoff) Close() error {
	h.cancel()
	<-h.done
	return nil
}

// schemaOf is the schema of a plan's output.
func schemaOf(attrs []*expr.Attr) *column.Schema {
	s := &column.Schema{}
	for _, a := range attrs {
		s.Fields = append(s.Fields, column.Field{Name: a.Name, Type: a.Typ, Nullable: a.Null})
	}
	return s
}
