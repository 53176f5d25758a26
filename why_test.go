package streamflow

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/streamflow/streamflow/driver"
)

// TestWhy asks a query why it puts nothing out: one partition of its input has brought nothing, so no window closes.
func TestWhy(t *testing.T) {
	s := local(t)
	query(t, s.Session, "CREATE TABLE orders (ts TIMESTAMP, item STRING, n INT, WATERMARK FOR ts AS ts - INTERVAL 1 MINUTE) USING topic OPTIONS (partitions '2')")
	query(t, s.Session, "CREATE TABLE totals (w TIMESTAMP, n BIGINT) USING topic OPTIONS (partitions '1')")
	query(t, s.Session, strings.Replace(counted, "TRIGGER AVAILABLE NOW ", "", 1))
	produce(t, s, "orders", 1, order(0, 1, "a", 1), order(9, 0, "a", 4))
	processed(t, s, "counted")
	var w driver.Why
	for w.Doing != "input" { // the batch has been committed; the loop may not be back from it
		w = driver.Why{}
		if err := json.Unmarshal([]byte(cellOf(t, s, "EXPLAIN STREAMING QUERY counted AS JSON")), &w); err != nil {
			t.Fatal(err)
		}
	}
	if got := strings.Join(w.Findings, "\n"); !strings.Contains(got, "waits for input") || !strings.Contains(got, "partitions [0] of orders have brought nothing yet") {
		t.Errorf("findings:\n%s", got)
	}
	if w.Lag() != 0 || len(w.Sources) != 2 || w.Sources[1].Read != 2 {
		t.Errorf("sources: %+v", w.Sources)
	}
	if len(w.State) != 1 || w.State[0].Keys != 2 {
		t.Errorf("state: %+v", w.State)
	}
	stages := map[int]bool{}
	for _, o := range w.Operators {
		stages[o.Stage] = true
	}
	if len(stages) != 2 || w.Batches.P99Ms <= 0 || len(w.Batches.Phases) != 5 {
		t.Errorf("batches: %+v, operators %+v", w.Batches, w.Operators)
	}
	if lines := query(t, s.Session, "EXPLAIN STREAMING QUERY counted"); !strings.Contains(lines, "StatefulAggregate-1") {
		t.Errorf("as a table:\n%s", lines)
	}
	if _, err := s.SQL(context.Background(), "EXPLAIN STREAMING QUERY count"); err == nil || !strings.Contains(err.Error(), "Did you mean counted?") {
		t.Errorf("of no query: %v", err)
	}
}

// processed waits until a query has committed everything that is there now.
func processed(t *testing.T, s *LocalSession, name string) {
	t.Helper()
	list, err := s.Streams(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range list {
		if q.Name() == name {
			if err := q.ProcessAllAvailable(context.Background()); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// cellOf is the one cell that a statement answers with.
func cellOf(t *testing.T, s *LocalSession, statement string) string {
	t.Helper()
	d, err := s.SQL(context.Background(), statement)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := d.Collect(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != 1 {
		t.Fatalf("%s: %d rows", statement, len(rows))
	}
	return rows[0].At(0).(string)
}
