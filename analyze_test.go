package streamflow

import (
	"context"
	"strings"
	"testing"
)

// TestAnalyzeTable: what ANALYZE TABLE counts stands in plans, until the table is dropped.
func TestAnalyzeTable(t *testing.T) {
	s := local(t)
	query(t, s.Session, "CREATE TABLE orders (id INT, city STRING, at DATE, tags ARRAY<INT>) USING topic OPTIONS (partitions '1')")
	query(t, s.Session, "INSERT INTO orders SELECT id, concat('city ', id % 4), DATE '2024-01-01' + CAST(id % 10 AS INT), array(1) FROM range(1000)")
	const filtered = "EXPLAIN COST SELECT * FROM orders WHERE city = 'city 1' AND at < DATE '2024-01-04'"
	if got := query(t, s.Session, filtered); !strings.Contains(got, "rowCount=17)") { // by what nothing is known of
		t.Errorf("before: %s", got)
	}
	query(t, s.Session, "ANALYZE TABLE orders COMPUTE STATISTICS FOR COLUMNS city, at")
	if got := query(t, s.Session, filtered); !strings.Contains(got, "rowCount=84)") { // a quarter of a third
		t.Errorf("after: %s", got)
	}
	query(t, s.Session, "ANALYZE TABLE orders COMPUTE STATISTICS FOR ALL COLUMNS") // of those that can be compared
	query(t, s.Session, "ANALYZE TABLE orders COMPUTE STATISTICS NOSCAN")
	if got := query(t, s.Session, filtered); !strings.Contains(got, "rowCount=84)") {
		t.Errorf("after counting rows only: %s", got)
	}
	if got := query(t, s.Session, "SHOW TABLES"); strings.Count(got, "Row(") != 1 {
		t.Errorf("tables: %s", got)
	}
	for text, want := range map[string]string{
		"ANALYZE TABLE orders COMPUTE STATISTICS FOR COLUMNS cities": "COLUMN_NOT_FOUND",
		"ANALYZE TABLE orders COMPUTE STATISTICS FOR COLUMNS tags":   "ANALYZE_UNSUPPORTED_COLUMN_TYPE",
		"ANALYZE TABLE nothing COMPUTE STATISTICS":                   "TABLE_OR_VIEW_NOT_FOUND",
	} {
		if _, err := s.SQL(context.Background(), text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
	query(t, s.Session, "DROP TABLE orders")
	query(t, s.Session, "CREATE TABLE orders (id INT, city STRING, at DATE) USING topic OPTIONS (partitions '1')")
	query(t, s.Session, "INSERT INTO orders SELECT id, 'x', DATE '2024-01-01' FROM range(1000)")
	if got := query(t, s.Session, filtered); !strings.Contains(got, "rowCount=17)") {
		t.Errorf("another table of the name: %s", got)
	}
}
