package state_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"testing"

	"go.uber.org/goleak"

	"github.com/streamflow/streamflow/executor/state"
	"github.com/streamflow/streamflow/executor/state/statetest"
	"github.com/streamflow/streamflow/rdd"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// subject drives a store as a streaming query does: deltas go to a changelog before each commit.
type subject struct {
	t       testing.TB
	opts    state.Options
	store   *state.Store
	part    *state.Partition
	log     [][]byte
	ops     []string // whose the pieces are; nil: all are of one operator
	version int64
	every   int64 // snapshot after so many commits; 0 for never
}

func newSubject(t testing.TB, memory, every int64) *subject {
	s := &subject{t: t, version: -1, every: every}
	s.opts = state.Options{Dir: t.TempDir(), Memory: memory, Changelog: func(_ context.Context, slot state.Slot, after int64, apply func([]byte, int64) error) error {
		for i := after + 1; i < int64(len(s.log)); i++ {
			if s.ops != nil && s.ops[i] != slot.Op {
				continue
			}
			if err := apply(s.log[i], i); err != nil {
				return err
			}
		}
		return nil
	}}
	s.open()
	t.Cleanup(func() { s.store.Close() })
	return s
}

func (s *subject) check(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *subject) open() {
	var err error
	s.store, err = state.Open(s.opts)
	s.check(err)
}

func (s *subject) Begin() rdd.State {
	var err error
	s.part, err = s.store.Open(context.Background(), "q", "op", 0, 1, s.version)
	s.check(err)
	return s.part
}

func (s *subject) Commit() {
	pieces, err := s.part.Delta()
	s.check(err)
	s.log = append(s.log, pieces...)
	s.version++
	s.check(s.store.Commit("q", s.version))
	if s.every > 0 && s.version%s.every == 0 {
		s.check(s.store.Snapshot("q", "op", 0, 1, int64(len(s.log)-1)))
	}
}

func (s *subject) Abort() { s.check(s.store.Abort("q")) }

func (s *subject) Restart() {
	s.check(s.store.Close())
	s.open()
}

func TestConformance(t *testing.T) {
	for name, c := range map[string]struct{ memory, every int64 }{
		"memory and changelog":  {0, 0},
		"snapshots":             {0, 3},
		"eviction":              {1, 0},
		"eviction and snapshot": {1, 2},
	} {
		t.Run(name, func(t *testing.T) {
			statetest.Run(t, func(t *testing.T) statetest.Subject { return newSubject(t, c.memory, c.every) })
		})
	}
}

func TestTheModelConforms(t *testing.T) {
	statetest.Run(t, func(t *testing.T) statetest.Subject { return &mapSubject{committed: statetest.NewMap()} })
}

type mapSubject struct{ committed, open *statetest.Map }

func (s *mapSubject) Begin() rdd.State { s.open = s.committed.Clone(); return s.open }
func (s *mapSubject) Commit()          { s.committed = s.open }
func (s *mapSubject) Abort()           {}
func (s *mapSubject) Restart()         {}

func TestWithoutAChangelogTheVersionMustBeHere(t *testing.T) {
	s := newSubject(t, 0, 0)
	s.opts.Changelog = nil
	s.Restart()
	s.check(s.Begin().Put(0, 0, []byte("k"), []byte("v")))
	s.Commit()
	s.Begin()
	if _, err := s.store.Open(context.Background(), "q", "op", 0, 1, 5); !errors.Is(err, state.ErrVersion) {
		t.Fatal(err)
	}
}

func TestAPartitionThatSatOutABatchCatchesUp(t *testing.T) {
	s := newSubject(t, 0, 0)
	s.check(s.Begin().Put(0, 0, []byte("k"), []byte("1")))
	s.Commit()
	// The next batch runs elsewhere: only its delta is seen here.
	other := newSubject(t, 0, 0)
	other.log, other.version = slices.Clone(s.log), s.version
	st := other.Begin()
	s.check(st.Put(0, 0, []byte("k"), []byte("2")))
	s.check(st.Put(3, 0, []byte("l"), []byte("3")))
	other.Commit()
	s.log = other.log
	s.check(s.store.Commit("q", other.version)) // took no part
	s.version = other.version
	v, _, err := s.Begin().Get(0, 0, []byte("k"))
	if err != nil || string(v) != "2" {
		t.Fatalf("%q, %v", v, err)
	}
}

func TestANewQueryOfAnOldNameStartsEmpty(t *testing.T) {
	s := newSubject(t, 0, 1)
	s.check(s.Begin().Put(0, 0, []byte("k"), []byte("1")))
	s.Commit()
	s.version, s.log = -1, nil
	if b, err := s.Begin().Buckets(1 << 60); err != nil || len(b) != 0 {
		t.Fatal(b, err)
	}
	s.Restart()
	if b, err := s.Begin().Buckets(1 << 60); err != nil || len(b) != 0 {
		t.Fatal(b, err)
	}
}

func TestPartitionsShareTheStoreByKeyGroups(t *testing.T) {
	s := newSubject(t, 0, 0)
	const parts = 3
	for p := range parts {
		st, err := s.store.Open(context.Background(), "q", "op", p, parts, -1)
		s.check(err)
		for kg := range rdd.KeyGroups {
			if rdd.PartitionOf(kg, parts) == p {
				s.check(st.Put(int64(kg%5), kg, []byte("k"), fmt.Append(nil, kg)))
			}
		}
	}
	s.check(s.store.Commit("q", 0))
	for p := range parts {
		s.check(s.store.Snapshot("q", "op", p, parts, -1))
	}
	s.Restart()
	seen := 0
	for p := range parts {
		st, err := s.store.Open(context.Background(), "q", "op", p, parts, 0)
		s.check(err)
		buckets, err := st.Buckets(100)
		s.check(err)
		for _, b := range buckets {
			s.check(st.Scan(b, func(kg int, _, v []byte) bool {
				if rdd.PartitionOf(kg, parts) != p || string(v) != fmt.Sprint(kg) {
					t.Errorf("partition %d holds %q of key group %d", p, v, kg)
				}
				seen++
				return true
			}))
		}
	}
	if seen != rdd.KeyGroups {
		t.Errorf("%d of %d keys came back", seen, rdd.KeyGroups)
	}
}

func TestAnotherNumberOfPartitionsIsRefused(t *testing.T) {
	s := newSubject(t, 0, 1)
	s.check(s.Begin().Put(0, 1000, []byte("k"), []byte("1")))
	s.Commit()
	s.Restart()
	if _, err := s.store.Open(context.Background(), "q", "op", 0, 2, s.version); !errors.Is(err, state.ErrVersion) {
		t.Errorf("the snapshot of another cut was taken: %v", err)
	}
	// Without a snapshot it is the changelog that does not fit.
	s = newSubject(t, 0, 0)
	s.check(s.Begin().Put(0, 1000, []byte("k"), []byte("1")))
	s.Commit()
	if _, err := s.store.Open(context.Background(), "q", "op", 0, 2, s.version); err == nil {
		t.Error("the changelog of another cut was taken")
	}
	st, err := s.store.Open(context.Background(), "new", "op", 0, 2, -1)
	s.check(err)
	if err := st.Put(0, 512, nil, nil); err == nil {
		t.Error("a key of the other partition was taken")
	}
}

func TestASnapshotOfALaterVersionIsKept(t *testing.T) {
	s := newSubject(t, 0, 1)
	for range 2 {
		s.check(s.Begin().Put(0, 1, []byte("k"), []byte("1")))
		s.Commit()
	}
	s.Restart()
	if _, err := s.store.Open(context.Background(), "q", "op", 0, 1, 0); !errors.Is(err, state.ErrVersion) {
		t.Fatal(err)
	}
	if v, ok, err := s.Begin().Get(0, 1, []byte("k")); !ok || err != nil || string(v) != "1" {
		t.Fatal(v, ok, err)
	}
}

func TestForgetRemovesAQueryFromDisk(t *testing.T) {
	s := newSubject(t, 0, 1)
	s.check(s.Begin().Put(0, 0, []byte("k"), []byte("1")))
	s.Commit()
	s.check(s.store.Forget("q", true))
	s.opts.Changelog = nil
	s.Restart()
	if _, err := s.store.Open(context.Background(), "q", "op", 0, 1, 0); !errors.Is(err, state.ErrVersion) {
		t.Fatal(err)
	}
}

func TestLargeDeltasComeInPieces(t *testing.T) {
	s := newSubject(t, 0, 0)
	st := s.Begin()
	value := make([]byte, 10_000)
	for i := range 200 {
		s.check(st.Put(int64(i%2), i, []byte("k"), value))
	}
	s.Commit()
	if len(s.log) < 3 || len(s.log) > 6 {
		t.Fatalf("%d pieces", len(s.log))
	}
	s.Restart()
	st = s.Begin()
	for i := range 200 {
		if v, ok, err := st.Get(int64(i%2), i, []byte("k")); err != nil || !ok || len(v) != 10_000 {
			t.Fatal(i, ok, err)
		}
	}
}

func TestADamagedDeltaIsRefused(t *testing.T) {
	s := newSubject(t, 0, 0)
	s.check(s.Begin().Put(0, 0, []byte("k"), []byte("1")))
	s.Commit()
	for i := range s.log[0] {
		for bit := range 8 {
			bad := slices.Clone(s.log[0])
			bad[i] ^= 1 << bit
			if _, err := state.DeltaVersion(bad); err == nil {
				t.Fatalf("bit %d of byte %d flipped, and nobody noticed", bit, i)
			}
		}
	}
	s.log[0][15] ^= 1
	s.Restart()
	if _, err := s.store.Open(context.Background(), "q", "op", 0, 1, 0); err == nil {
		t.Fatal("state was restored from a damaged changelog")
	}
}

func TestSteadyStateDoesNotAllocate(t *testing.T) {
	s := newSubject(t, 0, 0)
	st := s.Begin()
	key, value := make([]byte, 16), make([]byte, 24)
	for i := range 1000 {
		binary.BigEndian.PutUint64(key, uint64(i))
		s.check(st.Put(7, i, key, value))
	}
	s.Commit()
	st = s.Begin()
	touch := func() {
		for i := range 1000 {
			binary.BigEndian.PutUint64(key, uint64(i))
			v, _, _ := st.Get(7, i, key)
			copy(value, v)
			value[0]++
			st.Put(7, i, key, value)
		}
	}
	touch()
	if n := testing.AllocsPerRun(10, touch); n > 0 {
		t.Errorf("%v allocations for 1000 updates", n)
	}
}

func BenchmarkUpdate(b *testing.B) {
	for _, keys := range []int{1000, 1_000_000} {
		b.Run(fmt.Sprintf("keys=%d", keys), func(b *testing.B) {
			s := newSubject(b, 0, 0)
			st := s.Begin()
			key, value := make([]byte, 16), make([]byte, 24)
			i, n := uint64(0), 0
			for b.Loop() {
				i = (i*6364136223846793005 + 1442695040888963407)
				binary.BigEndian.PutUint64(key, i>>20%uint64(keys))
				v, _, _ := st.Get(7, int(i>>54), key)
				copy(value, v)
				value[0]++
				st.Put(7, int(key[7])<<2, key, value)
				if n++; n%100_000 == 0 {
					s.version++
					s.store.Commit("q", s.version)
					st = s.Begin()
				}
			}
		})
	}
}

func BenchmarkWindowBatch(b *testing.B) {
	// A micro-batch of a windowed count: 1000 keys touched in the open window, delta, commit; a window dropped each 50.
	s := newSubject(b, 0, 0)
	key, value := make([]byte, 16), make([]byte, 24)
	batch := int64(0)
	b.ReportAllocs()
	for b.Loop() {
		st := s.Begin()
		window := batch / 50
		for i := range 1000 {
			binary.BigEndian.PutUint64(key, uint64(i))
			v, _, _ := st.Get(window, i, key)
			copy(value, v)
			st.Put(window, i, key, value)
		}
		if batch%50 == 0 {
			st.DropBucket(window - 1)
		}
		s.part.Delta()
		s.version++
		s.store.Commit("q", s.version)
		batch++
	}
}

func TestKeysAreCountedThroughEviction(t *testing.T) {
	for _, memory := range []int64{0, 1} {
		s := newSubject(t, memory, 3)
		model := statetest.NewMap()
		for n := range 60 {
			st := s.Begin()
			for i := range 50 {
				bucket, key := int64((n*31+i*7)%9), fmt.Append(nil, (n*17+i*13)%40)
				if i%3 == 0 {
					s.check(st.Delete(bucket, 1, key))
					model.Delete(bucket, 1, key)
				} else {
					s.check(st.Put(bucket, 1, key, key))
					model.Put(bucket, 1, key, key)
				}
			}
			if n%7 == 0 {
				s.check(st.DropBucket(int64(n % 9)))
				model.DropBucket(int64(n % 9))
			}
			s.Commit()
			if got := s.store.Keys(); memory == 0 && got != int64(model.Len()) {
				t.Fatalf("batch %d: %d keys are counted, there are %d", n, got, model.Len())
			}
		}
		if memory == 1 && s.store.Bytes() > 64<<10 {
			t.Errorf("%d bytes are in memory although everything should have been evicted", s.store.Bytes())
		}
	}
}
