package placement

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func brokers(n int, racks int) []Broker {
	var out []Broker
	for i := range n {
		b := Broker{ID: int32(i + 1)}
		if racks > 0 {
			b.Rack = fmt.Sprintf("rack-%d", i%racks)
		}
		out = append(out, b)
	}
	return out
}

func drawBrokers(t *rapid.T) []Broker {
	return brokers(rapid.IntRange(1, 12).Draw(t, "brokers"), rapid.IntRange(0, 4).Draw(t, "racks"))
}

// distinct brokers, as many as asked for, and no rack twice while another has none.
func checkList(t *rapid.T, list []int32, on []Broker, rf int) {
	racks, seen, all := map[string]int{}, map[int32]bool{}, map[string]bool{}
	for _, b := range on {
		all[b.rack()] = true
	}
	for _, id := range list {
		i := slices.IndexFunc(on, func(b Broker) bool { return b.ID == id })
		if i < 0 || seen[id] {
			t.Fatalf("%v names %d, which is unknown or there twice", list, id)
		}
		seen[id] = true
		racks[on[i].rack()]++
	}
	if want := min(rf, len(on)); len(list) != want {
		t.Fatalf("%v: %d replicas, want %d", list, len(list), want)
	}
	if want := min(len(list), len(all)); len(racks) != want {
		t.Fatalf("%v is in %d racks, could be in %d", list, len(racks), want)
	}
}

func TestReplicasAreSpreadOverRacks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		on, rf := drawBrokers(t), rapid.IntRange(1, 5).Draw(t, "rf")
		ring := NewRing(on)
		checkList(t, ring.Replicas(rapid.Uint64().Draw(t, "key"), rf), on, rf)
		topic := rapid.StringMatching(`[a-z]{1,8}`).Draw(t, "topic")
		for _, list := range ring.Assign(topic, 0, rapid.Int32Range(1, 40).Draw(t, "partitions"), rf) {
			checkListSize(t, list, on, rf)
		}
	})
}

// checkListSize: an assignment may use a rack twice where the other racks' brokers have their share.
func checkListSize(t *rapid.T, list []int32, on []Broker, rf int) {
	flat := slices.Clone(on)
	for i := range flat {
		flat[i].Rack = ""
	}
	checkList(t, list, flat, rf)
}

func TestSamePlacementEverywhere(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		on := drawBrokers(t)
		shuffled := rapid.Permutation(on).Draw(t, "order")
		a, b := NewRing(on).Assign("orders", 0, 12, 3), NewRing(shuffled).Assign("orders", 0, 12, 3)
		if fmt.Sprint(a) != fmt.Sprint(b) {
			t.Fatalf("%v and %v", a, b)
		}
	})
	// Known values: another release must place as this one does.
	if got := fmt.Sprint(NewRing(brokers(4, 2)).Assign("orders", 0, 4, 2)); got != knownAssignment {
		t.Errorf("%s, want %s", got, knownAssignment)
	}
}

// A broker that comes changes only the lists that it enters, and takes one place in each. A broker that goes changes only the
// lists that it was in.
func TestOnlyWhatMustMoves(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n, rf := rapid.IntRange(2, 12).Draw(t, "brokers"), rapid.IntRange(1, 3).Draw(t, "rf")
		all := brokers(n, 0)
		who := rapid.IntRange(0, n-1).Draw(t, "who")
		with, withoutIt := NewRing(all), NewRing(slices.Delete(slices.Clone(all), who, who+1))
		id, moved, parts := all[who].ID, 0, 2000
		for p := range parts {
			key := Key("t", int32(p))
			a, b := with.Replicas(key, rf), withoutIt.Replicas(key, rf)
			if !slices.Contains(a, id) {
				if !slices.Equal(a, b) {
					t.Fatalf("partition %d: %v without %d, %v with it", p, b, id, a)
				}
				continue
			}
			moved++
			for _, x := range a {
				if x != id && !slices.Contains(b, x) {
					t.Fatalf("partition %d: %v without %d, %v with it: %d moved too", p, b, id, a, x)
				}
			}
		}
		fair := float64(parts) * float64(min(rf, n)) / float64(n)
		if float64(moved) > 1.5*fair {
			t.Fatalf("%d of %d lists changed, the broker's share is %.0f", moved, parts, fair)
		}
	})
}

func TestAssignIsEven(t *testing.T) {
	for _, c := range []struct {
		brokers, racks, partitions, rf int
		cv, leaderMax                  float64
	}{{3, 0, 12, 1, 0.36, 1.5}, {3, 0, 30, 2, 0.2, 1.2}, {5, 0, 100, 3, 0.12, 1.15}, {6, 3, 60, 3, 0.15, 1.2}, {10, 0, 1000, 3, 0.08, 1.1}} {
		ring := NewRing(brokers(c.brokers, c.racks))
		var all []Partition
		for i, list := range ring.Assign("orders", 0, int32(c.partitions), c.rf) {
			all = append(all, Partition{"orders", int32(i), list, 10})
		}
		rep := ring.Balance(all, func(p Partition) int32 { return p.Replicas[0] })
		if rep.Replicas.CV > c.cv || rep.Leaders.MaxMean > c.leaderMax {
			t.Errorf("%+v: %+v", c, rep)
		}
		if rep.Bytes.Mean != 10*rep.Replicas.Mean {
			t.Errorf("%+v: bytes %+v", c, rep.Bytes)
		}
	}
}

func TestWeight(t *testing.T) {
	on := brokers(4, 0)
	on[0].Weight = 3
	ring := NewRing(on)
	var all []Partition
	for i, list := range ring.Assign("t", 0, 600, 1) {
		all = append(all, Partition{"t", int32(i), list, 1})
	}
	rep := ring.Balance(all, func(p Partition) int32 { return p.Replicas[0] })
	if got := rep.Brokers[0].Replicas; math.Abs(float64(got)-300) > 45 {
		t.Errorf("the broker of weight 3 among four has %d of 600", got)
	}
	if rep.Replicas.CV > 0.15 {
		t.Errorf("%+v", rep.Replicas)
	}
}

func TestReplaceTakesOneOut(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n, racks := rapid.IntRange(2, 9).Draw(t, "brokers"), rapid.IntRange(0, 3).Draw(t, "racks")
		all := brokers(n, racks)
		rf := rapid.IntRange(1, n).Draw(t, "rf")
		gone := all[rapid.IntRange(0, n-1).Draw(t, "gone")].ID
		left := slices.DeleteFunc(slices.Clone(all), func(b Broker) bool { return b.ID == gone })
		key := rapid.Uint64().Draw(t, "key")
		list := NewRing(all).Replicas(key, rf)
		got := NewRing(left).Replace(key, list, gone)
		if !slices.Contains(list, gone) {
			if !slices.Equal(got, list) {
				t.Fatalf("%v became %v", list, got)
			}
			return
		}
		checkList(t, got, left, min(rf, len(left)))
		changed := 0
		for i := range min(len(got), len(list)) {
			if got[i] != list[i] {
				changed++
			}
		}
		if len(got) == len(list) && changed != 1 {
			t.Fatalf("%v became %v", list, got)
		}
	})
}

func TestJoinGivesTheShareAndNoMore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 8).Draw(t, "brokers")
		parts, rf := rapid.Int32Range(1, 200).Draw(t, "partitions"), rapid.IntRange(1, 3).Draw(t, "rf")
		old := NewRing(brokers(n, 0))
		var all []Partition
		for i, list := range old.Assign("t", 0, parts, rf) {
			all = append(all, Partition{"t", int32(i), list, 1})
		}
		ring, id := NewRing(brokers(n+1, 0)), int32(n+1)
		moves := ring.Join(all, id)
		total := int(parts) * min(rf, n)
		if share := total / (n + 1); len(moves) > share {
			t.Fatalf("%d moves, the share is %d", len(moves), share)
		} else if len(moves) < share-n && total > 3*n {
			t.Fatalf("%d moves only, the share is %d", len(moves), share)
		}
		for _, m := range moves {
			before := all[m.Partition].Replicas
			if d := diff(m.Replicas, before); !slices.Equal(d, []int32{id}) || len(m.Replicas) != len(before) {
				t.Fatalf("%v became %v", before, m.Replicas)
			}
		}
	})
}

func diff(a, b []int32) []int32 {
	return slices.DeleteFunc(slices.Clone(a), func(x int32) bool { return slices.Contains(b, x) })
}

func BenchmarkAssign(b *testing.B) {
	ring := NewRing(brokers(10, 3))
	for b.Loop() {
		ring.Assign("orders", 0, 100, 3)
	}
}

const knownAssignment = "[[4 1] [1 2] [3 4] [2 3]]"
