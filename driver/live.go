package driver

import (
	"context"
	"time"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/structured"
	"github.com/streamflow/streamflow/structured/connector/streamlog"
	"github.com/streamflow/streamflow/structured/logical"
	"github.com/streamflow/streamflow/structured/stream"
)

// liveQuery runs a streaming query for one client: rows reach it as batches commit, and the query is forgotten with it.
func (s *Session) liveQuery(ctx context.Context, run *logical.Run, plan logical.Plan, text string) (structured.Rows, error) {
	c := &logical.CreateStream{Name: nameOf(run), Query: plan, Start: liveStart(run)}
	if run != nil {
		c.Query = run.Child
	}
	ctx, cancel := context.WithCancel(ctx)
	h := newHandoff(nil, cancel)
	q, err := s.start(ctx, c, definition{Text: text}, func(_ int64, rows []*column.Batch) error {
		for _, b := range rows {
			if b.N == 0 {
				continue
			}
			if err := h.give(ctx, b); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		cancel()
		return nil, err
	}
	h.schema = schemaOf(q.planned.phys.Output)
	go s.finishLive(ctx, q, h)
	return h, nil
}

func liveStart(run *logical.Run) string {
	if run == nil {
		return "beginning"
	}
	if run.From != nil {
		return column.FormatTimestamp(*run.From, time.UTC)
	}
	return "now"
}

// finishLive waits for the end of a client's query, or of its client, and forgets the query.
func (s *Session) finishLive(ctx context.Context, q *query, h *handoff) {
	select {
	case <-q.ended:
	case <-ctx.Done():
		q.loop.Stop()
		<-q.ended
	}
	q.mu.Lock()
	err := q.err
	q.mu.Unlock()
	r, _ := s.engine.opts.Queries.Query(q.name)
	counters := r.Totals
	if counters == nil {
		counters = map[string]int64{}
	}
	q.latency.add(counters)
	if err == nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	s.engine.forget(q)
	h.end(err, counters)
}

// forget drops a query's record and its topics of state; side outputs stay.
func (e *Engine) forget(q *query) {
	ctx := context.WithoutCancel(e.ctx)
	if _, err := e.send(ctx, stream.Command{Query: q.name, Drop: true}); err != nil {
		e.log.Warn("query cannot be forgotten", "query", q.name, "err", err)
	}
	if _, err := e.opts.Log.Broker.Topic(streamlog.StateTopic(q.name)); err == nil {
		if err := e.opts.Log.Broker.DeleteTopic(ctx, streamlog.StateTopic(q.name)); err != nil {
			e.log.Warn("state changelog cannot be deleted", "query", q.name, "err", err)
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.running[q.name] == q {
		delete(e.running, q.name)
		e.order = remove(e.order, q)
	}
}

// liveInsert runs INSERT INTO … SELECT as a streaming query and waits for its end.
func (s *Session) liveInsert(ctx context.Context, run *logical.Run, ins *logical.InsertInto, original logical.Plan) (structured.Rows, error) {
	if ins.Overwrite {
		return nil, usererr.New("UNSUPPORTED_STREAMING_OVERWRITE", "0A000", "INSERT OVERWRITE cannot run live.").At(ins.Pos.Line, ins.Pos.Col).WithFix("Use INSERT INTO.")
	}
	c := &logical.CreateStream{Name: run.Name, Query: ins.Query, Sink: ins.Table, Columns: ins.Columns, ByName: ins.ByName, Start: liveStart(run), Pos: ins.Pos}
	q, err := s.startQuery(ctx, c, original)
	if err != nil {
		return nil, err
	}
	err = q.Await(ctx)
	if ctx.Err() != nil {
		q.loop.Stop()
		<-q.ended
	}
	if err != nil {
		return nil, err
	}
	r, _ := s.engine.opts.Queries.Query(q.name)
	res := nothing()
	res.counters = r.Totals
	q.latency.add(res.counters)
	return res, nil
}
