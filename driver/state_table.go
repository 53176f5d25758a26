package driver

import (
	"context"
	"strconv"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/structured/catalog"
	"github.com/streamflow/streamflow/structured/connector"
	"github.com/streamflow/streamflow/structured/connector/memory"
	"github.com/streamflow/streamflow/structured/logical"
	"github.com/streamflow/streamflow/structured/physical"
	"github.com/streamflow/streamflow/structured/stream"
)

// StateSource is the data source of streaming queries' state: state('query', 'operator') in SQL, and
// read.format("statestore") with the options query, operator and version.
const StateSource = "statestore"

type stateProvider struct{ e *Engine }

// Open finds the operator; nothing is read.
func (p stateProvider) Open(ctx context.Context, def catalog.TableDef) (logical.Table, error) {
	name, op := def.Options["query"], def.Options["operator"]
	if op == "" {
		op = def.Options["operatorId"]
	}
	if name == "" || op == "" {
		return nil, usererr.New("STDS_REQUIRED_OPTION_UNSPECIFIED", "42601", "The state of a query is read with the options query and operator.").
			WithFix("Give both: state('query', 'operator').")
	}
	q, err := p.e.known(ctx, name)
	if err != nil {
		return nil, err
	}
	s, err := q.operator(op)
	if err != nil {
		return nil, err
	}
	t := &stateTable{e: p.e, query: q.name, op: *s, version: -1, options: def.Options}
	if v := def.Options["version"]; v != "" {
		if t.version, err = strconv.ParseInt(v, 10, 64); err != nil || t.version < 0 {
			return nil, usererr.New("STDS_INVALID_OPTION_VALUE", "42616", "A version of state is the number of a batch, not %q.", v)
		}
	}
	return t, nil
}

// stateTable is the state of an operator as a table. Each scan reads it as it is between two batches.
type stateTable struct {
	e       *Engine
	query   string
	op      physical.StatefulOp
	version int64 // -1 for the last committed one
	options map[string]string
}

func (t *stateTable) empty() *memory.Table {
	return memory.New(t.Name(), stateSchema(&t.op.Layout), t.op.Parts)
}

func (t *stateTable) Name() string               { return "state(" + t.query + ", " + t.op.Op + ")" }
func (t *stateTable) Schema() *column.Schema     { return t.empty().Schema() }
func (t *stateTable) Hidden() int                { return t.empty().Hidden() }
func (t *stateTable) Provider() string           { return StateSource }
func (t *stateTable) Options() map[string]string { return t.options }

// PlanScan copies the state, at one committed version.
func (t *stateTable) PlanScan(ctx context.Context, req connector.ScanRequest) (*connector.Scan, error) {
	rows := t.empty()
	err := t.e.settled(ctx, t.query, func(q *query, r stream.Record) error {
		if at := r.NextBatch() - 1; t.version >= 0 && t.version != at {
			return noVersion(t.query, t.version, at)
		}
		return t.e.copyState(ctx, &r, &t.op, rows)
	})
	if err != nil {
		return nil, err
	}
	return rows.PlanScan(ctx, req)
}

func noVersion(query string, asked, at int64) error {
	return usererr.New("STDS_VERSION_NOT_KEPT", "22023", "Version %d of the state of query %s is not kept; the last committed one is %d.", asked, query, at).
		WithFix("Leave the version out to read that one.")
}

// copyState appends an operator's entries to a table, each to the partition it is in.
func (e *Engine) copyState(ctx context.Context, r *stream.Record, op *physical.StatefulOp, to *memory.Table) error {
	rows, partition := newStateRows(&op.Layout), 0
	flush := func() error {
		if rows.n == 0 {
			return nil
		}
		b, err := rows.batch()
		if err != nil {
			return err
		}
		return to.Append(partition, b)
	}
	err := e.scanState(ctx, r, op, func(en *entry) error {
		if en.partition != partition || rows.n == column.BatchRows {
			if err := flush(); err != nil {
				return err
			}
			partition = en.partition
		}
		return rows.add(en)
	})
	if err != nil {
		return err
	}
	return flush()
}
