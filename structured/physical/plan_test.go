package physical

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sort"
	"testing"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/structured/connector/memory"
	"github.com/streamflow/streamflow/structured/logical"
)

// scanOf is a scan of a table in memory.
func scanOf(t *memory.Table, streaming bool) *logical.Scan {
	s := &logical.Scan{Table: t, Streaming: streaming}
	for i, f := range t.Schema().Fields[:t.Schema().Len()-t.Hidden()] {
		s.Columns = append(s.Columns, i)
		s.Attrs = append(s.Attrs, &expr.Attr{ID: expr.NewID(), Name: f.Name, Typ: f.Type, Null: true})
	}
	return s
}

// runPlan plans and runs a batch query.
func runPlan(t testing.TB, l logical.Plan, opt Options, memory *stingy) []*column.Batch {
	t.Helper()
	phys, err := Plan(context.Background(), l, opt)
	if err != nil {
		t.Fatal(err)
	}
	r := newRunner(t)
	if memory != nil {
		r.memory = memory
	}
	out, err := r.run(phys.Lower(), phys.Binding())
	if err != nil {
		t.Fatalf("%v\n%s", err, phys.Format())
	}
	if memory != nil && memory.used != 0 {
		t.Fatalf("%d bytes are still reserved\n%s", memory.used, phys.Format())
	}
	return out
}

// people is a table with nulls, duplicates and skew: k, g (few values), s (text), v.
func people(t testing.TB, n int, seed uint64) (*memory.Table, [][]any) {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 7))
	schema, err := column.ParseDDL("k BIGINT, g INT, s STRING, v DOUBLE")
	if err != nil {
		t.Fatal(err)
	}
	table := memory.New("people", schema, 3)
	var rows [][]any
	for from := 0; from < n; from += 700 {
		b := column.NewBatchBuilder(schema)
		for i := from; i < min(from+700, n); i++ {
			row := []any{rng.Int64N(int64(n)/2 + 1), rng.Int64N(5), fmt.Sprintf("text of some length %d", rng.IntN(40)), float64(rng.IntN(1000)) / 4}
			for c := range row {
				if rng.IntN(9) == 0 {
					row[c] = nil
				}
			}
			if err := b.AppendRow(row...); err != nil {
				t.Fatal(err)
			}
			rows = append(rows, row)
		}
		if err := table.Append(from/700%3, b.Finish()); err != nil {
			t.Fatal(err)
		}
	}
	return table, rows
}

func lines(rows [][]any) []string {
	out := make([]string, len(rows))
	for i, r := range rows {
		for j, x := range r {
			if j > 0 {
				out[i] += " "
			}
			if x == nil {
				out[i] += "null"
			} else {
				out[i] += fmt.Sprint(x)
			}
		}
	}
	sort.Strings(out)
	return out
}

// cases are the settings under which each plan must give the same rows.
func cases(t *testing.T, n int, f func(t *testing.T, opt Options, mem *stingy)) {
	for _, parts := range []int{1, 3} {
		for _, mem := range []int64{0, 1 << 20} {
			t.Run(fmt.Sprintf("rows=%d/parts=%d/memory=%d", n, parts, mem), func(t *testing.T) {
				var m *stingy
				if mem > 0 {
					m = &stingy{limit: mem}
				}
				f(t, Options{Parts: parts}, m)
			})
		}
	}
}

func TestAggregateAgainstOracle(t *testing.T) {
	for _, n := range []int{0, 1, 100, 20_000} {
		table, rows := people(t, n, 1)
		cases(t, n, func(t *testing.T, opt Options, mem *stingy) {
			s := scanOf(table, false)
			k, g, v := s.Attrs[0], s.Attrs[1], s.Attrs[3]
			agg := &logical.Aggregate{Keys: []expr.Expr{k, g}, Child: s, List: []expr.Expr{
				as(call(t, "+", k, expr.Lit(int64(1))), "k1"), g, as(call(t, "count", v), "n"), as(call(t, "sum", v), "sum"), as(call(t, "min", v), "min")}}
			equal(t, "groups", bag(runPlan(t, agg, opt, mem)), groupOracle(rows))
		})
	}
}

func groupOracle(rows [][]any) []string {
	type key struct{ k, g any }
	type state struct {
		n        int64
		sum, min float64
	}
	groups := map[key]*state{}
	for _, r := range rows {
		k := key{r[0], r[1]}
		st := groups[k]
		if st == nil {
			st = &state{}
			groups[k] = st
		}
		if v, ok := r[3].(float64); ok {
			if st.n == 0 || v < st.min {
				st.min = v
			}
			st.n++
			st.sum += v
		}
	}
	var out [][]any
	for k, st := range groups {
		var k1 any
		if x, ok := k.k.(int64); ok {
			k1 = x + 1
		}
		row := []any{k1, k.g, st.n, st.sum, st.min}
		if st.n == 0 {
			row[3], row[4] = nil, nil
		}
		out = append(out, row)
	}
	return lines(out)
}

func TestGlobalAggregateOfNothing(t *testing.T) {
	table, _ := people(t, 0, 1)
	cases(t, 0, func(t *testing.T, opt Options, mem *stingy) {
		s := scanOf(table, false)
		agg := &logical.Aggregate{Child: s, List: []expr.Expr{as(call(t, "count", s.Attrs[0]), "n"), as(call(t, "max", s.Attrs[3]), "m")}}
		equal(t, "one row", bag(runPlan(t, agg, opt, mem)), []string{"0 null"})
	})
}

func TestDistinctAggregates(t *testing.T) {
	for _, n := range []int{0, 5000} {
		table, rows := people(t, n, 2)
		cases(t, n, func(t *testing.T, opt Options, mem *stingy) {
			s := scanOf(table, false)
			g, k, txt, v := s.Attrs[1], s.Attrs[0], s.Attrs[2], s.Attrs[3]
			agg := &logical.Aggregate{Keys: []expr.Expr{g}, Child: s, List: []expr.Expr{g,
				as(distinct(call(t, "count", k)), "k"), as(distinct(call(t, "count", txt)), "s"), as(call(t, "sum", v), "v"), as(call(t, "count", k), "n")}}
			equal(t, "groups", bag(runPlan(t, agg, opt, mem)), distinctOracle(rows, true))
			one := &logical.Aggregate{Keys: []expr.Expr{g}, Child: s, List: []expr.Expr{g, as(distinct(call(t, "count", k)), "k"), as(call(t, "sum", v), "v")}}
			equal(t, "one set", bag(runPlan(t, one, opt, mem)), distinctOracle(rows, false))
		})
	}
}

func distinct(e expr.Expr) expr.Expr {
	a := *e.(*expr.Agg)
	a.Distinct = true
	return &a
}

func distinctOracle(rows [][]any, both bool) []string {
	type state struct {
		k, s map[any]bool
		n    int64
		any  bool
		sum  float64
	}
	groups := map[any]*state{}
	for _, r := range rows {
		st := groups[r[1]]
		if st == nil {
			st = &state{k: map[any]bool{}, s: map[any]bool{}}
			groups[r[1]] = st
		}
		if r[0] != nil {
			st.k[r[0]] = true
			st.n++
		}
		if r[2] != nil {
			st.s[r[2]] = true
		}
		if v, ok := r[3].(float64); ok {
			st.sum += v
			st.any = true
		}
	}
	var out [][]any
	for g, st := range groups {
		var sum any
		if st.any {
			sum = st.sum
		}
		if both {
			out = append(out, []any{g, len(st.k), len(st.s), sum, st.n})
		} else {
			out = append(out, []any{g, len(st.k), sum})
		}
	}
	return lines(out)
}

func TestSortAndTopK(t *testing.T) {
	for _, n := range []int{0, 1, 9000} {
		table, rows := people(t, n, 3)
		cases(t, n, func(t *testing.T, opt Options, mem *stingy) {
			s := scanOf(table, false)
			orders := []*expr.SortOrder{{Child: s.Attrs[1], Desc: true, NullsFirst: true}, {Child: s.Attrs[2]}, {Child: s.Attrs[0]}, {Child: s.Attrs[3]}}
			sorted := &logical.Sort{Orders: orders, Global: true, Child: s}
			want := sortOracle(rows)
			equal(t, "sorted", texts(runPlan(t, sorted, opt, mem)), want)
			top := &logical.Limit{N: 10, Offset: 3, Child: sorted}
			equal(t, "top", texts(runPlan(t, top, opt, mem)), want[min(3, len(want)):min(13, len(want))])
			tail := &logical.Tail{N: 10, Child: sorted}
			equal(t, "tail", texts(runPlan(t, tail, opt, mem)), want[max(0, len(want)-10):])
		})
	}
}

func sortOracle(rows [][]any) []string {
	sorted := append([][]any{}, rows...)
	sort.SliceStable(sorted, func(i, j int) bool {
		a, b := sorted[i], sorted[j]
		if c := order(a[1], b[1], true); c != 0 {
			return c > 0 != (a[1] == nil || b[1] == nil)
		}
		for _, k := range []int{2, 0, 3} {
			if c := order(a[k], b[k], false); c != 0 {
				return c < 0
			}
		}
		return false
	})
	out := make([]string, len(sorted))
	for i, r := range sorted {
		out[i] = lines([][]any{r})[0]
	}
	return out
}

// order compares with nulls first (less) or last (greater).
func order(a, b any, nullsFirst bool) int {
	switch {
	case a == nil && b == nil:
		return 0
	case a == nil:
		if nullsFirst {
			return -1
		}
		return 1
	case b == nil:
		return -order(b, a, nullsFirst)
	}
	less := false
	switch x := a.(type) {
	case int64:
		less = x < b.(int64)
	case float64:
		less = x < b.(float64)
	case string:
		less = x < b.(string)
	}
	switch {
	case a == b:
		return 0
	case less:
		return -1
	}
	return 1
}

func TestDedupUnionLimitSample(t *testing.T) {
	table, rows := people(t, 8000, 4)
	cases(t, 8000, func(t *testing.T, opt Options, mem *stingy) {
		s := scanOf(table, false)
		d := &logical.Dedup{Cols: []expr.Expr{s.Attrs[1], s.Attrs[2]}, Child: &logical.Project{List: []expr.Expr{s.Attrs[1], s.Attrs[2]}, Child: s}}
		want := map[string]bool{}
		for _, r := range rows {
			want[lines([][]any{{r[1], r[2]}})[0]] = true
		}
		var keys []string
		for k := range want {
			keys = append(keys, k)
		}
		sort.Strings(keys)
		equal(t, "distinct rows", bag(runPlan(t, d, opt, mem)), keys)

		a, b := scanOf(table, false), scanOf(table, false)
		u := &logical.Union{Kids: []logical.Plan{a, b}, Attrs: a.Attrs}
		equal(t, "union", bag(runPlan(t, u, opt, mem)), lines(append(append([][]any{}, rows...), rows...)))
		if got := texts(runPlan(t, &logical.Limit{N: 11, Offset: 5, Child: u}, opt, mem)); len(got) != 11 {
			t.Fatalf("limit gives %d rows", len(got))
		}
		one := &logical.Sample{Lower: 0, Upper: 0.3, Seed: 5, Child: a}
		rest := &logical.Sample{Lower: 0.3, Upper: 1, Seed: 5, Child: a}
		parts := append(runPlan(t, one, opt, mem), runPlan(t, rest, opt, mem)...)
		equal(t, "samples that adjoin", bag(parts), lines(rows))
	})
}

func TestRangeAndRepartition(t *testing.T) {
	for _, parts := range []int{1, 4} {
		r := &logical.Range{Start: 10, End: -11, Step: -3, Parts: 3, Attr: &expr.Attr{ID: expr.NewID(), Name: "id", Typ: column.Of(column.Int64)}}
		want := lines([][]any{{int64(10)}, {int64(7)}, {int64(4)}, {int64(1)}, {int64(-2)}, {int64(-5)}, {int64(-8)}})
		equal(t, "range", bag(runPlan(t, r, Options{Parts: parts}, nil)), want)
		for _, keys := range [][]expr.Expr{nil, {r.Attr}, {call(t, "+", r.Attr, expr.Lit(int64(1)))}} {
			re := &logical.Repartition{N: 5, Keys: keys, Child: r}
			equal(t, "repartition", bag(runPlan(t, re, Options{Parts: parts}, nil)), want)
		}
	}
}
