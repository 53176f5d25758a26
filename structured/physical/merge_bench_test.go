package physical

import (
	"io"
	"math/rand/v2"
	"testing"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/rdd"
)

// BenchmarkMergeRuns merges 16 sorted runs on disk: of a number, and of a string with many equal beginnings.
func BenchmarkMergeRuns(b *testing.B) {
	schema, err := column.ParseDDL("n BIGINT, s STRING, d DOUBLE")
	if err != nil {
		b.Fatal(err)
	}
	const runs, rows = 16, 50_000
	for name, keys := range map[string][]column.SortKey{"number": {{Col: 0}}, "string": {{Col: 1}, {Col: 0}}} {
		b.Run(name, func(b *testing.B) {
			rng := rand.New(rand.NewPCG(1, 2))
			tc := &rdd.TaskContext{Services: map[string]any{SpillDir: b.TempDir()}}
			var files []*spillFile
			for range runs {
				rowsOf := column.NewBatchBuilder(schema)
				for range rows {
					if err := rowsOf.AppendRow(rng.Int64(), "customer number "+string(rune('a'+rng.IntN(26)))+string(rune('a'+rng.IntN(26))), rng.Float64()); err != nil {
						b.Fatal(err)
					}
				}
				all := rowsOf.Finish()
				order := column.SortIndices(all, keys)
				f, err := newSpillFile(tc, schema)
				if err != nil {
					b.Fatal(err)
				}
				defer f.close()
				for len(order) > 0 {
					n := min(len(order), column.BatchRows)
					if err := f.write(column.TakeBatch(nil, all, order[:n])); err != nil {
						b.Fatal(err)
					}
					order = order[n:]
				}
				files = append(files, f)
			}
			b.ResetTimer()
			for b.Loop() {
				m, err := newMerger(files, keys, schema)
				if err != nil {
					b.Fatal(err)
				}
				n := 0
				for {
					out, err := m.next()
					if err == io.EOF {
						break
					}
					if err != nil {
						b.Fatal(err)
					}
					n += out.N
				}
				if n != runs*rows {
					b.Fatalf("%d rows", n)
				}
			}
			b.ReportMetric(float64(runs*rows)*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mrows/s")
		})
	}
}
