package placement

import (
	"cmp"
	"slices"
)

// Partition is a partition with its replicas, the preferred leader first.
type Partition struct {
	Topic     string
	Partition int32
	Replicas  []int32
	Bytes     int64
}

// Move gives a partition other replicas.
type Move struct {
	Topic     string
	Partition int32
	Replicas  []int32
}

// Join returns the moves that give a broker that is new on the ring its share, and no more: each changes one replica of one
// partition, and takes it from the broker that has most beyond its own share.
func (r *Ring) Join(all []Partition, id int32) []Move {
	has, total := map[int32]float64{}, 0.0
	for _, p := range all {
		for _, b := range p.Replicas {
			has[b]++
			total++
		}
	}
	over := func(b int32) float64 { return has[b] - total*r.weightOf(b)/r.weight }
	order := slices.Clone(all)
	slices.SortFunc(order, func(a, b Partition) int {
		return cmp.Or(cmp.Compare(Key(a.Topic, a.Partition), Key(b.Topic, b.Partition)), cmp.Compare(a.Topic, b.Topic), cmp.Compare(a.Partition, b.Partition))
	})
	var moves []Move
	for moved := true; moved && over(id) <= -1; {
		moved = false
		for i, p := range order {
			from, ok := r.giver(p, id, over)
			if !ok || over(id) > -1 {
				continue
			}
			order[i].Replicas = swap(p.Replicas, from, id)
			moves = append(moves, Move{p.Topic, p.Partition, order[i].Replicas})
			has[from]--
			has[id]++
			moved = true
		}
	}
	return moves
}

// giver is the replica that a partition can give to a newcomer: the one most beyond its share, if it is beyond it at all, and
// the racks stay as spread as they are.
func (r *Ring) giver(p Partition, id int32, over func(int32) float64) (int32, bool) {
	if slices.Contains(p.Replicas, id) {
		return 0, false
	}
	best, found := int32(0), false
	for _, b := range p.Replicas {
		if over(b) > 0 && (!found || over(b) > over(best)) && r.spread(swap(p.Replicas, b, id)) >= r.spread(p.Replicas) {
			best, found = b, true
		}
	}
	return best, found
}

// spread is how many racks a list is in.
func (r *Ring) spread(list []int32) int {
	racks := map[string]bool{}
	for _, id := range list {
		if b := r.find(id); b != nil {
			racks[b.rack()] = true
		}
	}
	return len(racks)
}

func swap(list []int32, from, to int32) []int32 {
	out := slices.Clone(list)
	out[slices.Index(out, from)] = to
	return out
}
