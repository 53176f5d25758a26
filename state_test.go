package streamflow

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/streamflow/streamflow/driver"
)

// counting starts a query that counts orders by item and window, and gives it some.
func counting(t *testing.T, s *LocalSession) {
	t.Helper()
	query(t, s.Session, "CREATE TABLE orders (ts TIMESTAMP, item STRING, n INT, WATERMARK FOR ts AS ts - INTERVAL 1 MINUTE) USING topic OPTIONS (partitions '2')")
	query(t, s.Session, "CREATE TABLE totals (w TIMESTAMP, item STRING, n BIGINT, m DOUBLE) USING topic OPTIONS (partitions '1')")
	query(t, s.Session, "CREATE STREAMING QUERY counted AS INSERT INTO totals SELECT /*+ NAME('by_item') */ window(ts, '1 minute').start, item, sum(n), avg(n) FROM orders GROUP BY window(ts, '1 minute'), item")
	produce(t, s, "orders", 0, order(0, 1, "a", 1), order(0, 2, "b", 2), order(1, 2, "a", 5))
	produce(t, s, "orders", 1, order(0, 1, "a", 3))
	processed(t, s, "counted")
}

const keptState = "SELECT item, `sum(n)`, `avg(n)` FROM state('counted', '%s') ORDER BY item, `sum(n)`"

// TestStateAsTable reads what a running query keeps, and again when it is stopped.
func TestStateAsTable(t *testing.T) {
	s := local(t)
	counting(t, s)
	want := "Row(item=a, sum(n)=4, avg(n)=2)\nRow(item=a, sum(n)=5, avg(n)=5)\nRow(item=b, sum(n)=2, avg(n)=2)\n"
	for _, op := range []string{"StatefulAggregate-1", "by_item"} {
		if got := query(t, s.Session, strings.Replace(keptState, "%s", op, 1)); got != want {
			t.Errorf("state of %s:\n%s", op, got)
		}
	}
	query(t, s.Session, "STOP QUERY counted")
	if got := query(t, s.Session, strings.Replace(keptState, "%s", "by_item", 1)); got != want {
		t.Errorf("when stopped:\n%s", got)
	}
	for statement, want := range map[string]string{
		"SELECT * FROM state('counted', 'other')":       "STATE_OPERATOR_NOT_FOUND",
		"SELECT * FROM state('count', 'by_item')":       "STREAMING_QUERY_NOT_FOUND",
		"SELECT * FROM state('counted', 'by_item', 99)": "STDS_VERSION_NOT_KEPT",
		"SELECT * FROM state('counted')":                "WRONG_NUM_ARGS",
	} {
		d, err := s.SQL(context.Background(), statement)
		if err == nil {
			_, err = d.Collect(context.Background())
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", statement, err)
		}
	}
}

// TestStateByKey looks entries of a running query up by key and by column.
func TestStateByKey(t *testing.T) {
	s := local(t)
	counting(t, s)
	look := func(l driver.StateLookup) *driver.StateRows {
		t.Helper()
		l.Query, l.Operator = "counted", "by_item"
		out, err := s.node.Engine().LookUpState(context.Background(), l)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	out := look(driver.StateLookup{Key: []string{"2024-01-01 00:00:00", "a"}})
	if len(out.Rows) != 1 || !strings.Contains(string(out.Rows[0]), `"sum(n)":4`) {
		t.Errorf("by key: %s", out.Rows)
	}
	if out := look(driver.StateLookup{Where: map[string]string{"item": "a"}}); len(out.Rows) != 2 || out.More {
		t.Errorf("by column: %s", out.Rows)
	}
	if out := look(driver.StateLookup{Limit: 1}); len(out.Rows) != 1 || !out.More {
		t.Errorf("limited: %s, more %t", out.Rows, out.More)
	}
	_, err := s.node.Engine().LookUpState(context.Background(), driver.StateLookup{Query: "counted", Operator: "by_item", Key: []string{"x"}})
	if err == nil || !strings.Contains(err.Error(), "STATE_KEY_INCOMPLETE") {
		t.Errorf("half a key: %v", err)
	}
}

// TestOlderVersionsOfState reads what a query kept after each of its batches, and what each has changed.
func TestOlderVersionsOfState(t *testing.T) {
	s := local(t)
	query(t, s.Session, "CREATE TABLE orders (ts TIMESTAMP, item STRING, n INT, WATERMARK FOR ts AS ts - INTERVAL 1 MINUTE) USING topic OPTIONS (partitions '1')")
	query(t, s.Session, "CREATE TABLE totals (w TIMESTAMP, item STRING, n BIGINT) USING topic OPTIONS (partitions '1')")
	query(t, s.Session, "CREATE STREAMING QUERY counted AS INSERT INTO totals SELECT /*+ NAME('by_item') */ window(ts, '1 minute').start, item, sum(n) FROM orders GROUP BY window(ts, '1 minute'), item")
	for i, rows := range [][]string{{order(0, 1, "a", 1), order(0, 2, "b", 2)}, {order(0, 3, "a", 4)}, {order(9, 0, "c", 8)}} {
		produce(t, s, "orders", 0, rows...)
		for begun := time.Now(); version(t, s, "counted") < int64(i); time.Sleep(5 * time.Millisecond) {
			if time.Since(begun) > 20*time.Second {
				t.Fatalf("batch %d did not come", i)
			}
		}
	}
	if n := version(t, s, "counted"); n != 2 {
		t.Fatalf("%d batches; three were meant", n+1)
	}
	want := []string{"Row(item=a, sum(n)=1)\nRow(item=b, sum(n)=2)\n", "Row(item=a, sum(n)=5)\nRow(item=b, sum(n)=2)\n", "Row(item=c, sum(n)=8)\n"}
	changes := "SELECT batch_id, change_type, item, `sum(n)` FROM state('counted', 'by_item', readChangeFeed => true, changeStartBatchId => 1) ORDER BY 1, 2, 3"
	check := func(when string) {
		for v, rows := range want {
			for _, text := range []string{"SELECT item, `sum(n)` FROM state('counted', 'by_item', %d) ORDER BY item", "SELECT item, `sum(n)` FROM state('counted', operatorId => 0, version => %d) ORDER BY item"} {
				if got := query(t, s.Session, fmt.Sprintf(text, v)); got != rows {
					t.Errorf("%s: version %d:\n%s", when, v, got)
				}
			}
		}
		if got := query(t, s.Session, changes); got != "Row(batch_id=1, change_type=update, item=a, sum(n)=5)\nRow(batch_id=2, change_type=delete, item=a, sum(n)=<nil>)\nRow(batch_id=2, change_type=delete, item=b, sum(n)=<nil>)\nRow(batch_id=2, change_type=update, item=c, sum(n)=8)\n" {
			t.Errorf("%s: changes:\n%s", when, got)
		}
	}
	check("running")
	if err := s.node.snapshot("counted", time.Hour); err != nil {
		t.Fatal(err)
	}
	check("with a snapshot of the last version, and the whole changelog")
	if got := query(t, s.Session, "SELECT operatorName, minBatchId, maxBatchId FROM state_metadata('counted')"); !strings.Contains(got, "StatefulAggregate-1, minBatchId=0, maxBatchId=2") &&
		!strings.Contains(got, "StatefulAggregate-1, minBatchId=2, maxBatchId=2") {
		t.Errorf("versions: %s", got)
	}
	for statement, want := range map[string]string{
		"SELECT * FROM state('counted', 'by_item', 3)":                       "STDS_VERSION_NOT_KEPT",
		"SELECT * FROM state('counted', 'by_item', nope => 3)":               "UNRECOGNIZED_PARAMETER_NAME",
		"SELECT * FROM state('counted', 'by_item', version => -1)":           "STDS_INVALID_OPTION_VALUE",
		"SELECT * FROM state('counted', 'by_item', readChangeFeed => true)":  "STDS_REQUIRED_OPTION_UNSPECIFIED",
		"SELECT * FROM state('counted', 'by_item', 0, 1)":                    "WRONG_NUM_ARGS",
		"SELECT * FROM state('counted', 'by_item', 0, version => 1)":         "DUPLICATE_ROUTINE_PARAMETER_ASSIGNMENT",
		"SELECT * FROM state('counted', 'by_item', snapshotStartBatchId=>1)": "STDS_VERSION_NOT_KEPT",
	} {
		d, err := s.SQL(context.Background(), statement)
		if err == nil {
			_, err = d.Collect(context.Background())
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", statement, err)
		}
	}
}

// version is the last committed version of a query's state, -1 before the first.
func version(t *testing.T, s *LocalSession, name string) int64 {
	t.Helper()
	r, ok := s.node.Queries().Query(name)
	if !ok {
		t.Fatalf("no query %s", name)
	}
	return r.NextBatch() - 1
}
