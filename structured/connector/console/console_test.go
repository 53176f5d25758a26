package console

import (
	"context"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/rdd"
	"github.com/streamflow/streamflow/structured/connector"
	"github.com/streamflow/streamflow/structured/connector/connectortest"
)

func TestBatchesArePrintedOnce(t *testing.T) {
	var out strings.Builder
	table, err := New(&out, time.UTC, map[string]string{"numRows": "2", "truncate": "12"})
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	s, err := table.PlanWrite(ctx, connector.WriteRequest{Schema: connectortest.Schema, Mode: connector.Complete})
	if err != nil {
		t.Fatal(err)
	}
	tx := connector.Tx{Query: "q", Batch: 3}
	tc, reports := connectortest.Task(t, 0, &rdd.Binding{Query: "q", Batch: 3}, nil)
	r, err := s.Op().Open(tc, []rdd.Reader{&once{connectortest.Rows(0, 3)}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Next(); err == nil {
		t.Fatal("a sink yields no rows")
	}
	for range 2 {
		if err := s.Publish(ctx, tx, [][]byte{(*reports)[0].Value}); err != nil {
			t.Fatal(err)
		}
	}
	const want = `-------------------------------------------
Batch: 3
-------------------------------------------
+---+------------+-----+-----+------------+
| id|        name|score|   ok|          at|
+---+------------+-----+-----+------------+
|  0|name 0, w...|  0.0| true|1970-01-0...|
|  1|name 1, w...| 0.25|false|1970-01-0...|
+---+------------+-----+-----+------------+
only showing top 2 rows

`
	if got := out.String(); got != want {
		t.Errorf("printed\n%swant\n%s", got, want)
	}
}

func TestBadOption(t *testing.T) {
	if _, err := New(&strings.Builder{}, nil, map[string]string{"numRows": "many"}); err == nil {
		t.Fatal("no error")
	}
}

// TestCells shows every kind of value.
func TestCells(t *testing.T) {
	s, err := column.ParseDDL("a ARRAY<INT>, m MAP<STRING, BIGINT>, s STRUCT<x: DATE, y: STRING>, b BINARY, d DECIMAL(6,2), n TIMESTAMP_NTZ")
	if err != nil {
		t.Fatal(err)
	}
	b, err := column.FromRows(s, []any{[]any{int64(1), nil}, [2][]any{{"k"}, {int64(2)}}, []any{int64(1), nil}, []byte{1, 255}, column.Dec128{Lo: 1234}, int64(0)})
	if err != nil {
		t.Fatal(err)
	}
	got := Format(s, []*column.Batch{b}, 5, 0, time.UTC)
	for _, want := range []string{"[1, NULL]", "{k -> 2}", "{1970-01-02, NULL}", "[01 FF]", "12.34", "1970-01-01 00:00:00"} {
		if !strings.Contains(got, want) {
			t.Errorf("%s is not in\n%s", want, got)
		}
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
