package physical

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/streamflow/streamflow/rdd"
)

// TestDivideReadsEveryByteOnce: whatever the sizes, tasks read each map output's share of each reduce partition exactly once, and where
// partitions are cut in slices each combination of the inputs' shares meets in exactly one task. Tasks come in the order of the partitions.
func TestDivideReadsEveryByteOnce(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	sliced, coalesced := 0, 0
	for range 500 {
		parts := 1 + r.IntN(8)
		inputs := make([]laneInput, 1+r.IntN(3))
		for i := range inputs {
			maps := make([][]rdd.Size, 1+r.IntN(5))
			for m := range maps {
				maps[m] = make([]rdd.Size, parts)
				for p := range maps[m] {
					maps[m][p] = rdd.Size{Rows: int64(r.IntN(4)), Bytes: int64(r.IntN(40) * r.IntN(3))}
				}
			}
			inputs[i] = laneInput{Measure(maps), r.IntN(2) == 0}
		}
		c := AdaptiveConf{Coalesce: r.IntN(3) > 0, ParallelismFirst: r.IntN(2) == 0, Advisory: int64(1 + r.IntN(200)), MinPartition: int64(1 + r.IntN(100)),
			SkewJoin: r.IntN(3) > 0, SkewFactor: float64(r.IntN(3)), SkewThreshold: int64(r.IntN(60))}
		d := c.divide(inputs, 1+r.IntN(4))
		checkDivision(t, inputs, &d)
		if d.sliced() {
			sliced++
			if !c.SkewJoin {
				t.Fatal("slices though they were not wanted")
			}
		}
		if !c.Coalesce && !d.sliced() && d.tasks != parts {
			t.Fatalf("%d tasks for %d partitions that were to be kept", d.tasks, parts)
		}
		if d.tasks < parts {
			coalesced++
		}
	}
	if sliced < 20 || coalesced < 20 {
		t.Errorf("only %d were sliced and %d coalesced: the test has become blind", sliced, coalesced)
	}
}

func checkDivision(t *testing.T, inputs []laneInput, d *division) {
	t.Helper()
	met := map[string]int{}
	last := 0
	for task := range d.tasks {
		if first := d.reads[0][task].First; first < last {
			t.Fatalf("task %d reads partition %d after %d", task, first, last)
		} else {
			last = first
		}
		for p := d.reads[0][task].First; p < d.reads[0][task].End; p++ {
			combine(inputs, d, task, p, 0, fmt.Sprint(p), met)
		}
	}
	want := len(inputs[0].Sizes)
	for _, in := range inputs {
		want *= len(in.Maps)
	}
	if len(met) != want {
		t.Fatalf("%d combinations of map outputs meet, not %d", len(met), want)
	}
	for where, n := range met {
		if n != 1 {
			t.Fatalf("%s meet %d times", where, n)
		}
	}
	for i, in := range inputs {
		for task, read := range d.reads[i] {
			if from, to := read.Maps(len(in.Maps)); !in.split && to-from != len(in.Maps) {
				t.Fatalf("task %d reads a slice of input %d, which cannot be cut", task, i)
			}
		}
	}
}

// combine counts which map outputs of the inputs a task brings together for partition p.
func combine(inputs []laneInput, d *division, task, p, input int, so string, met map[string]int) {
	if input == len(inputs) {
		met[so]++
		return
	}
	read := d.reads[input][task]
	if p < read.First || p >= read.End {
		return
	}
	from, to := read.Maps(len(inputs[input].Maps))
	for m := from; m < to; m++ {
		combine(inputs, d, task, p, input+1, fmt.Sprint(so, " ", m), met)
	}
}

func TestTasksReadAboutTheAdvisorySize(t *testing.T) {
	sizes := func(bytes ...int64) laneInput {
		row := make([]rdd.Size, len(bytes))
		for i, b := range bytes {
			row[i].Bytes = b
		}
		return laneInput{Measure([][]rdd.Size{row}), true}
	}
	for _, x := range []struct {
		c     AdaptiveConf
		in    laneInput
		slots int
		want  string
	}{
		{AdaptiveConf{Coalesce: true, Advisory: 100, MinPartition: 1}, sizes(60, 50, 40, 10, 200, 5), 1, "[{0 1 0 0} {1 4 0 0} {4 5 0 0} {5 6 0 0}]"},
		{AdaptiveConf{Coalesce: true, ParallelismFirst: true, Advisory: 1000, MinPartition: 1}, sizes(10, 10, 10, 10), 2, "[{0 2 0 0} {2 4 0 0}]"},
		{AdaptiveConf{Coalesce: true, ParallelismFirst: true, Advisory: 1000, MinPartition: 100}, sizes(10, 10, 10, 10), 2, "[{0 4 0 0}]"},
		{AdaptiveConf{Coalesce: true, Advisory: 100, MinPartition: 1}, sizes(0, 0, 0), 2, "[{0 3 0 0}]"},
	} {
		if d := x.c.divide([]laneInput{x.in}, x.slots); fmt.Sprint(d.reads[0]) != x.want {
			t.Errorf("%v: %v, want %s", x.in.Sizes, d.reads[0], x.want)
		}
	}
}
