package streamflow

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"
)

// TestRescaleWhileRunning changes a query's parallelism again and again while rows come, and restarts the node in between with
// another number of slots: every row is counted once.
func TestRescaleWhileRunning(t *testing.T) {
	dir := t.TempDir()
	open := func(slots int) *LocalSession {
		s, err := Local(Config{Dir: dir, Slots: slots, Memory: 256 << 20, Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	s := open(2)
	query(t, s.Session, "CREATE TABLE orders (ts TIMESTAMP, item STRING, n INT) USING topic OPTIONS (partitions '2')")
	query(t, s.Session, "CREATE TABLE totals (item STRING, orders BIGINT, n BIGINT, dist BIGINT) USING topic OPTIONS (partitions '2', key 'item')")
	query(t, s.Session, "SET streamflow.state.unbounded = allow")
	query(t, s.Session, "CREATE STREAMING QUERY counted OUTPUT MODE update AS INSERT INTO totals SELECT item, count(*), sum(n), count(DISTINCT n) FROM orders GROUP BY item")
	rows := 0
	feed := func() {
		for range 6 {
			var batch []string
			for range 20 {
				batch = append(batch, order(0, 1, fmt.Sprintf("item-%d", rows%37), rows%7))
				rows++
			}
			produce(t, s, "orders", int32(rows%2), batch...)
		}
	}
	check := func(when string) {
		t.Helper()
		processed(t, s, "counted")
		got := query(t, s.Session, "SELECT sum(o) AS rows, count(*) AS items FROM (SELECT item, max(orders) AS o FROM totals GROUP BY item)")
		if want := fmt.Sprintf("Row(rows=%d, items=37)\n", rows); got != want {
			t.Fatalf("%s: %s, want %s", when, got, want)
		}
	}
	feed()
	check("at first")
	for _, parts := range []int{5, 1, 3} {
		feed()
		query(t, s.Session, fmt.Sprintf("ALTER STREAMING QUERY counted SET PARALLELISM %d", parts))
		feed()
		check(fmt.Sprintf("in %d partitions", parts))
		if r, _ := s.node.Queries().Query("counted"); r.Status != "running" {
			t.Fatalf("the query is %s", r.Status)
		}
		if err := s.node.snapshot("counted", time.Minute); err != nil && parts == 1 {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(4)
	feed()
	check("started again")
	want := query(t, s.Session, "SELECT item, count(*), sum(n), count(DISTINCT n) FROM orders GROUP BY item ORDER BY item")
	if got := query(t, s.Session, "SELECT item, max(orders), max(n), max(dist) FROM totals GROUP BY item ORDER BY item"); strings.Count(got, "\n") != 37 || !sameRows(got, want) {
		t.Errorf("totals:\n%s\nwant\n%s", got, want)
	}
	for statement, want := range map[string]string{
		"ALTER STREAMING QUERY counted SET PARALLELISM 0":    "INVALID_PARALLELISM",
		"ALTER STREAMING QUERY counted SET PARALLELISM 2000": "INVALID_PARALLELISM",
		"ALTER STREAMING QUERY other SET PARALLELISM 2":      "STREAMING_QUERY_NOT_FOUND",
	} {
		if _, err := s.SQL(context.Background(), statement); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", statement, err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// sameRows compares rows but for the names of their columns.
func sameRows(a, b string) bool {
	values := func(s string) (out []string) {
		for line := range strings.Lines(s) {
			for _, field := range strings.Split(line, ", ") {
				_, v, _ := strings.Cut(field, "=")
				out = append(out, v)
			}
		}
		return out
	}
	return strings.Join(values(a), ",") == strings.Join(values(b), ",")
}

// TestAQueryTakesTheNodesSlots starts a node with other numbers of slots: queries follow, unless their user chose a number.
func TestAQueryTakesTheNodesSlots(t *testing.T) {
	dir := t.TempDir()
	total := 0
	for i, slots := range []int{2, 3, 1} {
		s, err := Local(Config{Dir: dir, Slots: slots, Memory: 256 << 20, Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			query(t, s.Session, "CREATE TABLE orders (ts TIMESTAMP, item STRING, n INT) USING topic OPTIONS (partitions '2')")
			query(t, s.Session, "SET streamflow.state.unbounded = allow")
			query(t, s.Session, "CREATE STREAMING QUERY follows USING memory OUTPUT MODE update AS SELECT item, sum(n) FROM orders GROUP BY item")
			query(t, s.Session, "SET streamflow.sql.partitions = 2")
			query(t, s.Session, "CREATE STREAMING QUERY stays USING memory OUTPUT MODE update AS SELECT item, sum(n) FROM orders GROUP BY item")
		}
		for k := range 30 {
			produce(t, s, "orders", 0, order(0, 1, fmt.Sprint("item", k), 1))
			total++
		}
		for name, parts := range map[string]int{"follows": slots, "stays": 2} {
			processed(t, s, name)
			if got, want := query(t, s.Session, "SELECT sum(`sum(n)`) AS n FROM state('"+name+"', 0)"), fmt.Sprintf("Row(n=%d)\n", total); got != want {
				t.Errorf("%s with %d slots: %s, want %s", name, slots, got, want)
			}
			if got := query(t, s.Session, "SELECT numPartitions FROM state_metadata('"+name+"')"); got != fmt.Sprintf("Row(numPartitions=%d)\n", parts) {
				t.Errorf("%s with %d slots: %s", name, slots, got)
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
