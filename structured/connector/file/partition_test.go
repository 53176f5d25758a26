package file

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/rdd"
	"github.com/streamflow/streamflow/structured/connector"
	"github.com/streamflow/streamflow/structured/connector/connectortest"
)

func ddl(t testing.TB, text string) *column.Schema {
	t.Helper()
	s, err := column.ParseDDL(text)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// lines are the rows of batches, sorted.
func lines(batches []*column.Batch) []string {
	var out []string
	for _, b := range batches {
		for i := range b.N {
			parts := make([]string, len(b.Cols))
			for c, v := range b.Cols {
				parts[c] = fmt.Sprint(column.Value(v, i))
			}
			out = append(out, strings.Join(parts, " "))
		}
	}
	sort.Strings(out)
	return out
}

func sales(t testing.TB) *column.Batch {
	b := column.NewBatchBuilder(ddl(t, "id BIGINT, country STRING, day DATE, amount DOUBLE"))
	for i := range int64(3000) {
		country := any([]string{"DE", "FR", "a/b=c", ""}[i%4])
		if i%7 == 0 {
			country = nil
		}
		if err := b.AppendRow(i, country, int64(19000+i%3), float64(i)/2); err != nil {
			t.Fatal(err)
		}
	}
	return b.Finish()
}

// TestPartitionDirectories writes rows into directories and reads them back, whole, some columns, and by filters that leave
// directories out.
func TestPartitionDirectories(t *testing.T) {
	for _, format := range tabular {
		t.Run(format, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "sales")
			rows := sales(t)
			options := map[string]string{"header": "true", "inferSchema": "true", connector.PartitionByOption: "country" + PathSeparator + "day"}
			fill(t, open(t, format, dir, rows.Schema, options), rows, rows)
			if _, err := os.Stat(filepath.Join(dir, "country=a%2Fb%3Dc", "day=2022-01-09")); err != nil {
				t.Fatal(err)
			}
			table := open(t, format, dir, nil, map[string]string{"header": "true", "inferSchema": "true"})
			got, err := readAll(t, table)
			if err != nil {
				t.Fatal(err)
			}
			if n := table.Schema().Len(); n != 4 || table.Schema().Fields[2].Name != "country" || table.Schema().Fields[3].Type.Kind != column.Date {
				t.Fatalf("columns are %s", table.Schema())
			}
			want := lines([]*column.Batch{inOrder(rows, table.Schema()), inOrder(rows, table.Schema())})
			equalLines(t, lines(got), want)

			for _, c := range []struct {
				filter expr.Expr
				keep   func(country any, day int64) bool
				files  int
			}{
				{compare(t, "=", table, "country", "DE"), func(c any, _ int64) bool { return c == "DE" }, 6},
				{compare(t, ">", table, "day", int64(19001)), func(_ any, d int64) bool { return d > 19001 }, 8},
				{expr.AndAll([]expr.Expr{compare(t, "=", table, "country", "FR"), compare(t, "<", table, "day", int64(19001))}), func(c any, d int64) bool { return c == "FR" && d < 19001 }, 2},
			} {
				scan, err := table.PlanScan(context.Background(), connector.ScanRequest{Columns: []int{0, 1, 2, 3}, Filters: []expr.Expr{c.filter}, Partitions: 2})
				if err != nil {
					t.Fatal(err)
				}
				files := map[string]bool{}
				n := 0
				for p := range scan.Splits {
					for _, s := range scan.Splits[p] {
						files[string(s.Data)] = true
					}
					tc, _ := connectortest.Task(t, p, &rdd.Binding{Splits: map[string][][]rdd.Split{"op": scan.Splits}}, nil)
					r, err := scan.Op.Open(tc, nil)
					if err != nil {
						t.Fatal(err)
					}
					for b, err := r.Next(); err == nil; b, err = r.Next() {
						for i := range b.N {
							if country, day := column.Value(b.Cols[2], i), column.Value(b.Cols[3], i).(int64); !c.keep(country, day) {
								t.Fatalf("%s gives country %v, day %d", c.filter, country, day)
							}
							n++
						}
					}
				}
				all := 0
				for i := range rows.N {
					if c.keep(orNil(column.Value(rows.Cols[1], i)), column.Value(rows.Cols[2], i).(int64)) {
						all += 2
					}
				}
				if len(files) != c.files || n != all {
					t.Errorf("%s reads %d files, want %d; %d rows, want %d (%s)", c.filter, len(files), c.files, n, all, scan.Note)
				}
			}
		})
	}
}

// orNil is a directory's value: an empty text is none.
func orNil(v any) any {
	if v == "" {
		return nil
	}
	return v
}

// inOrder is rows as a table with directories gives them: those columns last, empty text as null.
func inOrder(b *column.Batch, s *column.Schema) *column.Batch {
	out := column.NewBatchBuilder(s)
	for i := range b.N {
		row := make([]any, s.Len())
		for c, f := range s.Fields {
			row[c] = orNil(column.Value(b.Cols[b.Schema.Index(f.Name)], i))
		}
		if s.Fields[0].Type.Kind == column.Int32 {
			row[0] = row[0].(int64)
		}
		if err := out.AppendRow(row...); err != nil {
			panic(err)
		}
	}
	return out.Finish()
}

func compare(t testing.TB, op string, table *Table, name string, value any) expr.Expr {
	t.Helper()
	at := table.Schema().Index(name)
	typ := table.Schema().Fields[at].Type
	e, err := expr.ResolveCall(&expr.UnresolvedCall{Name: op, Args: []expr.Expr{&expr.Column{Index: at, Name: name, Typ: typ, Null: true}, &expr.Literal{Value: value, Typ: typ}}})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func equalLines(t *testing.T, got, want []string) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d rows, want %d", len(got), len(want))
	}
	for i := range got {
		if got[i] != want[i] {
			t.Fatalf("row %d is %s, want %s", i, got[i], want[i])
		}
	}
}

// TestPartitionMistakes: what cannot be laid out in directories is refused.
func TestPartitionMistakes(t *testing.T) {
	rows := sales(t)
	for by, code := range map[string]string{"nothing": "PARTITION_COLUMN_NOT_FOUND_IN_SCHEMA", "id\x00country\x00day\x00amount": "ALL_PARTITION_COLUMNS_NOT_ALLOWED"} {
		table := open(t, "parquet", filepath.Join(t.TempDir(), "x"), rows.Schema, map[string]string{connector.PartitionByOption: by})
		_, err := table.PlanWrite(context.Background(), connector.WriteRequest{Schema: rows.Schema})
		if ue := new(usererr.Error); !errors.As(err, &ue) || ue.Code != code {
			t.Errorf("partition by %q: %v, want %s", by, err, code)
		}
	}
	dir := t.TempDir()
	for _, sub := range []string{"a=1", "b=2"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, sub, "x.csv"), []byte("1\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	_, err := Open(context.Background(), "csv", "t", []string{dir}, nil, nil)
	if ue := new(usererr.Error); !errors.As(err, &ue) || ue.Code != "CONFLICTING_PARTITION_COLUMN_NAMES" {
		t.Error(err)
	}
}
