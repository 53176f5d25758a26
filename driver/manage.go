package driver

import (
	"context"
	"time"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/structured"
	"github.com/streamflow/streamflow/structured/catalog"
	"github.com/streamflow/streamflow/structured/logical"
	"github.com/streamflow/streamflow/structured/stream"
)

// manage carries out what is done with a query that there is.
func (s *Session) manage(ctx context.Context, p *logical.ManageStream) (structured.Rows, error) {
	e := s.engine
	switch p.Do {
	case logical.PauseStream:
		return nothing(), e.pause(ctx, p.Query, true)
	case logical.ResumeStream:
		return nothing(), e.pause(ctx, p.Query, false)
	case logical.CreateSavepoint:
		m, w, err := e.CreateSavepoint(ctx, p.Query, p.Name)
		if err != nil {
			return nil, err
		}
		return table(manageSchema(p.Do), []any{m.Query + "/" + m.Name, m.Batch, w.Rows, w.Bytes, w.NewBytes})
	case logical.DropSavepoint:
		return nothing(), noSavepoint(e.opts.Savepoints.Delete(ctx, p.Query, p.Name), p.Query, p.Name)
	case logical.RescaleStream:
		return nothing(), e.rescale(ctx, p.Query, p.Parts)
	case logical.ReplayStream:
		return s.replay(ctx, p)
	}
	panic("BUG: driver: no way to " + p.Do + " a query")
}

func manageSchema(do string) *column.Schema {
	if do != logical.CreateSavepoint {
		return column.NewSchema()
	}
	return withNumbers(text("savepoint"), "batch", "entries", "bytes", "bytesWritten")
}

func withNumbers(s *column.Schema, names ...string) *column.Schema {
	for _, n := range names {
		s.Fields = append(s.Fields, column.Field{Name: n, Type: column.Of(column.Int64), Nullable: true})
	}
	return s
}

func savepointsSchema() *column.Schema {
	return withNumbers(text("query", "savepoint", "created"), "batch", "entries", "bytes")
}

// savepointRows are the lines of SHOW SAVEPOINTS.
func (e *Engine) savepointRows(ctx context.Context, query string) ([][]any, error) {
	list, err := e.opts.Savepoints.List(ctx, query)
	if err != nil {
		return nil, err
	}
	var rows [][]any
	for _, m := range list {
		n, bytes := m.Size()
		rows = append(rows, []any{m.Query, m.Name, m.Created.Format(time.RFC3339), m.Batch, n, bytes})
	}
	return rows, nil
}

// pause holds a query after the batch in hand, or lets it go on; one that was stopped, or failed, is started again by that.
func (e *Engine) pause(ctx context.Context, name string, on bool) error {
	q, err := e.known(ctx, name)
	if err != nil {
		return err
	}
	if on && (q.loop == nil || !q.active()) {
		r, _ := e.opts.Queries.Query(q.name)
		return usererr.New("STREAMING_QUERY_NOT_RUNNING", "55000", "The query %s is %s, so it cannot be paused.", q.name, r.Status).WithFix("RESUME QUERY %s starts it.", q.name)
	}
	reply, err := e.send(ctx, stream.Command{Query: q.name, Pause: &on})
	if err != nil {
		return err
	}
	if q.loop != nil && q.active() {
		q.loop.Wake()
		return nil
	}
	_, err = e.resume(ctx, *reply.Record)
	return err
}

// replay runs a query's program over a part of history, into a topic of its own: what the query would have put out there.
func (s *Session) replay(ctx context.Context, p *logical.ManageStream) (structured.Rows, error) {
	q, err := s.engine.known(ctx, p.Query)
	if err != nil {
		return nil, err
	}
	run := &logical.Run{Name: p.Name}
	for _, b := range []struct {
		text string
		to   **int64
	}{{p.From, &run.From}, {p.To, &run.To}} {
		us, ok := column.ParseTimestamp(b.text, s.location())
		if !ok {
			return nil, usererr.New("CAST_INVALID_INPUT", "22018", "%q is no timestamp.", b.text).WithFix("Write '2026-01-05 10:00:00'.")
		}
		*b.to = &us
	}
	if len(q.def.Sink) > 0 && q.def.Sink[len(q.def.Sink)-1] == p.Name {
		return nil, usererr.New("REPLAY_INTO_ITSELF", "42809", "%s is where the query %s itself writes to.", p.Name, q.name).WithFix("Replay into another topic.")
	}
	as, err := q.def.session(s.engine)
	if err != nil {
		return nil, err
	}
	plan, err := q.def.query(s.engine)
	if err != nil {
		return nil, err
	}
	plan = logical.TransformUp(plan, notStreaming)
	if _, there, err := s.engine.opts.Catalog.Table(ctx, p.Name); err != nil {
		return nil, err
	} else if !there {
		analysed, err := as.analyse(ctx, &logical.Run{From: run.From, To: run.To, Child: plan}, q.def.Text, run)
		if err != nil {
			return nil, err
		}
		def := catalog.TableDef{Name: p.Name, Provider: "topic", Options: map[string]string{}, Schema: schemaOf(analysed.Output())}
		if err := s.engine.opts.Catalog.CreateTable(ctx, def); err != nil {
			return nil, err
		}
	}
	return as.insert(ctx, &logical.InsertInto{Table: []string{p.Name}, Query: plan, Pos: p.Pos}, run, q.def.Text)
}

// notStreaming reads a table's history where the query reads it as a stream.
func notStreaming(n logical.Plan) logical.Plan {
	if t, ok := n.(*logical.UnresolvedTable); ok && t.Streaming {
		c := *t
		c.Streaming = false
		return &c
	}
	return n
}
