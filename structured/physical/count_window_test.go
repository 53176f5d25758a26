package physical

import (
	"strings"
	"testing"

	"github.com/streamflow/streamflow/structured/connector"
)

// TestMetamorphicCountWindows: windows of rows in the order of event time and of a partition of the log, tumbling and sliding, in
// output modes append and update.
func TestMetamorphicCountWindows(t *testing.T) {
	in := tables{"events": events(t, 200, 5)}
	const stream = " FROM STREAM events WATERMARK ts DELAY INTERVAL 10 SECONDS GROUP BY k, "
	for _, q := range []string{
		"SELECT k, count_window(ts, 4).start AS at, count_window(ts, 4).end AS till, count(*) AS n, sum(v) AS s, min(ts) AS since" + stream + "count_window(ts, 4)",
		"SELECT k, count_window(ts, 6, 2).start AS at, count(*) AS n, max(v) AS m, count(DISTINCT v) AS d" + stream + "count_window(ts, 6, 2)",
		"SELECT k, _partition AS p, count_window(3).start AS at, count(*) AS n, sum(v) AS s" + stream + "_partition, count_window(3)",
		"SELECT k, count_window(ts, 3) AS w, count(*) AS n FROM (SELECT k, ts FROM STREAM events WATERMARK ts DELAY INTERVAL 10 SECONDS) GROUP BY k, count_window(ts, 3) HAVING count(*) = 3",
	} {
		update := metamorphic(t, q, in)
		appended := metamorphic(t, q, in, Options{OutputMode: connector.Append})
		equal(t, q, appended, update)
		if len(update) < 20 {
			t.Errorf("%s: only %d rows", q, len(update))
		}
	}
}

// TestCountWindowRows: the windows of one key, counted by hand.
func TestCountWindowRows(t *testing.T) {
	in := tables{"events": events(t, 200, 1)}
	rows := metamorphic(t, "SELECT count_window(ts, 50, 25).start AS at, count(*) AS n FROM STREAM events WATERMARK ts DELAY INTERVAL 1 HOUR WHERE ts IS NOT NULL GROUP BY count_window(ts, 50, 25)", in, Options{OutputMode: connector.Append})
	all := strings.Join(rows, "\n")
	for _, want := range []string{"0 50", "25 50", "50 50"} {
		if !strings.Contains(all, want) {
			t.Errorf("no window %q in\n%s", want, all)
		}
	}
}

// TestCountWindowRefused: what has no order, or no bound, says so.
func TestCountWindowRefused(t *testing.T) {
	in := tables{"events": events(t, 20, 2)}
	for q, code := range map[string]string{
		"SELECT k, count(*) FROM STREAM events GROUP BY k, count_window(3)":                             "COUNT_WINDOW_ORDER",
		"SELECT k, count_window(3).start FROM STREAM events":                                            "UNSUPPORTED_FEATURE.COUNT_WINDOW",
		"SELECT k, count(*) FROM STREAM events GROUP BY k, count_window(ts, 0)":                         "DATATYPE_MISMATCH",
		"SELECT k, count(*) FROM STREAM events GROUP BY k, count_window(ts, 3, 4)":                      "DATATYPE_MISMATCH",
		"SELECT k, count(*) FROM STREAM events GROUP BY k, count_window(ts, 3), window(ts, '1 minute')": "MULTIPLE_TIME_WINDOWS",
	} {
		l, err := fromSQL(q, in)
		if err == nil {
			_, err = Plan(t.Context(), l, Options{Streaming: true, Query: "q", OutputMode: connector.Append, Conf: map[string]string{UnboundedState: "allow"}})
		}
		if err == nil || !strings.Contains(err.Error(), code) {
			t.Errorf("%s: %v, want %s", q, err, code)
		}
	}
	l, err := fromSQL("SELECT k, count(*) FROM STREAM events WATERMARK ts DELAY INTERVAL 1 SECOND GROUP BY k, count_window(ts, 3)", in)
	if err == nil {
		_, err = Plan(t.Context(), l, Options{Streaming: true, Query: "q", OutputMode: connector.Append})
	}
	if err == nil || !strings.Contains(err.Error(), "STREAMING_STATE_UNBOUNDED") {
		t.Errorf("unbounded: %v", err)
	}
}
