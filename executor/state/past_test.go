package state_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/streamflow/streamflow/executor/state"
	"github.com/streamflow/streamflow/rdd"
)

// life is a store whose query changes its number of partitions, restarts, and keeps snapshots; the model is a map for each
// version that it had.
type life struct {
	t      *testing.T
	seed   uint64
	rnd    *rand.Rand
	fs     vfs.FS
	memory int64
	store  *state.Store
	log    map[int][][]byte // by partition
	trim   map[int]int64    // by partition: positions up to this are gone
	shapes []rdd.StateShape
	parts  int
	past   []map[string]string // by version
	now    time.Time
}

func newLife(t *testing.T, seed uint64) *life {
	l := &life{t: t, seed: seed, rnd: rand.New(rand.NewPCG(seed, 1)), fs: vfs.NewMem(), log: map[int][][]byte{}, trim: map[int]int64{},
		parts: 2, now: time.UnixMilli(0)}
	if seed%2 == 0 {
		l.memory = 1 // everything is evicted after each batch
	}
	l.open()
	t.Cleanup(func() { l.check(l.store.Close()) })
	return l
}

func (l *life) check(err error) {
	l.t.Helper()
	if err != nil {
		l.t.Fatalf("seed %d, version %d: %v", l.seed, len(l.past)-1, err)
	}
}

func (l *life) open() {
	var err error
	l.store, err = state.Open(state.Options{Dir: "state", FS: l.fs, Memory: l.memory, Changelog: l.changelog,
		Shapes: func(string, string) []rdd.StateShape { return l.shapes }})
	l.check(err)
}

var errTrimmed = errors.New("the changelog begins later")

func (l *life) changelog(_ context.Context, slot state.Slot, after int64, apply func([]byte, int64) error) error {
	if trim, ok := l.trim[slot.Partition]; ok && after < trim && after != state.FromStart {
		return errTrimmed
	}
	for i := max(after+1, 0); i < int64(len(l.log[slot.Partition])); i++ {
		if err := apply(l.log[slot.Partition][i], i); err != nil {
			return err
		}
	}
	return nil
}

func (l *life) version() int64 { return int64(len(l.past)) - 1 }

// batch changes a few keys, or takes the changes back and makes others.
func (l *life) batch() {
	model := map[string]string{}
	if n := len(l.past); n > 0 {
		model = maps.Clone(l.past[n-1])
	}
	for p := range l.parts {
		for attempt := l.rnd.IntN(3); ; attempt-- {
			st, err := l.store.Open(context.Background(), "q", "op", p, l.parts, l.version())
			l.check(err)
			next := maps.Clone(model)
			l.change(st, p, next)
			if attempt > 0 {
				continue // opening again takes it back
			}
			model = next
			pieces, err := st.Delta()
			l.check(err)
			l.log[p] = append(l.log[p], pieces...)
			break
		}
	}
	l.past = append(l.past, model)
	l.check(l.store.Commit("q", l.version()))
	l.now = l.now.Add(time.Second)
}

func modelKey(bucket int64, group int, key string) string {
	return fmt.Sprintf("%d/%04d/%s", bucket, group, key)
}

func (l *life) change(st *state.Partition, p int, model map[string]string) {
	from, to := state.Slot{Partition: p, Parts: l.parts}.Groups()
	for range l.rnd.IntN(12) {
		bucket, group, key := int64(l.rnd.IntN(3)), from+l.rnd.IntN((to-from)/100)*100, string(rune('a'+l.rnd.IntN(3)))
		name := modelKey(bucket, group, key)
		switch v, ok, err := st.Get(bucket, group, []byte(key)); {
		case err != nil:
			l.check(err)
		case ok != (model[name] != "") || string(v) != model[name]:
			l.t.Fatalf("seed %d, after version %d: %s is %q, not %q", l.seed, l.version(), name, v, model[name])
		}
		switch n := l.rnd.IntN(20); {
		case n == 0:
			l.check(st.DropBucket(bucket))
			maps.DeleteFunc(model, func(k, _ string) bool {
				var b int64
				var g int
				fmt.Sscanf(k, "%d/%d/", &b, &g)
				return b == bucket && g >= from && g < to
			})
		case n < 7:
			l.check(st.Delete(bucket, group, []byte(key)))
			delete(model, name)
		default:
			v := fmt.Sprint(l.rnd.IntN(1000))
			l.check(st.Put(bucket, group, []byte(key), []byte(v)))
			model[name] = v
		}
	}
}

func (l *life) snapshot() {
	positions := map[int]int64{}
	for slot := range l.store.Slots("q") {
		positions[slot.Partition] = int64(len(l.log[slot.Partition])) - 1
	}
	l.check(l.store.SnapshotQuery("q", positions))
	oldest, err := l.store.Keep("q", positions, l.now, 8*time.Second)
	l.check(err)
	for p, at := range oldest {
		l.trim[p] = at
	}
}

func (l *life) rescale(lazily bool) {
	to := 1 + l.rnd.IntN(4)
	l.shapes = rdd.Reshape(l.shapes, l.parts, to, l.version())
	if !lazily {
		l.check(l.store.Rescale("q", "op", l.parts, to, l.version()))
	} else {
		l.check(l.store.Forget("q", false))
	}
	l.parts = to
}

// partsAt is the number of partitions that a version is read in.
func (l *life) partsAt(version int64) int { return rdd.PartsAt(l.shapes, version, 2) }

func (l *life) read(version int64) (map[string]string, error) {
	out := map[string]string{}
	parts := l.partsAt(version)
	for p := range parts {
		err := l.store.ViewPast(context.Background(), state.Slot{Query: "q", Op: "op", Partition: p, Parts: parts}, version, -1, func(st rdd.State) error {
			buckets, err := st.Buckets(1 << 60)
			if err != nil {
				return err
			}
			for _, b := range buckets {
				if err := st.Scan(b, func(kg int, key, value []byte) bool { out[modelKey(b, kg, string(key))] = string(value); return true }); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// TestEveryKeptVersion lets queries live, with batches taken back, restarts, snapshots, and other numbers of partitions, and
// reads every version that should still be there.
func TestEveryKeptVersion(t *testing.T) {
	read := 0
	for seed := uint64(1); seed <= 24; seed++ {
		l := newLife(t, seed)
		for range 40 {
			l.batch()
			switch l.rnd.IntN(8) {
			case 0, 1:
				l.snapshot()
			case 2:
				l.rescale(false)
			case 3:
				l.rescale(true)
			case 4:
				l.check(l.store.Close())
				l.open()
			}
		}
		list, err := l.store.Kept("q")
		l.check(err)
		oldest := int64(0)
		if len(list) > 0 {
			oldest = list[0].Version
		}
		for v := range l.past {
			got, err := l.read(int64(v))
			if err != nil {
				if !errors.Is(err, state.ErrVersion) || int64(v) >= oldest {
					t.Errorf("seed %d: version %d of %d, kept from %d: %v", seed, v, len(l.past), oldest, err)
				}
				continue
			}
			if read++; !maps.Equal(got, l.past[v]) {
				t.Errorf("seed %d: version %d is\n%v, not\n%v", seed, v, got, l.past[v])
			}
		}
	}
	if read < 100 {
		t.Errorf("only %d versions could be read", read)
	}
}

// TestChangesLeadFromVersionToVersion applies a change feed to one version and looks whether another comes out.
func TestChangesLeadFromVersionToVersion(t *testing.T) {
	deletes := 0
	for seed := uint64(1); seed <= 8; seed++ {
		l := newLife(t, seed)
		for range 12 {
			l.batch()
			if l.rnd.IntN(4) == 0 {
				l.snapshot()
			}
		}
		from := l.version() - 3
		got := maps.Clone(l.past[from])
		for p := range l.parts {
			err := l.store.Changes(context.Background(), state.Slot{Query: "q", Op: "op", Partition: p, Parts: l.parts}, from+1, l.version(), -1, func(c *state.Change) error {
				name := modelKey(c.Bucket, c.KeyGroup, string(c.Key))
				if c.Version <= from || c.Version > l.version() {
					t.Errorf("a change of version %d", c.Version)
				}
				if !c.Deleted {
					got[name] = string(c.Value)
					return nil
				}
				if deletes++; got[name] != string(c.Value) {
					t.Errorf("seed %d: %s is deleted with %q; it was %q", seed, name, c.Value, got[name])
				}
				delete(got, name)
				return nil
			})
			l.check(err)
		}
		if !maps.Equal(got, l.past[l.version()]) {
			t.Errorf("seed %d: changes lead to\n%v, not\n%v", seed, got, l.past[l.version()])
		}
	}
	if deletes == 0 {
		t.Error("nothing was deleted")
	}
}

// TestDamageOnDisk turns bits over in the tables of the newest kept snapshot and of the store: versions are read from an older
// snapshot and the changelog; the partition itself is refused or right, and the process lives on.
func TestDamageOnDisk(t *testing.T) {
	fell, refused := 0, 0
	for seed := uint64(1); seed <= 8; seed++ {
		l := newLife(t, seed)
		for range 12 {
			l.batch()
			if l.rnd.IntN(3) == 0 {
				l.reopen() // what is in the store's log goes to tables
				l.batch()
				l.snapshot()
			}
		}
		l.reopen()
		l.batch()
		l.snapshot()
		list, err := l.store.Kept("q")
		l.check(err)
		if len(list) < 2 {
			continue
		}
		l.check(l.store.Close())
		newest := list[len(list)-1].Version
		if l.damage("state") == 0 || l.damage(fmt.Sprintf("state-kept/q/%d", newest)) == 0 {
			t.Fatalf("seed %d: nothing to damage", seed)
		}
		l.open()
		if got, err := l.read(newest); err != nil || !maps.Equal(got, l.past[newest]) {
			t.Errorf("seed %d: version %d: %v\n%v, not\n%v", seed, newest, err, got, l.past[newest])
		}
		fell++
		for p := range l.parts {
			err := l.store.View(context.Background(), state.Slot{Query: "q", Op: "op", Partition: p, Parts: l.parts}, l.version(), func(st rdd.State) error {
				_, err := st.Buckets(1 << 60)
				return err
			})
			if err != nil {
				refused++
			}
		}
	}
	if fell == 0 || refused == 0 {
		t.Errorf("%d snapshots and %d partitions were found damaged", fell, refused)
	}
}

func (l *life) reopen() {
	l.check(l.store.Close())
	l.open()
	if _, err := l.store.Open(context.Background(), "q", "op", 0, l.parts, l.version()); err != nil {
		l.check(err)
	}
	l.check(l.store.Abort("q"))
}

// damage turns a byte over in each table of a directory, and tells in how many.
func (l *life) damage(dir string) (n int) {
	names, err := l.fs.List(dir)
	l.check(err)
	for _, name := range names {
		if strings.HasSuffix(name, ".sst") {
			l.turn(l.fs.PathJoin(dir, name))
			n++
		}
	}
	return n
}

// turn writes a file anew with one byte turned over, so that links to it stay as they are.
func (l *life) turn(name string) {
	f, err := l.fs.Open(name)
	l.check(err)
	b, err := io.ReadAll(f)
	l.check(errors.Join(err, f.Close()))
	b[min(40, len(b)/2)] ^= 0x40
	l.check(l.fs.Remove(name))
	f, err = l.fs.Create(name, vfs.WriteCategoryUnspecified)
	l.check(err)
	_, err = f.Write(b)
	l.check(errors.Join(err, f.Sync(), f.Close()))
}

// TestABucketIsReadEntryByEntry touches one key of a bucket that is larger than the memory.
func TestABucketIsReadEntryByEntry(t *testing.T) {
	s := newSubject(t, 64<<10, 0)
	st, value := s.Begin(), make([]byte, 100)
	for i := range 10_000 {
		s.check(st.Put(0, i%rdd.KeyGroups, fmt.Appendf(nil, "key %d", i), value))
	}
	s.Commit()
	st = s.Begin()
	if v, ok, err := st.Get(0, 77, []byte("key 77")); err != nil || !ok || len(v) != len(value) {
		t.Fatal(len(v), ok, err)
	}
	s.check(st.Put(0, 77, []byte("key 77"), []byte("new")))
	s.check(st.Delete(0, 78, []byte("key 78")))
	s.Commit()
	if s.store.Bytes() > 64<<10 {
		t.Errorf("%d bytes are in memory", s.store.Bytes())
	}
	if s.store.Keys() != 9_999 {
		t.Errorf("%d keys", s.store.Keys())
	}
	n, last := 0, ""
	s.check(s.Begin().Scan(0, func(kg int, key, value []byte) bool {
		at := fmt.Sprintf("%04d %s", kg, key)
		if at <= last || string(key) == "key 78" || string(key) == "key 77" && string(value) != "new" {
			t.Errorf("%s after %s: %q", at, last, value)
		}
		n, last = n+1, at
		return true
	}))
	if n != 9_999 {
		t.Errorf("%d keys are visited", n)
	}
}

// BenchmarkEntryOnDisk reads and writes keys of a bucket that is on disk.
func BenchmarkEntryOnDisk(b *testing.B) {
	s := newSubject(b, 64<<10, 0)
	st, value := s.Begin(), make([]byte, 100)
	for i := range 100_000 {
		s.check(st.Put(0, i%rdd.KeyGroups, fmt.Appendf(nil, "key %d", i), value))
	}
	s.Commit()
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if i%1000 == 0 {
			st = s.Begin()
		}
		k := i * 7919 % 100_000
		s.check(st.Put(0, k%rdd.KeyGroups, fmt.Appendf(nil, "key %d", k), value))
		if i%1000 == 999 {
			s.Commit()
		}
	}
}
