package file

import (
	"context"
	"slices"
	"testing"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/structured/connector"
	"github.com/streamflow/streamflow/structured/connector/connectortest"
)

// TestRewrite: overwriting a table as it was leaves alone what was appended since, and a node that finishes an interrupted write
// replaces the same files.
func TestRewrite(t *testing.T) {
	for _, reopened := range []bool{false, true} {
		dir := t.TempDir()
		table := open(t, "parquet", dir, connectortest.Schema, nil)
		fill(t, table, connectortest.Rows(0, 5))
		w, err := table.Rewrite(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		fill(t, table, connectortest.Rows(100, 3))
		if rows, err := readAll(t, w.(*Table)); err != nil || texts(rows) != texts([]*column.Batch{connectortest.Rows(0, 5)}) {
			t.Errorf("the table as it was has %s (%v)", texts(rows), err)
		}
		req := connector.WriteRequest{Overwrite: true}
		if reopened {
			req.Replaces, w = w.(*Table).Replaces(), table
		}
		write(t, w, req, connectortest.Rows(50, 2))
		got, err := readAll(t, table)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for _, b := range got {
			n += b.N
		}
		if n != 5 {
			t.Errorf("after the rewrite there are %d rows, not the 2 new ones and the 3 that were appended: %s", n, texts(got))
		}
	}
}

// TestRenamedColumns: a column that has another name in the files is read and written under that.
func TestRenamedColumns(t *testing.T) {
	dir := t.TempDir()
	before, err := column.ParseDDL("a INT, b STRING")
	if err != nil {
		t.Fatal(err)
	}
	after, err := column.ParseDDL("x INT, b INT, c STRING")
	if err != nil {
		t.Fatal(err)
	}
	old, err := column.FromRows(before, []any{int64(1), "one"})
	if err != nil {
		t.Fatal(err)
	}
	fill(t, open(t, "parquet", dir, before, nil), old)
	table := open(t, "parquet", dir, after, map[string]string{ColumnsOption: `["a","b_2","b"]`})
	added, err := column.FromRows(after, []any{int64(2), int64(22), "two"})
	if err != nil {
		t.Fatal(err)
	}
	fill(t, table, added)
	got, err := readAll(t, table)
	if err != nil {
		t.Fatal(err)
	}
	var rows []string
	for _, b := range got {
		rows = append(rows, texts([]*column.Batch{b}))
	}
	slices.Sort(rows)
	want, err := column.FromRows(after, []any{int64(1), nil, "one"})
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != 2 || !slices.Contains(rows, texts([]*column.Batch{want})) || !slices.Contains(rows, texts([]*column.Batch{added})) {
		t.Errorf("rows %q", rows)
	}
	if _, err := Open(context.Background(), "parquet", "t", []string{dir}, after, map[string]string{ColumnsOption: `["a"]`}); err == nil {
		t.Error("names that do not fit the columns were taken")
	}
}
