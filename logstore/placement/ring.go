package placement

import (
	"cmp"
	"encoding/binary"
	"slices"
	"sort"

	"github.com/zeebo/xxh3"
)

// Broker is a broker that can hold replicas.
type Broker struct {
	ID     int32
	Rack   string  // "": a rack of its own
	Weight float64 // its share of the replicas relative to others; 0 is 1
}

// pointsEach is how many points a broker of weight 1 has. The share of a broker varies by about 1/sqrt of it.
const pointsEach = 128

// Ring is a set of brokers on the ring of hashes. It is never changed.
type Ring struct {
	brokers []Broker // by id
	points  []point  // by hash
	racks   int
	weight  float64 // of all
}

type point struct {
	hash   uint64
	broker int // index into brokers
}

// NewRing returns the ring of brokers. Ids must differ; the order does not matter.
func NewRing(brokers []Broker) *Ring {
	r := &Ring{brokers: slices.Clone(brokers)}
	slices.SortFunc(r.brokers, func(a, b Broker) int { return cmp.Compare(a.ID, b.ID) })
	racks := map[string]bool{}
	for i := range r.brokers {
		b := &r.brokers[i]
		if b.Weight <= 0 {
			b.Weight = 1
		}
		r.weight += b.Weight
		racks[b.rack()] = true
		for n := range max(1, int(b.Weight*pointsEach)) {
			r.points = append(r.points, point{pointHash(b.ID, n), i})
		}
	}
	r.racks = len(racks)
	slices.SortFunc(r.points, func(a, b point) int {
		if c := cmp.Compare(a.hash, b.hash); c != 0 {
			return c
		}
		return cmp.Compare(a.broker, b.broker)
	})
	return r
}

// rack is the broker's rack, one of its own if it names none.
func (b Broker) rack() string {
	if b.Rack != "" {
		return b.Rack
	}
	return string(binary.BigEndian.AppendUint32([]byte{0}, uint32(b.ID)))
}

func pointHash(id int32, n int) uint64 {
	b := binary.BigEndian.AppendUint32(nil, uint32(id))
	return xxh3.Hash(binary.BigEndian.AppendUint32(b, uint32(n)))
}

// Key is the hash of one partition of a topic.
func Key(topic string, partition int32) uint64 {
	return xxh3.Hash(binary.BigEndian.AppendUint32([]byte(topic+"\x00"), uint32(partition)))
}

// Len is how many brokers there are.
func (r *Ring) Len() int { return len(r.brokers) }

// Replicas are the n brokers of a key, all of them if there are fewer: no rack has two while another has none.
func (r *Ring) Replicas(key uint64, n int) []int32 {
	return r.walk(key, n, func(int) bool { return true })
}

// walk meets brokers clockwise from key until n are chosen: first one of each rack, then any. ok may pass a broker over.
func (r *Ring) walk(key uint64, n int, ok func(broker int) bool) []int32 {
	n = min(n, len(r.brokers))
	order := r.order(key)
	chosen, racks := make([]int, 0, n), map[string]bool{}
	for _, i := range order {
		if len(chosen) < n && len(racks) < r.racks && !racks[r.brokers[i].rack()] && ok(i) {
			chosen = append(chosen, i)
			racks[r.brokers[i].rack()] = true
		}
	}
	for _, fine := range []func(int) bool{ok, func(int) bool { return true }} {
		for _, i := range order {
			if len(chosen) < n && !slices.Contains(chosen, i) && fine(i) {
				chosen = append(chosen, i)
			}
		}
	}
	ids := make([]int32, len(chosen))
	for i, b := range chosen {
		ids[i] = r.brokers[b].ID
	}
	return ids
}

// order is the brokers as they are met first, clockwise from key.
func (r *Ring) order(key uint64) []int {
	start := sort.Search(len(r.points), func(i int) bool { return r.points[i].hash >= key })
	met, out := make([]bool, len(r.brokers)), make([]int, 0, len(r.brokers))
	for i := range r.points {
		if b := r.points[(start+i)%len(r.points)].broker; !met[b] {
			met[b] = true
			if out = append(out, b); len(out) == len(r.brokers) {
				break
			}
		}
	}
	return out
}
