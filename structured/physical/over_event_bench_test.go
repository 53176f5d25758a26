package physical

import (
	"testing"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/structured/connector/memory"
)

// keyedEvents are n rows of 1,000 keys, a millisecond apart.
func keyedEvents(b *testing.B, n int) *memory.Table {
	b.Helper()
	schema := mustDDL(b, "k INT, ts TIMESTAMP, v BIGINT")
	table := memory.New("events", schema, 1)
	for from := 0; from < n; from += column.BatchRows {
		build := column.NewBatchBuilder(schema)
		for i := from; i < min(from+column.BatchRows, n); i++ {
			if err := build.AppendRow(int64(i*7919%1000), int64(i)*1000, int64(i%100)); err != nil {
				b.Fatal(err)
			}
		}
		if err := table.Append(0, build.Finish()); err != nil {
			b.Fatal(err)
		}
	}
	return table
}

// BenchmarkEventOver: aggregates of 1,000 keys in the order of event time, in batches of up to 20,000 rows.
func BenchmarkEventOver(b *testing.B) {
	const rows = 200_000
	in := tables{"events": keyedEvents(b, rows)}
	for _, q := range []struct{ name, fn string }{
		{"rows", "sum(v) OVER (PARTITION BY k ORDER BY ts ROWS BETWEEN 9 PRECEDING AND CURRENT ROW)"},
		{"range", "avg(v) OVER (PARTITION BY k ORDER BY ts RANGE BETWEEN INTERVAL 1 SECOND PRECEDING AND CURRENT ROW)"},
		{"running", "count(1) OVER (PARTITION BY k ORDER BY ts ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)"},
	} {
		b.Run(q.name, func(b *testing.B) {
			for range b.N {
				r := newLiveRun(b, "SELECT k, ts, "+q.fn+" AS s FROM STREAM events WATERMARK ts DELAY INTERVAL 0 SECONDS", in, Options{Conf: map[string]string{UnboundedState: "allow"}}, 1)
				r.cut, r.rng = 20_000, seeded(1)
				for ended := false; !ended; r.batch++ {
					bind, last := r.next()
					if _, err := r.runner.run(r.root, bind); err != nil {
						b.Fatal(err)
					}
					r.last, ended = bind.Watermarks, last
					r.clocks = nextClocks(b, r.clocks, r.runner.reports)
				}
			}
			b.ReportMetric(float64(rows*b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}
