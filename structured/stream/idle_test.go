package stream

import (
	"fmt"
	"testing"
	"time"

	"github.com/streamflow/streamflow/structured/connector"
)

func TestIdleMarks(t *testing.T) {
	start := time.Unix(1000, 0)
	after := func(s int) time.Time { return start.Add(time.Duration(s) * time.Second) }
	ops := []WatermarkOp{{ID: "wm", Source: "src", Delay: 5, Parts: 3}}
	d := &idleness{timeout: 10 * time.Second}
	see := func(s int, ends ...int64) {
		d.observe(after(s), []SourceFacts{{ID: "src", Available: connector.Offsets(ends)}})
	}
	expect := func(s int, clocks []int64, want string, look int) {
		t.Helper()
		marks, next := d.marks(after(s), ops, map[string][]int64{"wm": clocks})
		got := ""
		for _, m := range marks {
			got += fmt.Sprintf("%d->%d ", m.partition, m.clock)
		}
		if got != want {
			t.Errorf("after %d s: marks %q, want %q", s, got, want)
		}
		if look > 0 && !next.Equal(after(look)) || look == 0 && !next.IsZero() {
			t.Errorf("after %d s: look again %v, want %d s", s, next.Sub(start), look)
		}
	}
	see(0, 1, 1, 0)
	expect(5, []int64{100, 90, NoTime}, "", 10)
	see(8, 5, 1, 0)
	// Partition 0 is active: the others go where it is, the one that never had a row too.
	expect(12, []int64{140, 90, NoTime}, "1->140 2->140 ", 18)
	// All are idle: event time goes to the largest that was seen.
	expect(20, []int64{140, 90, 200}, "0->200 1->200 ", 0)
	expect(20, []int64{200, 200, 200}, "", 0)
	// A partition that moves again is active at once.
	see(21, 5, 2, 0)
	expect(22, []int64{200, 150, 200}, "", 31)
}

// TestIdleMarksOfProcessingTime: when nothing comes, the clock of the log goes on, with marks that are ever farther apart.
func TestIdleMarksOfProcessingTime(t *testing.T) {
	start := time.Unix(1000, 0)
	after := func(s int) time.Time { return start.Add(time.Duration(s) * time.Second) }
	ops := []WatermarkOp{{ID: "wm", Source: "src", Parts: 1, Column: connector.ColTimestamp}}
	d := &idleness{timeout: 10 * time.Second}
	end, clock := int64(5), start.UnixMicro()
	var times []int
	for s := range 200 {
		if s == 150 {
			end++ // a row
			clock = after(s).UnixMicro()
		}
		d.observe(after(s), []SourceFacts{{ID: "src", Available: connector.Offsets{end}}})
		marks, next := d.marks(after(s), ops, map[string][]int64{"wm": {clock}})
		for _, m := range marks {
			if m.clock != after(s).UnixMicro() {
				t.Errorf("after %d s: marked %d", s, m.clock)
			}
			d.marked("src", m.partition, after(s))
			end, clock, times = end+1, m.clock, append(times, s)
		}
		if marks == nil && !next.After(after(s)) && clock < after(s).UnixMicro() {
			t.Errorf("after %d s: looks again at %v", s, next)
		}
	}
	if want := "[10 30 70 160 180]"; fmt.Sprint(times) != want {
		t.Errorf("marked after %v s, want %s", times, want)
	}
}
