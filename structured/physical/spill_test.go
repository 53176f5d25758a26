package physical

import (
	"fmt"
	"os"
	"sort"
	"testing"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/rdd"
	"github.com/streamflow/streamflow/structured/logical"
)

// counting says how often memory refused.
type refusing struct {
	stingy
	refused int
}

func (r *refusing) Reserve(n int64) bool {
	ok := r.stingy.Reserve(n)
	if !ok {
		r.refused++
	}
	return ok
}

// TestSpilling checks that the limits of the other tests do make operators spill, and that no file is left behind.
func TestSpilling(t *testing.T) {
	table, rows := people(t, 60_000, 9)
	s := scanOf(table, false)
	k := s.Attrs[0]
	plans := map[string]logical.Plan{
		"aggregate": &logical.Aggregate{Keys: []expr.Expr{k, s.Attrs[2]}, Child: s, List: []expr.Expr{k, s.Attrs[2], as(call(t, "count", k), "n")}},
		"sort":      &logical.Sort{Orders: []*expr.SortOrder{{Child: k}}, Global: true, Child: s},
		"dedup":     &logical.Dedup{Cols: []expr.Expr{k, s.Attrs[2]}, Child: &logical.Project{List: []expr.Expr{k, s.Attrs[2]}, Child: s}},
		"join":      selfJoin(t, s, scanOf(table, false)),
		"distinct":  &logical.Aggregate{Keys: []expr.Expr{s.Attrs[1]}, Child: s, List: []expr.Expr{s.Attrs[1], as(distinctCount(t, k, s.Attrs[2]), "n"), as(call(t, "count", k), "all")}},
	}
	for name, plan := range plans {
		want := bag(runPlan(t, plan, Options{Parts: 2}, nil))
		phys, err := Plan(t.Context(), plan, Options{Parts: 2, Conf: map[string]string{BroadcastThreshold: "-1"}})
		if err != nil {
			t.Fatal(err)
		}
		r := newRunner(t)
		mem := &refusing{stingy: stingy{limit: 1 << 20}}
		r.memory = mem
		got, err := r.run(phys.Lower(), phys.Binding())
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		equal(t, name, bag(got), want)
		if mem.refused == 0 {
			t.Errorf("%s did not spill under %d bytes", name, mem.limit)
		}
		left, err := os.ReadDir(r.services[SpillDir].(string))
		if err != nil || len(left) > 0 {
			t.Errorf("%s left %v (%v)", name, left, err)
		}
	}
	if len(rows) == 0 {
		t.Fatal("no rows")
	}
}

func distinctCount(t testing.TB, args ...expr.Expr) expr.Expr {
	g := *call(t, "count", args...).(*expr.Agg)
	g.Distinct = true
	return &g
}

func selfJoin(t testing.TB, l, r *logical.Scan) logical.Plan {
	return &logical.Join{Kind: logical.LeftSemi, Left: l, Right: r, Cond: expr.AndAll([]expr.Expr{
		call(t, "=", l.Attrs[0], r.Attrs[0]), call(t, "=", l.Attrs[2], r.Attrs[2]), call(t, "<", l.Attrs[3], r.Attrs[3])})}
}

// TestJoinByBlocks: a build side that cannot be cut, for all its rows have one key or there is none, is joined block by block,
// and gives what it gives in memory. So do small ones beside it in the same part.
func TestJoinByBlocks(t *testing.T) {
	schema := mustDDL(t, "k BIGINT, v BIGINT, s STRING")
	side := func(n, batch, hot int) []*column.Batch {
		var out []*column.Batch
		for from := 0; from < n; from += batch {
			b := column.NewBatchBuilder(schema)
			for i := from; i < min(from+batch, n); i++ {
				k := int64(7)
				if i%hot == 1 {
					k = int64(i)
				}
				b.Cols[0].AppendI64(k)
				b.Cols[1].AppendI64(int64(i * 37 % 1009))
				b.Cols[2].AppendString(fmt.Sprint("a text of some length ", i))
			}
			out = append(out, b.Finish())
		}
		return out
	}
	small, large := side(7, 2, 3), side(16_000, 1_000, 1_000)
	for _, kind := range append(allKinds, logical.Cross) {
		for _, buildLeft := range []bool{false, true} {
			for _, keys := range [][]int{{0}, nil} {
				if kind == logical.Cross && (keys != nil || buildLeft) {
					continue
				}
				half := kind == logical.LeftSemi || kind == logical.LeftAnti
				op := func() *HashJoin {
					h := &HashJoin{Kind: kind, LeftKeys: keys, RightKeys: keys, BuildLeft: buildLeft, LeftOut: []int{0, 1, 2}, Left: schema, Right: schema, Out: &column.Schema{}}
					h.Out.Fields = append(h.Out.Fields, schema.Fields...)
					if !half {
						h.RightOut = []int{1}
						h.Out.Fields = append(h.Out.Fields, schema.Fields[1])
					}
					if kind != logical.Cross {
						h.CondCols = []int{1, 4}
						h.Cond = call(t, "=", &expr.Column{Index: 0, Typ: schema.Fields[1].Type}, &expr.Column{Index: 1, Typ: schema.Fields[1].Type})
					}
					return h
				}
				in := [2][]*column.Batch{small, large}
				if buildLeft {
					in = [2][]*column.Batch{large, small}
				}
				name := fmt.Sprintf("%v, build left %v, keys %v", kind, buildLeft, keys)
				want, _ := openJoin(t, op(), in, 1<<40)
				got, refused := openJoin(t, op(), in, 1<<20)
				if refused < 2 {
					t.Errorf("%s: memory refused %d times: one block", name, refused)
				}
				equal(t, name, got, want)
			}
		}
	}
}

// openJoin runs a join over batches and returns its rows, sorted, and how often memory refused.
func openJoin(t *testing.T, op *HashJoin, in [2][]*column.Batch, limit int64) ([]string, int) {
	t.Helper()
	r := newRunner(t)
	mem := &refusing{stingy: stingy{limit: limit}}
	r.memory, r.binding, r.counters = mem, &rdd.Binding{}, map[string]int64{}
	out, err := op.Open(r.context(0, 1), []rdd.Reader{&fixed{in[0]}, &fixed{in[1]}})
	if err != nil {
		t.Fatal(err)
	}
	var rows []string
	if err := each(out, func(b *column.Batch) error { rows = append(rows, texts([]*column.Batch{b})...); return nil }); err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	if mem.used != 0 {
		t.Errorf("%d bytes are still reserved", mem.used)
	}
	sort.Strings(rows)
	return rows, mem.refused
}
