package driver

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/streamflow/streamflow/driver/savepoint"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/logstore/tier"
	"github.com/streamflow/streamflow/rdd"
	"github.com/streamflow/streamflow/structured/connector"
	"github.com/streamflow/streamflow/structured/physical"
	"github.com/streamflow/streamflow/structured/stream"
)

// autoPrefix begins the names of savepoints that a query makes by itself.
const autoPrefix = "auto-"

// CreateSavepoint writes what a query keeps, between two of its batches, as a savepoint.
func (e *Engine) CreateSavepoint(ctx context.Context, of, name string) (*savepoint.Manifest, savepoint.Written, error) {
	var m *savepoint.Manifest
	var w savepoint.Written
	err := e.settled(ctx, of, func(q *query, r stream.Record) (err error) {
		m, w, err = e.save(ctx, q.planned.phys, &r, name)
		return err
	})
	return m, w, err
}

// save writes a settled query's savepoint.
func (e *Engine) save(ctx context.Context, phys *physical.Physical, r *stream.Record, name string) (*savepoint.Manifest, savepoint.Written, error) {
	c := r.Committed
	if c == nil {
		return nil, savepoint.Written{}, usererr.New("SAVEPOINT_NOT_POSSIBLE", "55000", "The query %s has not committed a batch yet.", r.Name).WithFix("Wait for its first one.")
	}
	m := &savepoint.Manifest{Query: r.Name, Name: name, Created: time.Now().UTC().Truncate(time.Millisecond), Batch: c.Batch, Definition: r.Definition,
		Offsets: offsetsOut(c.Offsets), StartOffsets: offsetsOut(r.StartOffsets), Clocks: c.Clocks, Watermarks: c.Watermarks}
	w, err := e.opts.Savepoints.Create(ctx, m, func(put func(string, bool, func(func(*savepoint.Entry) error) error) error) error {
		for i := range phys.Stateful {
			op := &phys.Stateful[i]
			if err := put(op.Op, op.TTL > 0, func(visit func(*savepoint.Entry) error) error { return e.rawEntries(ctx, r, op, visit) }); err != nil {
				return err
			}
		}
		return nil
	})
	if errors.Is(err, savepoint.ErrExists) {
		err = usererr.New("SAVEPOINT_ALREADY_EXISTS", "42710", "There is a savepoint %s of query %s already.", name, r.Name).WithFix("Take another name.")
	}
	return m, w, err
}

// rawEntries visits entries as they are kept.
func (e *Engine) rawEntries(ctx context.Context, r *stream.Record, op *physical.StatefulOp, visit func(*savepoint.Entry) error) error {
	for p := range op.Parts {
		err := e.opts.Cluster.ViewState(ctx, r.Name, stateName(r, op.Op), p, op.Parts, r.NextBatch()-1, func(st rdd.State) error {
			return scanPartition(st, p, false, func(en *entry) error {
				return visit(&savepoint.Entry{Group: en.group, Bucket: en.bucket, Key: en.key, Value: en.value})
			})
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func offsetsOut(m map[string]connector.Offsets) map[string][]int64 {
	out := make(map[string][]int64, len(m))
	for k, v := range m {
		out[k] = v
	}
	return out
}

func offsetsIn(m map[string][]int64) map[string]connector.Offsets {
	out := make(map[string]connector.Offsets, len(m))
	for k, v := range m {
		out[k] = v
	}
	return out
}

// openSavepoint finds a savepoint by "query/name".
func (e *Engine) openSavepoint(ctx context.Context, text string) (*savepoint.Manifest, error) {
	query, name, ok := strings.Cut(text, "/")
	if !ok {
		return nil, usererr.New("SAVEPOINT_NOT_FOUND", "42704", "%q names no savepoint.", text).WithFix("Write 'query/name'; SHOW SAVEPOINTS lists them.")
	}
	m, err := e.opts.Savepoints.Open(ctx, query, name)
	return m, noSavepoint(err, query, name)
}

func noSavepoint(err error, query, name string) error {
	if errors.Is(err, tier.ErrNotFound) {
		return usererr.New("SAVEPOINT_NOT_FOUND", "42704", "There is no savepoint %s of query %s.", name, query).WithFix("SHOW SAVEPOINTS lists them.")
	}
	return err
}

// savepointStart begins the Start of a definition whose query begins with a savepoint.
const savepointStart = "savepoint:"

// savepointLoad is the load of a query that begins with a savepoint and has not done it yet; nil for any other.
func (e *Engine) savepointLoad(ctx context.Context, q *query, r *stream.Record) (*load, error) {
	text, ok := strings.CutPrefix(q.def.Start, savepointStart)
	if !ok || r.Loaded != "" {
		return nil, nil
	}
	m, err := e.openSavepoint(ctx, text)
	if err != nil {
		return nil, err
	}
	old, err := e.plannedFor(ctx, stream.Record{Name: m.Query, Definition: m.Definition}, true)
	if err != nil {
		return nil, fmt.Errorf("the query of savepoint %s cannot be planned: %w", text, err)
	}
	old.planned.job.Close()
	v := &version{phys: old.planned.phys, offsets: offsetsIn(m.Offsets), clocks: m.Clocks, watermarks: m.Watermarks, scan: e.savedEntries(m)}
	l := &load{e: e, query: q.name, from: v, to: q.planned, changes: compare(old.planned.phys.Stateful, q.planned.phys.Stateful), id: "savepoint:" + text}
	return l, refuseRebuild(l.changes, false)
}

// autoSave makes a query's own savepoint when one is due, and lets go of the oldest. The query's loop calls it between two
// batches.
func (q *query) autoSave(p *stream.Progress) error {
	conf := &q.planned.streamConf
	if conf.saveEvery <= 0 || p.Published.Sub(q.lastSave) < conf.saveEvery {
		return nil
	}
	q.lastSave = p.Published
	r, ok := q.engine.opts.Queries.Query(q.name)
	if !ok || r.Committed == nil {
		return nil
	}
	if _, _, err := q.engine.save(q.engine.ctx, q.planned.phys, &r, fmt.Sprintf("%s%d", autoPrefix, r.Committed.Batch)); err != nil {
		return err
	}
	return q.engine.opts.Savepoints.Prune(q.engine.ctx, q.name, autoPrefix, conf.keep)
}
