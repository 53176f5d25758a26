package driver

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/google/uuid"

	"github.com/streamflow/streamflow/executor/state"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/structured/logical"
	"github.com/streamflow/streamflow/structured/stream"
)

// replaceQuery is CREATE OR REPLACE STREAMING QUERY: the query goes on as another version. The old version stops after the
// batch in hand; one commit then brings its state over, makes the new definition the query's, and says where it reads on.
// With START FROM the new version begins all over from there.
func (s *Session) replaceQuery(ctx context.Context, c *logical.CreateStream, source logical.Plan) (*query, error) {
	e := s.engine
	r, there := e.opts.Queries.Query(c.Name)
	if !there {
		return s.startQuery(ctx, c, source)
	}
	def, err := s.define(c, source)
	if err != nil {
		return nil, err
	}
	if c.Start == "" && def.same(r.Definition) {
		if q, err := e.find(c.Name); err == nil && q.active() {
			return q, nil
		}
		return e.resume(ctx, r)
	}
	q := &query{engine: e, name: r.Name, id: r.ID, runID: uuid.NewString(), def: def, ended: make(chan struct{}), progressed: make(chan struct{})}
	if q.planned, err = s.planStream(ctx, c, r.Name, def.Text, false); err != nil {
		return nil, err
	}
	if err := e.succeed(ctx, q, r, c.Start != ""); err != nil {
		q.planned.job.Close()
		return nil, err
	}
	return q, nil
}

// succeed lets a new version of a query take over from the version that the record has.
func (e *Engine) succeed(ctx context.Context, q *query, r stream.Record, fresh bool) error {
	if r.Node != e.node() {
		return usererr.New("STREAMING_QUERY_ELSEWHERE", "55000", "The query %s runs on node %d.", r.Name, r.Node).WithFix("Replace it there.")
	}
	b, err := json.Marshal(q.def)
	if err != nil {
		return err
	}
	l := &load{e: e, query: q.name, to: q.planned, def: b, id: uuid.NewString(), fresh: fresh}
	old, err := e.plannedFor(ctx, r, true)
	if err != nil {
		if !fresh {
			return fmt.Errorf("the running version cannot be planned any more: %w", err)
		}
		l.from = &version{}
		l.changes = compare(nil, q.planned.phys.Stateful)
	} else {
		old.planned.job.Close()
		l.from = &version{phys: old.planned.phys}
		l.changes = compare(old.planned.phys.Stateful, q.planned.phys.Stateful)
	}
	if err := refuseRebuild(l.changes, fresh); err != nil {
		return err
	}
	if err := e.settle1(ctx, r); err != nil {
		return err
	}
	r, _ = e.opts.Queries.Query(q.name) // as the old version left it
	l.follow(&r)
	q.load = l
	e.launch(q)
	return e.loaded(ctx, q)
}

// refuseRebuild refuses a new version that cannot use some state, unless it begins anew.
func refuseRebuild(changes []opChange, fresh bool) error {
	for i := range changes {
		if c := &changes[i]; c.what == rebuildState && !fresh {
			return usererr.New("STREAMING_STATE_INCOMPATIBLE", "42K03", "The new version cannot use what %s keeps: %s.", c.op.Op, c.describe()).
				WithFix("Begin the new version with START FROM BEGINNING (or NOW, or a TIMESTAMP), which rebuilds its state from the input, or give it another name.")
		}
	}
	return nil
}

// settle1 stops a query of this node so that its last batch is published and nothing lies beyond it. One that does not run is
// taken up for that, and stopped before it runs a batch.
func (e *Engine) settle1(ctx context.Context, r stream.Record) error {
	q, err := e.find(r.Name)
	if err == nil && q.active() {
		return q.Stop(ctx)
	}
	if r.Epoch == 0 {
		return nil // it never began
	}
	if q, err = e.planned(ctx, r); err != nil {
		return fmt.Errorf("the last batch of the old version cannot be settled: %w", err)
	}
	q.stopAtOnce = true
	e.launch(q)
	select {
	case <-q.ended:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	return q.failure()
}

func (q *query) failure() error {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.err
}

// follow makes the version that a load begins with what a record has.
func (l *load) follow(r *stream.Record) {
	v := l.from
	v.offsets = r.StartOffsets
	if c := r.Committed; c != nil {
		v.offsets, v.clocks, v.watermarks = c.Offsets, c.Clocks, c.Watermarks
	}
	at := *r
	v.names = func(op string) string { return stateName(&at, op) }
	v.scan = l.e.liveEntries(at)
}

// loaded waits until a query has taken over what it was given, and drops the state that nothing needs any more.
func (e *Engine) loaded(ctx context.Context, q *query) error {
	var err error
	asked := q.loop.Between(ctx, func(r stream.Record) { err = e.retain(&r) })
	if errors.Is(asked, stream.ErrEnded) {
		<-q.ended
		if err := q.failure(); err != nil {
			return err
		}
		return nil // its input has ended already
	}
	return errors.Join(asked, err)
}

// retain drops state under names that no operator of the query has.
func (e *Engine) retain(r *stream.Record) error {
	keep := map[string]bool{}
	for _, name := range r.StateNames {
		keep[name], keep[state.IndexOp(name)] = true, true
	}
	return e.opts.Cluster.RetainState(r.Name, func(op string) bool { return keep[op] || len(keep) == 0 && !strings.Contains(op, "@") })
}
