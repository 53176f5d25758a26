package placement

import (
	"math"
	"slices"
)

// slack is how far beyond its share of a topic a broker may go before it is passed over.
const slack = 1.15

// Assign returns the replicas of partitions first to first+n-1 of a topic, n replicas each, the preferred leader first. No broker
// gets much more than its share, and leaders are spread: brokers that lead as many partitions differ by little.
func (r *Ring) Assign(topic string, first, count int32, n int) [][]int32 {
	n = min(n, len(r.brokers))
	has, leads := map[int32]float64{}, map[int32]float64{}
	lists := make([][]int32, count)
	for i := range lists {
		full := float64(i+1) * float64(n) / r.weight * slack
		lists[i] = r.walk(Key(topic, first+int32(i)), n, func(b int) bool {
			return has[r.brokers[b].ID]+1 <= math.Ceil(full*r.brokers[b].Weight)
		})
		for _, id := range lists[i] {
			has[id]++
		}
		r.leadFirst(lists[i], leads)
	}
	return lists
}

// leadFirst moves the replica to the front whose broker leads least, relative to its weight; of equals, the first.
func (r *Ring) leadFirst(list []int32, leads map[int32]float64) {
	if len(list) == 0 {
		return
	}
	best := 0
	for i, id := range list {
		if leads[id]/r.weightOf(id) < leads[list[best]]/r.weightOf(list[best]) {
			best = i
		}
	}
	id := list[best]
	copy(list[1:best+1], list[:best])
	list[0] = id
	leads[id]++
}

func (r *Ring) weightOf(id int32) float64 {
	if b := r.find(id); b != nil {
		return b.Weight
	}
	return 1
}

func (r *Ring) find(id int32) *Broker {
	for i := range r.brokers {
		if r.brokers[i].ID == id {
			return &r.brokers[i]
		}
	}
	return nil
}

// Replace returns a list of replicas without a broker that is not on the ring any more: another takes its place, in a rack that
// the list does not have if there is one. The list is as it was when it does not name the broker, and shorter when nobody is left.
func (r *Ring) Replace(key uint64, list []int32, gone int32) []int32 {
	at := slices.Index(list, gone)
	if at < 0 {
		return list
	}
	out := slices.Clone(list)
	racks := map[string]bool{}
	for _, id := range list {
		if b := r.find(id); b != nil && id != gone {
			racks[b.rack()] = true
		}
	}
	for _, fresh := range []bool{true, false} {
		for _, i := range r.order(key) {
			b := r.brokers[i]
			if b.ID != gone && !slices.Contains(list, b.ID) && racks[b.rack()] != fresh {
				out[at] = b.ID
				return out
			}
		}
	}
	return slices.Delete(out, at, at+1)
}
