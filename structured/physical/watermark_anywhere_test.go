package physical

import (
	"testing"

	"github.com/streamflow/streamflow/structured/connector"
)

// TestMetamorphicUnionWithItself: a table that is read twice has a clock for each reading, which need not be at the same place.
func TestMetamorphicUnionWithItself(t *testing.T) {
	in := tables{"events": events(t, 150, 5)}
	metamorphic(t, "SELECT window(ts, '20 seconds').start AS at, k, count(*) AS n FROM (SELECT ts, k FROM "+markedEvents+" UNION ALL SELECT ts, k FROM "+markedEvents+") GROUP BY window(ts, '20 seconds'), k",
		in, Options{OutputMode: connector.Append})
}

// TestMetamorphicWatermarkAnywhere: a watermark may be declared above what brings partitions together: joins, unions, duplicates,
// and above aggregations of windows.
func TestMetamorphicWatermarkAnywhere(t *testing.T) {
	in := tables{"events": events(t, 150, 5), "others": events(t, 120, 5)}
	const tumbling = " GROUP BY window(ts, '20 seconds'), k"
	for _, q := range []string{
		"SELECT window(ts, '20 seconds').start AS at, k, count(*) AS n, max(name) FROM (SELECT e.ts, e.k, d.name FROM STREAM events e JOIN (VALUES (1, 'a'), (2, 'b'), (3, 'c')) AS d(k, name) ON e.k = d.k) WATERMARK ts DELAY INTERVAL 10 SECONDS" + tumbling,
		"SELECT window(ts, '20 seconds').start AS at, k, count(*) AS n, sum(v) FROM (SELECT ts, k, v FROM STREAM events UNION ALL SELECT ts, k, v FROM STREAM others) WATERMARK ts DELAY INTERVAL 10 SECONDS" + tumbling,
		"SELECT window(ts, '20 seconds').start AS at, k, count(*) AS n FROM (SELECT DISTINCT ts, k FROM STREAM events WHERE v > 3) WATERMARK ts DELAY INTERVAL 10 SECONDS" + tumbling,
		"SELECT window(at, '1 minute').start AS minute, count(*) AS n, max(n) FROM (SELECT window_time(window) AS at, k, count(*) AS n FROM " + markedEvents + tumbling + ") WATERMARK at DELAY INTERVAL 30 SECONDS GROUP BY window(at, '1 minute')",
		"SELECT window(ts, '20 seconds').start AS at, k, count(*) AS n FROM (SELECT a.ts, a.k FROM " + markedEvents + " a JOIN STREAM others WATERMARK ts DELAY INTERVAL 5 SECONDS b ON a.k = b.k AND b.ts BETWEEN a.ts AND a.ts + INTERVAL 2 SECONDS) WATERMARK ts DELAY INTERVAL 20 SECONDS" + tumbling,
	} {
		for _, mode := range []connector.OutputMode{connector.Append, connector.Update} {
			rows := metamorphic(t, q, in, Options{OutputMode: mode, Conf: map[string]string{UnboundedState: "allow"}})
			if len(rows) < 3 {
				t.Errorf("%s: only %d rows", q, len(rows))
			}
		}
	}
}
