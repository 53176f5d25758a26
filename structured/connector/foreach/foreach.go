// Package foreach is the sink that gives each micro-batch to a function of the program (process.RegisterBatch): Spark's
// foreachBatch.
//
//	tasks stage rows in the commit entry ─▶ entry replicated ─▶ Publish calls the function
//
// The function is called after the batch is committed, and again with the same rows and ID when the node died before it
// returned. The rows travel in the commit entry, so this is for results, not for a whole stream.
package foreach

import (
	"context"
	"fmt"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/rdd"
	"github.com/streamflow/streamflow/structured/connector"
	"github.com/streamflow/streamflow/structured/connector/memory"
	"github.com/streamflow/streamflow/structured/process"
)

// Function is the option that names the function.
const Function = "function"

// Table is a function as a table that takes rows.
type Table struct {
	name    string
	call    process.BatchFunction
	options map[string]string
}

// New finds the function that the options name.
func New(options map[string]string) (*Table, error) {
	name := options[Function]
	f, ok := process.LookupBatch(name)
	if !ok {
		return nil, usererr.New("UNRESOLVED_BATCH_FUNCTION", "42883", "This node has no batch function %q.", name).
			WithFix("Register it with process.RegisterBatch in the program that the node runs in (streamflow.Local).")
	}
	return &Table{name: name, call: f, options: options}, nil
}

func (t *Table) Name() string               { return t.name }
func (t *Table) Schema() *column.Schema     { return &column.Schema{} }
func (t *Table) Hidden() int                { return 0 }
func (t *Table) Provider() string           { return "foreachBatch" }
func (t *Table) Options() map[string]string { return t.options }

// PlanWrite takes rows of any schema in every output mode.
func (t *Table) PlanWrite(_ context.Context, req connector.WriteRequest) (connector.Sink, error) {
	return &sink{t: t, schema: req.Schema}, nil
}

type sink struct {
	t      *Table
	schema *column.Schema
}

func (s *sink) Op() rdd.Operator { return &memory.Stage{} }
func (s *sink) Guarantee() string {
	return "idempotent by batch id: a batch whose call was cut off comes again with the same rows and id"
}
func (s *sink) Begin(context.Context, connector.Tx) (map[string]string, error) { return nil, nil }
func (s *sink) Abort(context.Context, connector.Tx) error                      { return nil }

// Publish calls the function. Batches without rows are left out.
func (s *sink) Publish(ctx context.Context, tx connector.Tx, tokens [][]byte) (err error) {
	b := &process.Batch{Query: tx.Query, ID: tx.Batch, Schema: s.schema}
	for _, tok := range tokens {
		rows, err := memory.Unpack(s.schema, tok)
		if err != nil {
			return err
		}
		b.Rows = append(b.Rows, rows...)
	}
	if len(b.Rows) == 0 {
		return nil
	}
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
		if err != nil {
			err = fmt.Errorf("batch function %s, batch %d: %w", s.t.name, tx.Batch, err)
		}
	}()
	return s.t.call(ctx, b)
}
