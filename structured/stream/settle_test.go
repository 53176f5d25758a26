package stream

import (
	"fmt"
	"testing"
	"time"

	"github.com/streamflow/streamflow/structured/connector"
)

// TestSettling: when all sources have been idle for long enough, their clocks go so far beyond the greatest that nothing waits.
func TestSettling(t *testing.T) {
	start := time.Unix(1000, 0)
	after := func(s int) time.Time { return start.Add(time.Duration(s) * time.Second) }
	ops := []WatermarkOp{{ID: "a", Source: "a", Delay: 5, Parts: 2}, {ID: "b", Source: "b", Delay: 7, Parts: 1}}
	d := &idleness{close: 20 * time.Second, settle: 100}
	see := func(s int, a, b int64) {
		d.observe(after(s), []SourceFacts{{ID: "a", Available: connector.Offsets{a, 1}}, {ID: "b", Available: connector.Offsets{b}}})
	}
	expect := func(s int, want string, look int) {
		t.Helper()
		marks, next := d.settling(after(s), ops, map[string][]int64{"a": {40, 50}, "b": {30}})
		got := ""
		for _, m := range marks {
			got += fmt.Sprintf("%s/%d->%d ", m.op.ID, m.partition, m.clock)
		}
		if got != want || look > 0 && !next.Equal(after(look)) || look == 0 && !next.IsZero() {
			t.Errorf("after %d s: marks %q, look again %v; want %q, %d s", s, got, next.Sub(start), want, look)
		}
	}
	see(0, 1, 1)
	expect(5, "", 20)
	see(10, 1, 2)
	expect(20, "", 30)
	see(25, 1, 2)
	d.marked("a", 0, after(26)) // a mark is no growth
	see(27, 2, 2)
	expect(30, "a/0->155 a/1->155 b/0->157 ", 0)
}

// TestSettled: event time has moved on when clocks went beyond all others without a row, until a row comes.
func TestSettled(t *testing.T) {
	commit := func(rows int64, was bool, clocks ...int64) *Commit {
		return &Commit{Clocks: map[string][]int64{"a": clocks}, Counters: map[string]int64{RowsIn: rows}, Settled: was}
	}
	for _, c := range []struct {
		before, now *Commit
		want        bool
	}{
		{nil, commit(0, false, 5), false},
		{commit(1, false, 5, 9), commit(0, false, 9, 9), false},
		{commit(1, false, 5, 9), commit(0, false, 20, 20), true},
		{commit(0, true, 20, 20), commit(0, false, 20, 20), true},
		{commit(0, true, 20, 20), commit(1, false, 20, 21), false},
	} {
		if got := settled(c.before, c.now); got != c.want {
			t.Errorf("%v then %v: %v", c.before, c.now, got)
		}
	}
}
