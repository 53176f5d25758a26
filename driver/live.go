package driver

import (
	"context"
	"time"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/structured"
	"github.com/streamflow/streamflow/structured/connector"
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
	s.engine.end(q)
	h.end(err, counters)
}

// end forgets a client's query.
func (e *Engine) end(q *query) {
	if e.ctx.Err() != nil {
		return // the node stops; when it starts again, it finds the record and abandons the query
	}
	if err := e.drop(context.WithoutCancel(e.ctx), q); err != nil {
		e.log.Warn("query cannot be forgotten", "query", q.name, "err", err)
	}
}

// drop forgets a query that has ended, so that its name is free.
func (e *Engine) drop(ctx context.Context, q *query) error {
	err := e.forget(ctx, q.name)
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.gates, q.name)
	if e.running[q.name] == q {
		delete(e.running, q.name)
		e.order = remove(e.order, q)
	}
	return err
}

// forget drops what a query leaves behind, but for its side outputs: its state, the changelog of that, and last of all its
// record, by which a node that starts finds the rest. A query of the same name begins with nothing.
func (e *Engine) forget(ctx context.Context, name string) error {
	if err := e.opts.Cluster.ForgetState(name); err != nil {
		return err
	}
	if _, err := e.opts.Log.Broker.Topic(streamlog.StateTopic(name)); err == nil {
		if err := e.opts.Log.Broker.DeleteTopic(ctx, streamlog.StateTopic(name)); err != nil {
			return err
		}
	}
	_, err := e.send(ctx, stream.Command{Query: name, Drop: true})
	return err
}

// abandon ends a query whose client went with the node's last life: nobody waits for its rows. What it had set aside up to
// its last committed batch is published, what it had staged after that is undone, and it is forgotten.
func (e *Engine) abandon(ctx context.Context, r stream.Record) error {
	own := streamlog.NewQueryLog(e.opts.Log, r.Name, r.Name, 0)
	defer own.Close()
	if c := r.Committed; c != nil {
		if err := own.Publish(ctx, connector.Tx{Query: r.Name, Epoch: c.Epoch, Batch: c.Batch}, c.Tokens[ownTokens]); err != nil {
			return err
		}
	}
	if err := own.Abort(ctx, connector.Tx{Query: r.Name, Epoch: r.Epoch, Batch: r.NextBatch()}); err != nil {
		return err
	}
	return e.forget(ctx, r.Name)
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
