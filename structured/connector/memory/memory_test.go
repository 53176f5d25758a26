package memory

import (
	"context"
	"encoding/binary"
	"testing"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/structured/connector"
	"github.com/streamflow/streamflow/structured/connector/connectortest"
)

func TestSource(t *testing.T) {
	for _, n := range []int{0, 1, 50} {
		table := New("t", connectortest.Schema, 3)
		for from := 0; from < n; from += 10 {
			if err := table.Append(from/10%3, connectortest.Rows(from, min(10, n-from))); err != nil {
				t.Fatal(err)
			}
		}
		connectortest.Source(t, table, n, nil)
	}
}

func TestStream(t *testing.T) {
	connectortest.Stream(t, func(*testing.T) connectortest.Growing {
		table := New("t", connectortest.Schema, 2)
		next := 0
		return connectortest.Growing{Table: table, Seal: table.Seal, Append: func(b *column.Batch) error {
			next++
			return table.Append(next%2, b)
		}}
	}, nil)
}

func TestSink(t *testing.T) {
	connectortest.Sink(t, func(*testing.T) connectortest.Target {
		table := New("t", connectortest.Schema, 1)
		return connectortest.Target{Table: table, Read: func() ([]*column.Batch, error) {
			b, err := table.Rows()
			return []*column.Batch{b}, err
		}}
	}, nil)
}

// TestUpdateDeletes: a key that is gone takes its row along, and without keys rows go one for one.
func TestUpdateDeletes(t *testing.T) {
	ctx := context.Background()
	schema, err := column.ParseDDL("k INT, n BIGINT")
	if err != nil {
		t.Fatal(err)
	}
	wide, err := column.ParseDDL("k INT, n BIGINT, w BIGINT")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		keys []int
		want int
	}{{[]int{0}, 1}, {nil, 3}} {
		table := New("t", schema, 1)
		s, err := table.PlanWrite(ctx, connector.WriteRequest{Schema: wide, Mode: connector.Update, Keys: c.keys, Deletes: true, Query: "q"})
		if err != nil {
			t.Fatal(err)
		}
		for i, rows := range [][][]any{{{int64(1), int64(7), int64(1)}, {int64(1), int64(7), int64(1)}, {int64(2), int64(8), int64(1)}},
			{{int64(1), int64(7), int64(-1)}, {int64(2), int64(9), int64(1)}}} {
			b := column.NewBatchBuilder(wide)
			for _, r := range rows {
				if err := b.AppendRow(r...); err != nil {
					t.Fatal(err)
				}
			}
			data := column.EncodeBatch(nil, b.Finish())
			token := append(binary.BigEndian.AppendUint64(nil, uint64(len(data))), data...)
			if err := s.Publish(ctx, connector.Tx{Query: "q", Batch: int64(i)}, [][]byte{token}); err != nil {
				t.Fatal(err)
			}
		}
		got, err := table.Rows()
		if err != nil {
			t.Fatal(err)
		}
		if got.N != c.want {
			t.Errorf("keys %v: %d rows are left, want %d", c.keys, got.N, c.want)
		}
	}
}
