package foreach

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/rdd"
	"github.com/streamflow/streamflow/structured/connector"
	"github.com/streamflow/streamflow/structured/connector/connectortest"
	"github.com/streamflow/streamflow/structured/process"
)

// TestTheFunctionIsCalledWithRows: staged rows come to the function with the batch's id, the same when it is published again.
func TestTheFunctionIsCalledWithRows(t *testing.T) {
	var calls []string
	fail := false
	process.RegisterBatch("collect", func(_ context.Context, b *process.Batch) error {
		n := 0
		for _, r := range b.Rows {
			n += r.N
		}
		calls = append(calls, fmt.Sprintf("%s %d: %d rows", b.Query, b.ID, n))
		if fail {
			return errors.New("no disk")
		}
		return nil
	})
	ctx := context.Background()
	table, err := New(map[string]string{Function: "Collect"})
	if err != nil {
		t.Fatal(err)
	}
	s, err := table.PlanWrite(ctx, connector.WriteRequest{Schema: connectortest.Schema})
	if err != nil {
		t.Fatal(err)
	}
	tc, reports := connectortest.Task(t, 0, &rdd.Binding{Query: "q", Batch: 3}, nil)
	r, err := s.Op().Open(tc, []rdd.Reader{&once{connectortest.Rows(0, 3)}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Next(); err == nil {
		t.Fatal("a sink yields no rows")
	}
	var tokens [][]byte
	for _, rep := range *reports {
		tokens = append(tokens, rep.Value)
	}
	tx := connector.Tx{Query: "q", Batch: 3}
	fail = true
	if err := s.Publish(ctx, tx, tokens); err == nil || !strings.Contains(err.Error(), "collect, batch 3: no disk") && !strings.Contains(err.Error(), "Collect, batch 3: no disk") {
		t.Fatal(err)
	}
	fail = false
	if err := s.Publish(ctx, tx, tokens); err != nil {
		t.Fatal(err)
	}
	if err := s.Publish(ctx, connector.Tx{Query: "q", Batch: 4}, nil); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(calls, ", "); got != "q 3: 3 rows, q 3: 3 rows" {
		t.Fatal(got)
	}
	if _, err := New(map[string]string{Function: "nobody"}); err == nil || !strings.Contains(err.Error(), "UNRESOLVED_BATCH_FUNCTION") {
		t.Fatal(err)
	}
}

type once struct{ b *column.Batch }

func (o *once) Next() (*column.Batch, error) {
	b := o.b
	o.b = nil
	if b == nil {
		return nil, io.EOF
	}
	return b, nil
}
func (o *once) Close() error { return nil }
