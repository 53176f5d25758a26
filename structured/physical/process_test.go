package physical

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/streamflow/streamflow/rdd"
	"github.com/streamflow/streamflow/structured/connector"
	"github.com/streamflow/streamflow/structured/process"
)

// event is a row of the table of events.
type event struct {
	Ts time.Time
	V  int64
}

// told is what the test's functions put out.
type told struct {
	K    *int32
	At   time.Time
	What string
	N    int64
}

// watcher uses all that a function can: a value, a list, a map, TTLs, timers that set timers, and side outputs.
type watcher struct {
	last   process.Value[int64]
	recent process.List[int64]
	seen   process.Map[string, int64]
}

func (w *watcher) Open(s *process.State) {
	w.last = process.NewValue[int64](s, "last", process.TTL(15*time.Second))
	w.recent = process.NewList[int64](s, "recent")
	w.seen = process.NewMap[string, int64](s, "seen", process.TTL(time.Minute))
}

func (w *watcher) Row(c *process.Context[int32], e event, out process.Collector[told]) error {
	k := c.Key()
	if last, ok := w.last.Get(); ok && e.V > last+60 {
		if err := out(told{&k, c.Time(), "jump", e.V - last}); err != nil {
			return err
		}
	}
	w.last.Put(e.V)
	if w.recent.Append(e.V); len(w.recent.Get()) > 5 {
		w.recent.Put(w.recent.Get()[1:])
	}
	bucket := fmt.Sprint(e.V / 25)
	n, _ := w.seen.Get(bucket)
	w.seen.Put(bucket, n+1)
	if w.seen.Len() == 4 {
		if err := out(told{&k, c.Time(), "all", n}); err != nil {
			return err
		}
		w.seen.Remove(bucket)
	}
	if e.V < 5 {
		if err := c.Side("small", e.V); err != nil {
			return err
		}
		c.SetTimer(process.EventTime, c.Time().Add(10*time.Second))
	}
	return nil
}

func (w *watcher) Timer(c *process.Context[int32], _ process.TimerKind, out process.Collector[told]) error {
	k := c.Key()
	sum := int64(0)
	for _, v := range w.recent.Get() {
		sum += v
	}
	if sum%2 == 0 && c.Time().Second()%7 != 0 {
		c.SetTimer(process.EventTime, c.Time().Add(3*time.Second))
	}
	return out(told{&k, c.Time(), "timer", sum})
}

// echo is a function without an order.
type echo struct{ n process.Value[int64] }

func (e *echo) Open(s *process.State) { e.n = process.NewValue[int64](s, "n", process.TTL(time.Hour)) }
func (e *echo) Row(c *process.Context[int32], _ event, out process.Collector[told]) error {
	k := c.Key()
	n, _ := e.n.Get()
	e.n.Put(n + 1)
	c.SetTimer(process.ProcessingTime, c.ProcessingTime().Add(time.Minute))
	return out(told{K: &k, N: n + 1})
}
func (e *echo) Timer(c *process.Context[int32], kind process.TimerKind, out process.Collector[told]) error {
	if kind != process.ProcessingTime {
		return fmt.Errorf("a timer of kind %d", kind)
	}
	n, _ := e.n.Get()
	return out(told{What: "minute", At: c.Time(), N: n})
}

type broken struct{ p process.Value[int] }

func (b *broken) Open(s *process.State) { b.p = process.NewValue[int](s, "p") }
func (b *broken) Row(c *process.Context[int32], e event, _ process.Collector[told]) error {
	var list []int
	if e.V > 90 {
		return fmt.Errorf("%d is too much", list[e.V])
	}
	return nil
}

func init() {
	process.Register("watcher", func() process.Function[int32, event, told] { return &watcher{} })
	process.Register("echo", func() process.Function[int32, event, told] { return &echo{} })
	process.Register("broken", func() process.Function[int32, event, told] { return &broken{} })
}

const watched = "SELECT * FROM watcher(TABLE(SELECT k, ts, v FROM STREAM events WATERMARK ts DELAY INTERVAL 20 SECONDS WHERE k IS NOT NULL) PARTITION BY k ORDER BY ts)"

func TestProcessHistoryEqualsLive(t *testing.T) {
	in := tables{"events": events(t, 300, 12)}
	rows := metamorphic(t, watched, in, Options{})
	seen := strings.Join(rows, "\n")
	for _, what := range []string{" jump ", " all ", " timer "} {
		if strings.Count(seen, what) < 3 {
			t.Fatalf("few rows of %q:\n%s", what, seen)
		}
	}
}

// TestProcessSidesAndEnd: side outputs are the same however the input was cut, and nothing is left when it has ended.
func TestProcessSidesAndEnd(t *testing.T) {
	in := tables{"events": events(t, 300, 12)}
	got := map[string]bool{}
	for _, cut := range []int64{5, 1000} {
		r := newLiveRun(t, watched, in, Options{}, 2)
		r.cut, r.rng = cut, rand.New(rand.NewPCG(1, 3))
		var small []string
		for ended := false; !ended; {
			ended = r.step()
			small = append(small, texts(r.runner.sides["small"])...)
		}
		sort.Strings(small)
		got[strings.Join(small, "\n")] = true
		if len(small) < 5 || !strings.Contains(small[0], " watcher [") {
			t.Fatalf("side output: %q", small)
		}
		for id, s := range r.runner.state {
			if n := s.(interface{ Len() int }).Len(); n != 0 {
				t.Fatalf("%s still has %d entries", id, n)
			}
		}
	}
	if len(got) != 1 {
		t.Fatal("side outputs depend on the batches")
	}
}

// TestProcessingTime: timers and TTLs of processing time, and the wish to be woken for them.
func TestProcessingTime(t *testing.T) {
	in := tables{"events": events(t, 40, 3)}
	l, err := fromSQL("SELECT * FROM echo(TABLE(SELECT k, ts, v FROM STREAM events WHERE k = 1) PARTITION BY k)", in)
	if err != nil {
		t.Fatal(err)
	}
	phys, err := Plan(context.Background(), l, Options{Parts: 1, Streaming: true, Query: "q"})
	if err != nil {
		t.Fatal(err)
	}
	r := newRunner(t)
	src := phys.Sources[0]
	have, _ := src.Stream.Available(context.Background())
	none := make(connector.Offsets, len(have.End))
	minute := time.Minute.Microseconds()
	batch := func(n, now int64, from, to connector.Offsets) []string {
		b := &rdd.Binding{Query: "q", Batch: n, StateVersion: n - 1, Now: now, Watermarks: map[string]int64{phys.Stateful[0].Op: math.MinInt64},
			Splits: map[string][][]rdd.Split{src.Op: src.Stream.Bind(from, to)}}
		got, err := r.run(phys.Lower(), b)
		if err != nil {
			t.Fatal(err)
		}
		return texts(got)
	}
	wake := func() (at int64) {
		for _, rep := range r.reports {
			if rep.Key == WakeKey {
				at = int64(binary.BigEndian.Uint64(rep.Value))
			}
		}
		return at
	}
	start := 1000 * minute
	first := batch(0, start, none, have.End)
	if n := len(first); n < 3 || !strings.HasSuffix(first[n-1], fmt.Sprint(n)) {
		t.Fatalf("rows: %q", first)
	}
	if at := wake(); at < start+minute || at > start+minute+10_000_000 {
		t.Fatalf("to be woken at %d, want %d", at, start+minute)
	}
	if got := batch(1, start+minute/2, have.End, have.End); len(got) != 0 {
		t.Fatalf("too early: %q", got)
	}
	got := batch(2, wake(), have.End, have.End)
	if len(got) != 1 || !strings.HasSuffix(got[0], fmt.Sprintf("minute %d", len(first))) {
		t.Fatalf("timer: %q", got)
	}
	if wake() != 0 {
		t.Fatal("a wish to be woken is left")
	}
	if got = batch(3, start+61*minute, have.End, have.End); len(got) != 0 {
		t.Fatalf("after the TTL: %q", got)
	}
	for id, s := range r.state {
		if n := s.(interface{ Len() int }).Len(); n != 0 {
			t.Fatalf("%s still has %d entries after the TTL", id, n)
		}
	}
}

func TestProcessMistakes(t *testing.T) {
	in := tables{"events": events(t, 100, 3)}
	for text, want := range map[string]string{
		"SELECT * FROM nobody(TABLE events PARTITION BY k)":                                       "[UNRESOLVED_PROCESS_FUNCTION] This node has no function nobody",
		"SELECT * FROM echo(TABLE events PARTITION BY k, v)":                                      "has a key of 1 columns, PARTITION BY names 2",
		"SELECT * FROM echo(TABLE(SELECT k, v FROM events) PARTITION BY k)":                       "UNRESOLVED_COLUMN",
		"SELECT * FROM echo(TABLE(SELECT k, ts, v FROM STREAM events) PARTITION BY k ORDER BY v)": "come in the order of event time",
		"SELECT * FROM broken(TABLE(SELECT * FROM events WHERE k = 1) PARTITION BY k)":            "[PROCESS_FUNCTION_FAILED] The function broken failed: panic: runtime error: index out of range",
	} {
		l, err := fromSQL(text, in)
		if err == nil {
			var phys *Physical
			if phys, err = Plan(context.Background(), l, Options{Streaming: strings.Contains(text, "STREAM"), Query: "q"}); err == nil {
				_, err = newRunner(t).run(phys.Lower(), phys.Binding())
			}
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
	if !slices.Contains(process.Names(), "watcher") {
		t.Error(process.Names())
	}
}
