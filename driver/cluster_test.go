package driver_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/driver"
	"github.com/streamflow/streamflow/executor"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/rdd"
	"github.com/streamflow/streamflow/shuffle"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var intSchema = column.NewSchema(column.Field{Name: "k", Type: column.Of(column.Int64)}, column.Field{Name: "v", Type: column.Of(column.Int64)})

func intBatch(rows ...[2]int64) *column.Batch {
	b := column.NewBatchBuilder(intSchema)
	for _, r := range rows {
		b.Cols[0].AppendI64(r[0])
		b.Cols[1].AppendI64(r[1])
	}
	return b.Finish()
}

// numbers is a source: partition p yields the rows (i%Keys, i) for i = p, p+Parts, … < N, and may misbehave on the way.
type numbers struct {
	N, Keys, Batch int
	Fault          string // key of faults
}

// faults are what the operators of a test do wrong: each is called at every batch with the task's context.
var faults sync.Map // string -> func(tc *rdd.TaskContext) error

func (o *numbers) Open(tc *rdd.TaskContext, _ []rdd.Reader) (rdd.Reader, error) {
	return &numbersReader{o: o, tc: tc, i: tc.Partition}, nil
}

type numbersReader struct {
	o  *numbers
	tc *rdd.TaskContext
	i  int
}

func (r *numbersReader) Next() (*column.Batch, error) {
	if f, ok := faults.Load(r.o.Fault); ok {
		if err := f.(func(*rdd.TaskContext) error)(r.tc); err != nil {
			return nil, err
		}
	}
	var rows [][2]int64
	for ; r.i < r.o.N && len(rows) < r.o.Batch; r.i += r.tc.Parts {
		rows = append(rows, [2]int64{int64(r.i % r.o.Keys), int64(r.i)})
	}
	if rows == nil {
		return nil, io.EOF
	}
	r.tc.Count("numbers", "rows", int64(len(rows)))
	return intBatch(rows...), nil
}
func (r *numbersReader) Close() error { return nil }

// sums adds up v by k.
type sums struct{ Fault string }

func (o *sums) Open(tc *rdd.TaskContext, in []rdd.Reader) (rdd.Reader, error) {
	return &sumsReader{o: o, tc: tc, in: in[0]}, nil
}

type sumsReader struct {
	o    *sums
	tc   *rdd.TaskContext
	in   rdd.Reader
	done bool
}

func (r *sumsReader) Next() (*column.Batch, error) {
	if r.done {
		return nil, io.EOF
	}
	if f, ok := faults.Load(r.o.Fault); ok {
		if err := f.(func(*rdd.TaskContext) error)(r.tc); err != nil {
			return nil, err
		}
	}
	m := map[int64]int64{}
	for {
		b, err := r.in.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, errors.New("sums lost its input") // deliberately without the cause
		}
		for i := range b.N {
			m[b.Cols[0].I64[i]] += b.Cols[1].I64[i]
		}
	}
	r.done = true
	var rows [][2]int64
	for k, v := range m {
		rows = append(rows, [2]int64{k, v})
	}
	slices.SortFunc(rows, func(a, b [2]int64) int { return int(a[0] - b[0]) })
	return intBatch(rows...), nil
}
func (r *sumsReader) Close() error { return r.in.Close() }

// sides sets every row aside.
type sides struct{}

func (o *sides) Open(tc *rdd.TaskContext, in []rdd.Reader) (rdd.Reader, error) {
	return &sidesReader{tc, in[0]}, nil
}

type sidesReader struct {
	tc *rdd.TaskContext
	in rdd.Reader
}

func (r *sidesReader) Next() (*column.Batch, error) {
	b, err := r.in.Next()
	if err == nil {
		r.tc.Report("sides", "partition", []byte{byte(r.tc.Partition)})
		err = r.tc.Emit("late", b)
	}
	return b, err
}
func (r *sidesReader) Close() error { return r.in.Close() }

// keyedState adds v to the state of k and yields nothing.
type keyedState struct{ Fault string }

func (o *keyedState) Open(tc *rdd.TaskContext, in []rdd.Reader) (rdd.Reader, error) {
	st, err := tc.OpenState(tc.Op)
	if err != nil {
		return nil, err
	}
	return &stateReader{o, tc, in[0], st}, nil
}

type stateReader struct {
	o  *keyedState
	tc *rdd.TaskContext
	in rdd.Reader
	st rdd.State
}

func (r *stateReader) Next() (*column.Batch, error) {
	for {
		b, err := r.in.Next()
		if err != nil {
			return nil, err
		}
		hashes := column.Hash(nil, b.Cols[:1], b.N)
		for i := range b.N {
			key := []byte(fmt.Sprint(b.Cols[0].I64[i]))
			kg := rdd.KeyGroup(hashes[i])
			old, _, err := r.st.Get(0, kg, key)
			if err != nil {
				return nil, err
			}
			n := int64(0)
			fmt.Sscan(string(old), &n)
			if err := r.st.Put(0, kg, key, []byte(fmt.Sprint(n+b.Cols[1].I64[i]))); err != nil {
				return nil, err
			}
		}
		if f, ok := faults.Load(r.o.Fault); ok {
			if err := f.(func(*rdd.TaskContext) error)(r.tc); err != nil {
				return nil, err
			}
		}
	}
}
func (r *stateReader) Close() error { return r.in.Close() }

func init() {
	rdd.Register("drivertest.numbers", (*numbers)(nil))
	rdd.Register("drivertest.sums", (*sums)(nil))
	rdd.Register("drivertest.sides", (*sides)(nil))
	rdd.Register("drivertest.state", (*keyedState)(nil))
}

// sumGraph is numbers(parts) ═hash═▶ sums(parts).
func sumGraph(n, keys, parts int, mapFault, reduceFault string) *rdd.RDD {
	src := &rdd.RDD{ID: "numbers", Name: "numbers", Op: &numbers{N: n, Keys: keys, Batch: 100, Fault: mapFault}, Parts: parts, Schema: intSchema}
	return &rdd.RDD{ID: "sums", Name: "sums", Op: &sums{reduceFault}, Parts: parts, Schema: intSchema,
		Deps: []rdd.Dep{{Parent: src, Kind: rdd.Shuffle, Partitioner: rdd.Partitioner{Kind: rdd.Hash, Keys: []int{0}, N: parts}}}}
}

func newExecutor(t testing.TB, o executor.Options) *executor.Executor {
	t.Helper()
	if o.Dir == "" {
		o.Dir = t.TempDir()
	}
	x, err := executor.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := x.Close(); err != nil {
			t.Error(err)
		}
		if n := x.MemoryUsed(); n != 0 {
			t.Errorf("%d bytes are still reserved after everything ended", n)
		}
	})
	return x
}

// newCluster has n executors that can read each other's outputs.
func newCluster(t testing.TB, n, slots int) (*driver.Cluster, []*executor.Executor) {
	t.Helper()
	var xs []*executor.Executor
	peer := func(id string) (shuffle.Fetcher, error) {
		for _, x := range xs {
			if x.ID() == id {
				return x.Shuffle(), nil
			}
		}
		return nil, errors.New("no such executor")
	}
	for i := range n {
		xs = append(xs, newExecutor(t, executor.Options{ID: fmt.Sprintf("x%d", i), Slots: slots, MemoryLimit: 64 << 20, Peer: peer}))
	}
	c := driver.NewCluster()
	for _, x := range xs {
		c.Add(x)
	}
	t.Cleanup(c.Close)
	return c, xs
}

func prepare(t testing.TB, c *driver.Cluster, root *rdd.RDD) *driver.Job {
	t.Helper()
	j, err := c.Prepare(root)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(j.Close)
	return j
}

// collect runs the job and returns its rows, in the order of delivery.
func collect(t testing.TB, j *driver.Job, o driver.RunOptions) ([][2]int64, *driver.JobResult, error) {
	t.Helper()
	var rows [][2]int64
	last := 0
	o.OnBatch = func(part int, b *column.Batch) error {
		if part < last {
			t.Errorf("partition %d after partition %d", part, last)
		}
		last = part
		for i := range b.N {
			rows = append(rows, [2]int64{b.Cols[0].I64[i], b.Cols[1].I64[i]})
		}
		return nil
	}
	res, err := j.Run(context.Background(), o)
	return rows, res, err
}

func wantSums(n, keys int) map[int64]int64 {
	m := map[int64]int64{}
	for i := range n {
		m[int64(i%keys)] += int64(i)
	}
	return m
}

func checkSums(t testing.TB, rows [][2]int64, n, keys int) {
	t.Helper()
	want := wantSums(n, keys)
	if len(rows) != len(want) {
		t.Fatalf("%d keys, want %d", len(rows), len(want))
	}
	for _, r := range rows {
		if want[r[0]] != r[1] {
			t.Fatalf("key %d has sum %d, want %d", r[0], r[1], want[r[0]])
		}
	}
}

func TestAJobRunsManyTimes(t *testing.T) {
	for _, files := range []bool{false, true} {
		c, xs := newCluster(t, 2, 2)
		j := prepare(t, c, sumGraph(10_000, 37, 4, "", ""))
		for range 5 {
			rows, res, err := collect(t, j, driver.RunOptions{Files: files})
			if err != nil {
				t.Fatal(err)
			}
			checkSums(t, rows, 10_000, 37)
			if n := res.Counters()["numbers"]["rows"]; n != 10_000 {
				t.Errorf("counted %d rows", n)
			}
			if len(res.Tasks) != 8 {
				t.Errorf("%d tasks", len(res.Tasks))
			}
		}
		for _, x := range xs {
			if n := x.Shuffle().Len(); n != 0 {
				t.Errorf("%d outputs are left behind", n)
			}
		}
	}
}

func TestEmptyPartitionsAndStages(t *testing.T) {
	c, _ := newCluster(t, 1, 2)
	rows, _, err := collect(t, prepare(t, c, sumGraph(0, 1, 3, "", "")), driver.RunOptions{})
	if err != nil || len(rows) != 0 {
		t.Fatal(rows, err)
	}
	none := sumGraph(10, 3, 2, "", "")
	none.Deps[0].Parent.Parts = 0
	rows, _, err = collect(t, prepare(t, c, none), driver.RunOptions{})
	if err != nil || len(rows) != 0 {
		t.Fatal(rows, err)
	}
}

func TestUnionPlacesPartitionsSideBySide(t *testing.T) {
	c, _ := newCluster(t, 1, 2)
	a, b := sumGraph(1000, 10, 2, "", ""), sumGraph(500, 10, 3, "", "")
	u := &rdd.RDD{ID: "u", Name: "union", Op: &concat{}, Parts: 5, Schema: intSchema,
		Deps: []rdd.Dep{{Parent: a, Kind: rdd.Narrow}, {Parent: b, Kind: rdd.Narrow, Base: 2}}}
	rows, _, err := collect(t, prepare(t, c, u), driver.RunOptions{})
	if err != nil || len(rows) != 20 {
		t.Fatal(len(rows), err)
	}
	got := map[int64]int64{}
	for _, r := range rows {
		got[r[0]] += r[1]
	}
	for k := range int64(10) {
		if want := wantSums(1000, 10)[k] + wantSums(500, 10)[k]; got[k] != want {
			t.Errorf("key %d: %d, want %d", k, got[k], want)
		}
	}
}

// concat yields its inputs one after the other.
type concat struct{}

func (*concat) Open(_ *rdd.TaskContext, in []rdd.Reader) (rdd.Reader, error) {
	return &concatReader{in}, nil
}

type concatReader struct{ in []rdd.Reader }

func (r *concatReader) Next() (*column.Batch, error) {
	for len(r.in) > 0 {
		b, err := r.in[0].Next()
		if err != io.EOF {
			return b, err
		}
		r.in[0].Close()
		r.in = r.in[1:]
	}
	return nil, io.EOF
}

func (r *concatReader) Close() error {
	for _, in := range r.in {
		in.Close()
	}
	return nil
}

func init() { rdd.Register("drivertest.concat", (*concat)(nil)) }

// setFault installs a fault under a fresh name.
func setFault(t *testing.T, f func(tc *rdd.TaskContext) error) string {
	name := t.Name()
	faults.Store(name, f)
	t.Cleanup(func() { faults.Delete(name) })
	return name
}

func TestAFailedTaskRunsAgain(t *testing.T) {
	var n atomic.Int64
	name := setFault(t, func(tc *rdd.TaskContext) error {
		if tc.Partition == 1 && tc.Attempt < 3 {
			n.Add(1)
			return errors.New("flaky")
		}
		return nil
	})
	c, _ := newCluster(t, 2, 2)
	rows, res, err := collect(t, prepare(t, c, sumGraph(10_000, 37, 4, name, "")), driver.RunOptions{})
	if err != nil || n.Load() != 3 {
		t.Fatal(n.Load(), err)
	}
	checkSums(t, rows, 10_000, 37)
	if got := res.Counters()["numbers"]["rows"]; got != 10_000 {
		t.Errorf("failed attempts were counted: %d", got)
	}
}

func TestAHopelessTaskFailsTheJob(t *testing.T) {
	boom := errors.New("boom")
	name := setFault(t, func(tc *rdd.TaskContext) error {
		if tc.Partition == 2 {
			return boom
		}
		return nil
	})
	c, xs := newCluster(t, 1, 2)
	j := prepare(t, c, sumGraph(1000, 7, 4, name, ""))
	_, _, err := collect(t, j, driver.RunOptions{})
	if !errors.Is(err, boom) || !strings.Contains(err.Error(), "task 2 of stage 0 failed (attempt 4)") {
		t.Fatal(err)
	}
	if n := xs[0].Shuffle().Len(); n != 0 {
		t.Errorf("%d outputs are left behind", n)
	}
}

func TestAUsersMistakeIsNotRetried(t *testing.T) {
	var n atomic.Int64
	name := setFault(t, func(tc *rdd.TaskContext) error {
		n.Add(1)
		return usererr.New("DIVIDE_BY_ZERO", "22012", "division by zero")
	})
	c, _ := newCluster(t, 1, 1)
	_, _, err := collect(t, prepare(t, c, sumGraph(1000, 7, 1, name, "")), driver.RunOptions{})
	var u *usererr.Error
	if !errors.As(err, &u) || n.Load() != 1 {
		t.Fatal(n.Load(), err)
	}
}

func TestAPanicIsTheTasksError(t *testing.T) {
	name := setFault(t, func(tc *rdd.TaskContext) error {
		if tc.Attempt == 0 {
			panic("BUG: broken invariant")
		}
		return nil
	})
	c, _ := newCluster(t, 1, 2)
	rows, _, err := collect(t, prepare(t, c, sumGraph(1000, 7, 2, name, "")), driver.RunOptions{})
	if err != nil {
		t.Fatal(err)
	}
	checkSums(t, rows, 1000, 7)
}

func TestCancelStopsRunningTasks(t *testing.T) {
	started := make(chan struct{}, 100)
	name := setFault(t, func(tc *rdd.TaskContext) error {
		started <- struct{}{}
		<-tc.Context.Done()
		return context.Cause(tc.Context)
	})
	c, _ := newCluster(t, 1, 2)
	j := prepare(t, c, sumGraph(1000, 7, 4, name, ""))
	ctx, cancel := context.WithCancel(context.Background())
	go func() { <-started; cancel() }()
	if _, err := j.Run(ctx, driver.RunOptions{}); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
}

func TestEnoughRowsEndTheRun(t *testing.T) {
	c, _ := newCluster(t, 1, 1)
	j := prepare(t, c, sumGraph(100_000, 1000, 8, "", ""))
	n := 0
	_, err := j.Run(context.Background(), driver.RunOptions{OnBatch: func(int, *column.Batch) error { n++; return driver.ErrEnough }})
	if err != nil || n != 1 {
		t.Fatal(n, err)
	}
	if rows, _, err := collect(t, j, driver.RunOptions{}); err != nil || len(rows) != 1000 {
		t.Fatal(len(rows), err)
	}
}

func TestClosingTheClusterEndsRuns(t *testing.T) {
	x := newExecutor(t, executor.Options{Slots: 2})
	c := driver.NewCluster(x)
	started := make(chan struct{}, 100)
	name := setFault(t, func(tc *rdd.TaskContext) error {
		started <- struct{}{}
		<-tc.Context.Done()
		return context.Cause(tc.Context)
	})
	j, err := c.Prepare(sumGraph(1000, 7, 4, name, ""))
	if err != nil {
		t.Fatal(err)
	}
	go func() { <-started; c.Close() }()
	if _, err := j.Run(context.Background(), driver.RunOptions{}); !errors.Is(err, driver.ErrClusterClosed) {
		t.Fatal(err)
	}
	if _, err := j.Run(context.Background(), driver.RunOptions{}); !errors.Is(err, driver.ErrClusterClosed) {
		t.Fatal(err)
	}
}

func TestSidesAndReportsOfRetriedTasksComeOnce(t *testing.T) {
	name := setFault(t, func(tc *rdd.TaskContext) error {
		if tc.Attempt == 0 && tc.Stage == 1 {
			return errors.New("once")
		}
		return nil
	})
	c, _ := newCluster(t, 1, 2)
	g := sumGraph(1000, 10, 2, "", name)
	src := g.Deps[0].Parent
	g.Deps[0].Parent = &rdd.RDD{ID: "sides", Name: "sides", Op: &sides{}, Parts: 2, Schema: intSchema, Deps: []rdd.Dep{{Parent: src}}}
	n := 0
	_, res, err := collect(t, prepare(t, c, g), driver.RunOptions{OnSide: func(side string, b *column.Batch) error {
		if side != "late" {
			t.Error(side)
		}
		n += b.N
		return nil
	}})
	if err != nil || n != 1000 {
		t.Fatal(n, err)
	}
	if got := res.Reports("sides", "partition"); len(got) != 10 {
		t.Error(len(got), "reports")
	}
}

func TestBeforeStageBindsFromEarlierReports(t *testing.T) {
	c, _ := newCluster(t, 1, 2)
	var sawNil atomic.Int64
	name := setFault(t, func(tc *rdd.TaskContext) error {
		if tc.Binding.Batch != int64(40+2*tc.Stage) {
			sawNil.Add(1)
		}
		return nil
	})
	j := prepare(t, c, sumGraph(1000, 10, 2, name, name))
	_, _, err := collect(t, j, driver.RunOptions{Binding: &rdd.Binding{Batch: 1}, BeforeStage: func(stage int, done []*rdd.TaskResult) *rdd.Binding {
		return &rdd.Binding{Batch: int64(40 + len(done))}
	}})
	if err != nil || sawNil.Load() != 0 {
		t.Fatal(sawNil.Load(), err)
	}
}

func TestALostExecutorsWorkIsDoneAgain(t *testing.T) {
	for _, at := range []int{0, 1} { // in the map stage, and in the reduce stage when its map outputs are gone
		var c *driver.Cluster
		var once sync.Once
		name := t.Name() + fmt.Sprint(at)
		faults.Store(name, func(tc *rdd.TaskContext) error {
			if tc.Partition == 3 {
				once.Do(func() { c.Lose("x1") })
			}
			return nil
		})
		defer faults.Delete(name)
		c, _ = newCluster(t, 3, 1)
		names := [2]string{}
		names[at] = name
		rows, res, err := collect(t, prepare(t, c, sumGraph(10_000, 37, 6, names[0], names[1])), driver.RunOptions{})
		if err != nil {
			t.Fatal(err)
		}
		checkSums(t, rows, 10_000, 37)
		if n := res.Counters()["numbers"]["rows"]; n != 10_000 {
			t.Errorf("counted %d rows", n)
		}
	}
}

func TestADamagedOutputIsComputedAgain(t *testing.T) {
	c, xs := newCluster(t, 2, 2)
	var once sync.Once
	var job atomic.Value
	name := setFault(t, func(tc *rdd.TaskContext) error {
		once.Do(func() {
			job.Store(tc.Job)
			for _, x := range xs {
				damage(t, x)
			}
		})
		return nil
	})
	rows, res, err := collect(t, prepare(t, c, sumGraph(10_000, 37, 4, "", name)), driver.RunOptions{Files: true})
	if err != nil {
		t.Fatal(err)
	}
	checkSums(t, rows, 10_000, 37)
	if n := res.Counters()["numbers"]["rows"]; n != 10_000 {
		t.Errorf("counted %d rows", n)
	}
}

func BenchmarkTwoStages(b *testing.B) {
	c, _ := newCluster(b, 1, 4)
	j := prepare(b, c, sumGraph(4, 4, 4, "", ""))
	bind := &rdd.Binding{}
	ctx := context.Background()
	n := 0
	b.ReportAllocs()
	start := time.Now()
	for b.Loop() {
		if _, err := j.Run(ctx, driver.RunOptions{Binding: bind, OnBatch: func(int, *column.Batch) error { return nil }}); err != nil {
			b.Fatal(err)
		}
		n++
	}
	b.ReportMetric(float64(time.Since(start).Microseconds())/float64(n), "µs/job")
}
