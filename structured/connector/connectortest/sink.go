package connectortest

import (
	"context"
	"strings"
	"testing"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/rdd"
	"github.com/streamflow/streamflow/structured/connector"
)

// Target is a place under test that rows are written to.
type Target struct {
	Table connector.Writer
	// Read returns the committed rows.
	Read func() ([]*column.Batch, error)
	// Reopen returns the table as a process that starts again finds it; nil when it does not outlive the process.
	Reopen func() connector.Writer
}

// Sink checks that what is staged becomes visible by Publish alone, once, and never after Abort.
func Sink(t *testing.T, make func(t *testing.T) Target, services map[string]any) {
	t.Helper()
	ctx := context.Background()
	plan := func(t *testing.T, w connector.Writer, overwrite bool) connector.Sink {
		t.Helper()
		s, err := w.PlanWrite(ctx, connector.WriteRequest{Schema: Schema, Query: "q", Overwrite: overwrite})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	t.Run("staged rows are visible once published", func(t *testing.T) {
		g := make(t)
		s, tx := plan(t, g.Table, false), connector.Tx{Query: "q", Epoch: 1, Batch: 0}
		tokens := stage(t, s, tx, services, Rows(0, 10), Rows(10, 7))
		visible(t, g, 0)
		for range 2 { // publishing again changes nothing
			if err := s.Publish(ctx, tx, tokens); err != nil {
				t.Fatal(err)
			}
			visible(t, g, 17)
		}
	})
	t.Run("aborted rows never appear", func(t *testing.T) {
		g := make(t)
		s, tx := plan(t, g.Table, false), connector.Tx{Query: "q", Epoch: 1, Batch: 0}
		stage(t, s, tx, services, Rows(100, 5))
		if err := s.Abort(ctx, tx); err != nil {
			t.Fatal(err)
		}
		visible(t, g, 0)
		tokens := stage(t, s, tx, services, Rows(0, 4))
		if err := s.Publish(ctx, tx, tokens); err != nil {
			t.Fatal(err)
		}
		visible(t, g, 4)
	})
	t.Run("batch after batch", func(t *testing.T) {
		g := make(t)
		s := plan(t, g.Table, false)
		n := 0
		for batch := range int64(5) {
			tx := connector.Tx{Query: "q", Epoch: 1, Batch: batch}
			k := int(batch) * 3 // the first is empty
			tokens := stage(t, s, tx, services, Rows(n, k))
			if err := s.Publish(ctx, tx, tokens); err != nil {
				t.Fatal(err)
			}
			n += k
			visible(t, g, n)
		}
	})
	t.Run("overwrite replaces", func(t *testing.T) {
		g := make(t)
		tx := connector.Tx{Query: "q", Epoch: 1, Batch: 0}
		s := plan(t, g.Table, false)
		if err := s.Publish(ctx, tx, stage(t, s, tx, services, Rows(50, 9))); err != nil {
			t.Fatal(err)
		}
		if _, err := g.Table.PlanWrite(ctx, connector.WriteRequest{Schema: Schema, Query: "q", Overwrite: true}); err != nil {
			if u, ok := usererr.As(err); ok && strings.HasPrefix(u.Code, "UNSUPPORTED_OVERWRITE") {
				t.Skip("the table refuses it")
			}
			t.Fatal(err)
		}
		s, tx.Batch = plan(t, g.Table, true), 1
		tokens := stage(t, s, tx, services, Rows(0, 3))
		if err := s.Publish(ctx, tx, tokens); err != nil {
			t.Fatal(err)
		}
		visible(t, g, 3)
	})
	t.Run("a new process aborts what it does not know", func(t *testing.T) { restart(t, make(t), plan, services) })
}

// restart stages a batch, forgets everything, aborts on the new process's behalf and publishes another.
func restart(t *testing.T, g Target, plan func(*testing.T, connector.Writer, bool) connector.Sink, services map[string]any) {
	if g.Reopen == nil {
		t.Skip("the table does not outlive the process")
	}
	ctx := context.Background()
	s, tx := plan(t, g.Table, false), connector.Tx{Query: "q", Epoch: 1, Batch: 0}
	first := stage(t, s, tx, services, Rows(0, 6))
	if err := s.Publish(ctx, tx, first); err != nil {
		t.Fatal(err)
	}
	tx.Batch = 1
	stage(t, s, tx, services, Rows(70, 8))

	s = plan(t, g.Reopen(), false)
	// The commit entry of batch 0 is published again; batch 1 was never committed.
	if err := s.Publish(ctx, connector.Tx{Query: "q", Epoch: 2, Batch: 0}, first); err != nil {
		t.Fatal(err)
	}
	tx.Epoch = 2
	if err := s.Abort(ctx, tx); err != nil {
		t.Fatal(err)
	}
	visible(t, g, 6)
	tokens := stage(t, s, tx, services, Rows(6, 2))
	if err := s.Publish(ctx, tx, tokens); err != nil {
		t.Fatal(err)
	}
	visible(t, g, 8)
}

// visible checks that exactly Rows(0, n) can be read.
func visible(t *testing.T, g Target, n int) {
	t.Helper()
	got, err := g.Read()
	if err != nil {
		t.Fatal(err)
	}
	same(t, rowsOf(got), rowsOf([]*column.Batch{Rows(0, n)}))
}

// stage runs one task for each batch and returns the tokens.
func stage(t *testing.T, s connector.Sink, tx connector.Tx, services map[string]any, batches ...*column.Batch) [][]byte {
	t.Helper()
	params, err := s.Begin(context.Background(), tx)
	if err != nil {
		t.Fatal(err)
	}
	binding := &rdd.Binding{Query: tx.Query, Epoch: tx.Epoch, Batch: tx.Batch, Params: params}
	var tokens [][]byte
	for p, b := range batches {
		tc, reports := Task(t, p, binding, services)
		r, err := s.Op().Open(tc, []rdd.Reader{&fixed{[]*column.Batch{b}}})
		if err != nil {
			t.Fatal(err)
		}
		out, err := drain(r)
		if err != nil {
			t.Fatal(err)
		}
		if len(out) > 0 {
			t.Fatal("a sink yields no rows")
		}
		for _, rep := range *reports {
			if rep.Key == connector.TokenKey {
				tokens = append(tokens, rep.Value)
			}
		}
	}
	return tokens
}
