package physical

import (
	"math/rand/v2"
	"testing"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/structured/connector"
	"github.com/streamflow/streamflow/structured/connector/memory"
)

// benchStream has n rows in order of time, one a millisecond: k of keys values, ts, v.
func benchStream(n, keys int, seed uint64) *memory.Table {
	schema, err := column.ParseDDL("k BIGINT, ts TIMESTAMP, v BIGINT")
	if err != nil {
		panic("BUG: " + err.Error())
	}
	rng := rand.New(rand.NewPCG(seed, 1))
	t := memory.New("stream", schema, 1)
	for from := 0; from < n; from += column.BatchRows {
		b := &column.Batch{Schema: schema, N: min(column.BatchRows, n-from)}
		for _, f := range schema.Fields {
			b.Cols = append(b.Cols, column.NewVector(f.Type, b.N))
		}
		for i := range b.N {
			b.Cols[0].I64[i], b.Cols[1].I64[i], b.Cols[2].I64[i] = rng.Int64N(int64(keys)), int64(from+i)*1000, rng.Int64N(1000)
		}
		if err := t.Append(0, b); err != nil {
			panic("BUG: " + err.Error())
		}
	}
	t.Seal()
	return t
}

// BenchmarkStreamJoins is the operators' share of joins of two streams in micro-batches of 10,000 rows of each side; rows/s
// are those of both.
func BenchmarkStreamJoins(b *testing.B) {
	const n = 200_000
	l, r := "STREAM l WATERMARK ts DELAY INTERVAL 1 SECOND AS a", "STREAM r WATERMARK ts DELAY INTERVAL 1 SECOND AS b"
	for name, text := range map[string]string{
		"interval":  "SELECT a.k, a.v, b.v AS bv FROM " + l + " JOIN " + r + " ON a.k = b.k AND b.ts BETWEEN a.ts AND a.ts + INTERVAL 10 SECONDS",
		"outer":     "SELECT a.k, a.v, b.v AS bv FROM " + l + " FULL JOIN " + r + " ON a.k = b.k AND b.ts BETWEEN a.ts AND a.ts + INTERVAL 10 SECONDS",
		"unbounded": "SELECT a.k, a.v, b.v AS bv FROM STREAM l a JOIN STREAM r b ON a.k = b.k",
		"changes":   "SELECT a.k, a.v, b.v AS bv FROM STREAM l a LEFT JOIN STREAM r b ON a.k = b.k",
		"as of":     "SELECT a.k, a.v, b.v AS bv FROM " + l + " ASOF JOIN " + r + " MATCH_CONDITION (a.ts >= b.ts) ON a.k = b.k",
	} {
		b.Run(name, func(b *testing.B) {
			in := tables{"l": benchStream(n, 100_000, 1), "r": benchStream(n, 100_000, 2)}
			b.ResetTimer()
			for range b.N {
				run := newLiveRun(b, text, in, Options{OutputMode: connector.Update, Conf: map[string]string{UnboundedState: "allow"}}, 1)
				run.cut, run.rng = 20_000, seeded(1)
				for ended := false; !ended; run.batch++ {
					bind, end := run.next()
					if _, err := run.runner.run(run.root, bind); err != nil {
						b.Fatal(err)
					}
					run.clocks, ended = nextClocks(b, run.clocks, run.runner.reports), end
				}
			}
			b.ReportMetric(2*n*float64(b.N)/b.Elapsed().Seconds()/1e3, "Krows/s")
		})
	}
}
