package physical

import (
	"fmt"
	"testing"

	"github.com/streamflow/streamflow/structured/connector"
)

// churn is a result whose rows come, change and go: the events of each value, only while there is an even number of them.
const churn = "(SELECT v, k, count(*) AS n, max(v) + count(*) AS x FROM STREAM events GROUP BY v, k HAVING count(*) % 3 <> 0) AS c"

// TestMetamorphicAggregates: aggregates of rows, and of rows that change, give what the batch query gives.
func TestMetamorphicAggregates(t *testing.T) {
	in := tables{"events": events(t, 300, 5)}
	for _, q := range []string{
		"SELECT k, count(*), sum(v), avg(v), min(v), max(v), count(v) FILTER (WHERE v > 50) FROM STREAM events GROUP BY k",
		"SELECT count(*), sum(v) FROM STREAM events",
		"SELECT count(*), sum(v), max(v) FROM STREAM events WHERE v > 1000",
		"SELECT k, count(DISTINCT v), sum(DISTINCT v), avg(DISTINCT v), count(*) FROM STREAM events GROUP BY k",
		"SELECT k, count(DISTINCT v) FILTER (WHERE v > 50), count(DISTINCT v), count(DISTINCT v % 7), count(DISTINCT v, ts), max(v) FROM STREAM events GROUP BY k",
		"SELECT count(DISTINCT v), count(DISTINCT CAST(null AS INT)) FROM STREAM events",
		"SELECT k, count(DISTINCT 1), array_sort(collect_set(DISTINCT v)), stddev(DISTINCT v) > 0 FROM STREAM events GROUP BY k",
		"SELECT k, count(*), sum(n), avg(x), count_if(n > 1), sum(CAST(n AS DOUBLE)), sum(CAST(n AS DECIMAL(10, 2))), avg(CAST(n AS DECIMAL(10, 2))) FROM " + churn + " GROUP BY k",
		"SELECT count(*), sum(n), max(n) FROM " + churn,
		"SELECT n, min(v), max(v), min(CAST(v AS STRING)), max(CAST(v AS DOUBLE)) FROM " + churn + " GROUP BY n",
		"SELECT k, first(v) >= 0, array_sort(collect_list(n)), array_sort(collect_set(n)), bit_xor(v), any_value(1), max_by(v, v) FROM " + churn + " GROUP BY k",
		"SELECT k, round(stddev(n), 6), round(var_pop(v), 6), approx_count_distinct(v), median(v) FROM " + churn + " GROUP BY k",
		"SELECT k, max(v) FILTER (WHERE n > 1), count(DISTINCT n), sum(DISTINCT n) FILTER (WHERE v > 30), min(v) FROM " + churn + " GROUP BY k",
		"SELECT k, count(DISTINCT n), count(DISTINCT n, v), sum(n), sum(DISTINCT n) FILTER (WHERE v > 30) FROM " + churn + " GROUP BY k",
		"SELECT k, s, max(m) FROM (SELECT k, v % 3 AS s, sum(v) AS m FROM STREAM events GROUP BY k, v % 3, v) GROUP BY k, s",
		"SELECT c, count(*) FROM (SELECT k, count(*) AS c FROM STREAM events GROUP BY k, v) GROUP BY c",
	} {
		if rows := metamorphic(t, q, in); len(rows) == 0 {
			t.Errorf("%s: no rows", q)
		}
	}
}

// TestMetamorphicWindows: aggregates of windows, early and on time, with lateness, and aggregates above them.
func TestMetamorphicWindows(t *testing.T) {
	in := tables{"events": events(t, 300, 9)}
	const mark = "STREAM events WATERMARK ts DELAY INTERVAL 10 SECONDS"
	queries := []string{
		"SELECT window(ts, '20 seconds').start AS at, k, count(*), count(DISTINCT v), max(v) FROM " + mark + " GROUP BY window(ts, '20 seconds'), k",
		"SELECT at, count(*), max(n), sum(n) FROM (SELECT window(ts, '20 seconds') AS at, k, count(*) AS n FROM " + mark + " GROUP BY window(ts, '20 seconds'), k) GROUP BY at",
		"SELECT window(at.end - INTERVAL 1 SECOND, '1 minute').start, count(DISTINCT n), min(n), sum(n) FROM (SELECT window(ts, '20 seconds') AS at, k, count(*) AS n FROM " + mark + " GROUP BY window(ts, '20 seconds'), k) GROUP BY window(at.end - INTERVAL 1 SECOND, '1 minute')",
	}
	for _, q := range queries {
		for _, mode := range []connector.OutputMode{connector.Append, connector.Update} {
			for _, conf := range []map[string]string{nil, {WindowLateness: "30 seconds"}, {WindowResults: "on_time", WindowLateness: "15 seconds"}} {
				if rows := metamorphic(t, q, in, Options{OutputMode: mode, Conf: conf}); len(rows) == 0 {
					t.Errorf("%s: no rows", q)
				}
			}
		}
	}
}

// TestLatenessTakesLateRows: rows that a window's end has left behind still count within the lateness, and no longer after it.
func TestLatenessTakesLateRows(t *testing.T) {
	in := tables{"events": events(t, 400, 2)}
	const q = "SELECT window(ts, '10 seconds').start, count(*) FROM STREAM events WATERMARK ts DELAY INTERVAL 10 SECONDS GROUP BY window(ts, '10 seconds')"
	var late []int
	for _, lateness := range []string{"0", "40 seconds", "1 hour"} {
		r := newLiveRun(t, q, in, Options{OutputMode: connector.Update, Conf: map[string]string{WindowLateness: lateness}}, 2)
		r.cut, r.rng = 7, seeded(1)
		r.toEnd()
		n := 0
		for _, l := range r.late {
			if containsText(l, "late:") {
				n++
			}
		}
		late = append(late, n)
	}
	if !(late[0] > late[1] && late[1] > late[2] && late[2] == 0) {
		t.Fatalf("late rows without lateness, with some and with much: %v", late)
	}
}

// TestOnTime: a window's first result comes when the watermark has passed its end, and not again unless a late row changes it.
func TestOnTime(t *testing.T) {
	in := tables{"events": events(t, 400, 2)}
	const q = "SELECT window(ts, '10 seconds').start, count(*) FROM STREAM events WATERMARK ts DELAY INTERVAL 10 SECONDS GROUP BY window(ts, '10 seconds')"
	changes := map[string]int{}
	for _, when := range []string{"early", "on_time"} {
		for _, late := range []string{"0", "40 seconds"} {
			r := newLiveRun(t, q, in, Options{OutputMode: connector.Update, Conf: map[string]string{WindowResults: when, WindowLateness: late}}, 1)
			r.cut, r.rng = 3, seeded(1)
			r.toEnd()
			changes[when+" "+late] = r.changes - len(r.table())
		}
	}
	if changes["on_time 0"] != 0 || changes["on_time 40 seconds"] == 0 || changes["early 0"] <= changes["on_time 40 seconds"] {
		t.Fatalf("changes besides the windows: %v", fmt.Sprint(changes))
	}
}

// TestMetamorphicSets: grouping sets of a stream.
func TestMetamorphicSets(t *testing.T) {
	in := tables{"events": events(t, 200, 5)}
	metamorphic(t, "SELECT k, v % 5 AS m, count(*), count(DISTINCT v), grouping_id() FROM STREAM events GROUP BY CUBE (k, v % 5)", in)
}

// TestMetamorphicSessions: sessions grow and merge before the watermark closes them, and may be aggregated further.
func TestMetamorphicSessions(t *testing.T) {
	in := tables{"events": events(t, 300, 5)}
	const sessions = "SELECT session_window(ts, '7 seconds') AS s, k, count(*) AS n, max(v) AS m FROM STREAM events WATERMARK ts DELAY INTERVAL 10 SECONDS GROUP BY session_window(ts, '7 seconds'), k"
	for _, q := range []string{
		"SELECT s.start, s.end, k, n, m FROM (" + sessions + ")",
		"SELECT k, count(*), sum(n), max(m) FROM (" + sessions + ") GROUP BY k",
	} {
		if rows := metamorphic(t, q, in); len(rows) == 0 {
			t.Errorf("%s: no rows", q)
		}
	}
}

// TestMetamorphicDedup: duplicates of rows, of rows that change, and of what other operators put out.
func TestMetamorphicDedup(t *testing.T) {
	in := tables{"events": events(t, 300, 5)}
	const windows = "SELECT window(ts, '20 seconds').end AS e, k, count(*) AS n FROM STREAM events WATERMARK ts DELAY INTERVAL 10 SECONDS GROUP BY window(ts, '20 seconds'), k"
	for _, q := range []string{
		"SELECT DISTINCT k, v FROM STREAM events",
		"SELECT DISTINCT k, n FROM " + churn,
		"SELECT count(*) FROM (SELECT DISTINCT e, n FROM (" + windows + "))",
	} {
		if rows := metamorphic(t, q, in); len(rows) == 0 {
			t.Errorf("%s: no rows", q)
		}
	}
	if rows := metamorphic(t, "SELECT DISTINCT e, n FROM ("+windows+")", in, Options{}); len(rows) == 0 {
		t.Error("no rows")
	}
}
