package physical

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"sort"
	"strings"
	"testing"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/executor/state/statetest"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/rdd"
	"github.com/streamflow/streamflow/structured/connector"
	"github.com/streamflow/streamflow/structured/logical"
	"github.com/streamflow/streamflow/structured/optimize"
	"github.com/streamflow/streamflow/structured/sql"
)

// metamorphic checks that a query gives the same table however it is run. sql reads the growing tables of inputs as STREAM t.
// It runs once as a batch query over history, and live over many cuts of the input, with 1 and 2 partitions, with operators
// made anew in the middle as after a crash, with each third batch tried twice, and with next to no memory; the changes of each
// live run must add up to the rows of the batch query. It returns those rows. opt has what the query needs besides (settings, output mode); the
// default mode is update, so that a result may change, and state may grow.
func metamorphic(t *testing.T, text string, inputs tables, opt ...Options) []string {
	t.Helper()
	o := Options{OutputMode: connector.Update}
	if len(opt) > 0 {
		o = opt[0]
	}
	if o.Conf == nil {
		o.Conf = map[string]string{UnboundedState: "allow"}
	}
	want := overHistory(t, text, inputs, o)
	for _, parts := range []int{1, 2} {
		for _, cut := range []int64{1, 7, 10_000, math.MaxInt64} {
			if cut == 1 && inputs.rows(t) > 400 {
				continue
			}
			r := newLiveRun(t, text, inputs, o, parts)
			r.cut, r.rng = cut, rand.New(rand.NewPCG(uint64(cut), uint64(parts)))
			r.toEnd()
			equal(t, fmt.Sprintf("%s\n%d parts, cut %d", text, parts, cut), r.table(), want)
		}
	}
	withoutMemory(t, text, inputs, o, want)
	return want
}

// withoutMemory runs a query live with its state on disk and next to no memory for its operators: they spill, or they say that
// they cannot do with so little, and then they are given some.
func withoutMemory(t *testing.T, text string, inputs tables, o Options, want []string) {
	t.Helper()
	for _, memory := range []int64{4 << 10, 64 << 20} {
		r := newLiveRun(t, text, inputs, o, 2)
		r.cut, r.rng = 40, rand.New(rand.NewPCG(40, 2))
		r.runner.tiny(memory)
		ended, err := false, error(nil)
		for !ended && err == nil {
			ended, err = r.tryStep()
		}
		if u, ok := usererr.As(err); ok && u.Code == "OUT_OF_MEMORY" && memory < 1<<20 {
			continue
		}
		if err != nil {
			t.Fatalf("%s\nwith %d bytes: %v", text, memory, err)
		}
		equal(t, fmt.Sprintf("%s\nwith %d bytes", text, memory), r.table(), want)
		return
	}
}

// overHistory are the rows of the batch query, sorted.
func overHistory(t testing.TB, text string, inputs tables, opt Options) []string {
	t.Helper()
	l, err := sql.Parse(text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	l = logical.TransformUp(l, func(p logical.Plan) logical.Plan {
		if u, ok := p.(*logical.UnresolvedTable); ok && u.Streaming {
			c := *u
			c.Streaming = false
			return &c
		}
		return p
	})
	if l, err = optimize.Analyze(context.Background(), l, optimize.Env{Catalog: inputs, Text: text}); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	l = tweaked(optimize.Optimize(l))
	return history(t, l, Options{Parts: 2, Conf: opt.Conf, ANSI: opt.ANSI}).rows
}

// tweak, when not nil, changes plans before they are run: for what SQL cannot say.
var tweak func(logical.Plan) logical.Plan

func tweaked(l logical.Plan) logical.Plan {
	if tweak == nil {
		return l
	}
	return logical.TransformUp(l, tweak)
}

// rows is how many rows all tables have.
func (c tables) rows(t testing.TB) (n int64) {
	for _, table := range c {
		have, err := table.Available(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		for _, end := range have.End {
			n += end
		}
	}
	return n
}

// liveRun is a streaming query going through its input in micro-batches.
type liveRun struct {
	t      testing.TB
	phys   *Physical
	root   *rdd.RDD
	runner *runner
	rng    *rand.Rand
	cut    int64 // the most rows that a batch takes of a partition
	at     []connector.Offsets
	end    []connector.Offsets
	clocks map[string][]int64
	batch  int64

	sums       map[string]int64 // of the changes so far: row -> how often it is in the table
	changes    int              // rows put out
	last       map[string]int64 // watermarks of the batch before
	late, dead []string
}

func sorted(list []string) []string {
	sort.Strings(list)
	return list
}

func containsText(s, part string) bool { return strings.Contains(s, part) }

func newLiveRun(t testing.TB, text string, inputs tables, opt Options, parts int) *liveRun {
	t.Helper()
	l, err := fromSQL(text, inputs)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	r, err := planLive(t, tweaked(l), opt, parts)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return r
}

// planLive is a run of a plan over streams; the error is why it cannot be one.
func planLive(t testing.TB, l logical.Plan, opt Options, parts int) (*liveRun, error) {
	t.Helper()
	opt.Parts, opt.Streaming, opt.Query, opt.Changes = parts, true, "q", true
	phys, err := Plan(context.Background(), l, opt)
	if err != nil {
		return nil, err
	}
	r := &liveRun{t: t, phys: phys, root: phys.Lower(), runner: newRunner(t), clocks: map[string][]int64{}, sums: map[string]int64{}}
	r.begin()
	return r, nil
}

// begin finds the input's ends and starts the clocks.
func (r *liveRun) begin() {
	r.t.Helper()
	for _, s := range r.phys.Sources {
		if s.Stream == nil {
			continue
		}
		have, err := s.Stream.Available(context.Background())
		if err != nil {
			r.t.Fatal(err)
		}
		r.at, r.end = append(r.at, make(connector.Offsets, len(have.End))), append(r.end, have.End)
	}
	for _, w := range r.phys.Watermarks {
		r.clocks[w.Op] = NoClocks(w.Parts)
	}
}

// toEnd runs batches until the input has ended.
func (r *liveRun) toEnd() {
	r.t.Helper()
	if err := r.tryToEnd(); err != nil {
		r.t.Fatal(err)
	}
}

// tryToEnd is toEnd that returns what a batch fails with.
func (r *liveRun) tryToEnd() error {
	for {
		if ended, err := r.tryStep(); err != nil || ended {
			return err
		}
		if r.batch%5 == 3 {
			r.runner.ops = map[string]rdd.Operator{} // as after a restart: only state is left
		}
	}
}

// next is the binding of the next batch; ended says that it ends the input.
func (r *liveRun) next() (b *rdd.Binding, ended bool) {
	ended = fmt.Sprint(r.at) == fmt.Sprint(r.end)
	b = &rdd.Binding{Query: "q", Batch: r.batch, StateVersion: r.batch - 1, PartitionClocks: r.clocks, Watermarks: map[string]int64{},
		LastWatermarks: r.last, Splits: map[string][][]rdd.Split{}}
	n := 0
	for _, s := range r.phys.Sources {
		if s.Stream == nil {
			b.Splits[s.Op] = s.Scan.Splits
			continue
		}
		to := append(connector.Offsets{}, r.at[n]...)
		for p := range to {
			most := min(r.end[n][p]-r.at[n][p], r.cut)
			if r.cut < math.MaxInt64 {
				most = r.rng.Int64N(most + 1)
			}
			to[p] += most
		}
		b.Splits[s.Op] = s.Stream.Bind(r.at[n], to)
		r.at[n] = to
		n++
	}
	for _, s := range r.phys.Stateful {
		b.Watermarks[s.Op] = leastWatermark(r.phys, s, r.clocks)
		if ended {
			b.Watermarks[s.Op] = math.MaxInt64
		}
	}
	return b, ended
}

// step runs one batch and reports whether it was the one that ended the input.
func (r *liveRun) step() bool {
	r.t.Helper()
	ended, err := r.tryStep()
	if err != nil {
		r.t.Fatal(err)
	}
	return ended
}

func (r *liveRun) tryStep() (bool, error) {
	r.t.Helper()
	b, ended := r.next()
	r.last = b.Watermarks
	if r.batch%3 == 1 {
		if err := r.failed(b); err != nil {
			return false, err
		}
	}
	got, err := r.runner.run(r.root, b)
	if err != nil {
		return false, fmt.Errorf("batch %d: %w\n%s", r.batch, err, r.phys.Format())
	}
	r.runner.ended(true)
	r.add(got)
	r.late = append(r.late, texts(r.runner.sides[connector.Late])...)
	r.dead = append(r.dead, texts(r.runner.sides[connector.Dead])...)
	r.clocks = nextClocks(r.t, r.clocks, r.runner.reports)
	r.batch++
	return ended, nil
}

// failed runs a batch whose changes are taken back, as that of an attempt that failed.
func (r *liveRun) failed(b *rdd.Binding) error {
	before := map[string]rdd.State{}
	for id, s := range r.runner.state {
		before[id] = s.(*statetest.Map).Clone()
	}
	if _, err := r.runner.run(r.root, b); err != nil {
		return fmt.Errorf("batch %d, first attempt: %w\n%s", r.batch, err, r.phys.Format())
	}
	r.runner.state = before
	r.runner.ended(false)
	return nil
}

// add adds changes up. What is put out at once must not take away more than there is.
func (r *liveRun) add(batches []*column.Batch) {
	for _, b := range batches {
		if b.Schema.Fields[len(b.Schema.Fields)-1].Name != ChangeColumn {
			continue
		}
		last := len(b.Cols) - 1
		rows := texts([]*column.Batch{{Schema: b.Schema, N: b.N, Cols: b.Cols[:last]}})
		for i, row := range rows {
			if b.Cols[last].I64[i] == 0 {
				r.t.Fatalf("batch %d: a change with weight 0: %s", r.batch, row)
			}
			r.changes++
			r.sums[row] += b.Cols[last].I64[i]
		}
	}
	for row, n := range r.sums {
		if n < 0 {
			r.t.Fatalf("batch %d: row %q is in the table %d times\n%s", r.batch, row, n, r.phys.Format())
		}
		if n == 0 {
			delete(r.sums, row)
		}
	}
}

// table is what the changes so far add up to, sorted.
func (r *liveRun) table() []string {
	var out []string
	for row, n := range r.sums {
		for range n {
			out = append(out, row)
		}
	}
	sort.Strings(out)
	return out
}

// TestMetamorphicStateless: operators without state, over rows and with lateness.
func TestMetamorphicStateless(t *testing.T) {
	in := tables{"events": events(t, 200, 5)}
	rows := metamorphic(t, "SELECT k, v * 2 AS w FROM STREAM events WHERE v > 50 UNION ALL SELECT k, v FROM STREAM events WHERE k = 1", in)
	if len(rows) < 50 || !strings.Contains(strings.Join(rows, "\n"), "null ") {
		t.Fatalf("too few rows: %d", len(rows))
	}
	windows := "SELECT window(ts, '20 seconds').start AS at, k, count(*) AS n, sum(v) AS s FROM STREAM events WATERMARK ts DELAY INTERVAL 10 SECONDS GROUP BY 1, 2"
	metamorphic(t, windows, in, Options{})
}

// TestMetamorphicWindowTables: windows that cumulate and sessions, as table functions, rows that are late among them.
func TestMetamorphicWindowTables(t *testing.T) {
	in := tables{"events": events(t, 200, 5)}
	for _, fn := range []string{"CUMULATE(TABLE STREAM events WATERMARK ts DELAY INTERVAL 10 SECONDS, DESCRIPTOR(ts), INTERVAL '5' SECONDS, INTERVAL '20' SECONDS)",
		"HOP(TABLE STREAM events WATERMARK ts DELAY INTERVAL 10 SECONDS, DESCRIPTOR(ts), INTERVAL '5' SECONDS, INTERVAL '10' SECONDS)",
		"SESSION(TABLE STREAM events WATERMARK ts DELAY INTERVAL 10 SECONDS PARTITION BY k, DESCRIPTOR(ts), INTERVAL '3' SECONDS)"} {
		rows := metamorphic(t, "SELECT k, window_start, window_end, count(*) AS n FROM TABLE("+fn+") GROUP BY k, window_start, window_end", in, Options{})
		if len(rows) < 20 {
			t.Errorf("%s: only %d rows", fn, len(rows))
		}
	}
}
