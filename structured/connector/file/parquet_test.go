package file

import (
	"context"
	"strings"
	"testing"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/structured/connector"
)

// TestParquetTypes writes and reads every type that files can hold.
func TestParquetTypes(t *testing.T) {
	s, err := column.ParseDDL("n ARRAY<STRUCT<x: INT, y: STRING>>, a TINYINT, b SMALLINT, c INT, d BIGINT, e FLOAT, f DOUBLE, g DECIMAL(20,3), h STRING, i BINARY, j DATE, k TIMESTAMP, l TIMESTAMP_NTZ, m BOOLEAN")
	if err != nil {
		t.Fatal(err)
	}
	b, err := column.FromRows(s,
		[]any{[]any{[]any{int64(1), "p"}, nil}, int64(-1), int64(300), int64(-70000), int64(1) << 40, 1.5, -2.25, column.Dec128{Lo: 1 << 63, Hi: 7}, "text longer than twelve bytes", []byte{0, 255}, int64(11000), int64(-5), int64(7), true},
		[]any{nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil},
		[]any{[]any{}, int64(127), int64(-300), int64(7), int64(-1), 0.0, 0.0, column.Dec128{Lo: ^uint64(4), Hi: -1}, "", []byte{}, int64(-1), int64(1) << 50, int64(0), false})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	fill(t, open(t, "parquet", dir, s, nil), b)
	table := open(t, "parquet", dir, nil, nil)
	if got, want := table.Schema().String(), s.String(); got != want {
		t.Fatalf("schema %s, want %s", got, want)
	}
	got, err := readAll(t, table)
	if err != nil {
		t.Fatal(err)
	}
	if g, w := texts(got), texts([]*column.Batch{b}); g != w {
		t.Fatalf("rows\n%swant\n%s", g, w)
	}
}

// TestRowGroupsArePruned: a row group whose bounds exclude a filter is not read.
func TestRowGroupsArePruned(t *testing.T) {
	s := column.NewSchema(column.Field{Name: "id", Type: column.Of(column.Int64), Nullable: true})
	dir := t.TempDir()
	table := open(t, "parquet", dir, s, nil)
	for g := range 4 {
		v := column.NewVector(column.Of(column.Int64), 10)
		for i := range v.I64 {
			v.I64[i] = int64(g*10 + i)
		}
		fill(t, table, column.NewBatch(s, 10, v))
	}
	for op, want := range map[string]string{"=": "1 of 4", "<": "3 of 4", ">=": "2 of 4", "!=": "4 of 4"} {
		cond := &expr.Call{Fn: op, Typ: column.Of(column.Bool), Args: []expr.Expr{&expr.Column{Typ: column.Of(column.Int64), Null: true}, &expr.Literal{Value: int64(25), Typ: column.Of(column.Int64)}}}
		scan, err := table.PlanScan(context.Background(), connector.ScanRequest{Columns: []int{0}, Filters: []expr.Expr{cond}})
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasSuffix(scan.Note, want) {
			t.Errorf("id %s 25: %s, want %s", op, scan.Note, want)
		}
	}
}

// TestDamagedParquet: a file that is none is a user's mistake with a place.
func TestDamagedParquet(t *testing.T) {
	_, err := Open(context.Background(), "parquet", "t", []string{csvFile(t, "PAR1 this is no parquet file PAR1")}, nil, nil)
	wantCode(t, err, "CANNOT_READ_FILE_FOOTER")
}

// TestFlights reads the data set of the demo.
func TestFlights(t *testing.T) {
	table := open(t, "parquet", "../../../testdata/flights/flights.parquet", nil, nil)
	got, err := readAll(t, table)
	if err != nil {
		t.Fatal(err)
	}
	rows := 0
	for _, b := range got {
		rows += b.N
	}
	if rows < 100_000 {
		t.Fatalf("%d rows of %s", rows, table.Schema())
	}
}
