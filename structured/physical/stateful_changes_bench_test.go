package physical

import (
	"testing"

	"github.com/streamflow/streamflow/structured/connector"
)

// BenchmarkChanges runs each operator over rows, and over rows that change, in batches of 20,000 rows. State is in Go maps here, so
// that it is the operators that are measured.
func BenchmarkChanges(b *testing.B) {
	const rows = 100_000
	in := tables{"events": events(b, rows, 1)}
	const groups = "(SELECT k, v, count(*) AS n, sum(v) AS s FROM STREAM events GROUP BY k, v) AS g"
	for _, c := range []struct {
		name, text string
		mode       connector.OutputMode
	}{
		{"aggregate", "SELECT k, v, count(*), max(v) FROM STREAM events GROUP BY k, v", connector.Update},
		{"distinct", "SELECT k, count(DISTINCT v), count(DISTINCT v) FILTER (WHERE v > 50) FROM STREAM events GROUP BY k", connector.Update},
		{"of changes", "SELECT k, count(*), sum(n), avg(s) FROM " + groups + " GROUP BY k", connector.Update},
		{"values kept", "SELECT k, max(n), min(s) FROM " + groups + " GROUP BY k", connector.Update},
		{"first rows", "SELECT * FROM (SELECT *, row_number() OVER (PARTITION BY k, v ORDER BY ts DESC) AS r FROM STREAM events) WHERE r <= 3", connector.Update},
		{"first rows of changes", "SELECT * FROM (SELECT *, row_number() OVER (PARTITION BY k ORDER BY n DESC, v) AS r FROM " + groups + ") WHERE r <= 10", connector.Update},
		{"over changes", "SELECT k, v, avg(n) OVER (PARTITION BY k ORDER BY v ROWS BETWEEN 3 PRECEDING AND CURRENT ROW) FROM " + groups, connector.Update},
		{"over event time", "SELECT k, v, sum(v) OVER (PARTITION BY k ORDER BY ts RANGE BETWEEN INTERVAL 30 SECONDS PRECEDING AND CURRENT ROW) FROM STREAM events WATERMARK ts DELAY INTERVAL 2 MINUTES", connector.Append},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				run := newLiveRun(b, c.text, in, Options{OutputMode: c.mode, Conf: map[string]string{UnboundedState: "allow"}}, 1)
				run.cut, run.rng = 20_000, seeded(1)
				for ended := false; !ended; run.batch++ {
					bind, end := run.next()
					if _, err := run.runner.run(run.root, bind); err != nil {
						b.Fatal(err)
					}
					run.clocks, ended = nextClocks(b, run.clocks, run.runner.reports), end
				}
			}
			b.ReportMetric(float64(rows*b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}
