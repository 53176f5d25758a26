package streamflow

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/structured"
)

const shipped = `{"ts":"2024-01-01T00:%02d:%02dZ","item":%q,"by":%q}`

// shop makes the topics orders and shipments, each row a minute and some seconds after the last.
func shop(t *testing.T) *LocalSession {
	s := local(t)
	query(t, s.Session, "CREATE TABLE orders (ts TIMESTAMP, item STRING, n INT, WATERMARK FOR ts AS ts - INTERVAL 1 MINUTE) USING topic OPTIONS (partitions '2')")
	query(t, s.Session, "CREATE TABLE shipments (ts TIMESTAMP, item STRING, by STRING, WATERMARK FOR ts AS ts - INTERVAL 2 MINUTES) USING topic OPTIONS (partitions '1')")
	return s
}

// Joins of two topics give live, whatever comes first, what they give over history: pairs, rows without a partner, and rows
// that were too late.
func TestJoinsOfTopics(t *testing.T) {
	for name, text := range map[string]string{
		"interval": `SELECT o.item, o.n, s.by FROM orders o LEFT JOIN shipments s ON o.item = s.item AND s.ts BETWEEN o.ts AND o.ts + INTERVAL 2 MINUTES`,
		"version":  `SELECT o.item, o.n, s.by FROM orders o LEFT JOIN shipments FOR SYSTEM_TIME AS OF o.ts AS s ON o.item = s.item`,
		"windows": `SELECT a.w.start AS w, a.item, a.n, b.n AS shipped FROM (SELECT window(ts, '2 minutes') AS w, item, count(*) AS n FROM orders GROUP BY 1, 2) a
			FULL JOIN (SELECT window(ts, '2 minutes') AS w, item, count(*) AS n FROM shipments GROUP BY 1, 2) b ON a.w = b.w AND a.item = b.item`,
		"most of each window": `SELECT a.s, a.item, a.n FROM (SELECT window.start AS s, item, count(*) AS n FROM orders GROUP BY window(ts, '2 minutes'), item) a
			JOIN (SELECT s, max(n) AS m FROM (SELECT window.start AS s, item, count(*) AS n FROM orders GROUP BY window(ts, '2 minutes'), item) GROUP BY s) b
			ON a.s = b.s AND a.n >= b.m`,
		"table": `SELECT o.item, o.n, d.name FROM orders o JOIN (VALUES ('a', 'apple'), ('b', 'pear')) AS d(item, name) ON o.item = d.item WHERE o.n IN (SELECT few.n FROM (VALUES (1), (3)) AS few(n))`,
	} {
		t.Run(name, func(t *testing.T) {
			s := shop(t)
			query(t, s.Session, "SET streamflow.watermark.max.drift = 90 seconds")
			feed := func() {
				for i := range 60 {
					produce(t, s, "orders", int32(i%2), order(i/6, i%6*10, string(rune('a'+i%4)), i%5))
					if i%3 == 0 {
						produce(t, s, "shipments", 0, fmt.Sprintf(shipped, i/6, i%7*8, string(rune('a'+i%3)), fmt.Sprint("van ", i)))
					}
				}
				produce(t, s, "orders", 0, order(1, 1, "a", 1))
				produce(t, s, "shipments", 0, fmt.Sprintf(shipped, 1, 1, "a", "late van"))
			}
			feed()
			rows, err := s.Run(context.Background(), text, structured.RunOptions{Name: "h"}, structured.ExecOptions{})
			if err != nil {
				t.Fatal(err)
			}
			history, counters := drain(t, rows)
			if rows, err = s.Run(context.Background(), text, structured.RunOptions{Name: "l", Live: true}, structured.ExecOptions{}); err != nil {
				t.Fatal(err)
			}
			feed()
			seal(t, s, "orders")
			seal(t, s, "shipments")
			live, liveCounters := drain(t, rows)
			if a, b := sorted(history), sorted(live); a != b || len(history) < 10 {
				t.Fatalf("history:\n%s\nlive:\n%s", a, b)
			}
			late := map[string]int64{"interval": 2, "version": 2, "windows": 2, "most of each window": 1, "table": 0}[name]
			if counters["rows.late"] != late || liveCounters["rows.late"] != late {
				t.Errorf("late rows: %d over history, %d live, want %d", counters["rows.late"], liveCounters["rows.late"], late)
			}
		})
	}
}

// A topic that brings nothing at all does not hold back the event time of what it is joined with.
func TestIdleTopicDoesNotHoldJoinsBack(t *testing.T) {
	s := shop(t)
	query(t, s.Session, "SET streamflow.watermark.idle.timeout = 100 milliseconds")
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	rows, err := s.Run(ctx, `SELECT o.item, s.by FROM orders o LEFT JOIN shipments s ON o.item = s.item AND s.ts BETWEEN o.ts AND o.ts + INTERVAL 2 MINUTES`,
		structured.RunOptions{Name: "alone", Live: true}, structured.ExecOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for p := range int32(2) {
		produce(t, s, "orders", p, order(0, 1, "a", 1), order(9, 1, "b", 2))
	}
	var got []string
	for len(got) < 2 {
		b, err := rows.Next(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for i := range b.N {
			got = append(got, string(column.AppendJSONRow(nil, b, i, len(b.Cols), time.UTC)))
		}
	}
	if want := `{"item":"a"}`; strings.Join(got, "") != want+want {
		t.Fatalf("got %v, want two of %s", got, want)
	}
}

// A table that is joined to a stream is read again when it has become old.
func TestTablesAreReadAgain(t *testing.T) {
	s := shop(t)
	query(t, s.Session, "CREATE TABLE names (item STRING, name STRING) USING topic OPTIONS (partitions '1')")
	query(t, s.Session, "INSERT INTO names VALUES ('a', 'apple')")
	query(t, s.Session, "SET streamflow.lookup.refresh = 1 millisecond")
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	rows, err := s.Run(ctx, "SELECT o.item, n.name FROM STREAM orders o LEFT JOIN names n ON o.item = n.item", structured.RunOptions{Name: "again"}, structured.ExecOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for i, want := range []string{`{"item":"a","name":"apple"}`, `{"item":"b"}`, `{"item":"b","name":"pear"}`} {
		if i == 2 {
			query(t, s.Session, "INSERT INTO names VALUES ('b', 'pear')")
			time.Sleep(2 * time.Millisecond)
		}
		produce(t, s, "orders", 0, order(i, 1, want[9:10], 1))
		b, err := rows.Next(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if got := string(column.AppendJSONRow(nil, b, 0, len(b.Cols), time.UTC)); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
