package stream

import (
	"fmt"
	"testing"
	"time"

	"github.com/streamflow/streamflow/structured/connector"
)

func TestAlign(t *testing.T) {
	ops := []WatermarkOp{{ID: "wa", Source: "a", Delay: 5, Parts: 2}, {ID: "wb", Source: "b", Delay: 10, Parts: 1}}
	for name, c := range map[string]struct {
		ends   [2]connector.Offsets
		clocks map[string][]int64
		want   string
	}{
		"one is ahead":              {[2]connector.Offsets{{9, 9}, {9}}, map[string][]int64{"wa": {205, 150}, "wb": {110}}, "[true false] []"},
		"both are":                  {[2]connector.Offsets{{9, 9}, {9}}, map[string][]int64{"wa": {205, 250}, "wb": {110}}, "[true true] []"},
		"the other ahead":           {[2]connector.Offsets{{9, 9}, {9}}, map[string][]int64{"wa": {105, 105}, "wb": {211}}, "[] [true]"},
		"nothing to read behind":    {[2]connector.Offsets{{9, 9}, {3}}, map[string][]int64{"wa": {205, 150}, "wb": {110}}, "[] []"},
		"one has not begun":         {[2]connector.Offsets{{9, 9}, {9}}, map[string][]int64{"wa": {205, NoTime}, "wb": {110}}, "[] []"},
		"as far as it may":          {[2]connector.Offsets{{9, 9}, {9}}, map[string][]int64{"wa": {165, 165}, "wb": {110}}, "[] []"},
		"at the end of its input":   {[2]connector.Offsets{{9, 9}, {9}}, map[string][]int64{"wa": {EndOfTime, 105}, "wb": {110}}, "[true false] []"},
		"before anything was known": {[2]connector.Offsets{{9, 9}, {9}}, nil, "[] []"},
	} {
		f := Facts{Record: Record{StartOffsets: map[string]connector.Offsets{"a": {3, 3}, "b": {3}}}, Published: -1, Recovered: true, MaxRows: 1 << 20,
			Sources: []SourceFacts{{ID: "a", Available: c.ends[0]}, {ID: "b", Available: c.ends[1]}}}
		align(&f, 60, ops, c.clocks)
		if got := fmt.Sprint(f.Sources[0].Held, " ", f.Sources[1].Held); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
		d := Decide(f)
		for _, s := range f.Sources {
			for p := range s.Available {
				moved := d.To[s.ID][p] > d.From[s.ID][p]
				if held := s.Held != nil && s.Held[p]; held == moved && s.Available[p] > 3 {
					t.Errorf("%s: partition %d of %s is read: %t, held: %t", name, p, s.ID, moved, held)
				}
			}
		}
		if d.Action != Run {
			t.Errorf("%s: %s", name, d.Action)
		}
	}
}

// TestIdleSource: a source all of which is silent goes where the active ones hold the query's watermark.
func TestIdleSource(t *testing.T) {
	ops := []WatermarkOp{{ID: "wa", Source: "a", Delay: 5, Parts: 2}, {ID: "wb", Source: "b", Delay: 20, Parts: 1}}
	d := &idleness{timeout: 10 * second}
	see := func(s int, a, b connector.Offsets) {
		d.observe(at0(s), []SourceFacts{{ID: "a", Available: a}, {ID: "b", Available: b}})
	}
	expect := func(s int, a []int64, b int64, want string) {
		t.Helper()
		marks, _ := d.marks(at0(s), ops, map[string][]int64{"wa": a, "wb": {b}})
		got := ""
		for _, m := range marks {
			got += fmt.Sprintf("%s %d->%d ", m.op.ID, m.partition, m.clock)
		}
		if got != want {
			t.Errorf("after %d s: marks %q, want %q", s, got, want)
		}
	}
	see(0, connector.Offsets{1, 1}, connector.Offsets{0})
	see(8, connector.Offsets{2, 2}, connector.Offsets{0})
	expect(12, []int64{140, 130}, NoTime, "wb 0->145 ") // watermark 125
	expect(12, []int64{140, 130}, 150, "")
	expect(30, []int64{140, 130}, 100, "wa 1->140 wb 0->155 ") // all are silent
	expect(30, []int64{140, 130}, 200, "wa 0->185 wa 1->185 ")
}

const second = time.Second

func at0(s int) time.Time { return time.Unix(1000, 0).Add(time.Duration(s) * second) }
