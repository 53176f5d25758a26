package streamflow

import (
	"context"
	"log/slog"
	"strings"
	"testing"
)

const countedNow = "CREATE OR REPLACE STREAMING QUERY counted AS INSERT INTO totals SELECT window(ts, '1 minute').start, item, sum(n), avg(n) FROM orders GROUP BY window(ts, '1 minute'), item"

// refused runs a statement that must fail with a code.
func refused(t *testing.T, s *LocalSession, statement, code string) {
	t.Helper()
	d, err := s.SQL(context.Background(), statement)
	if err == nil {
		_, err = d.Collect(context.Background())
	}
	if err == nil || !strings.Contains(err.Error(), code) {
		t.Errorf("%s: %v, want %s", statement, err, code)
	}
}

// TestReplacedQueryKeepsItsState gives a query more and other aggregates: what it has counted goes on.
func TestReplacedQueryKeepsItsState(t *testing.T) {
	s := local(t)
	counting(t, s)
	query(t, s.Session, "CREATE TABLE more (w TIMESTAMP, item STRING, most INT, n BIGINT) USING topic OPTIONS (partitions '1')")
	more := "CREATE OR REPLACE STREAMING QUERY counted AS INSERT INTO more SELECT window(ts, '1 minute').start, item, max(n), sum(n) FROM orders WHERE n > 0 GROUP BY window(ts, '1 minute'), item"
	check := query(t, s.Session, "EXPLAIN CHECK "+more)
	for _, want := range []string{"change=migrate", "max(n) begins now", "avg(n)#0 ends", "change=goes on", "exactly-once"} {
		if !strings.Contains(check, want) {
			t.Errorf("check lacks %q:\n%s", want, check)
		}
	}
	query(t, s.Session, more)
	produce(t, s, "orders", 0, order(0, 30, "a", 10), order(9, 0, "a", 1))
	produce(t, s, "orders", 1, order(9, 0, "b", 1))
	processed(t, s, "counted")
	if got, want := query(t, s.Session, "SELECT item, most, n FROM more ORDER BY w, item"), "Row(item=a, most=10, n=14)\nRow(item=b, most=<nil>, n=2)\nRow(item=a, most=<nil>, n=5)\n"; got != want {
		t.Errorf("more:\n%s", got)
	}
	if got := query(t, s.Session, "SELECT count(*) AS n FROM totals"); got != "Row(n=0)\n" {
		t.Errorf("the old version put out %s", got)
	}
	refused(t, s, strings.Replace(more, "'1 minute'", "'2 minutes'", -1), "STREAMING_STATE_INCOMPATIBLE")
	query(t, s.Session, strings.Replace(strings.Replace(more, "'1 minute'", "'2 minutes'", -1), " AS INSERT", " START FROM BEGINNING AS INSERT", 1))
	processed(t, s, "counted")
	if got := query(t, s.Session, "SELECT item, most, n FROM more ORDER BY w, item, n"); !strings.Contains(got, "Row(item=a, most=10, n=19)\n") {
		t.Errorf("rebuilt:\n%s", got)
	}
}

// TestQueryChangesItsPartitions moves key groups to more and to fewer partitions.
func TestQueryChangesItsPartitions(t *testing.T) {
	s := local(t)
	counting(t, s)
	for _, parts := range []string{"5", "1", "3"} {
		query(t, s.Session, "SET streamflow.sql.partitions = "+parts)
		query(t, s.Session, strings.Replace(countedNow, "FROM orders", "FROM orders WHERE "+parts+" > 0", 1))
		want := "Row(item=a, sum(n)=4, avg(n)=2)\nRow(item=a, sum(n)=5, avg(n)=5)\nRow(item=b, sum(n)=2, avg(n)=2)\n"
		if got := query(t, s.Session, strings.Replace(keptState, "%s", "StatefulAggregate-1", 1)); got != want {
			t.Errorf("state in %s partitions:\n%s", parts, got)
		}
	}
	produce(t, s, "orders", 0, order(9, 0, "a", 1))
	produce(t, s, "orders", 1, order(9, 0, "b", 1))
	processed(t, s, "counted")
	if got, want := query(t, s.Session, "SELECT item, n, m FROM totals ORDER BY w, item"), "Row(item=a, n=4, m=2.0)\nRow(item=b, n=2, m=2.0)\nRow(item=a, n=5, m=5.0)\n"; got != want && got != strings.ReplaceAll(want, ".0", "") {
		t.Errorf("totals:\n%s", got)
	}
}

// TestSavepoint starts a second query from a savepoint of the first, after the first has gone on.
func TestSavepoint(t *testing.T) {
	s := local(t)
	counting(t, s)
	query(t, s.Session, "CREATE SAVEPOINT one ON QUERY counted")
	refused(t, s, "CREATE SAVEPOINT one ON QUERY counted", "SAVEPOINT_ALREADY_EXISTS")
	produce(t, s, "orders", 0, order(0, 30, "a", 10), order(9, 0, "a", 1))
	produce(t, s, "orders", 1, order(9, 0, "b", 1))
	processed(t, s, "counted")
	query(t, s.Session, "CREATE SAVEPOINT two ON QUERY counted")
	if got := query(t, s.Session, "SHOW SAVEPOINTS"); strings.Count(got, "query=counted") != 2 || !strings.Contains(got, "entries=3") {
		t.Errorf("savepoints:\n%s", got)
	}
	query(t, s.Session, "DROP QUERY counted")
	query(t, s.Session, "CREATE TABLE again (w TIMESTAMP, item STRING, n BIGINT, m DOUBLE) USING topic OPTIONS (partitions '1')")
	query(t, s.Session, strings.Replace(strings.Replace(countedNow, "OR REPLACE STREAMING QUERY counted AS", "STREAMING QUERY second START FROM SAVEPOINT 'counted/one' AS", 1), "INTO totals", "INTO again", 1))
	processed(t, s, "second")
	if got, want := query(t, s.Session, "SELECT * FROM again ORDER BY w, item"), query(t, s.Session, "SELECT * FROM totals ORDER BY w, item"); got != want || got == "" {
		t.Errorf("from the savepoint:\n%sby the first query:\n%s", got, want)
	}
	refused(t, s, strings.Replace(countedNow, "OR REPLACE STREAMING QUERY counted AS", "STREAMING QUERY third START FROM SAVEPOINT 'counted/three' AS", 1), "SAVEPOINT_NOT_FOUND")
	query(t, s.Session, "DROP SAVEPOINT one ON QUERY counted")
	refused(t, s, "DROP SAVEPOINT one ON QUERY counted", "SAVEPOINT_NOT_FOUND")
}

// TestPause holds a query, and replays a part of its input beside it.
func TestPause(t *testing.T) {
	s := local(t)
	counting(t, s)
	query(t, s.Session, "PAUSE QUERY counted")
	produce(t, s, "orders", 0, order(9, 0, "a", 1))
	produce(t, s, "orders", 1, order(9, 0, "b", 1))
	if got := query(t, s.Session, "SHOW QUERIES"); !strings.Contains(got, "status=paused") {
		t.Errorf("queries: %s", got)
	}
	query(t, s.Session, "REPLAY QUERY counted FROM '2024-01-01 00:00:00' TO '2100-01-01 00:00:00' INTO trial")
	if got := query(t, s.Session, "SELECT count(*) AS n FROM totals"); got != "Row(n=0)\n" {
		t.Errorf("a paused query put out %s", got)
	}
	refused(t, s, "REPLAY QUERY counted FROM '2024-01-01' TO '2100-01-01' INTO totals", "REPLAY_INTO_ITSELF")
	query(t, s.Session, "STOP QUERY counted")
	refused(t, s, "PAUSE QUERY counted", "STREAMING_QUERY_NOT_RUNNING")
	query(t, s.Session, "RESUME QUERY counted")
	processed(t, s, "counted")
	if got := query(t, s.Session, "SELECT count(*) AS n FROM totals"); got != "Row(n=3)\n" {
		t.Errorf("a resumed query put out %s", got)
	}
	if got := query(t, s.Session, "SELECT count(*) AS n FROM trial"); got != "Row(n=5)\n" {
		t.Errorf("the replay put out %s", got)
	}
}

// TestWrongStreamSettings refuses what a query could not use when it is started.
func TestWrongStreamSettings(t *testing.T) {
	s := local(t)
	query(t, s.Session, "CREATE TABLE orders (ts TIMESTAMP, n INT) USING topic OPTIONS (partitions '1')")
	for key, value := range map[string]string{"streamflow.restart.strategy": "sometimes", "streamflow.restart.attempts": "-1", "streamflow.savepoint.retain": "0", "streamflow.trigger.target.latency": "soon"} {
		query(t, s.Session, "SET "+key+" = "+value)
		if _, err := s.SQL(context.Background(), "CREATE STREAMING QUERY q USING memory AS SELECT n FROM orders"); err == nil {
			t.Errorf("%s = %s was taken", key, value)
		}
		query(t, s.Session, "RESET "+key)
	}
}

// TestSavepointsByThemselves lets a query make savepoints after each batch, and keep two.
func TestSavepointsByThemselves(t *testing.T) {
	s := local(t)
	query(t, s.Session, "SET streamflow.savepoint.interval = '1 microsecond'")
	query(t, s.Session, "SET streamflow.savepoint.retain = 2")
	query(t, s.Session, "SET streamflow.trigger.target.latency = '20 milliseconds'")
	counting(t, s)
	for i := range 3 {
		produce(t, s, "orders", 0, order(1, i, "c", 1))
		processed(t, s, "counted")
	}
	query(t, s.Session, "PAUSE QUERY counted") // waits for nothing; the next statement looks between two batches
	query(t, s.Session, "SELECT * FROM state('counted', 'by_item')")
	if got := query(t, s.Session, "SHOW SAVEPOINTS ON QUERY counted"); strings.Count(got, "savepoint=auto-") != 2 {
		t.Errorf("savepoints:\n%s", got)
	}
}

// TestReplacedQueryComesBack restarts the node after a query took over state, once from the changelog alone and once from
// snapshots: each time it has what it had.
func TestReplacedQueryComesBack(t *testing.T) {
	conf := Config{Dir: t.TempDir(), Slots: 2, Memory: 256 << 20, Logger: slog.New(slog.DiscardHandler)}
	s, err := Local(conf)
	if err != nil {
		t.Fatal(err)
	}
	counting(t, s)
	query(t, s.Session, strings.Replace(countedNow, "FROM orders", "FROM orders WHERE n > 0", 1)) // kept where it is
	query(t, s.Session, "SET streamflow.sql.partitions = 3")
	query(t, s.Session, countedNow) // moved
	want := "Row(item=a, sum(n)=4, avg(n)=2)\nRow(item=a, sum(n)=5, avg(n)=5)\nRow(item=b, sum(n)=2, avg(n)=2)\n"
	for life := range 3 {
		if got := query(t, s.Session, strings.Replace(keptState, "%s", "StatefulAggregate-1", 1)); got != want {
			t.Errorf("life %d: state is\n%s", life, got)
		}
		if life == 1 { // a batch, after which state is snapshotted and the changelog cut
			produce(t, s, "orders", 0, order(2, 0, "c", 7))
			processed(t, s, "counted")
			want += "Row(item=c, sum(n)=7, avg(n)=7)\n"
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if s, err = Local(conf); err != nil {
			t.Fatal(err)
		}
	}
	produce(t, s, "orders", 0, order(9, 0, "a", 1))
	produce(t, s, "orders", 1, order(9, 0, "b", 1))
	processed(t, s, "counted")
	if got := query(t, s.Session, "SELECT item, n FROM totals ORDER BY w, item"); got != "Row(item=a, n=4)\nRow(item=b, n=2)\nRow(item=a, n=5)\nRow(item=c, n=7)\n" {
		t.Errorf("totals:\n%s", got)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}
