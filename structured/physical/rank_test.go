package physical

import (
	"testing"

	"github.com/streamflow/streamflow/structured/connector"
)

// TestMetamorphicRank: the first rows of partitions, of rows and of changes, with and without the rank as a column.
func TestMetamorphicRank(t *testing.T) {
	in := tables{"events": events(t, 300, 5)}
	for _, q := range []string{
		"SELECT k, v, ts, n FROM (SELECT *, row_number() OVER (PARTITION BY k ORDER BY v DESC, ts, _partition, _offset) AS n FROM STREAM events) WHERE n <= 3",
		"SELECT k, v, ts FROM (SELECT *, row_number() OVER (PARTITION BY k ORDER BY v DESC, ts, _partition, _offset) AS n FROM STREAM events) WHERE n < 4 AND v % 2 = 0",
		"SELECT k, v, ts FROM (SELECT *, row_number() OVER (PARTITION BY k, v ORDER BY ts DESC NULLS FIRST, _partition, _offset DESC) AS n FROM STREAM events) WHERE n = 1",
		"SELECT k, v, n FROM (SELECT *, rank() OVER (PARTITION BY k ORDER BY v NULLS LAST) AS n FROM STREAM events) WHERE 2 >= n",
		"SELECT k, v, n FROM (SELECT *, dense_rank() OVER (PARTITION BY k ORDER BY v DESC) AS n FROM STREAM events) WHERE n <= 3",
		"SELECT v, n FROM (SELECT *, row_number() OVER (ORDER BY v DESC) AS n FROM STREAM events) WHERE n <= 100",
		"SELECT k, v, c, n FROM (SELECT k, v, n AS c, row_number() OVER (PARTITION BY k ORDER BY x DESC, v) AS n FROM " + churn + ") WHERE n <= 3",
		"SELECT k, v, c FROM (SELECT k, v, n AS c, row_number() OVER (PARTITION BY k ORDER BY x DESC, v) AS n FROM " + churn + ") WHERE n <= 1",
		"SELECT k, v, c, n FROM (SELECT k, v, n AS c, rank() OVER (PARTITION BY k ORDER BY n DESC) AS n FROM " + churn + ") WHERE n <= 2",
		"SELECT n, count(*), sum(v) FROM (SELECT *, row_number() OVER (PARTITION BY k ORDER BY v DESC, ts, _partition, _offset) AS n FROM STREAM events) WHERE n <= 3 GROUP BY n",
	} {
		if rows := metamorphic(t, q, in); len(rows) == 0 {
			t.Errorf("%s: no rows", q)
		}
	}
}

// TestMetamorphicWindowRank: the first rows of windows are final when the watermark closes them.
func TestMetamorphicWindowRank(t *testing.T) {
	in := tables{"events": events(t, 300, 5)}
	const windows = "(SELECT window(ts, '20 seconds') AS w, k, count(*) AS c FROM STREAM events WATERMARK ts DELAY INTERVAL 10 SECONDS GROUP BY window(ts, '20 seconds'), k)"
	for _, q := range []string{
		"SELECT w.start, k, c, n FROM (SELECT *, row_number() OVER (PARTITION BY w ORDER BY c DESC, k) AS n FROM " + windows + ") WHERE n <= 2",
		"SELECT w.start, k, c FROM (SELECT *, rank() OVER (PARTITION BY w.end ORDER BY c DESC) AS n FROM " + windows + ") WHERE n <= 2",
		"SELECT w.start, k, c FROM (SELECT *, dense_rank() OVER (PARTITION BY w.start ORDER BY c DESC) AS n FROM " + windows + ") WHERE n <= 2",
	} {
		for _, mode := range []connector.OutputMode{connector.Append, connector.Update} {
			if rows := metamorphic(t, q, in, Options{OutputMode: mode, Conf: map[string]string{}}); len(rows) == 0 {
				t.Errorf("%s: no rows", q)
			}
		}
	}
}

// TestMetamorphicOver: window functions over rows and over changes.
func TestMetamorphicOver(t *testing.T) {
	in := tables{"events": events(t, 200, 5)}
	for _, q := range []string{
		"SELECT k, v, sum(v) OVER (PARTITION BY k ORDER BY ts, _partition, _offset ROWS BETWEEN 3 PRECEDING AND CURRENT ROW), lag(v) OVER (PARTITION BY k ORDER BY ts, _partition, _offset) FROM STREAM events",
		"SELECT v, k, n, avg(x) OVER (PARTITION BY k ORDER BY v ROWS BETWEEN 2 PRECEDING AND 1 FOLLOWING), rank() OVER (PARTITION BY k ORDER BY n), max(v) OVER (PARTITION BY k) FROM " + churn,
		"SELECT k, m, sum(v) FROM (SELECT k, v, first(n) OVER (PARTITION BY k ORDER BY v) AS m FROM " + churn + ") GROUP BY k, m",
	} {
		if rows := metamorphic(t, q, in); len(rows) == 0 {
			t.Errorf("%s: no rows", q)
		}
	}
}

// TestMetamorphicEventOver: window functions in the order of event time are final by the watermark.
func TestMetamorphicEventOver(t *testing.T) {
	in := tables{"events": events(t, 300, 5)}
	const mark = "STREAM events WATERMARK ts DELAY INTERVAL 10 SECONDS"
	const w = " OVER (PARTITION BY k ORDER BY ts, _partition, _offset"
	for _, q := range []string{
		"SELECT k, v, sum(v)" + w + " ROWS BETWEEN 3 PRECEDING AND CURRENT ROW), lag(v)" + w + "), lag(v, 4, -1)" + w + "), row_number()" + w + ") FROM " + mark,
		"SELECT k, v, sum(v)" + w + "), max(v)" + w + "), first(v)" + w + "), last(v)" + w + "), count(v) FILTER (WHERE v > 50)" + w + ") FROM " + mark,
		"SELECT k, v, avg(v) OVER (PARTITION BY k ORDER BY ts RANGE BETWEEN INTERVAL 30 SECONDS PRECEDING AND CURRENT ROW), min(v) OVER (PARTITION BY k ORDER BY ts RANGE BETWEEN INTERVAL 5 SECONDS PRECEDING AND INTERVAL 1 SECOND PRECEDING) FROM " + mark,
		"SELECT k, v, rank() OVER (PARTITION BY k ORDER BY ts), dense_rank() OVER (PARTITION BY k ORDER BY ts), count(*) OVER (PARTITION BY k ORDER BY ts) FROM " + mark,
		"SELECT v, sum(v) OVER (ORDER BY ts RANGE BETWEEN INTERVAL 9 SECONDS PRECEDING AND CURRENT ROW) FROM " + mark,
		"SELECT w.start, k, c, c - lag(c) OVER (PARTITION BY k ORDER BY w.end) FROM (SELECT window(ts, '20 seconds') AS w, k, count(*) AS c FROM " + mark + " GROUP BY window(ts, '20 seconds'), k)",
	} {
		if rows := metamorphic(t, q, in, Options{OutputMode: connector.Append}); len(rows) == 0 {
			t.Errorf("%s: no rows", q)
		}
	}
}

// TestOverExpires: of partitions whose frames are bounded in time nothing stays when time has passed.
func TestOverExpires(t *testing.T) {
	in := tables{"events": events(t, 200, 5)}
	r := newLiveRun(t, "SELECT k, sum(v) OVER (PARTITION BY k, v ORDER BY ts RANGE BETWEEN INTERVAL 9 SECONDS PRECEDING AND CURRENT ROW) FROM STREAM events WATERMARK ts DELAY INTERVAL 10 SECONDS", in, Options{}, 2)
	r.cut, r.rng = 7, seeded(1)
	r.toEnd()
	for id, s := range r.runner.state {
		if left, _ := s.Buckets(1<<63 - 1); len(left) > 0 {
			t.Fatalf("%s holds buckets %v", id, left)
		}
	}
}
