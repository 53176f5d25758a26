package physical

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/structured/connector/memory"
)

// windowsOf are windows of every kind of frame and function, over rows p, k, v, id, d, f. Among peers nothing depends on their order.
func windowsOf(rng *rand.Rand) []string {
	n, m := rng.IntN(5000), rng.IntN(5000)
	rows := []string{"UNBOUNDED PRECEDING AND CURRENT ROW", "UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING", "CURRENT ROW AND UNBOUNDED FOLLOWING",
		fmt.Sprintf("%d PRECEDING AND %d FOLLOWING", n, m), fmt.Sprintf("%d FOLLOWING AND %d FOLLOWING", min(n, m), max(n, m)),
		fmt.Sprintf("UNBOUNDED PRECEDING AND %d PRECEDING", n), fmt.Sprintf("%d FOLLOWING AND UNBOUNDED FOLLOWING", m), "1 PRECEDING AND 1 FOLLOWING"}
	var out []string
	desc := []string{"", " DESC"}[rng.IntN(2)]
	for _, f := range rows {
		w := " OVER (PARTITION BY p ORDER BY k" + desc + ", id ROWS BETWEEN " + f + ")"
		for _, fn := range []string{"sum(v)", "count(v)", "min(v)", "avg(v) FILTER (WHERE v > 50)", "last(v) IGNORE NULLS", "first(v)", "nth_value(v, 3)", "nth_value(v, 2) IGNORE NULLS", "max(s)"} {
			out = append(out, fn+w)
		}
		r := " OVER (PARTITION BY p ORDER BY k" + desc + " RANGE BETWEEN " + f + ")"
		d := " OVER (PARTITION BY p ORDER BY d" + desc + " RANGE BETWEEN " + strings.NewReplacer(fmt.Sprint(n), fmt.Sprintf("INTERVAL '%d' DAY", n/100), fmt.Sprint(m), fmt.Sprintf("INTERVAL '%d' DAY", m/100)).Replace(f) + ")"
		out = append(out, "sum(v)"+r, "count(*)"+r, "min(id)"+r)
		if !strings.Contains(f, "1 PRECEDING") {
			out = append(out, "count(v)"+d, "max(id)"+d)
		}
	}
	w := " OVER (PARTITION BY p ORDER BY k" + desc + ", id)"
	for _, fn := range []string{"row_number()", "ntile(7)", "lag(v)", fmt.Sprintf("lead(id, %d, -1)", n), fmt.Sprintf("lag(s, %d, 'none')", m), "lead(v, 3) IGNORE NULLS", "lag(v, 2, -5) IGNORE NULLS"} {
		out = append(out, fn+w)
	}
	for _, fn := range []string{"rank()", "dense_rank()", "percent_rank()", "cume_dist()"} {
		out = append(out, fn+" OVER (PARTITION BY p ORDER BY k"+desc+")", fn+" OVER (PARTITION BY p ORDER BY f"+desc+" NULLS LAST)")
	}
	return append(out, "sum(v) OVER (PARTITION BY p)", "count(*) OVER ()")
}

// windowRows are rows of three partitions, of which one has nearly all.
func windowRows(t *testing.T, rng *rand.Rand, rows int) *memory.Table {
	schema, err := column.ParseDDL("p BIGINT, k BIGINT, v BIGINT, id BIGINT, d DATE, f DOUBLE, s STRING")
	if err != nil {
		t.Fatal(err)
	}
	b := column.NewBatchBuilder(schema)
	keys := int64(1 + rng.IntN(6000))
	for i := range rows {
		part := int64(1)
		if rng.IntN(200) == 0 {
			part = int64(rng.IntN(3))
		}
		r := []any{part, rng.Int64N(keys), rng.Int64N(100), int64(i), int32(rng.IntN(900)), float64(rng.IntN(50)), strings.Repeat("x", rng.IntN(30)) + fmt.Sprint(rng.IntN(50))}
		for _, c := range []int{1, 2, 4, 5} {
			if rng.IntN(9) == 0 {
				r[c] = nil
			}
		}
		if err := b.AppendRow(r...); err != nil {
			t.Fatal(err)
		}
	}
	table := memory.New("t", schema, 1)
	if err := table.Append(0, b.Finish()); err != nil {
		t.Fatal(err)
	}
	return table
}

// TestOverOfAPartitionThatDoesNotFit gives each window function the same rows with much memory and with little.
func TestOverOfAPartitionThatDoesNotFit(t *testing.T) {
	seed := rand.Uint64()
	rng := rand.New(rand.NewPCG(seed, 0))
	table := windowRows(t, rng, 15_000)
	list := windowsOf(rng)
	rng.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	list = list[:36]
	for len(list) > 0 {
		n := min(len(list), 12)
		text := "SELECT id"
		for i, w := range list[:n] {
			text += fmt.Sprintf(", %s AS c%d", w, i)
		}
		list = list[n:]
		text += " FROM t ORDER BY id"
		opt := Options{Parts: 2, ANSI: true}
		want := strings.Split(runSQL(t, tables{"t": table}, text, opt), "\n")
		r := newRunner(t)
		mem := &refusing{stingy: stingy{limit: 512 << 10}}
		r.memory = mem
		got := strings.Split(runSQLWith(t, r, tables{"t": table}, text, opt), "\n")
		for i := range want {
			if i >= len(got) || got[i] != want[i] {
				t.Fatalf("seed %d: %s\nrow %d\ngot  %s\nwant %s", seed, text, i, got[min(i, len(got)-1)], want[i])
			}
		}
		if mem.refused == 0 {
			t.Fatal("memory was never refused")
		}
		var large int64
		for name, n := range r.counters {
			if strings.HasSuffix(name, RowsLarge) {
				large += n
			}
		}
		if large < 10_000 {
			t.Fatalf("%d rows came from a file", large)
		}
		if left, err := os.ReadDir(r.services[SpillDir].(string)); err != nil || len(left) > 0 {
			t.Errorf("left %v (%v)", left, err)
		}
	}
}
