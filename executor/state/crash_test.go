package state_test

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/streamflow/streamflow/executor/state"
	"github.com/streamflow/streamflow/rdd"
)

var crashSeed = flag.Uint64("crash.seed", 0, "run the crash test with this seed only")

// TestCrashAtEveryWrite drives a store through batches, aborted ones among them, snapshots and evictions, and loses power
// at each operation on its files: from what the disk then has and from the changelog the last committed version comes
// back, whole. A failing seed is repeated by: go test ./executor/state -run TestCrashAtEveryWrite -crash.seed=N
func TestCrashAtEveryWrite(t *testing.T) {
	if *crashSeed != 0 {
		crashAtEveryWrite(t, *crashSeed)
		return
	}
	for seed := uint64(1); seed <= 6 && !t.Failed(); seed++ {
		crashAtEveryWrite(t, seed)
	}
}

// crasher is a store on files that can be lost, its changelog, and what is in it.
type crasher struct {
	t    *testing.T
	seed uint64
	rnd  *rand.Rand
	disk *vfs.MemFS

	mu        sync.Mutex // the store also works in the background
	log       [][]byte
	version   int64
	committed map[string]string
	crashes   int
}

func crashAtEveryWrite(t *testing.T, seed uint64) {
	c := &crasher{t: t, seed: seed, rnd: rand.New(rand.NewPCG(seed, 0)), disk: vfs.NewCrashableMem(), version: -1, committed: map[string]string{}}
	memory := int64(0)
	if seed%2 == 0 {
		memory = 1 // everything is evicted after each batch
	}
	s := c.open(errorfs.Wrap(c.disk, errorfs.InjectorFunc(c.operation)), memory)
	for range 12 {
		c.batch(s)
		if c.rnd.IntN(3) == 0 {
			c.check(s.Snapshot("q", "op", 0, 1, int64(len(c.log)-1)))
		}
	}
	c.check(s.Close())
	if c.crashes < 20 {
		t.Errorf("seed %d: only %d crashes", seed, c.crashes)
	}
}

func (c *crasher) check(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Errorf("seed %d: %v", c.seed, err)
		panic("the crash test cannot go on")
	}
}

func (c *crasher) open(fs vfs.FS, memory int64) *state.Store {
	s, err := state.Open(state.Options{Dir: "state", FS: fs, Memory: memory, Changelog: func(_ context.Context, _ state.Slot, after int64, apply func([]byte, int64) error) error {
		for i := after + 1; i < int64(len(c.log)); i++ {
			if err := apply(c.log[i], i); err != nil {
				return err
			}
		}
		return nil
	}})
	c.check(err)
	return s
}

// batch changes some keys in some buckets, and commits or aborts. Its changes are in the changelog before it commits.
func (c *crasher) batch(s *state.Store) {
	p, err := s.Open(context.Background(), "q", "op", 0, 1, c.version)
	c.check(err)
	next := maps.Clone(c.committed)
	for range c.rnd.IntN(20) {
		bucket, key := int64(c.rnd.IntN(4)), fmt.Sprintf("k%02d", c.rnd.IntN(30))
		switch c.rnd.IntN(8) {
		case 0:
			c.check(p.DropBucket(bucket))
			maps.DeleteFunc(next, func(k, _ string) bool { return k[0] == byte('0'+bucket) })
		case 1, 2:
			c.check(p.Delete(bucket, 5, []byte(key)))
			delete(next, fmt.Sprintf("%d%s", bucket, key))
		default:
			value := fmt.Sprint(c.rnd.IntN(1000))
			c.check(p.Put(bucket, 5, []byte(key), []byte(value)))
			next[fmt.Sprintf("%d%s", bucket, key)] = value
		}
	}
	if c.rnd.IntN(5) == 0 {
		c.check(s.Abort("q"))
		return
	}
	pieces, err := p.Delta()
	c.check(err)
	c.mu.Lock()
	c.log = append(c.log, pieces...)
	c.version, c.committed = c.version+1, next
	c.mu.Unlock()
	c.check(s.Commit("q", c.version))
}

// operation is called before each operation on the store's files. Those that change something may be the last.
func (c *crasher) operation(op errorfs.Op) error {
	switch op.Kind {
	case errorfs.OpFileWrite, errorfs.OpFileSync, errorfs.OpFileSyncData, errorfs.OpRename, errorfs.OpRemove, errorfs.OpCreate, errorfs.OpFileClose:
	default:
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.version < 0 {
		return nil
	}
	c.crashes++
	keep := []int{0, 50, 100}[c.crashes%3] // of what was not synced, percent
	c.lookAt(c.disk.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: keep, RNG: rand.New(rand.NewPCG(c.seed, uint64(c.crashes)))}))
	return nil
}

// lookAt opens what a crash has left and compares it with what is committed.
func (c *crasher) lookAt(disk *vfs.MemFS) {
	s := c.open(disk, 0)
	got := map[string]string{}
	err := s.View(context.Background(), state.Slot{Query: "q", Op: "op", Parts: 1}, c.version, func(st rdd.State) error {
		buckets, err := st.Buckets(1 << 62)
		for _, b := range buckets {
			if err == nil {
				err = st.Scan(b, func(_ int, key, value []byte) bool {
					got[fmt.Sprintf("%d%s", b, key)] = string(value)
					return true
				})
			}
		}
		return err
	})
	c.check(err)
	c.check(s.Close())
	if !maps.Equal(got, c.committed) {
		c.t.Errorf("seed %d, crash %d: version %d is %v, want %v", c.seed, c.crashes, c.version, got, c.committed)
	}
}
