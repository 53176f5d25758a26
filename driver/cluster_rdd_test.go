package driver_test

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/rdd"
)

func newContext(t testing.TB) *rdd.Context {
	c, _ := newCluster(t, 2, 2)
	ctx := rdd.NewContext(c, 4)
	t.Cleanup(ctx.Close)
	return ctx
}

func ints(n int) []int {
	list := make([]int, n)
	for i := range list {
		list[i] = i
	}
	return list
}

func collected[T any](t *testing.T, d rdd.Dataset[T]) []T {
	t.Helper()
	rows, err := d.Collect(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func byKey[K cmp.Ordered, V any](pairs []rdd.Pair[K, V]) []rdd.Pair[K, V] {
	slices.SortFunc(pairs, func(a, b rdd.Pair[K, V]) int { return cmp.Compare(a.Key, b.Key) })
	return pairs
}

func expectRows[T any](t *testing.T, got, want T) {
	t.Helper()
	if g, w := fmt.Sprintf("%+v", got), fmt.Sprintf("%+v", want); g != w {
		t.Errorf("got  %s\nwant %s", g, w)
	}
}

var square = rdd.MapFunc("drivertest.square", func(x int) int { return x * x })

func TestMapFilterFlatMapKeepOrder(t *testing.T) {
	d := rdd.Parallelize(newContext(t), ints(10), 3)
	even := rdd.Map(d, square).Filter(func(x int) bool { return x%2 == 0 })
	expectRows(t, collected(t, even), []int{0, 4, 16, 36, 64})
	twice := rdd.FlatMap(even, func(x int) []string { return []string{fmt.Sprint(x), "-"} })
	expectRows(t, collected(t, twice), []string{"0", "-", "4", "-", "16", "-", "36", "-", "64", "-"})
	sums := rdd.MapPartitions(d, func(part int, rows iter.Seq[int], emit func(int)) error {
		n := 0
		for x := range rows {
			n += x
		}
		emit(n)
		return nil
	})
	expectRows(t, collected(t, sums), []int{3, 12, 30})
}

func TestClosuresOfOneLiteralStayApart(t *testing.T) {
	add := func(n int) func(int) int { return func(x int) int { return x + n } }
	d := rdd.Parallelize(newContext(t), []int{1}, 1)
	rdd.MapFunc("drivertest.add1", add(1))
	expectRows(t, collected(t, rdd.Map(d, add(2))), []int{3})
}

func TestNamedFunctionsGiveEqualFragmentsAndClosuresDoNot(t *testing.T) {
	graph := func(f func(int) int) *rdd.RDD {
		var root *rdd.RDD
		ctx := rdd.NewContext(runnerFunc(func(r *rdd.RDD) { root = r }), 1)
		defer ctx.Close()
		rdd.Map(rdd.Parallelize(ctx, []int{1}, 1), f).Collect(context.Background())
		return root
	}
	hash := func(r *rdd.RDD) string {
		f, _, err := rdd.Cut(r)
		if err != nil {
			t.Fatal(err)
		}
		return f.Hash
	}
	if first, second := graph(square), graph(square); hash(first) != hash(second) {
		t.Error("a named function gave two fragments")
	}
	lambda := func(x int) int { return x }
	r := graph(lambda) // its context is closed: the closure is gone
	if hash(r) == hash(graph(lambda)) {
		t.Error("closures were taken for one another")
	}
	c, _ := newCluster(t, 1, 1)
	err := c.RunRDD(context.Background(), r, nil)
	if err == nil || !strings.Contains(err.Error(), "name it with rdd.MapFunc") {
		t.Error(err)
	}
}

type runnerFunc func(*rdd.RDD)

func (f runnerFunc) RunRDD(_ context.Context, r *rdd.RDD, _ func(int, *column.Batch) error) error {
	f(r)
	return nil
}

func TestReduceByKeyCountsWords(t *testing.T) {
	path := filepath.Join(t.TempDir(), "words.txt")
	var text strings.Builder
	for i := range 3000 {
		fmt.Fprintf(&text, "w%d w%d\n", i%7, i%3)
	}
	text.WriteString("last line without an end")
	if err := os.WriteFile(path, []byte(text.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, parts := range []int{1, 5, 64} {
		lines := rdd.TextFile(newContext(t), path, parts)
		words := rdd.FlatMap(lines, strings.Fields)
		pairs := rdd.Map(words, func(w string) rdd.Pair[string, int] { return rdd.Pair[string, int]{Key: w, Value: 1} })
		got := byKey(collected(t, rdd.ReduceByKey(pairs, func(a, b int) int { return a + b })))
		want := map[string]int{}
		for _, w := range strings.Fields(text.String()) {
			want[w]++
		}
		if len(got) != len(want) {
			t.Fatalf("%d words, want %d", len(got), len(want))
		}
		for _, p := range got {
			if want[p.Key] != p.Value {
				t.Errorf("%s: %d, want %d", p.Key, p.Value, want[p.Key])
			}
		}
	}
}

type user struct {
	ID   int
	Name string
	Tags []string
}

func TestJoinsOfStructs(t *testing.T) {
	c := newContext(t)
	users := rdd.KeyBy(rdd.Parallelize(c, []user{{1, "ann", []string{"x"}}, {2, "bob", nil}, {3, "cy", nil}}, 2), func(u user) int { return u.ID })
	orders := rdd.Parallelize(c, []rdd.Pair[int, float64]{{Key: 1, Value: 1.5}, {Key: 1, Value: 2.5}, {Key: 3, Value: 9}, {Key: 4, Value: 7}}, 3)
	show := func(d rdd.Dataset[rdd.Pair[int, rdd.Joined[user, float64]]]) []string {
		var out []string
		for _, p := range byKey(collected(t, d)) {
			out = append(out, fmt.Sprintf("%d %s %v %v", p.Key, p.Value.Left.Name, p.Value.Right, p.Value.Found))
		}
		return out
	}
	expectRows(t, show(rdd.Join(users, orders)), []string{"1 ann 1.5 true", "1 ann 2.5 true", "3 cy 9 true"})
	expectRows(t, show(rdd.LeftOuterJoin(users, orders)), []string{"1 ann 1.5 true", "1 ann 2.5 true", "2 bob 0 false", "3 cy 9 true"})
	groups := byKey(collected(t, rdd.CoGroup(users, orders)))
	if len(groups) != 4 || groups[3].Key != 4 || len(groups[3].Value.Left) != 0 || groups[0].Value.Left[0].Tags[0] != "x" {
		t.Errorf("%+v", groups)
	}
	grouped := byKey(collected(t, rdd.GroupByKey(orders)))
	expectRows(t, grouped, []rdd.Pair[int, []float64]{{Key: 1, Value: []float64{1.5, 2.5}}, {Key: 3, Value: []float64{9}}, {Key: 4, Value: []float64{7}}})
}

func TestSortByRangesAndKeepsEqualKeysInOrder(t *testing.T) {
	c := newContext(t)
	rows := make([]rdd.Pair[int, int], 20_000)
	for i := range rows {
		rows[i] = rdd.Pair[int, int]{Key: (i * 7919) % 1000, Value: i}
	}
	got := collected(t, rdd.SortBy(rdd.Parallelize(c, rows, 5), func(p rdd.Pair[int, int]) int { return p.Key }))
	want := slices.Clone(rows)
	slices.SortStableFunc(want, func(a, b rdd.Pair[int, int]) int { return a.Key - b.Key })
	if !slices.Equal(got, want) {
		t.Error("not in order")
	}
	words := collected(t, rdd.SortBy(rdd.Parallelize(c, []string{"b", "", "é", "a", "Z"}, 2), func(s string) string { return s }))
	expectRows(t, words, []string{"", "Z", "a", "b", "é"})
	big := collected(t, rdd.SortBy(rdd.Parallelize(c, []uint64{1 << 63, 0, 1<<64 - 1, 5}, 2), func(x uint64) uint64 { return x }))
	expectRows(t, big, []uint64{0, 5, 1 << 63, 1<<64 - 1})
	none := collected(t, rdd.SortBy(rdd.Parallelize(c, []float64{}, 2), func(x float64) float64 { return x }))
	if len(none) != 0 {
		t.Error(none)
	}
}

func TestActions(t *testing.T) {
	ctx := context.Background()
	d := rdd.Parallelize(newContext(t), ints(1000), 7)
	if n, err := d.Union(d, d).Count(ctx); n != 3000 || err != nil {
		t.Error(n, err)
	}
	if n, ok, err := d.Reduce(ctx, func(a, b int) int { return a + b }); n != 499_500 || !ok || err != nil {
		t.Error(n, ok, err)
	}
	if _, ok, err := d.Filter(func(int) bool { return false }).Reduce(ctx, func(a, b int) int { return a }); ok || err != nil {
		t.Error(ok, err)
	}
	if rows, err := d.Take(ctx, 3); !slices.Equal(rows, []int{0, 1, 2}) || err != nil {
		t.Error(rows, err)
	}
	mod := collected(t, rdd.Distinct(rdd.Map(d, func(x int) int { return x % 5 })))
	slices.Sort(mod)
	expectRows(t, mod, []int{0, 1, 2, 3, 4})
	var sum atomic.Int64
	if err := d.ForEach(ctx, func(x int) { sum.Add(int64(x)) }); err != nil || sum.Load() != 499_500 {
		t.Error(sum.Load(), err)
	}
}

func TestCacheComputesOnce(t *testing.T) {
	var calls atomic.Int64
	d := rdd.Map(rdd.Parallelize(newContext(t), ints(100), 4), func(x int) int { calls.Add(1); return x }).Cache()
	for range 3 {
		expectRows(t, collected(t, d), ints(100))
	}
	if n := calls.Load(); n != 100 {
		t.Errorf("f was called %d times for 100 rows", n)
	}
}

func BenchmarkReduceByKey(b *testing.B) {
	c, _ := newCluster(b, 1, 2)
	ctx := rdd.NewContext(c, 2)
	defer ctx.Close()
	d := rdd.Map(rdd.Parallelize(ctx, ints(100_000), 2), func(x int) rdd.Pair[int, int] { return rdd.Pair[int, int]{Key: x % 1000, Value: x} })
	sums := rdd.ReduceByKey(d, func(a, b int) int { return a + b })
	for b.Loop() {
		if _, err := sums.Collect(context.Background()); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)*100_000/b.Elapsed().Seconds()/1e6, "Mrows/s")
}
