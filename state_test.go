package streamflow

import (
	"context"
	"strings"
	"testing"

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
