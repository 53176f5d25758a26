package streamflow

import (
	"context"
	"strings"
	"testing"
)

const counted = "CREATE STREAMING QUERY counted TRIGGER AVAILABLE NOW AS INSERT INTO totals SELECT window(ts, '1 minute').start, sum(n) FROM orders GROUP BY window(ts, '1 minute')"

// TestStoppedQueryGoesOn starts a query again as it was: it goes on with its state behind what it has read.
func TestStoppedQueryGoesOn(t *testing.T) {
	s := local(t)
	ctx := context.Background()
	query(t, s.Session, "CREATE TABLE orders (ts TIMESTAMP, item STRING, n INT, WATERMARK FOR ts AS ts - INTERVAL 1 MINUTE) USING topic OPTIONS (partitions '1')")
	query(t, s.Session, "CREATE TABLE totals (w TIMESTAMP, n BIGINT) USING topic OPTIONS (partitions '1')")
	for _, lines := range [][]string{{order(0, 1, "a", 1)}, {order(0, 2, "a", 2)}, {order(9, 0, "a", 4)}} {
		produce(t, s, "orders", 0, lines...)
		query(t, s.Session, counted)
		await(t, s, "counted")
	}
	if got := query(t, s.Session, "SELECT n FROM totals"); got != "Row(n=3)\n" {
		t.Errorf("totals: %s", got)
	}
	_, err := s.SQL(ctx, strings.Replace(counted, "sum(n)", "max(n)", 1))
	if err == nil || !strings.Contains(err.Error(), "STREAMING_QUERY_ALREADY_EXISTS") {
		t.Errorf("another query under the name: %v", err)
	}
}

// TestRefusedQueryLeavesItsSink tries a second query of a name whose sink is a table of that name.
func TestRefusedQueryLeavesItsSink(t *testing.T) {
	s := local(t)
	query(t, s.Session, "CREATE TABLE orders (ts TIMESTAMP, item STRING, n INT) USING topic OPTIONS (partitions '1')")
	produce(t, s, "orders", 0, order(0, 1, "a", 1))
	query(t, s.Session, "CREATE STREAMING QUERY kept USING memory TRIGGER AVAILABLE NOW AS SELECT n FROM orders")
	await(t, s, "kept")
	if _, err := s.SQL(context.Background(), "CREATE STREAMING QUERY kept USING memory AS SELECT n + 1 FROM orders"); err == nil {
		t.Error("a second query took the name")
	}
	if got := query(t, s.Session, "SELECT n FROM kept"); got != "Row(n=1)\n" {
		t.Errorf("kept: %s", got)
	}
}

// await waits for the end of a query.
func await(t *testing.T, s *LocalSession, name string) {
	t.Helper()
	list, err := s.Streams(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range list {
		if q.Name() == name {
			if err := q.AwaitTermination(context.Background()); err != nil {
				t.Fatal(err)
			}
		}
	}
}
