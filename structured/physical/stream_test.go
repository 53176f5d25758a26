package physical

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"sort"
	"strings"
	"testing"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/rdd"
	"github.com/streamflow/streamflow/structured/connector"
	"github.com/streamflow/streamflow/structured/connector/memory"
	"github.com/streamflow/streamflow/structured/logical"
)

const second = int64(1_000_000)

// events is a log of n events in two partitions: key k, event time ts (disordered, sometimes null), value v.
func events(t testing.TB, n int, seed uint64) *memory.Table {
	t.Helper()
	return eventsAs(t, "events", n, seed)
}

// eventsAs are events of another table: operators of two tables of one name share what reads them.
func eventsAs(t testing.TB, name string, n int, seed uint64) *memory.Table {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 11))
	schema, err := column.ParseDDL("k INT, ts TIMESTAMP, v BIGINT")
	if err != nil {
		t.Fatal(err)
	}
	table := memory.New(name, schema, 2)
	for i := 0; i < n; {
		b := column.NewBatchBuilder(schema)
		for j := 0; j < 1+rng.IntN(30) && i < n; j++ {
			at := int64(i) - rng.Int64N(20)
			if rng.IntN(15) == 0 {
				at -= rng.Int64N(120)
			}
			row := []any{rng.Int64N(4), at * second, rng.Int64N(100)}
			if rng.IntN(50) == 0 {
				row[1] = nil
			}
			if rng.IntN(20) == 0 {
				row[0] = nil
			}
			if err := b.AppendRow(row...); err != nil {
				t.Fatal(err)
			}
			i++
		}
		if err := table.Append(rng.IntN(2), b.Finish()); err != nil {
			t.Fatal(err)
		}
	}
	table.Seal()
	return table
}

// ran is what a run gave.
type ran struct {
	rows       []string // all rows put out, sorted
	last       []string // the rows of the last batch that put any out, sorted
	late, dead []string
}

// live runs a streaming plan over random cuts of its table until the end of input.
func live(t testing.TB, phys *Physical, seed uint64) ran {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 13))
	r := newRunner(t)
	root := phys.Lower()
	src := phys.Sources[0]
	have, err := src.Stream.Available(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	at := make(connector.Offsets, len(have.End))
	clocks := map[string][]int64{}
	for _, w := range phys.Watermarks {
		clocks[w.Op] = NoClocks(w.Parts)
	}
	var out ran
	for batch, ended := int64(0), false; !ended; batch++ {
		to := append(connector.Offsets{}, at...)
		for p := range to {
			to[p] += rng.Int64N(min(have.End[p]-at[p], 60) + 1)
		}
		ended = fmt.Sprint(at) == fmt.Sprint(have.End)
		b := &rdd.Binding{Query: "q", Batch: batch, StateVersion: batch - 1, PartitionClocks: clocks, Watermarks: map[string]int64{},
			Splits: map[string][][]rdd.Split{src.Op: src.Stream.Bind(at, to)}}
		for _, s := range phys.Stateful {
			b.Watermarks[s.Op] = leastWatermark(phys, s, clocks)
			if ended {
				b.Watermarks[s.Op] = math.MaxInt64
			}
		}
		got, err := r.run(root, b)
		if err != nil {
			t.Fatalf("batch %d: %v\n%s", batch, err, phys.Format())
		}
		if rows := texts(got); len(rows) > 0 {
			out.rows, out.last = append(out.rows, rows...), rows
		}
		out.late = append(out.late, texts(r.sides[connector.Late])...)
		out.dead = append(out.dead, texts(r.sides[connector.Dead])...)
		clocks = nextClocks(t, clocks, r.reports)
		at = to
	}
	for id, s := range r.state {
		if left, _ := s.Buckets(math.MaxInt64 - 1); len(left) > 0 && !phys.Stateful[0].Unbounded && phys.Stateful[0].Bound != "one group" && phys.Stateful[0].Bound != "one counter" {
			t.Fatalf("state of %s still has buckets %v after the end of input", id, left)
		}
	}
	sort.Strings(out.rows)
	sort.Strings(out.last)
	sort.Strings(out.late)
	sort.Strings(out.dead)
	return out
}

func leastWatermark(phys *Physical, s StatefulOp, clocks map[string][]int64) int64 {
	least := int64(math.MaxInt64)
	for _, id := range s.Watermarks {
		for _, w := range phys.Watermarks {
			if w.Op == id {
				for _, c := range clocks[id] {
					least = min(least, behind(c, w.Delay))
				}
			}
		}
	}
	if len(s.Watermarks) == 0 {
		return math.MinInt64
	}
	return behind(least, s.Lag)
}

func nextClocks(t testing.TB, before map[string][]int64, reports []rdd.Report) map[string][]int64 {
	t.Helper()
	after := map[string][]int64{}
	for op, c := range before {
		after[op] = append([]int64{}, c...)
	}
	for _, rep := range reports {
		if rep.Key == ClockKey {
			p, clock, err := DecodeClock(rep.Value)
			if err != nil {
				t.Fatal(err)
			}
			after[rep.Op][p] = clock
		}
	}
	return after
}

// history runs the batch plan of the same query.
func history(t testing.TB, l logical.Plan, opt Options) ran {
	t.Helper()
	opt.Streaming, opt.Query = false, ""
	phys, err := Plan(context.Background(), l, opt)
	if err != nil {
		t.Fatal(err)
	}
	r := newRunner(t)
	got, err := r.run(phys.Lower(), phys.Binding())
	if err != nil {
		t.Fatalf("%v\n%s", err, phys.Format())
	}
	return ran{rows: bag(got), late: bag(r.sides[connector.Late]), dead: bag(r.sides[connector.Dead])}
}

// query builds a plan over a scan; the scan is live or not.
type query func(t testing.TB, s *logical.Scan) logical.Plan

func watermarked(s *logical.Scan) *logical.Watermark {
	return &logical.Watermark{Col: s.Attrs[1], Delay: 10 * second, Child: s}
}

func windowed(size, slide int64) query {
	return func(t testing.TB, s *logical.Scan) logical.Plan {
		w := &logical.Window{Time: s.Attrs[1], Size: size, Slide: slide, Child: watermarked(s),
			Attr: &expr.Attr{ID: expr.NewID(), Name: "window", Typ: windowType}}
		return aggregateOf(t, s, w)
	}
}

func sessions10(t testing.TB, s *logical.Scan) logical.Plan {
	w := &logical.Window{Time: s.Attrs[1], Gap: &expr.Literal{Value: 7 * second, Typ: column.Of(column.IntervalDT)}, Child: watermarked(s),
		Attr: &expr.Attr{ID: expr.NewID(), Name: "session_window", Typ: windowType}}
	return aggregateOf(t, s, w)
}

func aggregateOf(t testing.TB, s *logical.Scan, w *logical.Window) logical.Plan {
	return &logical.Aggregate{Keys: []expr.Expr{w.Attr, s.Attrs[0]}, Child: w, List: []expr.Expr{
		as(call(t, "get_field", w.Attr, expr.Lit("start")), "from"), as(call(t, "get_field", w.Attr, expr.Lit("end")), "to"), s.Attrs[0],
		as(call(t, "count", s.Attrs[2]), "n"), as(call(t, "sum", s.Attrs[2]), "sum")}}
}

func dedupByTime(_ testing.TB, s *logical.Scan) logical.Plan {
	return &logical.Project{List: []expr.Expr{s.Attrs[0], s.Attrs[1]}, Child: &logical.Dedup{Cols: []expr.Expr{s.Attrs[0], s.Attrs[1]}, Child: watermarked(s)}}
}

func filtered(q query) query {
	return func(t testing.TB, s *logical.Scan) logical.Plan {
		return logical.TransformUp(q(t, s), func(l logical.Plan) logical.Plan {
			if w, ok := l.(*logical.Watermark); ok {
				return &logical.Project{List: []expr.Expr{s.Attrs[2], s.Attrs[1], s.Attrs[0]},
					Child: &logical.Filter{Cond: call(t, ">", s.Attrs[2], expr.Lit(int64(20))), Child: w}}
			}
			return l
		})
	}
}

// TestHistoryEqualsLive is the promise of batching invariance: whatever the cuts and the parallelism, a streaming query
// puts out in append mode what its batch query gives, and sets the same rows aside.
func TestHistoryEqualsLive(t *testing.T) {
	queries := map[string]query{
		"tumbling": windowed(10*second, 10*second), "sliding": windowed(30*second, 10*second), "sliding with holes": windowed(3*second, 10*second),
		"session": sessions10, "dedup": dedupByTime, "filtered tumbling": filtered(windowed(10*second, 10*second)),
	}
	for name, q := range queries {
		t.Run(name, func(t *testing.T) {
			for seed := uint64(0); seed < 4; seed++ {
				table := events(t, 600, seed)
				want := history(t, q(t, scanOf(table, false)), Options{Parts: 2})
				if len(want.rows) == 0 || len(want.late) == 0 {
					t.Fatalf("the test needs rows and late rows: %d, %d", len(want.rows), len(want.late))
				}
				for _, parts := range []int{1, 3} {
					opt := Options{Parts: parts, Streaming: true, Query: "q"}
					phys, err := Plan(context.Background(), q(t, scanOf(table, true)), opt)
					if err != nil {
						t.Fatal(err)
					}
					for cut := uint64(0); cut < 3; cut++ {
						what := fmt.Sprintf("seed %d, %d parts, cut %d", seed, parts, cut)
						got := live(t, phys, cut)
						equal(t, what+", rows", got.rows, want.rows)
						equal(t, what+", late", got.late, want.late)
						equal(t, what+", dead", got.dead, want.dead)
					}
				}
			}
		})
	}
}

// TestLateAgainstOracle checks window, watermark and lateness against the definition.
func TestLateAgainstOracle(t *testing.T) {
	table := events(t, 500, 42)
	got := history(t, windowed(10*second, 10*second)(t, scanOf(table, false)), Options{Parts: 1})
	type group struct{ start, key any }
	sums := map[group][2]int64{}
	late := 0
	for p := 0; p < 2; p++ {
		clock := int64(math.MinInt64)
		for _, row := range partitionRows(t, table, p) {
			ts, ok := row[1].(int64)
			if !ok {
				continue
			}
			start := windowStart(ts, 10*second, 0)
			if clock != math.MinInt64 && start+10*second <= clock-10*second {
				late++
			} else {
				s := sums[group{start, row[0]}]
				sums[group{start, row[0]}] = [2]int64{s[0] + 1, s[1] + row[2].(int64)}
			}
			clock = max(clock, ts)
		}
	}
	var want [][]any
	for g, s := range sums {
		want = append(want, []any{g.start, g.start.(int64) + 10*second, g.key, s[0], s[1]})
	}
	equal(t, "windows", got.rows, lines(want))
	if len(got.late) != late {
		t.Fatalf("%d late rows, want %d", len(got.late), late)
	}
	for _, l := range got.late {
		if !strings.HasPrefix(l, "events ") || !strings.Contains(l, "late: window end") {
			t.Fatalf("late row %q does not say where it came from and why", l)
		}
	}
}

func partitionRows(t testing.TB, table *memory.Table, p int) [][]any {
	t.Helper()
	have, _ := table.Available(context.Background())
	from, to := make(connector.Offsets, 2), make(connector.Offsets, 2)
	to[p] = have.End[p]
	scan, _ := table.PlanStream(context.Background(), connector.ScanRequest{Columns: []int{0, 1, 2}})
	r := newRunner(t)
	got, err := r.run(&rdd.RDD{ID: "scan", Op: scan.Op, Parts: 2}, &rdd.Binding{Splits: map[string][][]rdd.Split{"scan": table.Bind(from, to)}})
	if err != nil {
		t.Fatal(err)
	}
	var rows [][]any
	for _, b := range got {
		for i := 0; i < b.N; i++ {
			rows = append(rows, b.Row(i))
		}
	}
	return rows
}

// TestOutputModes: update puts out every group's last value last, complete all groups each time.
func TestOutputModes(t *testing.T) {
	table := events(t, 400, 3)
	q := func(t testing.TB, s *logical.Scan) logical.Plan {
		return &logical.Aggregate{Keys: []expr.Expr{s.Attrs[0]}, Child: s, List: []expr.Expr{s.Attrs[0], as(call(t, "count", s.Attrs[2]), "n")}}
	}
	want := history(t, q(t, scanOf(table, false)), Options{Parts: 2}).rows
	allow := map[string]string{UnboundedState: "allow"}
	for _, mode := range []connector.OutputMode{connector.Update, connector.Complete} {
		phys, err := Plan(context.Background(), q(t, scanOf(table, true)), Options{Parts: 2, Streaming: true, Query: "q", OutputMode: mode, Conf: allow})
		if err != nil {
			t.Fatal(err)
		}
		got := live(t, phys, 5)
		if mode == connector.Complete {
			equal(t, "complete", got.last, want)
			continue
		}
		have := map[string]bool{}
		for _, r := range got.rows {
			have[r] = true
		}
		for _, w := range want {
			if !have[w] {
				t.Fatalf("update never put out %s", w)
			}
		}
	}
}

func TestStreamLimitAndStaticJoin(t *testing.T) {
	table := events(t, 300, 6)
	names := memory.New("names", mustDDL(t, "k INT, name STRING"), 2)
	for i := range 3 {
		if err := names.Append(i%2, rowsBatch(t, "k INT, name STRING", []any{int64(i), fmt.Sprintf("n%d", i)})); err != nil {
			t.Fatal(err)
		}
	}
	for _, kind := range []logical.JoinKind{logical.Inner, logical.LeftOuter, logical.LeftSemi, logical.LeftAnti} {
		q := func(t testing.TB, s *logical.Scan) logical.Plan {
			right := scanOf(names, false)
			return &logical.Join{Kind: kind, Left: s, Right: right, Cond: call(t, "=", s.Attrs[0], right.Attrs[0])}
		}
		want := history(t, q(t, scanOf(table, false)), Options{Parts: 2}).rows
		phys, err := Plan(context.Background(), q(t, scanOf(table, true)), Options{Parts: 2, Streaming: true, Query: "q"})
		if err != nil {
			t.Fatal(err)
		}
		phys.Stateful = append(phys.Stateful, StatefulOp{Unbounded: true})
		equal(t, kind.String(), live(t, phys, 2).rows, want)
	}
	phys, err := Plan(context.Background(), &logical.Limit{N: 17, Offset: 4, Child: scanOf(table, true)}, Options{Parts: 2, Streaming: true, Query: "q"})
	if err != nil {
		t.Fatal(err)
	}
	if got := live(t, phys, 2).rows; len(got) != 17 {
		t.Fatalf("limit passed %d rows", len(got))
	}
}

// TestDedupWithinWatermark: a key is forgotten once the row's own watermark has passed its first row by the delay.
func TestDedupWithinWatermark(t *testing.T) {
	table := memory.New("t", mustDDL(t, "k INT, ts TIMESTAMP, v BIGINT"), 1)
	var rows [][]any
	for i, at := range []int64{0, 5, 12, 30, 31, 33, 29, 60, 61} {
		rows = append(rows, []any{int64(0), at * second, int64(i)})
	}
	if err := table.Append(0, rowsBatch(t, "k INT, ts TIMESTAMP, v BIGINT", rows...)); err != nil {
		t.Fatal(err)
	}
	table.Seal()
	q := func(s *logical.Scan) logical.Plan {
		return &logical.Project{List: []expr.Expr{s.Attrs[2]}, Child: &logical.Dedup{Cols: []expr.Expr{s.Attrs[0]}, WithinWatermark: true, Child: watermarked(s)}}
	}
	want := history(t, q(scanOf(table, false)), Options{Parts: 1})
	equal(t, "history", want.rows, []string{"0", "4", "8"})
	phys, err := Plan(context.Background(), q(scanOf(table, true)), Options{Parts: 2, Streaming: true, Query: "q"})
	if err != nil {
		t.Fatal(err)
	}
	for cut := range uint64(5) {
		equal(t, "live", live(t, phys, cut).rows, want.rows)
	}
}

func mustDDL(t testing.TB, ddl string) *column.Schema {
	t.Helper()
	s, err := column.ParseDDL(ddl)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestDeadRows: in a stream a row that makes an expression fail is set aside; in a batch query it fails the query.
func TestDeadRows(t *testing.T) {
	table := memory.New("t", mustDDL(t, "a BIGINT, b BIGINT"), 1)
	if err := table.Append(0, rowsBatch(t, "a BIGINT, b BIGINT", []any{int64(6), int64(2)}, []any{int64(1), int64(0)}, []any{int64(9), int64(3)})); err != nil {
		t.Fatal(err)
	}
	table.Seal()
	q := func(s *logical.Scan) logical.Plan {
		return &logical.Project{List: []expr.Expr{as(call(t, "div", s.Attrs[0], s.Attrs[1]), "q")}, Child: s}
	}
	phys, err := Plan(context.Background(), q(scanOf(table, true)), Options{Streaming: true, Query: "q", ANSI: true})
	if err != nil {
		t.Fatal(err)
	}
	phys.Stateful = append(phys.Stateful, StatefulOp{Unbounded: true})
	got := live(t, phys, 1)
	equal(t, "rows", got.rows, []string{"3", "3"})
	if len(got.dead) != 1 || !strings.HasPrefix(got.dead[0], "t 0 1 ") || !strings.Contains(strings.ToLower(got.dead[0]), "zero") {
		t.Fatalf("dead rows: %q", got.dead)
	}
	batch, err := Plan(context.Background(), q(scanOf(table, false)), Options{ANSI: true})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := newRunner(t).run(batch.Lower(), batch.Binding()); err == nil {
		t.Fatal("the batch query did not fail")
	}
}

// TestRefusals: what cannot run in a stream fails when it is planned.
func TestRefusals(t *testing.T) {
	table := events(t, 10, 1)
	grouped := func(s *logical.Scan) logical.Plan {
		return &logical.Aggregate{Keys: []expr.Expr{s.Attrs[0]}, Child: s, List: []expr.Expr{s.Attrs[0]}}
	}
	for _, c := range []struct {
		name, code string
		plan       logical.Plan
		mode       connector.OutputMode
	}{
		{"append without watermark", "STREAMING_OUTPUT_MODE.UNSUPPORTED_OPERATION", grouped(scanOf(table, true)), connector.Append},
		{"unbounded groups", "STREAMING_STATE_UNBOUNDED", grouped(scanOf(table, true)), connector.Update},
		{"complete without aggregation", "STREAMING_OUTPUT_MODE.UNSUPPORTED_OPERATION", scanOf(table, true), connector.Complete},
		{"sort", "UNSUPPORTED_STREAMING_OPERATION", &logical.Sort{Global: true, Child: scanOf(table, true)}, connector.Append},
		{"two streams", "STREAMING_STATE_UNBOUNDED", &logical.Join{Kind: logical.Cross, Left: scanOf(table, true), Right: scanOf(table, true)}, connector.Append},
		{"unbounded dedup", "STREAMING_STATE_UNBOUNDED", &logical.Dedup{Child: scanOf(table, true)}, connector.Append},
	} {
		_, err := Plan(context.Background(), c.plan, Options{Streaming: true, Query: "q", OutputMode: c.mode})
		var ue *usererr.Error
		if !errors.As(err, &ue) || ue.Code != c.code || ue.Fix == "" {
			t.Errorf("%s: %v, want code %s and a fix", c.name, err, c.code)
		}
	}
}
