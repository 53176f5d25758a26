package driver

import (
	"context"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/executor/state"
	"github.com/streamflow/streamflow/structured/catalog"
	"github.com/streamflow/streamflow/structured/connector"
	"github.com/streamflow/streamflow/structured/connector/memory"
	"github.com/streamflow/streamflow/structured/logical"
	"github.com/streamflow/streamflow/structured/physical"
	"github.com/streamflow/streamflow/structured/stream"
)

// StateSource is the data source of streaming queries' state: state('query', 'operator') in SQL, and
// read.format("statestore") with the options of stateOptions.
const StateSource = "statestore"

type stateProvider struct{ e *Engine }

// Open finds the operator; nothing is read.
func (p stateProvider) Open(ctx context.Context, def catalog.TableDef) (logical.Table, error) {
	o, err := parseStateOptions(def.Options)
	if err != nil {
		return nil, err
	}
	q, err := p.e.known(ctx, o.query)
	if err != nil {
		return nil, err
	}
	s, err := q.operator(o.operator)
	if err != nil {
		return nil, err
	}
	return &stateTable{e: p.e, query: q.name, op: *s, stateOptions: o, options: def.Options}, nil
}

// stateTable is the state of an operator as a table. Each scan reads it: as it is between two batches, or as it was.
type stateTable struct {
	e     *Engine
	query string
	op    physical.StatefulOp
	stateOptions
	options map[string]string
}

func (t *stateTable) empty() *memory.Table {
	return memory.New(t.Name(), stateSchema(&t.op.Layout, t.changes), t.op.Parts)
}

func (t *stateTable) Name() string               { return "state(" + t.query + ", " + t.op.Op + ")" }
func (t *stateTable) Schema() *column.Schema     { return t.empty().Schema() }
func (t *stateTable) Hidden() int                { return t.empty().Hidden() }
func (t *stateTable) Provider() string           { return StateSource }
func (t *stateTable) Options() map[string]string { return t.options }

// PlanScan copies the state, at one committed version. The last one is read between two batches, others beside them.
func (t *stateTable) PlanScan(ctx context.Context, req connector.ScanRequest) (*connector.Scan, error) {
	rows := t.empty()
	var r stream.Record
	now := false
	err := t.e.settled(ctx, t.query, func(_ *query, at stream.Record) error {
		r = at
		last := r.NextBatch() - 1
		if now = !t.changes && t.base < 0 && t.partition < 0 && (t.version < 0 || t.version == last); !now {
			return nil
		}
		return t.e.copyState(ctx, &r, &t.op, rows)
	})
	o := t.stateOptions
	if o.version < 0 {
		o.version = r.NextBatch() - 1
	}
	switch {
	case err != nil:
	case t.changes:
		err = t.e.copyChanges(ctx, &r, &t.op, &o, rows)
	case !now && o.version >= r.NextBatch():
		err = t.e.notKept(&r, &t.op, o.version, state.ErrVersion)
	case !now:
		err = t.e.copyPast(ctx, &r, &t.op, &o, rows)
	}
	if err != nil {
		return nil, err
	}
	return rows.PlanScan(ctx, req)
}

// copyState appends an operator's entries to a table, each to the partition it is in.
func (e *Engine) copyState(ctx context.Context, r *stream.Record, op *physical.StatefulOp, to *memory.Table) error {
	w := newStateWriter(&op.Layout, to, false)
	if err := e.scanState(ctx, r, op, w.add); err != nil {
		return err
	}
	return w.flush()
}

// stateWriter appends entries to a table, each to the partition it is in, or to the last that the table has.
type stateWriter struct {
	rows      *stateRows
	to        *memory.Table
	parts     int
	partition int
}

func newStateWriter(l *physical.StateLayout, to *memory.Table, changes bool) *stateWriter {
	return &stateWriter{rows: newStateRows(l, changes), to: to, parts: to.Parts()}
}

func (w *stateWriter) add(en *entry) error {
	if en.partition != w.partition || w.rows.n == column.BatchRows {
		if err := w.flush(); err != nil {
			return err
		}
		w.partition = en.partition
	}
	return w.rows.add(en)
}

func (w *stateWriter) flush() error {
	if w.rows.n == 0 {
		return nil
	}
	b, err := w.rows.batch()
	if err != nil {
		return err
	}
	return w.to.Append(min(w.partition, w.parts-1), b)
}
