package scheduler

import (
	"fmt"
	"strings"
	"testing"

	"github.com/streamflow/streamflow/rdd"
)

type nop struct{ Name string }

func (*nop) Open(*rdd.TaskContext, []rdd.Reader) (rdd.Reader, error) { return nil, nil }

func init() { rdd.Register("schedulertest.nop", (*nop)(nil)) }

func node(id string, parts int, deps ...rdd.Dep) *rdd.RDD {
	return &rdd.RDD{ID: id, Name: id, Op: &nop{id}, Parts: parts, Deps: deps}
}

func hash(r *rdd.RDD, n int) rdd.Dep {
	return rdd.Dep{Parent: r, Kind: rdd.Shuffle, Partitioner: rdd.Partitioner{Kind: rdd.Hash, Keys: []int{0}, N: n}}
}

func show(stages []*Stage) string {
	var b strings.Builder
	for _, s := range stages {
		fmt.Fprintf(&b, "%d %s", s.ID, s.Root.ID)
		for _, in := range s.Inputs {
			fmt.Fprintf(&b, " reads %d", in.Stage)
			if in.Broadcast {
				b.WriteString(" whole")
			}
		}
		b.WriteString("\n")
	}
	return b.String()
}

func TestStagesAreCutAtShufflesAndBroadcasts(t *testing.T) {
	small := node("small", 1)
	big := node("filter", 4, rdd.Dep{Parent: node("scan", 4)})
	join := node("join", 4, rdd.Dep{Parent: big}, rdd.Dep{Parent: small, Kind: rdd.Broadcast})
	agg := node("agg", 2, hash(join, 2))
	stages, err := Stages(node("sink", 2, rdd.Dep{Parent: agg}))
	if err != nil {
		t.Fatal(err)
	}
	want := "0 small\n1 join reads 0 whole\n2 sink reads 1\n"
	if got := show(stages); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

func TestASharedParentIsComputedOnceForEachPartitioning(t *testing.T) {
	src := node("src", 2)
	a, b, c := node("a", 3, hash(src, 3)), node("b", 3, hash(src, 3)), node("c", 5, hash(src, 5))
	stages, err := Stages(node("union", 11, rdd.Dep{Parent: a}, rdd.Dep{Parent: b, Base: 3}, rdd.Dep{Parent: c, Base: 6}))
	if err != nil {
		t.Fatal(err)
	}
	want := "0 src\n1 src\n2 union reads 0 reads 0 reads 1\n"
	if got := show(stages); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

func TestEqualGraphsHaveEqualFragments(t *testing.T) {
	build := func(name string) []*Stage {
		s, err := Stages(node(name, 2, hash(node("src", 2), 2)))
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	a, b, c := build("x"), build("x"), build("y")
	if a[0].Fragment.Hash != b[0].Fragment.Hash || a[1].Fragment.Hash != b[1].Fragment.Hash {
		t.Error("equal graphs have different fragments")
	}
	if a[1].Fragment.Hash == c[1].Fragment.Hash {
		t.Error("different graphs have one fragment")
	}
	n, err := a[1].Fragment.Decode()
	if err != nil || n.ID != "x" || n.Op.(*nop).Name != "x" || n.Inputs[0].Node != nil {
		t.Errorf("%+v, %v", n, err)
	}
}
