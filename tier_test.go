package streamflow

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/streamflow/streamflow/logstore/tier"
	"github.com/streamflow/streamflow/structured"
)

// coldSession is a node that archives at once and forgets what it archived.
func coldSession(t *testing.T) *LocalSession {
	t.Helper()
	s, err := Local(Config{Dir: t.TempDir(), Slots: 2, Memory: 256 << 20, Logger: slog.New(slog.DiscardHandler), Tier: &tier.Options{Interval: 20 * time.Millisecond}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// countersOf runs a query and returns its counters, summed over operators.
func countersOf(t *testing.T, s *LocalSession, sql string) map[string]int64 {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	df, err := s.SQL(ctx, sql)
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	rows, err := df.Rows(ctx, structured.ExecOptions{})
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	defer rows.Close()
	for {
		if _, err := rows.Next(ctx); err != nil {
			break
		}
	}
	return rows.Counters()
}

// History in the cold tier is read as columns, with what cannot be wanted left out, and gives what the log gave.
func TestHistoryInTheColdTier(t *testing.T) {
	s := coldSession(t)
	const columns = "(id BIGINT, name STRING, price DOUBLE, ts TIMESTAMP) USING topic OPTIONS (partitions '1'"
	query(t, s.Session, "CREATE TABLE hot "+columns+")")
	query(t, s.Session, "CREATE TABLE cold "+columns+", remote.storage.enable 'true', segment.bytes '20000', local.retention.ms '1')")
	const n = 4000
	for i := 0; i < n; {
		var lines []string
		for range 50 {
			line := fmt.Sprintf(`{"id":%d,"name":"customer %d","price":%d.25,"ts":"2024-01-01T%02d:%02d:%02dZ"}`, i, i%7, i%100, i/3600, i/60%60, i%60)
			if i == 777 {
				line = "{broken"
			}
			lines = append(lines, line)
			i++
		}
		produce(t, s, "hot", 0, lines...)
		produce(t, s, "cold", 0, lines...)
	}
	p, err := s.Node().Broker().Partition("cold", 0)
	if err != nil {
		t.Fatal(err)
	}
	for range 500 {
		if p.LocalStart() > n/2 {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	if p.LocalStart() <= n/2 {
		t.Fatalf("only %d offsets are in the tier alone", p.LocalStart())
	}
	for _, q := range []string{
		"SELECT count(*), sum(id), sum(price), min(ts), max(ts) FROM %s",
		"SELECT * FROM %s WHERE id BETWEEN 100 AND 130 ORDER BY id",
		"SELECT _offset, _partition, name FROM %s WHERE _offset >= 1990 AND _offset < 2010 ORDER BY _offset",
		"SELECT name, count(*) FROM %s WHERE ts >= TIMESTAMP '2024-01-01 00:50:00' GROUP BY name ORDER BY name",
		"SELECT max(_timestamp) IS NOT NULL, count(_key) FROM %s WHERE price < 1",
		"SELECT id FROM %s WHERE id IN (3, 3999)  ORDER BY id",
	} {
		hot, cold := query(t, s.Session, fmt.Sprintf(q, "hot")), query(t, s.Session, fmt.Sprintf(q, "cold"))
		if hot != cold {
			t.Errorf("%s: cold\n%shot\n%s", q, cold, hot)
		}
	}
	all := countersOf(t, s, "SELECT sum(id) FROM cold")
	if got := all["rows.tier"]; got < n/2 || got > n {
		t.Errorf("%d rows are read as columns: %v", got, all)
	}
	if all["rows.dead"] != 1 {
		t.Errorf("dead rows: %v", all)
	}
	some := countersOf(t, s, "SELECT sum(price) FROM cold WHERE id BETWEEN 1500 AND 1510")
	if got := some["rows.tier"]; got == 0 || got > n/8 || some["tier.pruned"] == 0 {
		t.Errorf("for eleven rows, %d are read: %v", got, some)
	}
	minute := countersOf(t, s, "SELECT sum(price) FROM cold WHERE ts >= TIMESTAMP '2024-01-01 00:30:00' AND ts < TIMESTAMP '2024-01-01 00:31:00'")
	if got := minute["rows.tier"]; got == 0 || got > n/4 {
		t.Errorf("for a minute, %d rows are read: %v", got, minute)
	}
	part := countersOf(t, s, "SELECT count(*) FROM cold WHERE _offset >= 1000 AND _offset < 1050")
	if got := part["rows.tier"]; got == 0 || got > n/8 {
		t.Errorf("for fifty offsets, %d rows are read: %v", got, part)
	}
	plan := query(t, s.Session, "EXPLAIN FORMATTED SELECT sum(price) FROM cold WHERE id BETWEEN 1500 AND 1510")
	if !strings.Contains(plan, "cold tier: row groups 1 of ") && !strings.Contains(plan, "cold tier: row groups 2 of ") {
		t.Errorf("plan:\n%s", plan)
	}
}
