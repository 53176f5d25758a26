package driver

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/streamflow/streamflow/executor/state"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/rdd"
	"github.com/streamflow/streamflow/structured/stream"
)

// rescale gives a query another number of tasks, and partitions of its state, between two of its batches. The query is planned
// for them while it runs; when the batch in hand is published its loop ends, one entry makes the number the query's, key groups
// change hands in the executors' memory, and the next loop goes on. Nothing is read again or written down anew.
func (e *Engine) rescale(ctx context.Context, name string, parts int) error {
	if parts < 1 || parts > rdd.KeyGroups {
		return usererr.New("INVALID_PARALLELISM", "22023", "The parallelism of a query is a number from 1 to %d, which is how many key groups its state has, not %d.", rdd.KeyGroups, parts)
	}
	old, err := e.known(ctx, name)
	if err != nil {
		return err
	}
	r, ok := e.opts.Queries.Query(old.name)
	if !ok {
		return refusal(old.name, stream.Reply{Refused: stream.RefusedUnknown})
	}
	if ofClient(r) {
		return usererr.New("STREAMING_QUERY_NOT_RESCALABLE", "0A000", "The rows of query %s go to the client that started it, which has its plan.", r.Name).WithFix("Start it again with SET %s = %d.", partsConf, parts)
	}
	to := r
	if to.Definition, err = reparted(r.Definition, parts, true); err != nil {
		return err
	}
	next, err := e.plannedAs(ctx, to, old)
	if err != nil {
		return err
	}
	cmd, err := shapeCommand(&r, old.planned, next.planned)
	if err != nil {
		next.planned.job.Close()
		return err
	}
	cmd.Definition = to.Definition
	if old.loop == nil || !old.active() {
		next.planned.job.Close()
		_, err := e.handOver(ctx, r.Name, cmd)
		return err
	}
	return e.relieve(ctx, old, next, cmd)
}

// relieve lets next go on where the loop of old leaves off. If the number of partitions cannot be changed, the old plan goes on.
func (e *Engine) relieve(ctx context.Context, old, next *query, cmd *stream.ShapeCmd) error {
	old.mu.Lock()
	old.heir = next
	next.id, next.runID, next.recent, next.totalRows, next.lastSnap, next.lastSave = old.id, old.runID, old.recent, old.totalRows, old.lastSnap, old.lastSave
	old.mu.Unlock()
	old.loop.Leave()
	<-old.ended
	if err := old.failure(); err != nil {
		next.planned.job.Close()
		close(next.ended)
		return err
	}
	r, ok := e.opts.Queries.Query(old.name)
	if !ok || r.Status != stream.Running { // its input has ended meanwhile
		next.planned.job.Close()
		close(next.ended)
		return nil
	}
	moved, err := e.handOver(ctx, old.name, cmd)
	if !moved {
		next.planned.job.Close()
		again, perr := e.plannedAs(e.ctx, r, old)
		if perr != nil {
			close(next.ended)
			return fmt.Errorf("query %s cannot go on: %w", old.name, perr)
		}
		next.planned = again.planned
	}
	e.launch(next)
	return err
}

// handOver makes the new number of partitions the query's, and moves the key groups that are in memory. moved says that the
// number is the query's now.
func (e *Engine) handOver(ctx context.Context, name string, cmd *stream.ShapeCmd) (moved bool, err error) {
	r, ok := e.opts.Queries.Query(name)
	if !ok {
		return false, refusal(name, stream.Reply{Refused: stream.RefusedUnknown})
	}
	gate := e.gate(name)
	gate.Lock()
	defer gate.Unlock()
	cmd.Epoch, cmd.Batch = r.Epoch, r.NextBatch()-1
	if _, err := e.send(ctx, stream.Command{Query: name, Shape: cmd}); err != nil {
		return false, err
	}
	for op, was := range cmd.Was {
		for _, kept := range []string{op, state.IndexOp(op)} {
			if err := e.opts.Cluster.RescaleState(name, kept, was, cmd.Parts[op], cmd.Batch); err != nil {
				e.log.Warn("state is not moved in memory; it is restored", "query", name, "operator", kept, "err", err)
			}
		}
	}
	return true, nil
}

// shapeCommand compares two plans of a query that are to differ in the number of partitions only.
func shapeCommand(r *stream.Record, old, next *plannedQuery) (*stream.ShapeCmd, error) {
	c := &stream.ShapeCmd{Was: map[string]int{}, Parts: map[string]int{}}
	was, now := old.phys.Stateful, next.phys.Stateful
	same := len(was) == len(now) && len(old.phys.Watermarks) == len(next.phys.Watermarks)
	for i := range was {
		if same = same && was[i].Op == now[i].Op && was[i].Layout.Shape == now[i].Layout.Shape; same && was[i].Parts != now[i].Parts {
			name := stateName(r, was[i].Op)
			c.Was[name], c.Parts[name] = was[i].Parts, now[i].Parts
		}
	}
	for i := range old.phys.Watermarks {
		same = same && old.phys.Watermarks[i].Op == next.phys.Watermarks[i].Op && old.phys.Watermarks[i].Parts == next.phys.Watermarks[i].Parts
	}
	if !same {
		return nil, usererr.New("STREAMING_QUERY_NOT_RESCALABLE", "0A000", "The query %s would have other operators with that many partitions.", r.Name).
			WithFix("CREATE OR REPLACE STREAMING QUERY with SET %s brings its state over.", partsConf)
	}
	return c, nil
}

// reparted is an encoded definition with another number of partitions. chosen says that its user chose it.
func reparted(encoded []byte, parts int, chosen bool) ([]byte, error) {
	var d definition
	if err := json.Unmarshal(encoded, &d); err != nil {
		return nil, fmt.Errorf("driver: definition of a query: %w", err)
	}
	d.Parts = parts
	if chosen {
		if d.Conf == nil {
			d.Conf = map[string]string{}
		}
		d.Conf[partsConf] = strconv.Itoa(parts)
	}
	return json.Marshal(d)
}

// adapt gives a query that does not run the number of partitions that a node of this size gives it, unless its user chose one.
// A query that cannot be cut so keeps the number it has.
func (e *Engine) adapt(ctx context.Context, r stream.Record) (stream.Record, error) {
	var d definition
	if err := json.Unmarshal(r.Definition, &d); err != nil {
		return r, fmt.Errorf("driver: definition of query %s: %w", r.Name, err)
	}
	if _, chosen := d.Conf[partsConf]; chosen || d.Parts == 0 || d.Parts == e.opts.Parts {
		return r, nil
	}
	to := r
	var err error
	if to.Definition, err = reparted(r.Definition, e.opts.Parts, false); err != nil {
		return r, err
	}
	old, err := e.plannedFor(ctx, r, true)
	if err != nil {
		return r, err
	}
	old.planned.job.Close()
	next, err := e.plannedFor(ctx, to, true)
	if err != nil {
		return r, err
	}
	next.planned.job.Close()
	cmd, err := shapeCommand(&r, old.planned, next.planned)
	if err != nil {
		return r, nil
	}
	cmd.Definition = to.Definition
	if _, err := e.handOver(ctx, r.Name, cmd); err != nil {
		return r, err
	}
	e.log.Info("query takes the node's number of slots", "query", r.Name, "was", d.Parts, "now", e.opts.Parts)
	r, _ = e.opts.Queries.Query(r.Name)
	return r, nil
}
