package statetest

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/streamflow/streamflow/rdd"
)

// Subject is an implementation under test: state that commits batch by batch.
type Subject interface {
	// Begin starts a batch over the committed state; Commit makes its changes the committed state, Abort takes them back.
	Begin() rdd.State
	Commit()
	Abort()
	// Restart loses everything that is not durable, and comes back at the committed state.
	Restart()
}

// Run checks that an implementation behaves as Map does, through commits, aborts and restarts. open returns empty state.
func Run(t *testing.T, open func(t *testing.T) Subject) {
	t.Run("basics", func(t *testing.T) { basics(t, open(t).Begin()) })
	t.Run("order", func(t *testing.T) { order(t, open(t).Begin()) })
	t.Run("abort", func(t *testing.T) { abort(t, open(t)) })
	for seed := range uint64(8) {
		t.Run(fmt.Sprintf("random/seed=%d", seed), func(t *testing.T) { random(t, open(t), seed) })
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func expect(t *testing.T, s rdd.State, bucket int64, kg int, key, want string, found bool) {
	t.Helper()
	v, ok, err := s.Get(bucket, kg, []byte(key))
	must(t, err)
	if ok != found || string(v) != want {
		t.Fatalf("Get(%d, %d, %q) = %q, %v; want %q, %v", bucket, kg, key, v, ok, want, found)
	}
}

func basics(t *testing.T, s rdd.State) {
	expect(t, s, 1, 2, "k", "", false)
	must(t, s.Put(1, 2, []byte("k"), []byte("v")))
	expect(t, s, 1, 2, "k", "v", true)
	expect(t, s, 2, 2, "k", "", false)
	expect(t, s, 1, 3, "k", "", false)
	must(t, s.Put(1, 2, []byte("k"), []byte("a longer value than before")))
	expect(t, s, 1, 2, "k", "a longer value than before", true)
	must(t, s.Put(1, 2, []byte("k"), nil))
	expect(t, s, 1, 2, "k", "", true)
	must(t, s.Put(1, 2, nil, []byte("empty key")))
	expect(t, s, 1, 2, "", "empty key", true)
	must(t, s.Delete(1, 2, []byte("k")))
	expect(t, s, 1, 2, "k", "", false)
	must(t, s.Delete(1, 2, []byte("never there")))
	must(t, s.Put(1, 2, []byte("k"), []byte("again")))
	expect(t, s, 1, 2, "k", "again", true)
	must(t, s.DropBucket(1))
	expect(t, s, 1, 2, "k", "", false)
	must(t, s.Put(1, 2, []byte("k"), []byte("after the drop")))
	expect(t, s, 1, 2, "k", "after the drop", true)
	must(t, s.DropBucket(77))
}

func order(t *testing.T, s rdd.State) {
	for _, b := range []int64{5, -3, math.MaxInt64, math.MinInt64, 0} {
		must(t, s.Put(b, 1, []byte("k"), []byte("v")))
	}
	got, err := s.Buckets(5)
	must(t, err)
	if !slices.Equal(got, []int64{math.MinInt64, -3, 0, 5}) {
		t.Fatalf("Buckets(5) = %v", got)
	}
	for _, k := range []string{"b", "a", "ab", "", "\xff", "a\x00"} {
		for _, kg := range []int{1023, 0, 256} {
			must(t, s.Put(9, kg, []byte(k), []byte(k)))
		}
	}
	var seen []string
	must(t, s.Scan(9, func(kg int, key, value []byte) bool {
		seen = append(seen, fmt.Sprintf("%04d%s", kg, key))
		return len(seen) < 17
	}))
	if len(seen) != 17 || !slices.IsSorted(seen) {
		t.Fatalf("Scan visited %q", seen)
	}
}

func abort(t *testing.T, subject Subject) {
	s := subject.Begin()
	for i := range 100 {
		must(t, s.Put(int64(i%3), i, []byte("k"), []byte("old")))
	}
	subject.Commit()
	s = subject.Begin()
	must(t, s.DropBucket(0))
	must(t, s.Put(0, 0, []byte("k"), []byte("new")))
	must(t, s.Put(0, 0, []byte("other"), []byte("new")))
	must(t, s.Delete(1, 1, []byte("k")))
	must(t, s.Put(1, 1, []byte("k"), []byte("newer and longer")))
	must(t, s.Put(2, 2, []byte("k"), []byte("new")))
	must(t, s.Delete(2, 2, []byte("k")))
	must(t, s.Put(7, 2, []byte("k"), []byte("new bucket")))
	must(t, s.DropBucket(2))
	subject.Abort()
	s = subject.Begin()
	for i := range 100 {
		expect(t, s, int64(i%3), i, "k", "old", true)
	}
	expect(t, s, 0, 0, "other", "", false)
	got, err := s.Buckets(math.MaxInt64)
	must(t, err)
	if !slices.Equal(got, []int64{0, 1, 2}) {
		t.Fatalf("Buckets = %v", got)
	}
}

// random makes the same random changes to the subject and to Maps, and compares everything there is to see.
func random(t *testing.T, subject Subject, seed uint64) {
	r := rand.New(rand.NewPCG(seed, 1))
	committed := NewMap()
	for range 20 {
		model := committed.Clone()
		s := subject.Begin()
		for range r.IntN(200) {
			change(t, r, s, model)
		}
		same(t, s, model)
		switch r.IntN(5) {
		case 0:
			subject.Abort()
		case 1:
			subject.Restart()
		default:
			subject.Commit()
			committed = model
			if r.IntN(4) == 0 {
				subject.Restart()
			}
		}
	}
	same(t, subject.Begin(), committed)
}

func change(t *testing.T, r *rand.Rand, s rdd.State, model *Map) {
	bucket, kg := int64(r.IntN(6)-2), r.IntN(rdd.KeyGroups)
	key := fmt.Appendf(nil, "key%d", r.IntN(10))
	kg = kg / 300 * 300 // few, so that keys are met again
	switch n := r.IntN(100); {
	case n < 60:
		v := bytes.Repeat([]byte{byte('a' + r.IntN(26))}, r.IntN(60))
		must(t, s.Put(bucket, kg, key, v))
		must(t, model.Put(bucket, kg, key, v))
	case n < 75:
		must(t, s.Delete(bucket, kg, key))
		must(t, model.Delete(bucket, kg, key))
	case n < 98:
		v, ok, err := s.Get(bucket, kg, key)
		must(t, err)
		want, found, _ := model.Get(bucket, kg, key)
		if ok != found || !bytes.Equal(v, want) {
			t.Fatalf("Get(%d, %d, %q) = %q, %v; want %q, %v", bucket, kg, key, v, ok, want, found)
		}
	default:
		must(t, s.DropBucket(bucket))
		must(t, model.DropBucket(bucket))
	}
}

func same(t *testing.T, s rdd.State, model *Map) {
	t.Helper()
	got, err := s.Buckets(math.MaxInt64)
	must(t, err)
	want, _ := model.Buckets(math.MaxInt64)
	if !slices.Equal(got, want) {
		t.Fatalf("buckets %v, want %v", got, want)
	}
	for _, b := range want {
		if g, w := dump(t, s, b), dump(t, model, b); !slices.Equal(g, w) {
			t.Fatalf("bucket %d holds\n%q, want\n%q", b, g, w)
		}
	}
}

func dump(t *testing.T, s rdd.State, bucket int64) []string {
	var out []string
	must(t, s.Scan(bucket, func(kg int, key, value []byte) bool {
		out = append(out, fmt.Sprintf("%d %s=%s", kg, key, value))
		return true
	}))
	return out
}
