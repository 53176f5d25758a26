package driver

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/structured"
	"github.com/streamflow/streamflow/structured/connector"
	"github.com/streamflow/streamflow/structured/connector/streamlog"
	"github.com/streamflow/streamflow/structured/logical"
	"github.com/streamflow/streamflow/structured/physical"
	"github.com/streamflow/streamflow/structured/stream"
)

// StartQuery starts a streaming query.
func (s *Session) StartQuery(ctx context.Context, c *logical.CreateStream) (structured.QueryHandle, error) {
	q, err := s.startQuery(ctx, c, c.Query)
	if err != nil {
		return nil, err
	}
	return q, nil
}

// startQuery registers and starts a query that resumes when the node restarts. source is the statement or plan as the
// client sent it.
func (s *Session) startQuery(ctx context.Context, c *logical.CreateStream, source logical.Plan) (*query, error) {
	def, err := s.define(c, source)
	if err != nil {
		return nil, err
	}
	return s.start(ctx, c, def, nil)
}

// start plans, registers and launches a query. Its rows go to deliver when that is not nil.
func (s *Session) start(ctx context.Context, c *logical.CreateStream, def definition, deliver stream.Deliver) (*query, error) {
	e := s.engine
	name := c.Name
	if name == "" {
		name = "query-" + uuid.NewString()[:8]
	}
	// Before anything is planned: planning a sink may make it anew.
	if old, ok := e.opts.Queries.Query(name); ok {
		if deliver == nil && old.Status != stream.Running && old.Node == e.node() && def.same(old.Definition) {
			return e.resume(ctx, old)
		}
		return nil, taken(name, old.Status)
	}
	var err error
	q := &query{engine: e, name: name, runID: uuid.NewString(), def: def, deliver: deliver, ended: make(chan struct{}), progressed: make(chan struct{})}
	if q.planned, err = s.planStream(ctx, c, name, def.Text, deliver != nil); err != nil {
		return nil, err
	}
	if q.load, err = e.savepointLoad(ctx, q, &stream.Record{}); err == nil {
		err = q.register(ctx)
	}
	if err != nil {
		q.planned.job.Close()
		return nil, err
	}
	e.launch(q)
	if q.load != nil {
		return q, e.loaded(ctx, q)
	}
	return q, nil
}

// query is a streaming query of this node: its loop and what is known of it.
type query struct {
	engine  *Engine
	name    string
	id      string
	runID   string
	def     definition
	planned *plannedQuery
	deliver stream.Deliver
	loop    *stream.Loop
	own     *streamlog.QueryLog

	ended chan struct{}

	mu         sync.Mutex
	err        error
	recent     []*stream.Progress
	progressed chan struct{} // closed and replaced after each batch
	totalRows  int64
	lastSnap   time.Time
	latency    latencies
	samples    []sizeSample

	load       *load     // what it takes over before it reads anything; nil for nothing
	heir       *query    // goes on with it, with another number of partitions
	stopAtOnce bool      // it is taken up only to settle its last batch
	lastSave   time.Time // of its own savepoints
}

// register replicates the query, before anything of it runs.
func (q *query) register(ctx context.Context) error {
	e := q.engine
	b, err := json.Marshal(q.def)
	if err != nil {
		return err
	}
	producer, err := e.opts.Log.Broker.NextProducerID(ctx)
	if err != nil {
		return err
	}
	q.id = uuid.NewString()
	_, err = e.send(ctx, stream.Command{Query: q.name, Create: &stream.CreateCmd{ID: q.id, Definition: b, ProducerID: producer, Node: e.node()}})
	return err
}

// launch starts the query's loop and returns when the loop has the query, or has ended: a record that is produced after that
// is one that a query from now on reads.
func (e *Engine) launch(q *query) {
	gate := e.gate(q.name)
	gate.Lock()
	defer gate.Unlock()
	q.own = streamlog.NewQueryLog(e.opts.Log, q.name, q.name, stateParts(q.planned.phys))
	q.loop = stream.NewLoop(q.spec(), queryLog{e}, clusterState{e.opts.Cluster}, func() (stream.Record, bool) { return e.opts.Queries.Query(q.name) })
	q.loop.Logger = e.log
	q.loop.OnProgress = q.onProgress
	if q.stopAtOnce {
		q.loop.Stop()
	}
	e.mu.Lock()
	if old := e.running[q.name]; old != nil {
		e.order = remove(e.order, old)
	}
	e.running[q.name] = q
	e.order = append(e.order, q)
	e.mu.Unlock()
	e.queries.Add(1)
	go e.drive(q)
	select {
	case <-q.loop.Claimed():
	case <-q.ended:
	}
}

// spec is what the loop must bind in each batch.
func (q *query) spec() *stream.Spec {
	p := q.planned
	spec := &stream.Spec{Name: q.name, Job: streamJob{p.job}, Own: q.own, Deliver: q.deliver, Trigger: p.trigger, MaxRows: p.maxRows,
		IdleTimeout: p.idle, IdleClose: p.close, Settle: p.phys.Settle(), Static: staticSplits(p.phys), Lags: map[string]int64{}, MaxWatermark: p.maxWatermark, MaxDrift: p.maxDrift}
	for _, s := range p.phys.Sources {
		if s.Stream == nil {
			continue
		}
		start := s.Start
		if start.Mode == "" {
			start = p.start
		}
		spec.Sources = append(spec.Sources, stream.Source{ID: s.Op, Reader: s.Stream, Start: start})
	}
	for _, w := range p.phys.Watermarks {
		op := stream.WatermarkOp{ID: w.Op, Delay: w.Delay, Parts: w.Parts, Column: w.Column}
		if len(w.Sources) == 1 {
			op.Source = w.Sources[0]
		}
		spec.Watermarks = append(spec.Watermarks, op)
	}
	for _, s := range p.phys.Stateful {
		spec.Stateful = append(spec.Stateful, s.Op)
		spec.Wakes = spec.Wakes || s.Wakes
		if s.TTL > 0 {
			if spec.StateTTL == nil {
				spec.StateTTL = map[string]int64{}
			}
			spec.StateTTL[s.Op] = s.TTL
		}
		if s.Lag != 0 {
			spec.Lags[s.Op] = s.Lag
		}
	}
	spec.TargetLatency, spec.Restart, spec.Admission = p.target, p.restart, &q.engine.admission
	if q.load != nil {
		spec.Load = q.load.state()
	}
	for _, r := range p.phys.Refreshes {
		spec.Refresh = append(spec.Refresh, stream.Refresh{ID: r.Op, Every: time.Duration(r.Every) * time.Microsecond, Read: r.Read})
	}
	if p.phys.Sink != nil {
		spec.Sinks = []stream.Sink{{ID: p.phys.SinkOp, Sink: p.phys.Sink}}
	}
	return spec
}

// stateParts is how many partitions the state of a plan has at the most: its changelog has as many.
func stateParts(phys *physical.Physical) (n int) {
	phys.Root.Walk(func(node *physical.Node) { n = max(n, node.Parts) })
	return n
}

func remove(list []*query, q *query) []*query {
	out := list[:0]
	for _, x := range list {
		if x != q {
			out = append(out, x)
		}
	}
	return out
}

// drive runs the loop to its end.
func (e *Engine) drive(q *query) {
	defer e.queries.Done()
	err := q.loop.Run(e.ctx)
	if e.ctx.Err() != nil {
		err = usererr.New("NODE_STOPPED", "57P01", "The node stopped; query %s goes on when it starts again.", q.name)
	}
	if err != nil && e.ctx.Err() == nil {
		e.log.Error("query failed", "query", q.name, "err", err)
	}
	q.own.Close()
	q.planned.job.Close()
	q.mu.Lock()
	q.err = err
	q.mu.Unlock()
	close(q.ended)
}

// streamJob adapts a Job to what the loop needs.
type streamJob struct{ job *Job }

func (j streamJob) Run(ctx context.Context, r stream.JobRun) (*stream.RunResult, error) {
	res, err := j.job.Run(ctx, RunOptions{Binding: r.Binding, BeforeStage: r.BeforeStage, OnBatch: r.OnBatch, OnSide: r.OnSide})
	if err != nil {
		return nil, err
	}
	return &stream.RunResult{Tasks: res.Tasks}, nil
}

// clusterState is the executors' state.
type clusterState struct{ c *Cluster }

func (s clusterState) Commit(query string, version int64) error {
	return s.c.CommitState(query, version)
}
func (s clusterState) Abort(query string) error { return s.c.AbortState(query) }

// Resume starts the queries that were running when the node went down and settles interrupted batch writes.
func (e *Engine) Resume(ctx context.Context) error {
	e.loadModules()
	var errs []error
	for _, r := range e.opts.Queries.Queries() {
		switch {
		case r.Node != e.node(): // another node's
		case isBatch(r.Name):
			errs = append(errs, e.settle(ctx, r.Name))
		case ofClient(r):
			errs = append(errs, e.abandon(ctx, r))
		case r.Status == stream.Running:
			if _, err := e.resume(ctx, r); err != nil {
				e.log.Error("query cannot resume", "query", r.Name, "err", err)
				if _, serr := e.send(ctx, stream.Command{Query: r.Name, Status: &stream.StatusCmd{Status: stream.Failed, Error: err.Error()}}); serr != nil {
					errs = append(errs, serr)
				}
			}
		}
	}
	return errors.Join(errs...)
}

// ofClient reports whether a query's rows went to the client that started it: it has no plan to resume by.
func ofClient(r stream.Record) bool {
	var d definition
	return json.Unmarshal(r.Definition, &d) == nil && len(d.Plan) == 0
}

// resume plans a query as it was defined and starts it where it stopped.
func (e *Engine) resume(ctx context.Context, r stream.Record) (*query, error) {
	r, err := e.adapt(ctx, r)
	if err != nil {
		return nil, err
	}
	q, err := e.planned(ctx, r)
	if err != nil {
		return nil, err
	}
	e.log.Info("query resumes", "query", r.Name, "batch", r.NextBatch())
	e.launch(q)
	return q, nil
}

// planned plans a query as it was defined.
func (e *Engine) planned(ctx context.Context, r stream.Record) (*query, error) {
	q, err := e.plannedFor(ctx, r, false)
	if err == nil {
		q.load, err = e.savepointLoad(ctx, q, &r)
	}
	return q, err
}

// plannedFor plans a query as it was defined; without its sink when only its operators are of interest.
func (e *Engine) plannedFor(ctx context.Context, r stream.Record, noSink bool) (*query, error) {
	return e.replanned(ctx, r, noSink, nil)
}

// plannedAs plans a query as it was defined, to write where another plan of it writes.
func (e *Engine) plannedAs(ctx context.Context, r stream.Record, old *query) (*query, error) {
	return e.replanned(ctx, r, false, old.planned.writer)
}

func (e *Engine) replanned(ctx context.Context, r stream.Record, noSink bool, sink connector.Writer) (*query, error) {
	q := &query{engine: e, name: r.Name, id: r.ID, runID: uuid.NewString(), ended: make(chan struct{}), progressed: make(chan struct{})}
	if err := json.Unmarshal(r.Definition, &q.def); err != nil {
		return nil, fmt.Errorf("driver: definition of query %s: %w", r.Name, err)
	}
	d := &q.def
	s, err := d.session(e)
	if err != nil {
		return nil, err
	}
	s.sink = sink
	plan, err := d.query(e)
	if err != nil {
		return nil, err
	}
	c := &logical.CreateStream{Name: r.Name, Query: plan, Sink: d.Sink, Columns: d.Columns, ByName: d.ByName, Format: d.Format, Options: d.Options,
		OutputMode: d.OutputMode, Trigger: d.Trigger, Start: d.Start}
	q.planned, err = s.planStream(ctx, c, r.Name, d.Text, noSink)
	return q, err
}

// Queries are the streaming queries of the node.
func (s *Session) Queries(context.Context) ([]structured.QueryHandle, error) {
	e := s.engine
	e.mu.Lock()
	defer e.mu.Unlock()
	var out []structured.QueryHandle
	for _, q := range e.order {
		out = append(out, q)
	}
	return out, nil
}

// find returns a query of this node by name or id.
func (e *Engine) find(name string) (*query, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	var names []string
	for _, q := range e.order {
		if strings.EqualFold(q.name, name) || q.id == name {
			return q, nil
		}
		names = append(names, q.name)
	}
	err := usererr.New("STREAMING_QUERY_NOT_FOUND", "42704", "There is no streaming query %s.", name)
	if near := usererr.Nearest(name, names, 1); len(near) > 0 {
		return nil, err.WithFix("Did you mean %s?", near[0])
	}
	return nil, err.WithFix("SHOW QUERIES lists them.")
}
