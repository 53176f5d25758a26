package physical

import (
	"strings"
	"testing"

	"github.com/streamflow/streamflow/structured/connector"
)

const markedEvents = "STREAM events WATERMARK ts DELAY INTERVAL 10 SECONDS"

// TestMetamorphicSessionLateness: sessions that take late rows for a while, and those whose gap depends on the row.
func TestMetamorphicSessionLateness(t *testing.T) {
	in := tables{"events": events(t, 300, 9)}
	for _, q := range []string{
		"SELECT k, session_window(ts, '4 seconds').start AS since, session_window(ts, '4 seconds').end AS till, count(*), sum(v) FROM " + markedEvents + " GROUP BY k, session_window(ts, '4 seconds')",
		"SELECT k, session_window(ts, CASE WHEN k < 4 THEN '2 seconds' ELSE '7 seconds' END) AS s, count(*) FROM " + markedEvents + " GROUP BY k, session_window(ts, CASE WHEN k < 4 THEN '2 seconds' ELSE '7 seconds' END)",
		"SELECT k, session_window(ts, make_dt_interval(0, 0, 0, v % 9)) AS s, count(*) FROM " + markedEvents + " GROUP BY k, session_window(ts, make_dt_interval(0, 0, 0, v % 9))",
	} {
		for _, mode := range []connector.OutputMode{connector.Append, connector.Update} {
			for _, late := range []string{"0", "30 seconds"} {
				rows := metamorphic(t, q, in, Options{OutputMode: mode, Conf: map[string]string{WindowLateness: late}})
				if len(rows) < 20 {
					t.Errorf("%s: only %d rows", q, len(rows))
				}
			}
		}
	}
}

// TestSessionLatenessTakesLateRows: the longer the lateness, the fewer rows are set aside.
func TestSessionLatenessTakesLateRows(t *testing.T) {
	in := tables{"events": events(t, 400, 2)}
	const q = "SELECT session_window(ts, '1 second').start, count(*) FROM " + markedEvents + " GROUP BY session_window(ts, '1 second')"
	var late []int
	for _, lateness := range []string{"0", "15 seconds", "1 hour"} {
		r := newLiveRun(t, q, in, Options{OutputMode: connector.Update, Conf: map[string]string{WindowLateness: lateness}}, 2)
		r.cut, r.rng = 7, seeded(1)
		r.toEnd()
		late = append(late, strings.Count(strings.Join(r.late, "\n"), "late:"))
	}
	if !(late[0] > late[1] && late[1] > late[2] && late[2] == 0) {
		t.Fatalf("late rows without lateness, with some and with much: %v", late)
	}
}

// TestMetamorphicSessionsOfChanges: sessions of counts that grow, and of rows that join and part.
func TestMetamorphicSessionsOfChanges(t *testing.T) {
	in := tables{"events": events(t, 200, 4)}
	for _, q := range []string{
		"SELECT k, session_window(at, '3 seconds') AS s, count(*), sum(n), max(n) FROM (SELECT k, v % 7 AS m, max(ts) AS at, count(*) AS n FROM STREAM events GROUP BY k, v % 7) GROUP BY k, session_window(at, '3 seconds')",
		"SELECT session_window(at, '1 second').start AS since, count(DISTINCT k) AS keys FROM (SELECT k, max(ts) AS at FROM STREAM events GROUP BY k) WHERE at IS NOT NULL GROUP BY session_window(at, '1 second')",
	} {
		if rows := metamorphic(t, q, in); len(rows) == 0 {
			t.Errorf("%s: no rows", q)
		}
	}
}
