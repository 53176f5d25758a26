package streamflow

import (
	"context"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/logstore"
	"github.com/streamflow/streamflow/logstore/record"
	"github.com/streamflow/streamflow/structured"
)

// produce appends JSON records to a partition of a topic, as a client would.
func produce(t *testing.T, s *LocalSession, topic string, partition int32, values ...string) {
	t.Helper()
	p, err := s.Node().Broker().Partition(topic, partition)
	if err != nil {
		t.Fatal(err)
	}
	b := record.NewBuilder(record.None)
	for _, v := range values {
		b.Add(time.Now().UnixMilli(), nil, []byte(v))
	}
	batch, err := b.AppendBatch(nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Append(logstore.AppendRequest{Data: batch}).Wait(context.Background()); err != nil {
		t.Fatal(err)
	}
}

func seal(t *testing.T, s *LocalSession, topic string) {
	t.Helper()
	if err := s.Node().Broker().AlterConfigs(context.Background(), topic, map[string]string{"streamflow.sealed": "true"}, nil); err != nil {
		t.Fatal(err)
	}
}

// drain reads all rows as JSON lines.
func drain(t *testing.T, rows structured.Rows) (lines []string, counters map[string]int64) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	defer rows.Close()
	for {
		b, err := rows.Next(ctx)
		if err == io.EOF {
			return lines, rows.Counters()
		}
		if err != nil {
			t.Fatal(err)
		}
		for i := range b.N {
			lines = append(lines, string(column.AppendJSONRow(nil, b, i, len(b.Cols), time.UTC)))
		}
	}
}

const windowCount = `SELECT window(ts, '1 minute').start AS w, item, count(*) AS n, sum(n) AS total FROM orders WHERE n > 0 GROUP BY window(ts, '1 minute'), item`

func order(minute, second int, item string, n int) string {
	return fmt.Sprintf(`{"ts":"2024-01-01T00:%02d:%02dZ","item":%q,"n":%d}`, minute, second, item, n)
}

func TestHistoryAndLiveAgree(t *testing.T) {
	s := local(t)
	query(t, s.Session, "CREATE TABLE orders (ts TIMESTAMP, item STRING, n INT, WATERMARK FOR ts AS ts - INTERVAL 1 MINUTE) USING topic OPTIONS (partitions '2')")
	var parts [2][]string
	for i := range 200 {
		parts[i%2] = append(parts[i%2], order(i/20, (i*7)%60, string(rune('a'+i%3)), i%5))
	}
	parts[0] = append(parts[0], order(0, 1, "late", 9), "{broken")
	feed := func() {
		for p, lines := range parts {
			for len(lines) > 0 {
				n := min(7, len(lines))
				produce(t, s, "orders", int32(p), lines[:n]...)
				lines = lines[n:]
			}
		}
	}
	feed()
	ctx := context.Background()
	rows, err := s.Run(ctx, windowCount, structured.RunOptions{Name: "h"}, structured.ExecOptions{})
	if err != nil {
		t.Fatal(err)
	}
	history, counters := drain(t, rows)
	if len(history) == 0 || counters["rows.late"] != 1 || counters["rows.dead"] != 1 {
		t.Fatalf("history: %d rows, counters %v", len(history), counters)
	}
	rows, err = s.Run(ctx, windowCount, structured.RunOptions{Name: "l", Live: true}, structured.ExecOptions{})
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		feed()
		seal(t, s, "orders")
	}()
	live, liveCounters := drain(t, rows)
	if a, b := sorted(history), sorted(live); a != b {
		t.Fatalf("history:\n%s\nlive:\n%s", a, b)
	}
	for _, c := range []string{"rows.late", "rows.dead"} {
		if counters[c] != liveCounters[c] {
			t.Errorf("%s: history %d, live %d", c, counters[c], liveCounters[c])
		}
	}
	for _, topic := range []string{"h.late", "h.dead", "l.late", "l.dead"} {
		if got := query(t, s.Session, "SELECT count(*) AS n FROM `"+topic+"`"); got != "Row(n=1)\n" {
			t.Errorf("%s: %s", topic, got)
		}
	}
}

func sorted(lines []string) string {
	l := append([]string{}, lines...)
	for i := range l {
		for j := i; j > 0 && l[j] < l[j-1]; j-- {
			l[j], l[j-1] = l[j-1], l[j]
		}
	}
	return strings.Join(l, "\n")
}

// Lateness is a property of the row: whichever side a join moves, history sets aside the same rows.
func TestLateRowsSurviveAnyJoin(t *testing.T) {
	s := local(t)
	query(t, s.Session, "CREATE TABLE orders (ts TIMESTAMP, item STRING, n INT, WATERMARK FOR ts AS ts - INTERVAL 1 MINUTE) USING topic OPTIONS (partitions '1')")
	produce(t, s, "orders", 0, order(0, 1, "a", 1), order(9, 1, "a", 1), order(0, 2, "a", 5))
	for _, hint := range []string{"BROADCAST(o)", "BROADCAST(d)", "SHUFFLE_HASH(d)"} {
		rows, err := s.Run(context.Background(), `SELECT /*+ `+hint+` */ window(o.ts, '1 minute').start AS w, d.name, sum(o.n) AS n
			FROM orders o JOIN (VALUES ('a', 'apple'), ('b', 'pear')) AS d(item, name) ON o.item = d.item GROUP BY window(o.ts, '1 minute'), d.name ORDER BY w`,
			structured.RunOptions{}, structured.ExecOptions{})
		if err != nil {
			t.Fatal(err)
		}
		got, counters := drain(t, rows)
		want := `{"w":"2024-01-01T00:00:00.000Z","name":"apple","n":1}` + "\n" + `{"w":"2024-01-01T00:09:00.000Z","name":"apple","n":1}`
		if strings.Join(got, "\n") != want || counters["rows.late"] != 1 {
			t.Errorf("%s: got %v, late %d", hint, got, counters["rows.late"])
		}
	}
}

// --from and --to bound what a program reads by when records were appended, also under a watermark.
func TestBounds(t *testing.T) {
	s := local(t)
	query(t, s.Session, "CREATE TABLE orders (ts TIMESTAMP, item STRING, n INT, WATERMARK FOR ts AS ts - INTERVAL 1 MINUTE) USING topic OPTIONS (partitions '1')")
	produce(t, s, "orders", 0, order(0, 1, "a", 1))
	time.Sleep(3 * time.Millisecond)
	between := time.Now()
	time.Sleep(3 * time.Millisecond)
	produce(t, s, "orders", 0, order(0, 2, "a", 10))
	for _, tc := range []struct {
		o    structured.RunOptions
		want string
	}{
		{structured.RunOptions{}, `"total":11`},
		{structured.RunOptions{To: between}, `"total":1}`},
		{structured.RunOptions{From: between}, `"total":10`},
	} {
		rows, err := s.Run(context.Background(), windowCount, tc.o, structured.ExecOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := drain(t, rows); len(got) != 1 || !strings.Contains(got[0], tc.want) {
			t.Errorf("%+v: got %v, want %s", tc.o, got, tc.want)
		}
	}
}

// A partition that brings nothing must not keep windows open for ever, and a replay over history must agree with what the
// live run decided.
func TestIdlePartitionDoesNotHoldTimeBack(t *testing.T) {
	s := local(t)
	query(t, s.Session, "CREATE TABLE orders (ts TIMESTAMP, item STRING, n INT, WATERMARK FOR ts AS ts - INTERVAL 1 MINUTE) USING topic OPTIONS (partitions '2')")
	query(t, s.Session, "SET streamflow.watermark.idle.timeout = 100 milliseconds")
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	rows, err := s.Run(ctx, windowCount, structured.RunOptions{Name: "idle", Live: true}, structured.ExecOptions{})
	if err != nil {
		t.Fatal(err)
	}
	produce(t, s, "orders", 0, order(0, 1, "a", 1), order(9, 1, "a", 2))
	b, err := rows.Next(ctx)
	if err != nil {
		t.Fatal(err)
	}
	first := string(column.AppendJSONRow(nil, b, 0, len(b.Cols), time.UTC))
	if b.N != 1 || !strings.Contains(first, "00:00:00") {
		t.Fatalf("got %d rows, first %s", b.N, first)
	}
	// Partition 1 was marked at minute 9: a row of minute 0 is late there now.
	produce(t, s, "orders", 1, order(0, 30, "a", 7))
	seal(t, s, "orders")
	rest, counters := drain(t, rows)
	if len(rest) != 1 || counters["rows.late"] != 1 {
		t.Fatalf("rest %v, late %d", rest, counters["rows.late"])
	}
	rows, err = s.Run(ctx, windowCount, structured.RunOptions{Name: "replay"}, structured.ExecOptions{})
	if err != nil {
		t.Fatal(err)
	}
	replay, counters := drain(t, rows)
	if sorted(replay) != sorted(append(rest, first)) || counters["rows.late"] != 1 {
		t.Fatalf("replay %v, late %d; live %v", replay, counters["rows.late"], append(rest, first))
	}
}

// A plain query is Spark's batch query: the watermark means nothing there, and every row counts.
func TestPlainQueriesSeeLateRows(t *testing.T) {
	s := local(t)
	query(t, s.Session, "CREATE TABLE orders (ts TIMESTAMP, item STRING, n INT, WATERMARK FOR ts AS ts - INTERVAL 1 MINUTE) USING topic OPTIONS (partitions '1')")
	produce(t, s, "orders", 0, order(0, 1, "a", 1), order(9, 1, "a", 1), order(0, 2, "a", 5))
	if got := query(t, s.Session, "SELECT sum(n) AS n FROM (SELECT window(ts, '1 minute') AS w, sum(n) AS n FROM orders GROUP BY 1)"); got != "Row(n=7)\n" {
		t.Fatalf("got %s", got)
	}
}
