package scheduler

import (
	"fmt"
	"strings"
	"testing"

	"github.com/streamflow/streamflow/rdd"
)

// Two sources, each aggregated, joined: neither aggregation begins before both clocks are known.
func TestOrderPutsClocksBeforeClosers(t *testing.T) {
	side := func(n string) *rdd.RDD {
		return node("agg "+n, 2, hash(node("partial "+n, 2, rdd.Dep{Parent: node("clock "+n, 2)}), 2))
	}
	join := node("join", 2, hash(side("a"), 2), hash(side("b"), 2))
	stages, err := Stages(node("sink", 2, hash(join, 2)))
	if err != nil {
		t.Fatal(err)
	}
	Order(stages, func(op string) bool { return strings.HasPrefix(op, "clock") },
		func(op string) bool { return strings.HasPrefix(op, "agg") || op == "join" })
	want := "0 partial a\n1 partial b\n2 agg a reads 0\n3 agg b reads 1\n4 join reads 2 reads 3\n5 sink reads 4\n"
	if got := show(stages); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	for i, after := range []string{"[]", "[]", "[0 1]", "[0 1]", "[0 1]", "[]"} {
		if got := fmt.Sprint(stages[i].After); got != after {
			t.Errorf("stage %d is after %s, want %s", i, got, after)
		}
	}
	shapes := make([]Shape, len(stages))
	for i, s := range stages {
		shapes[i] = s.Shape()
	}
	s := New(Options{})
	s.Step(ExecutorAdded{ID: "x", Slots: 3})
	s.Step(Submit{Job: "j", Stages: shapes})
	for _, task := range []Task{{"j", 0, 0, 0}, {"j", 0, 1, 0}, {"j", 1, 0, 0}} {
		for _, a := range s.Step(TaskEnded{Task: task, Executor: "x"}) {
			if a.Kind == Begin {
				t.Errorf("stage %d begins before the last clock is known", a.Stage)
			}
		}
	}
	began := ""
	for _, a := range s.Step(TaskEnded{Task: Task{"j", 1, 1, 0}, Executor: "x"}) {
		if a.Kind == Begin {
			began += fmt.Sprint(a.Stage, " ")
		}
	}
	if began != "2 3 " {
		t.Errorf("began %q", began)
	}
}
