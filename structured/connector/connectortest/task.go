package connectortest

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"testing"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/rdd"
)

// opName is the operator id under which the suite runs operators.
const opName = "op"

// Task returns a task context for one partition of a source or sink, and the reports that the task makes.
func Task(t testing.TB, partition int, binding *rdd.Binding, services map[string]any) (*rdd.TaskContext, *[]rdd.Report) {
	t.Helper()
	reports := &[]rdd.Report{}
	return &rdd.TaskContext{
		Context: context.Background(), Job: "test", Partition: partition, Parts: partition + 1, Binding: binding, Log: slog.Default(),
		Op: opName, Services: services,
		Report: func(op, key string, value []byte) {
			*reports = append(*reports, rdd.Report{Op: op, Key: key, Value: append([]byte{}, value...)})
		},
		Count: func(string, string, int64) {},
		Emit:  func(string, *column.Batch) error { return nil },
	}, reports
}

// drain reads everything and returns copies.
func drain(r rdd.Reader) ([]*column.Batch, error) {
	var out []*column.Batch
	for {
		b, err := r.Next()
		if err == io.EOF {
			return out, r.Close()
		}
		if err != nil {
			return nil, errors.Join(err, r.Close())
		}
		out = append(out, b.Clone())
	}
}

// rowsOf are the rows of batches as boxed values.
func rowsOf(batches []*column.Batch) [][]any {
	var rows [][]any
	for _, b := range batches {
		for i := 0; i < b.N; i++ {
			row := make([]any, len(b.Cols))
			for c, v := range b.Cols {
				row[c] = column.Value(v, i)
			}
			rows = append(rows, row)
		}
	}
	return rows
}

// fixed yields prepared batches.
type fixed struct{ batches []*column.Batch }

func (f *fixed) Next() (*column.Batch, error) {
	if len(f.batches) == 0 {
		return nil, io.EOF
	}
	b := f.batches[0]
	f.batches = f.batches[1:]
	return b, nil
}

func (f *fixed) Close() error { return nil }
