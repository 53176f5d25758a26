package physical

import (
	"errors"
	"os"
	"testing"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/internal/usererr"
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

// TestSpilling checks that the limits of the other tests do make operators spill, that no file is left behind, and that
// an operator that cannot go on says so.
func TestSpilling(t *testing.T) {
	table, rows := people(t, 60_000, 9)
	s := scanOf(table, false)
	k := s.Attrs[0]
	plans := map[string]logical.Plan{
		"aggregate": &logical.Aggregate{Keys: []expr.Expr{k, s.Attrs[2]}, Child: s, List: []expr.Expr{k, s.Attrs[2], as(call(t, "count", k), "n")}},
		"sort":      &logical.Sort{Orders: []*expr.SortOrder{{Child: k}}, Global: true, Child: s},
		"dedup":     &logical.Dedup{Cols: []expr.Expr{k, s.Attrs[2]}, Child: &logical.Project{List: []expr.Expr{k, s.Attrs[2]}, Child: s}},
		"join":      selfJoin(t, s, scanOf(table, false)),
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

func selfJoin(t testing.TB, l, r *logical.Scan) logical.Plan {
	return &logical.Join{Kind: logical.LeftSemi, Left: l, Right: r, Cond: expr.AndAll([]expr.Expr{
		call(t, "=", l.Attrs[0], r.Attrs[0]), call(t, "=", l.Attrs[2], r.Attrs[2]), call(t, "<", l.Attrs[3], r.Attrs[3])})}
}

// TestOutOfMemory: one key's rows cannot be cut, so a join of them cannot fit by spilling.
func TestOutOfMemory(t *testing.T) {
	b := column.NewBatchBuilder(mustDDL(t, "k BIGINT"))
	for range 50_000 {
		b.Cols[0].AppendI64(1)
	}
	rows := b.Finish()
	op := &HashJoin{Kind: logical.Inner, LeftKeys: []int{0}, RightKeys: []int{0}, LeftOut: []int{0}, Left: rows.Schema, Right: rows.Schema, Out: rows.Schema}
	r := newRunner(t)
	r.memory = &stingy{limit: 300 << 10}
	r.binding = &rdd.Binding{}
	tc := r.context(0, 1)
	in, err := op.Open(tc, []rdd.Reader{&fixed{nil}, &fixed{[]*column.Batch{rows}}})
	if err != nil {
		t.Fatal(err)
	}
	_, err = in.Next()
	var ue *usererr.Error
	if !errors.As(err, &ue) || ue.Code != "OUT_OF_MEMORY" {
		t.Fatalf("error is %v", err)
	}
	if err := in.Close(); err != nil {
		t.Fatal(err)
	}
}
