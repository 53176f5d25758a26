package physical

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/rdd"
	"github.com/streamflow/streamflow/structured/connector"
	"github.com/streamflow/streamflow/structured/connector/memory"
	"github.com/streamflow/streamflow/structured/logical"
)

// benchRows is the size of the benchmarks' table.
const benchRows = 10_000_000

// benchTable holds events in order of time: k of 1,000 values, ts, v; made once.
var benchTable = sync.OnceValue(func() *memory.Table {
	schema, err := column.ParseDDL("k INT, ts TIMESTAMP, v BIGINT")
	if err != nil {
		panic("BUG: " + err.Error())
	}
	t := memory.New("events", schema, 2)
	for from := 0; from < benchRows; from += column.BatchRows {
		n := min(column.BatchRows, benchRows-from)
		b := &column.Batch{Schema: schema, N: n}
		for _, f := range schema.Fields {
			b.Cols = append(b.Cols, column.NewVector(f.Type, n))
		}
		for i := range n {
			x := uint64(from+i) * 0x9E3779B97F4A7C15
			b.Cols[0].I32[i] = int32(x >> 32 % 1000)
			b.Cols[1].I64[i] = int64(from+i) * 1000
			b.Cols[2].I64[i] = int64(x >> 40 % 100)
		}
		if err := t.Append(from/column.BatchRows%2, b); err != nil {
			panic("BUG: " + err.Error())
		}
	}
	t.Seal()
	return t
})

// benchQuery is filter, tumbling window, count: by window alone, or by window and key.
func benchQuery(t testing.TB, s *logical.Scan, byKey bool) logical.Plan {
	t.Helper()
	f := &logical.Filter{Cond: call(t, ">", s.Attrs[2], expr.Lit(int64(20))), Child: watermarked(s)}
	w := &logical.Window{Time: s.Attrs[1], Size: 10 * second, Slide: 10 * second, Child: &logical.Project{List: []expr.Expr{s.Attrs[1], s.Attrs[0]}, Child: f},
		Attr: &expr.Attr{ID: expr.NewID(), Name: "window", Typ: windowType}}
	a := &logical.Aggregate{Keys: []expr.Expr{w.Attr}, Child: w, List: []expr.Expr{as(call(t, "get_field", w.Attr, expr.Lit("start")), "w"), as(call(t, "count", expr.Lit(1)), "n")}}
	if byKey {
		a.Keys = append(a.Keys, s.Attrs[0])
		a.List = append(a.List, s.Attrs[0])
	}
	return a
}

// BenchmarkFilterWindowCount reads 10 M rows of history in one goroutine.
func BenchmarkFilterWindowCount(b *testing.B) {
	for _, byKey := range []bool{false, true} {
		b.Run(fmt.Sprintf("byKey=%v", byKey), func(b *testing.B) {
			table := benchTable()
			phys, err := Plan(context.Background(), benchQuery(b, scanOf(table, false), byKey), Options{Parts: 2})
			if err != nil {
				b.Fatal(err)
			}
			root := phys.Lower()
			r := newRunner(b)
			b.ResetTimer()
			for range b.N {
				if _, err := r.run(root, phys.Binding()); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(benchRows)*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mrows/s")
		})
	}
}

// BenchmarkMicroBatch is the operators' share of one small micro-batch: 100 rows through window, partial aggregation,
// state and emission.
func BenchmarkMicroBatch(b *testing.B) {
	table := benchTable()
	phys, err := Plan(context.Background(), benchQuery(b, scanOf(table, true), true), Options{Parts: 2, Streaming: true, Query: "q"})
	if err != nil {
		b.Fatal(err)
	}
	root, src := phys.Lower(), phys.Sources[0]
	r := newRunner(b)
	clocks := map[string][]int64{phys.Watermarks[0].Op: NoClocks(2)}
	b.ResetTimer()
	for i := range b.N {
		from := int64(i * 100 % (benchRows / 3))
		bind := &rdd.Binding{Query: "q", Batch: int64(i), PartitionClocks: clocks,
			Watermarks: map[string]int64{phys.Stateful[0].Op: leastWatermark(phys, phys.Stateful[0], clocks)},
			Splits:     map[string][][]rdd.Split{src.Op: src.Stream.Bind(connector.Offsets{from, from}, connector.Offsets{from + 50, from + 50})}}
		if _, err := r.run(root, bind); err != nil {
			b.Fatal(err)
		}
		clocks = nextClocks(b, clocks, r.reports)
	}
}
