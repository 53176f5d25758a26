package console

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/rdd"
	"github.com/streamflow/streamflow/structured/connector"
	"github.com/streamflow/streamflow/structured/connector/memory"
)

// Table is the console as a table that takes rows. Options: numRows (20), truncate (true: cells of at most 20
// characters; false; or a number).
type Table struct {
	out      io.Writer
	loc      *time.Location
	options  map[string]string
	rows     int
	truncate int

	mu      sync.Mutex
	printed map[string]int64 // query -> last batch printed
}

// New returns a console on w. Timestamps are shown in loc, nil for UTC.
func New(w io.Writer, loc *time.Location, options map[string]string) (*Table, error) {
	if loc == nil {
		loc = time.UTC
	}
	t := &Table{out: w, loc: loc, options: options, rows: 20, truncate: 20, printed: map[string]int64{}}
	for k, v := range options {
		var err error
		switch strings.ToLower(k) {
		case "numrows":
			t.rows, err = strconv.Atoi(v)
		case "truncate":
			t.truncate, err = truncation(v)
		}
		if err != nil {
			return nil, usererr.New("INVALID_OPTION", "42616", "Option %s = %q of the console is not a number.", k, v)
		}
	}
	return t, nil
}

// truncation reads Spark's option: true is 20, false is none.
func truncation(v string) (int, error) {
	switch strings.ToLower(v) {
	case "true":
		return 20, nil
	case "false":
		return 0, nil
	}
	return strconv.Atoi(v)
}

func (t *Table) Name() string               { return "console" }
func (t *Table) Schema() *column.Schema     { return &column.Schema{} }
func (t *Table) Hidden() int                { return 0 }
func (t *Table) Provider() string           { return "console" }
func (t *Table) Options() map[string]string { return t.options }

// PlanWrite takes rows of any schema in every output mode.
func (t *Table) PlanWrite(_ context.Context, req connector.WriteRequest) (connector.Sink, error) {
	return &sink{t: t, schema: req.Schema, deletes: req.Deletes}, nil
}

type sink struct {
	t       *Table
	schema  *column.Schema
	deletes bool // the last column says which rows are gone
}

func (s *sink) Op() rdd.Operator { return &memory.Stage{} }
func (s *sink) Guarantee() string {
	return "at-least-once: a batch is printed again when the node fails while printing it"
}
func (s *sink) Begin(context.Context, connector.Tx) (map[string]string, error) { return nil, nil }
func (s *sink) Abort(context.Context, connector.Tx) error                      { return nil }

// Publish prints the batch.
func (s *sink) Publish(_ context.Context, tx connector.Tx, tokens [][]byte) error {
	t := s.t
	t.mu.Lock()
	defer t.mu.Unlock()
	if last, ok := t.printed[tx.Life()]; ok && tx.Query != "" && tx.Batch <= last {
		return nil
	}
	var rows []*column.Batch
	for _, tok := range tokens {
		b, err := memory.Unpack(s.schema, tok)
		if err != nil {
			return err
		}
		rows = append(rows, b...)
	}
	schema := s.schema
	if s.deletes {
		schema, rows = withKinds(schema, rows)
	}
	if _, err := io.WriteString(t.out, t.render(tx, schema, rows)); err != nil {
		return fmt.Errorf("console: %w", err)
	}
	t.printed[tx.Life()] = tx.Batch
	return nil
}

// withKinds shows instead of weights which rows are new and which are gone, by Flink's short names of RowKind.
func withKinds(schema *column.Schema, batches []*column.Batch) (*column.Schema, []*column.Batch) {
	last := len(schema.Fields) - 1
	fields := append([]column.Field{}, schema.Fields[:last]...)
	out := &column.Schema{Fields: append(fields, column.Field{Name: connector.OpColumn, Type: column.Of(column.String)})}
	shown := make([]*column.Batch, len(batches))
	for i, b := range batches {
		kinds := column.NewBuilder(column.Of(column.String))
		for _, w := range b.Cols[last].I64[:b.N] {
			if w < 0 {
				kinds.AppendString("-D")
			} else {
				kinds.AppendString("+U")
			}
		}
		shown[i] = &column.Batch{Schema: out, N: b.N, Cols: append(append([]*column.Vector{}, b.Cols[:last]...), kinds.Finish())}
	}
	return out, shown
}

func (t *Table) render(tx connector.Tx, schema *column.Schema, batches []*column.Batch) string {
	var b strings.Builder
	rule := strings.Repeat("-", 43)
	fmt.Fprintf(&b, "%s\nBatch: %d\n%s\n", rule, tx.Batch, rule)
	b.WriteString(Format(schema, batches, t.rows, t.truncate, t.loc))
	b.WriteByte('\n')
	return b.String()
}
