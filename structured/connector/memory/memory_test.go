package memory

import (
	"testing"

	"github.com/streamflow/streamflow/column"
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
