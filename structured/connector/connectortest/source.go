package connectortest

import (
	"context"
	"fmt"
	"sort"
	"testing"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/rdd"
	"github.com/streamflow/streamflow/structured/connector"
)

// Schema is the schema of the rows that the suite writes and reads: every kind of null, text and number.
var Schema = column.NewSchema(
	column.Field{Name: "id", Type: column.Of(column.Int64), Nullable: true},
	column.Field{Name: "name", Type: column.Of(column.String), Nullable: true},
	column.Field{Name: "score", Type: column.Of(column.Float64), Nullable: true},
	column.Field{Name: "ok", Type: column.Of(column.Bool), Nullable: true},
	column.Field{Name: "at", Type: column.Of(column.Timestamp), Nullable: true},
)

// Rows are n rows of Schema, from the given id on.
func Rows(from, n int) *column.Batch {
	b := column.NewBatchBuilder(Schema)
	for i := from; i < from+n; i++ {
		row := []any{int64(i), fmt.Sprintf("name %d, with a comma and \"quotes\"", i%7), float64(i) / 4, i%2 == 0, int64(i) * 1_000_000}
		for c := 1; c < len(row); c++ {
			if (i+c)%11 == 0 {
				row[c] = nil
			}
		}
		if err := b.AppendRow(row...); err != nil {
			panic("BUG: connectortest: " + err.Error())
		}
	}
	return b.Finish()
}

// Source checks a table that holds Rows(0, n) in any order.
func Source(t *testing.T, table connector.BatchReader, n int, services map[string]any) {
	t.Helper()
	want := rowsOf([]*column.Batch{Rows(0, n)})
	t.Run("all columns", func(t *testing.T) {
		same(t, scan(t, table, request(0, 1, 2, 3, 4), services), want)
	})
	t.Run("twice", func(t *testing.T) {
		same(t, scan(t, table, request(0, 1, 2, 3, 4), services), want)
	})
	t.Run("some columns", func(t *testing.T) {
		same(t, scan(t, table, request(0, 2), services), columns(want, 0, 2))
		same(t, scan(t, table, request(1), services), columns(want, 1))
	})
	t.Run("no columns", func(t *testing.T) {
		if got := scan(t, table, connector.ScanRequest{Partitions: 2}, services); len(got) != n {
			t.Fatalf("%d rows, want %d", len(got), n)
		}
	})
	t.Run("limit", func(t *testing.T) {
		req := request(0)
		req.Limit = 3
		if got := scan(t, table, req, services); len(got) < min(3, n) || len(got) > n {
			t.Fatalf("%d rows under limit 3 of %d", len(got), n)
		}
	})
	t.Run("filter", func(t *testing.T) {
		req := request(0, 2)
		req.Filters = []expr.Expr{&expr.Call{Fn: ">", Typ: column.Of(column.Bool), Args: []expr.Expr{
			&expr.Column{Index: 0, Name: "id", Typ: column.Of(column.Int64), Null: true}, &expr.Literal{Value: int64(n / 2), Typ: column.Of(column.Int64)}}}}
		var kept [][]any
		for _, r := range columns(want, 0, 2) {
			if r[0].(int64) > int64(n/2) {
				kept = append(kept, r)
			}
		}
		same(t, scan(t, table, req, services), kept)
	})
	t.Run("partitions", func(t *testing.T) {
		for _, parts := range []int{1, 2, 7} {
			req := request(0)
			req.Partitions = parts
			same(t, scan(t, table, req, services), columns(want, 0))
		}
	})
}

func request(cols ...int) connector.ScanRequest {
	return connector.ScanRequest{Columns: cols, Partitions: 2}
}

// scan plans and runs a batch read, residual filters included.
func scan(t *testing.T, table connector.BatchReader, req connector.ScanRequest, services map[string]any) [][]any {
	t.Helper()
	s, err := table.PlanScan(context.Background(), req)
	if err != nil {
		t.Fatal(err)
	}
	return residual(t, read(t, s.Op, s.Splits, services), s.Residual)
}

func read(t *testing.T, op rdd.Operator, splits [][]rdd.Split, services map[string]any) []*column.Batch {
	t.Helper()
	var all []*column.Batch
	for p := range splits {
		tc, _ := Task(t, p, &rdd.Binding{Splits: map[string][][]rdd.Split{opName: splits}}, services)
		r, err := op.Open(tc, nil)
		if err != nil {
			t.Fatal(err)
		}
		got, err := drain(r)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, got...)
	}
	return all
}

// residual applies the filters that a scan left to the engine.
func residual(t *testing.T, batches []*column.Batch, conds []expr.Expr) [][]any {
	t.Helper()
	if len(conds) == 0 {
		return rowsOf(batches)
	}
	f, err := expr.CompileFilter(expr.AndAll(conds))
	if err != nil {
		t.Fatal(err)
	}
	for i, b := range batches {
		sel, err := f.Select(&expr.Context{}, b, nil)
		if err != nil {
			t.Fatal(err)
		}
		batches[i] = column.TakeBatch(nil, b, sel)
	}
	return rowsOf(batches)
}

func columns(rows [][]any, cols ...int) [][]any {
	out := make([][]any, len(rows))
	for i, r := range rows {
		for _, c := range cols {
			out[i] = append(out[i], r[c])
		}
	}
	return out
}

// same fails the test unless both hold the same rows, in any order.
func same(t *testing.T, got, want [][]any) {
	t.Helper()
	g, w := texts(got), texts(want)
	if len(g) != len(w) {
		t.Fatalf("%d rows, want %d", len(g), len(w))
	}
	for i := range g {
		if g[i] != w[i] {
			t.Fatalf("sorted row %d is %s, want %s", i, g[i], w[i])
		}
	}
}

func texts(rows [][]any) []string {
	out := make([]string, len(rows))
	for i, r := range rows {
		out[i] = fmt.Sprintf("%#v", r)
	}
	sort.Strings(out)
	return out
}
