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

const sessionsOfItems = "SELECT item, session_window(ts, '30 seconds').start AS since, count(*) AS n FROM orders GROUP BY item, session_window(ts, '30 seconds')"

// TestWindowsCloseWhileInputPauses: with streamflow.watermark.idle.close all windows close when nothing comes, once, and a replay
// sets the same rows aside.
func TestWindowsCloseWhileInputPauses(t *testing.T) {
	for name, text := range map[string]string{"tumbling": windowCount, "sessions": sessionsOfItems} {
		t.Run(name, func(t *testing.T) {
			s := local(t)
			query(t, s.Session, "CREATE TABLE orders (ts TIMESTAMP, item STRING, n INT, WATERMARK FOR ts AS ts - INTERVAL 1 MINUTE) USING topic OPTIONS (partitions '2')")
			query(t, s.Session, "SET streamflow.watermark.idle.close = 150 milliseconds")
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			rows, err := s.Run(ctx, text, structured.RunOptions{Name: "pause", Live: true}, structured.ExecOptions{})
			if err != nil {
				t.Fatal(err)
			}
			defer rows.Close()
			produce(t, s, "orders", 0, order(0, 1, "a", 1), order(0, 2, "a", 2), order(3, 1, "a", 2))
			live := take(t, ctx, rows, 2)
			end := ends(t, s, "orders")
			time.Sleep(500 * time.Millisecond) // several timeouts: event time moves on once only
			if now := ends(t, s, "orders"); fmt.Sprint(now) != fmt.Sprint(end) {
				t.Errorf("ends of the topic went from %v to %v", end, now)
			}
			produce(t, s, "orders", 1, order(3, 2, "late", 1), order(9, 0, "a", 1)) // the first is late by the mark
			live = append(live, take(t, ctx, rows, 1)...)
			seal(t, s, "orders")
			rest, counters := drain(t, rows)
			if len(rest) != 0 || counters["rows.late"] != 1 {
				t.Fatalf("rest %v, late %d", rest, counters["rows.late"])
			}
			if rows, err = s.Run(ctx, text, structured.RunOptions{Name: "replay"}, structured.ExecOptions{}); err != nil {
				t.Fatal(err)
			}
			replay, counters := drain(t, rows)
			if sorted(replay) != sorted(live) || counters["rows.late"] != 1 {
				t.Fatalf("replay %v, late %d; live %v", replay, counters["rows.late"], live)
			}
		})
	}
}

// TestWindowsCloseOverTopicElsewhere: where the log holds no marks of ours, event time moves on for the query alone, by partitions
// that are idle and when all are.
func TestWindowsCloseOverTopicElsewhere(t *testing.T) {
	elsewhere := local(t)
	l := listening(t, elsewhere)
	if _, err := elsewhere.Node().Broker().CreateTopic(t.Context(), "orders", 2, nil); err != nil {
		t.Fatal(err)
	}
	s := local(t)
	query(t, s.Session, fmt.Sprintf("CREATE TABLE orders (ts TIMESTAMP, item STRING, n INT) USING kafka OPTIONS ('kafka.bootstrap.servers' = '%s', 'subscribe' = 'orders')", l.Addr()))
	query(t, s.Session, "SET streamflow.watermark.idle.timeout = 100 milliseconds")
	query(t, s.Session, "SET streamflow.watermark.idle.close = 600 milliseconds")
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	rows, err := s.Run(ctx, "SELECT window(ts, '1 minute').start AS minute, count(*) AS n FROM orders WATERMARK ts DELAY INTERVAL 1 MINUTE GROUP BY 1", structured.RunOptions{Name: "pause", Live: true}, structured.ExecOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	produce(t, elsewhere, "orders", 0, order(0, 1, "a", 1), order(0, 2, "a", 2), order(3, 1, "a", 2))
	if got := take(t, ctx, rows, 2); !strings.Contains(got[0], `"n":2`) || !strings.Contains(got[1], `"n":1`) {
		t.Fatalf("got %v", got)
	}
}

// take reads so many rows as JSON lines.
func take(t *testing.T, ctx context.Context, rows structured.Rows, n int) (lines []string) {
	t.Helper()
	for len(lines) < n {
		b, err := rows.Next(ctx)
		if err != nil {
			t.Fatalf("after %v: %v", lines, err)
		}
		for i := range b.N {
			lines = append(lines, string(column.AppendJSONRow(nil, b, i, len(b.Cols), time.UTC)))
		}
	}
	return lines
}

// ends are where the partitions of a topic end.
func ends(t *testing.T, s *LocalSession, topic string) (list []int64) {
	t.Helper()
	for p := range int32(2) {
		part, err := s.Node().Broker().Partition(topic, p)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, part.Offsets().HighWatermark)
	}
	return list
}
