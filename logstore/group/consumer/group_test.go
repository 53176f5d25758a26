package consumer

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"github.com/streamflow/streamflow/logstore/group"
)

// TestScripts runs testdata/*: each command is an event, its output the answer and the group after it.
//
//	new [session=MS] [max-size=N]
//	topics NAME=PARTITIONS …            what there is from now on
//	beat at=MS member=ID epoch=N [instance=ID] [names=(A,B)] [pattern=P matched=(A,B)] [assignor=A] [timeout=MS] [owned=(A:0,…)]
//	tick at=MS
//	commit member=ID epoch=N [instance=ID]
func TestScripts(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		g, topics := New(Config{}), &Topics{}
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			switch d.Cmd {
			case "new":
				g = New(Config{SessionTimeout: num(d, "session", 45_000), MaxSize: int(num(d, "max-size", 0))})
				return show(g)
			case "topics":
				topics = &Topics{ByName: map[string]Topic{}}
				for _, a := range d.CmdArgs {
					var n int32
					_, _ = fmt.Sscan(a.Vals[0], &n)
					topics.ByName[a.Key] = Topic{idOf(a.Key), n}
				}
				return ""
			case "tick":
				g.Tick(num(d, "at", 0))
				return show(g)
			case "commit":
				return g.CheckCommit(str(d, "member"), str(d, "instance"), int32(num(d, "epoch", -1))).String() + "\n"
			case "beat":
				r := g.Heartbeat(num(d, "at", 0), beat(d), topics)
				return answer(r) + show(g)
			}
			return "unknown command\n"
		})
	})
}

// idOf makes a topic's id of its name, so that scripts can be read.
func idOf(name string) (id TopicID) { copy(id[:], name); return id }

func nameOf(id TopicID) string { return strings.TrimRight(string(id[:]), "\x00") }

func beat(d *datadriven.TestData) Heartbeat {
	h := Heartbeat{MemberID: str(d, "member"), Epoch: int32(num(d, "epoch", 0)), InstanceID: str(d, "instance"), RebalanceTimeout: num(d, "timeout", -1)}
	if h.Epoch == EpochJoin {
		h.RebalanceTimeout = num(d, "timeout", 10_000)
	}
	for _, a := range d.CmdArgs {
		vals := slices.DeleteFunc(slices.Clone(a.Vals), func(v string) bool { return v == "" })
		switch a.Key {
		case "names":
			h.Names = append([]string{}, vals...)
		case "matched":
			h.Matched = vals
		case "pattern":
			h.Pattern = &a.Vals[0]
		case "assignor":
			h.Assignor = &a.Vals[0]
		case "owned":
			owned := Set{}
			for _, v := range vals {
				name, index, _ := strings.Cut(v, ":")
				var i int32
				_, _ = fmt.Sscan(index, &i)
				owned = append(owned, Partition{idOf(name), i})
			}
			owned = NewSet(owned)
			h.Owned = &owned
		}
	}
	return h
}

func str(d *datadriven.TestData, key string) string {
	for _, a := range d.CmdArgs {
		if a.Key == key && len(a.Vals) == 1 {
			return a.Vals[0]
		}
	}
	return ""
}

func num(d *datadriven.TestData, key string, def int64) int64 {
	var n int64
	if _, err := fmt.Sscan(str(d, key), &n); err != nil {
		return def
	}
	return n
}

func answer(r Reply) string {
	if r.Code != group.OK {
		return fmt.Sprintf("-> %v\n", r.Code)
	}
	s := fmt.Sprintf("-> epoch %d", r.Epoch)
	if r.Assignment != nil {
		s += " assigned " + text(*r.Assignment)
	}
	return s + "\n"
}

func text(s Set) string {
	var out []string
	for _, p := range s {
		out = append(out, fmt.Sprintf("%s:%d", nameOf(p.Topic), p.Index))
	}
	return "[" + strings.Join(out, " ") + "]"
}

func show(g *Group) string {
	s := fmt.Sprintf("%s epoch=%d %s\n", g.state(), g.epoch, g.assignor)
	for _, m := range g.ordered() {
		s += fmt.Sprintf("  %s %v epoch=%d has %s", m.id, m.state, m.epoch, text(m.assigned))
		if len(m.revoking) > 0 {
			s += " revoking " + text(m.revoking)
		}
		if t := g.target[m.id]; !sameSet(t, m.assigned) {
			s += " target " + text(t)
		}
		s += "\n"
	}
	return s
}

func set(topic string, from, to int32) (out []Partition) {
	for i := from; i < to; i++ {
		out = append(out, Partition{idOf(topic), i})
	}
	return out
}

func TestUniformMovesNoMoreThanItMust(t *testing.T) {
	all := NewSet(set("a", 0, 10))
	members := []subscriber{{key: "m1", partitions: all}, {key: "m2", partitions: all}}
	two := uniform(members)
	if len(two[0]) != 5 || len(two[1]) != 5 {
		t.Fatalf("%v", two)
	}
	three := uniform([]subscriber{{"m1", all, two[0]}, {"m2", all, two[1]}, {key: "m3", partitions: all}})
	if !three[0].within(two[0]) || !three[1].within(two[1]) || len(three[2]) != 3 {
		t.Errorf("a third member takes what is its share, and nothing else moves: %v", three)
	}
	if back := uniform([]subscriber{{"m1", all, three[0]}, {"m2", all, three[1]}}); !three[0].within(back[0]) || !three[1].within(back[1]) {
		t.Errorf("when it leaves, the others keep what they have: %v", back)
	}
}

func TestUniformOfDifferentSubscriptions(t *testing.T) {
	a, b := set("a", 0, 6), set("b", 0, 2)
	got := uniform([]subscriber{
		{key: "m1", partitions: NewSet(a)},
		{key: "m2", partitions: NewSet(append(slices.Clone(a), b...))},
		{key: "m3", partitions: NewSet(b)},
	})
	if len(got[0])+len(got[1])+len(got[2]) != 8 || len(got[0]) != 3 || len(got[1]) != 3 || len(got[2]) != 2 {
		t.Errorf("%v", got)
	}
}

func TestRangesMeet(t *testing.T) {
	both := NewSet(append(set("a", 0, 5), set("b", 0, 5)...))
	got := ranges([]subscriber{{key: "m1", partitions: both}, {key: "m2", partitions: both}})
	if text(got[0]) != "[a:0 a:1 a:2 b:0 b:1 b:2]" || text(got[1]) != "[a:3 a:4 b:3 b:4]" {
		t.Errorf("%s %s", text(got[0]), text(got[1]))
	}
}

func BenchmarkUniform(b *testing.B) {
	all := NewSet(set("a", 0, 1000))
	members := make([]subscriber, 100)
	for i := range members {
		members[i] = subscriber{key: fmt.Sprint("m", i), partitions: all}
	}
	before := uniform(members)
	for i := range members {
		members[i].before = before[i]
	}
	members = members[1:] // one leaves
	b.ReportAllocs()
	for b.Loop() {
		uniform(members)
	}
}

// BenchmarkHeartbeat is a heartbeat of a group of 100 members in which nothing changes.
func BenchmarkHeartbeat(b *testing.B) {
	g, topics := New(Config{}), &Topics{ByName: map[string]Topic{"a": {idOf("a"), 1000}}}
	for range 3 {
		for i := range 100 {
			id := fmt.Sprint("m", i)
			h := Heartbeat{MemberID: id, Names: []string{"a"}, RebalanceTimeout: 1000}
			if m := g.members[id]; m != nil {
				owned := m.assigned
				h.Epoch, h.Owned = m.epoch, &owned
			}
			g.Heartbeat(0, h, topics)
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		if r := g.Heartbeat(1, Heartbeat{MemberID: "m7", Epoch: g.targetEpoch, RebalanceTimeout: -1}, topics); r.Code != group.OK {
			b.Fatal(r.Code)
		}
	}
}
