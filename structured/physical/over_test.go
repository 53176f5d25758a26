package physical

import (
	"fmt"
	"io"
	"math/rand/v2"
	"sort"
	"strings"
	"testing"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/rdd"
	"github.com/streamflow/streamflow/structured/connector/memory"
)

// TestWindowFunctionExamples evaluates the example of every window function of the table, which the docs print.
func TestWindowFunctionExamples(t *testing.T) {
	seen := 0
	for _, f := range expr.Functions() {
		if f.Kind != expr.WindowFunction {
			continue
		}
		seen++
		left, want, _ := strings.Cut(f.Example, " -> ")
		call, list, _ := strings.Cut(left, " over ")
		rows := strings.Split(list, ", ")
		text := fmt.Sprintf("SELECT %s OVER (ORDER BY x) FROM VALUES (%s) AS t(x) ORDER BY x", call, strings.Join(rows, "), ("))
		lines := strings.Split(strings.TrimSpace(runSQL(t, tables{}, text, Options{Parts: 1, ANSI: true})), "\n")
		got := strings.Join(lines[1:], ", ")
		if norm(got) != norm(want) {
			t.Errorf("%s: %s, want %s", f.Example, got, want)
		}
	}
	if seen < 9 {
		t.Errorf("%d window functions", seen)
	}
}

// TestHigherOrderExamples evaluates the examples of functions that take functions.
func TestHigherOrderExamples(t *testing.T) {
	seen := 0
	for _, f := range expr.Functions() {
		if !f.IsHigherOrder() {
			continue
		}
		seen++
		text, want, _ := strings.Cut(f.Example, " -> ")
		if i := strings.LastIndex(f.Example, ") -> "); i >= 0 { // lambdas have arrows too
			text, want = f.Example[:i+1], f.Example[i+5:]
		}
		got := strings.TrimSpace(runSQL(t, tables{}, "SELECT CAST("+text+" AS STRING)", Options{Parts: 1, ANSI: true}))
		if _, got, _ = strings.Cut(got, "\n"); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
	if seen < 9 {
		t.Errorf("%d functions take functions", seen)
	}
}

// norm makes 0.0 and 0, NULL and null alike.
func norm(s string) string {
	s = strings.ToLower(s) + ","
	return strings.ReplaceAll(s, ".0,", ",")
}

// overRow is a row of the random tables: partition, key (may be null), value (may be null), a number that is unique.
type overRow struct{ part, key, val, id any }

// TestOverAgainstNaive compares random windows with an evaluation that looks at every pair of rows.
func TestOverAgainstNaive(t *testing.T) {
	seed := rand.Uint64()
	rng := rand.New(rand.NewPCG(seed, 0))
	for range 300 {
		rows := randomRows(rng)
		desc, byRows := rng.IntN(2) == 0, rng.IntN(2) == 0
		from, to := rng.IntN(9)-4, rng.IntN(9)-4
		if from > to {
			from, to = to, from
		}
		frame := fmt.Sprintf("%s BETWEEN %s AND %s", map[bool]string{true: "ROWS", false: "RANGE"}[byRows], border(from, "PRECEDING"), border(to, "FOLLOWING"))
		order, pick := "k", "max" // without an order among peers, any of them may be the last
		if desc {
			order = "k DESC"
		}
		if byRows {
			order, pick = order+", id", "last"
		}
		w := fmt.Sprintf("OVER (PARTITION BY p ORDER BY %s %s)", order, frame)
		text := fmt.Sprintf("SELECT id, sum(v) %[1]s, count(v) %[1]s, min(v) %[1]s, %[2]s(id) %[1]s, size(collect_list(id) %[1]s) FROM t ORDER BY id", w, pick)
		lines := strings.Split(strings.TrimSpace(runSQL(t, tables{"t": overTable(t, rows)}, text, Options{Parts: 3, ANSI: true})), "\n")
		want := naiveFrames(rows, desc, byRows, from, to)
		if got := strings.Join(lines[1:], "\n"); got != want {
			t.Fatalf("seed %d: %s over %v\ngot\n%s\nwant\n%s", seed, w, rows, got, want)
		}
	}
}

const far = 4 // an offset of far or more is written as unbounded

func border(off int, unbounded string) string {
	switch {
	case off == -far && unbounded == "PRECEDING", off == far && unbounded == "FOLLOWING":
		return "UNBOUNDED " + unbounded
	case off < 0:
		return fmt.Sprintf("%d PRECEDING", -off)
	case off > 0:
		return fmt.Sprintf("%d FOLLOWING", off)
	}
	return "CURRENT ROW"
}

func randomRows(rng *rand.Rand) []overRow {
	rows := make([]overRow, 1+rng.IntN(40))
	for i := range rows {
		rows[i] = overRow{part: int64(rng.IntN(3)), key: int64(rng.IntN(8)), val: int64(rng.IntN(100)), id: int64(i)}
		if rng.IntN(6) == 0 {
			rows[i].key = nil
		}
		if rng.IntN(6) == 0 {
			rows[i].val = nil
		}
	}
	return rows
}

func overTable(t *testing.T, rows []overRow) *memory.Table {
	schema, err := column.ParseDDL("p BIGINT, k BIGINT, v BIGINT, id BIGINT")
	if err != nil {
		t.Fatal(err)
	}
	b := column.NewBatchBuilder(schema)
	for _, r := range rows {
		if err := b.AppendRow(r.part, r.key, r.val, r.id); err != nil {
			t.Fatal(err)
		}
	}
	table := memory.New("t", schema, 1)
	if err := table.Append(0, b.Finish()); err != nil {
		t.Fatal(err)
	}
	table.Seal()
	return table
}

// naiveFrames is what the query of the test must give.
func naiveFrames(rows []overRow, desc, byRows bool, from, to int) string {
	sorted := append([]overRow{}, rows...)
	sort.SliceStable(sorted, func(i, j int) bool {
		a, b := sorted[i], sorted[j]
		if c := keyOrder(a.key, b.key, desc); c != 0 {
			return c < 0
		}
		return a.id.(int64) < b.id.(int64)
	})
	out := make([]string, len(rows))
	for i, r := range sorted {
		var sum, lowest any
		count, size := 0, 0
		var last any
		for j, o := range sorted {
			if o.part != r.part || !inFrame(sorted, i, j, desc, byRows, from, to) {
				continue
			}
			size++
			if last == nil || byRows || o.id.(int64) > last.(int64) {
				last = o.id
			}
			if v, ok := o.val.(int64); ok {
				count++
				if sum == nil {
					sum, lowest = int64(0), v
				}
				sum, lowest = sum.(int64)+v, min(lowest.(int64), v)
			}
		}
		out[r.id.(int64)] = fmt.Sprintf("%v %v %d %v %v %d", r.id, orNull(sum), count, orNull(lowest), orNull(last), size)
	}
	return strings.Join(out, "\n")
}

func orNull(v any) any {
	if v == nil {
		return "null"
	}
	return v
}

// keyOrder: nulls are first in ascending and last in descending order.
func keyOrder(a, b any, desc bool) int {
	switch {
	case a == nil && b == nil:
		return 0
	case a == nil:
		return map[bool]int{false: -1, true: 1}[desc]
	case b == nil:
		return map[bool]int{false: 1, true: -1}[desc]
	}
	c := int(a.(int64) - b.(int64))
	if desc {
		return -c
	}
	return c
}

// inFrame tells whether sorted row j is in the frame of row i of the same partition.
func inFrame(sorted []overRow, i, j int, desc, byRows bool, from, to int) bool {
	d := 0
	if byRows {
		for k := min(i, j); k < max(i, j); k++ { // rows of the partition between them
			if sorted[k].part == sorted[i].part {
				d++
			}
		}
		if j < i {
			d = -d
		}
		return (from == -far || d >= from) && (to == far || d <= to)
	}
	after := keyOrder(sorted[j].key, sorted[i].key, desc)
	if sorted[i].key == nil || sorted[j].key == nil {
		// Only peers are near; what is unbounded reaches over nulls.
		return after == 0 || after < 0 && from == -far || after > 0 && to == far
	}
	return (from == -far || after >= from) && (to == far || after <= to)
}

// once is a reader of one batch.
type once struct{ b *column.Batch }

func (o *once) Next() (*column.Batch, error) {
	if o.b == nil {
		return nil, io.EOF
	}
	b := o.b
	o.b = nil
	return b, nil
}
func (*once) Close() error { return nil }

// BenchmarkOver is 200,000 rows in partitions of 100: ranks, a running sum and a moving average.
func BenchmarkOver(b *testing.B) {
	const n = 200_000
	schema, _ := column.ParseDDL("p BIGINT, k BIGINT, v BIGINT")
	build := column.NewBatchBuilder(schema)
	for i := range n {
		_ = build.AppendRow(int64(i/100), int64(i), int64(i%1000))
	}
	rows := build.Finish()
	keys := []column.SortKey{{Col: 0}, {Col: 1}}
	sum := &expr.Agg{Fn: "sum", Args: []expr.Expr{&expr.Column{Index: 2, Typ: bigint}}, Typ: bigint, Null: true}
	for name, f := range map[string]*expr.Over{
		"row_number":  {Fn: &expr.Call{Fn: "row_number", Typ: integer}, Frame: expr.ToCurrentRow(true)},
		"running_sum": {Fn: sum, Frame: expr.ToCurrentRow(false)},
		"moving_sum":  {Fn: sum, Frame: &expr.Frame{Rows: true, Start: expr.Bound{Kind: expr.Preceding, Offset: expr.Lit(int64(10))}, End: expr.Bound{Kind: expr.CurrentRow}}},
		"total":       {Fn: sum, Frame: expr.WholePartition()},
	} {
		b.Run(name, func(b *testing.B) {
			o := &Over{Partition: keys[:1], Order: keys[1:], Fns: []*expr.Over{f}, Out: schema, Env: Env{ANSI: true}}
			run := newRunner(b)
			run.counters = map[string]int64{}
			for range b.N {
				op := *o
				r, err := op.Open(run.context(0, 1), []rdd.Reader{&once{rows}})
				if err != nil {
					b.Fatal(err)
				}
				if err := each(r, func(*column.Batch) error { return nil }); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mrows/s")
		})
	}
}
