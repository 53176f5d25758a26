package structured

import (
	"math"
	"testing"
	"time"

	"github.com/streamflow/streamflow/column"
)

func batchOf(t *testing.T, ddl string, rows ...[]any) (*column.Schema, []*column.Batch) {
	t.Helper()
	schema, err := column.ParseDDL(ddl)
	if err != nil {
		t.Fatal(err)
	}
	b, err := column.FromRows(schema, rows...)
	if err != nil {
		t.Fatal(err)
	}
	return schema, []*column.Batch{b}
}

func TestShowDrawsAsSparkDoes(t *testing.T) {
	schema, rows := batchOf(t, "id INT, `a name` STRING",
		[]any{int64(1), "short"}, []any{int64(22), "this text is longer than twenty"}, []any{nil, "日本\n語"})
	for _, c := range []struct {
		name     string
		n, cut   int
		vertical bool
		want     string
	}{
		{"table", 20, 20, false, `
+----+--------------------+
|  id|              a name|
+----+--------------------+
|   1|               short|
|  22|this text is long...|
|NULL|            日本\n語|
+----+--------------------+
`},
		{"left aligned when nothing is cut", 20, 0, false, `
+----+-------------------------------+
|id  |a name                         |
+----+-------------------------------+
|1   |short                          |
|22  |this text is longer than twenty|
|NULL|日本\n語                       |
+----+-------------------------------+
`},
		{"further rows", 1, 3, false, `
+---+------+
| id|a name|
+---+------+
|  1|   sho|
+---+------+
only showing top 1 row`},
		{"vertical", 2, 20, true, `
-RECORD 0----------------------
 id     | 1                    
 a name | short                
-RECORD 1----------------------
 id     | 22                   
 a name | this text is long... 
only showing top 2 rows`},
	} {
		if got := "\n" + ShowString(schema, rows, c.n, c.cut, c.vertical, time.UTC); got != c.want {
			t.Errorf("%s: got%s\nwant%s", c.name, got, c.want)
		}
	}
	if got := ShowString(schema, nil, 20, 20, true, time.UTC); got != "(0 rows)" {
		t.Errorf("%q", got)
	}
	if got := ShowString(schema, nil, 20, 20, false, time.UTC); got != "+---+------+\n| id|a name|\n+---+------+\n+---+------+\n" {
		t.Errorf("%q", got)
	}
}

func TestCells(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	dec, _ := column.ParseDecimal("-0.50", 10, 2)
	_, rows := batchOf(t, "a ARRAY<STRING>, m MAP<STRING, INT>, s STRUCT<x: INT, y: ARRAY<INT>>, b BINARY, d DOUBLE, f FLOAT, c DECIMAL(10,2), t TIMESTAMP, n TIMESTAMP_NTZ, dt DATE, ok BOOLEAN, g DOUBLE",
		[]any{[]any{"p", nil}, [2][]any{{"k"}, {nil}}, []any{int64(1), []any{int64(2)}}, []byte("AB"), 1e10, 0.1, dec, int64(1_717_200_000_500_000), int64(1_717_200_000_000_000), int64(0), true, math.NaN()})
	want := []string{"[p, NULL]", "{k -> NULL}", "{1, [2]}", "[41 42]", "1.0E10", "0.1", "-0.50", "2024-06-01 02:00:00.5", "2024-06-01 00:00:00", "1970-01-01", "true", "NaN"}
	for i, w := range want {
		if got := CellString(rows[0].Cols[i], 0, berlin); got != w {
			t.Errorf("%s: %q, want %q", rows[0].Schema.Fields[i].Name, got, w)
		}
	}
}

func TestTreeString(t *testing.T) {
	schema, err := column.ParseDDL("a INT NOT NULL, s STRUCT<b: BIGINT, c: ARRAY<STRUCT<d: DECIMAL(5,1)>>>, m MAP<STRING, SMALLINT>")
	if err != nil {
		t.Fatal(err)
	}
	want := `root
 |-- a: integer (nullable = false)
 |-- s: struct (nullable = true)
 |    |-- b: long (nullable = true)
 |    |-- c: array (nullable = true)
 |    |    |-- element: struct (containsNull = true)
 |    |    |    |-- d: decimal(5,1) (nullable = true)
 |-- m: map (nullable = true)
 |    |-- key: string
 |    |-- value: short (valueContainsNull = true)
`
	if got := TreeString(schema, 0); got != want {
		t.Errorf("%s", got)
	}
	if got := TreeString(schema, 1); got != "root\n |-- a: integer (nullable = false)\n |-- s: struct (nullable = true)\n |-- m: map (nullable = true)\n" {
		t.Errorf("%s", got)
	}
}
