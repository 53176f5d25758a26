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

// awaitCold waits until most of a topic's only partition is in the tier alone.
func awaitCold(t *testing.T, s *LocalSession, topic string, least int64) {
	t.Helper()
	p, err := s.Node().Broker().Partition(topic, 0)
	if err != nil {
		t.Fatal(err)
	}
	for range 500 {
		if p.LocalStart() >= least {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatalf("%s: local start %d, want at least %d", topic, p.LocalStart(), least)
}

// Topics of every format that the engine writes: transactions, Arrow batches, nested columns, and a schema that grows.
func TestEveryFormatInTheColdTier(t *testing.T) {
	s := coldSession(t)
	const options = "partitions '1', remote.storage.enable 'true', segment.bytes '3000', local.retention.ms '1'"
	for _, format := range []string{"json", "arrow"} {
		t.Run(format, func(t *testing.T) {
			query(t, s.Session, "CREATE TABLE "+format+"_hot (id BIGINT, tags ARRAY<STRING>, at STRUCT<x: INT, y: STRING>, d DECIMAL(10,2)) USING topic OPTIONS (partitions '1', format '"+format+"')")
			query(t, s.Session, "CREATE TABLE "+format+"_cold (id BIGINT, tags ARRAY<STRING>, at STRUCT<x: INT, y: STRING>, d DECIMAL(10,2)) USING topic OPTIONS ("+options+", format '"+format+"')")
			for i := range 30 {
				rows := fmt.Sprintf("SELECT id + %d, array('a', CAST(id AS STRING)), named_struct('x', CAST(id AS INT), 'y', 'why'), CAST(id AS DECIMAL(10,2)) FROM range(40)", i*40)
				query(t, s.Session, "INSERT INTO "+format+"_hot "+rows)
				query(t, s.Session, "INSERT INTO "+format+"_cold "+rows)
			}
			awaitCold(t, s, format+"_cold", 800)
			for _, q := range []string{"SELECT * FROM %s ORDER BY id", "SELECT tags[1], at.x FROM %s WHERE id BETWEEN 95 AND 105 ORDER BY id", "SELECT sum(d), count(*) FROM %s", "SELECT count(DISTINCT _offset) FROM %s"} {
				hot, cold := query(t, s.Session, fmt.Sprintf(q, format+"_hot")), query(t, s.Session, fmt.Sprintf(q, format+"_cold"))
				if hot != cold {
					t.Errorf("%s: cold\n%.2000s\nhot\n%.2000s", q, cold, hot)
				}
			}
			if got := countersOf(t, s, "SELECT sum(d) FROM "+format+"_cold"); got["rows.tier"] < 700 {
				t.Errorf("read as columns: %v", got)
			}
			// A column that the objects do not have is looked for in the records.
			b := s.Node().Broker()
			if err := b.AlterConfigs(context.Background(), format+"_cold", map[string]string{"streamflow.schema": "id BIGINT, tags ARRAY<STRING>, at STRUCT<x: INT, y: STRING>, d DECIMAL(10,2), more STRING"}, nil); err != nil {
				t.Fatal(err)
			}
			if got := query(t, s.Session, "SELECT count(*), count(more) FROM "+format+"_cold"); !strings.Contains(got, "=1200") || !strings.Contains(got, "=0") {
				t.Errorf("after a column was added: %s", got)
			}
		})
	}
}

// A streaming query that begins with history reads it from the tier, and its result is that of the hot topic: marks, late
// rows and dead rows too.
func TestLiveFromTheColdTier(t *testing.T) {
	s := coldSession(t)
	results := map[string]string{}
	for _, topic := range []string{"hot", "cold"} {
		more := ""
		if topic == "cold" {
			more = ", remote.storage.enable 'true', segment.bytes '4000', local.retention.ms '1'"
		}
		query(t, s.Session, "CREATE TABLE "+topic+" (ts TIMESTAMP, item STRING, n INT, WATERMARK FOR ts AS ts - INTERVAL 1 MINUTE) USING topic OPTIONS (partitions '1'"+more+")")
		for i := 0; i < 1000; i += 10 {
			var lines []string
			for k := range 10 {
				lines = append(lines, order((i+k)/60, (i+k)%60, string(rune('a'+k%3)), k))
			}
			if i == 500 {
				lines[3], lines[4] = "{broken", order(0, 1, "late", 9)
			}
			produce(t, s, topic, 0, lines...)
		}
		if topic == "cold" {
			awaitCold(t, s, topic, 600)
		}
		query(t, s.Session, "CREATE TABLE out_"+topic+" (m TIMESTAMP, item STRING, total BIGINT) USING topic OPTIONS (partitions '1')")
		query(t, s.Session, "CREATE STREAMING QUERY q_"+topic+" AS INSERT INTO out_"+topic+" SELECT window(ts, '1 minute').start, item, sum(n) FROM STREAM "+topic+" GROUP BY 1, 2")
		want := "Row(n=45)\n"
		got := ""
		for range 300 {
			if got = query(t, s.Session, "SELECT count(*) AS n FROM out_"+topic); got == want {
				break
			}
			time.Sleep(20 * time.Millisecond)
		}
		results[topic] = got + query(t, s.Session, "SELECT * FROM out_"+topic+" ORDER BY m, item") +
			query(t, s.Session, "SELECT offset, reason FROM `q_"+topic+".late`") + query(t, s.Session, "SELECT offset, reason FROM `q_"+topic+".dead`")
		query(t, s.Session, "DROP STREAMING QUERY q_"+topic)
	}
	if results["hot"] != results["cold"] || !strings.Contains(results["hot"], "=503") {
		t.Errorf("cold\n%s\nhot\n%s", results["cold"], results["hot"])
	}
}
