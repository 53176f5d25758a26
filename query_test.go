package streamflow

import (
	"context"
	"strings"
	"testing"
	"time"
)

// A named streaming query in SQL: started, described, stopped, resumed, dropped; its name is free afterwards.
func TestLifeOfAQueryInSQL(t *testing.T) {
	s := local(t)
	query(t, s.Session, "CREATE TABLE orders (ts TIMESTAMP, item STRING, n INT) USING topic OPTIONS (partitions '1')")
	query(t, s.Session, "CREATE TABLE big (item STRING, n INT) USING topic OPTIONS (partitions '1')")
	start := "CREATE STREAMING QUERY pass AS INSERT INTO big SELECT item, n FROM orders WHERE n > 1"
	query(t, s.Session, start)
	produce(t, s, "orders", 0, order(0, 1, "a", 1), order(0, 2, "b", 2), order(0, 3, "c", 3))
	wait := func(want string) {
		t.Helper()
		for range 200 {
			if query(t, s.Session, "SELECT count(*) AS n FROM big") == "Row(n="+want+")\n" {
				return
			}
			time.Sleep(10 * time.Millisecond)
		}
		t.Fatalf("big never had %s rows", want)
	}
	wait("2")
	if got := query(t, s.Session, "DESCRIBE STREAMING QUERY pass"); !strings.Contains(got, "property=rows.in, value=3") {
		t.Errorf("describe: %s", got)
	}
	query(t, s.Session, "STOP QUERY pass")
	produce(t, s, "orders", 0, order(0, 4, "d", 4))
	query(t, s.Session, start) // goes on where it stopped
	wait("3")
	other := strings.Replace(start, "n > 1", "n > 3", 1)
	if _, err := s.SQL(context.Background(), other); err == nil {
		t.Fatal("a running query was replaced")
	}
	query(t, s.Session, "DROP STREAMING QUERY pass")
	query(t, s.Session, other) // another query under the name: from the beginning
	wait("4")
	query(t, s.Session, "DROP STREAMING QUERY pass")
	query(t, s.Session, "DROP STREAMING QUERY IF EXISTS pass")
	if _, err := s.SQL(context.Background(), "DROP STREAMING QUERY pass"); err == nil || !strings.Contains(err.Error(), "STREAMING_QUERY_NOT_FOUND") {
		t.Errorf("drop of nothing: %v", err)
	}
	if got := query(t, s.Session, "DESCRIBE FUNCTION upper"); !strings.Contains(got, "Usage: upper(") {
		t.Errorf("describe function: %s", got)
	}
}
