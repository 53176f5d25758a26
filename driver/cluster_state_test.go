package driver_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"testing"

	"github.com/streamflow/streamflow/driver"
	"github.com/streamflow/streamflow/executor"
	"github.com/streamflow/streamflow/executor/state"
	"github.com/streamflow/streamflow/rdd"
	"github.com/streamflow/streamflow/shuffle"
)

// changelog is the topic that a query's deltas go to.
type changelog struct {
	mu     sync.Mutex
	pieces map[int][][]byte // by partition
}

func (l *changelog) read(_ context.Context, slot state.Slot, after int64, apply func([]byte, int64) error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	list := l.pieces[slot.Partition]
	for i := after + 1; i < int64(len(list)); i++ {
		if err := apply(list[i], i); err != nil {
			return err
		}
	}
	return nil
}

func (l *changelog) append(res *driver.JobResult) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, t := range res.Tasks {
		for _, r := range t.Reports {
			if r.Key == rdd.StateDeltaKey {
				l.pieces[t.Partition] = append(l.pieces[t.Partition], r.Value)
			}
		}
	}
}

func (l *changelog) ends() map[int]int64 {
	m := map[int]int64{}
	for p, list := range l.pieces {
		m[p] = int64(len(list) - 1)
	}
	return m
}

// stateGraph adds numbers to state by key, in parts partitions.
func stateGraph(parts int, fault string) *rdd.RDD {
	src := &rdd.RDD{ID: "numbers", Name: "numbers", Op: &numbers{N: 1000, Keys: 50, Batch: 100}, Parts: 2, Schema: intSchema}
	return &rdd.RDD{ID: "counts", Name: "counts", Op: &keyedState{Fault: fault}, Parts: parts, Schema: intSchema,
		Deps: []rdd.Dep{{Parent: src, Kind: rdd.Shuffle, Partitioner: rdd.Partitioner{Kind: rdd.Hash, Keys: []int{0}, N: parts}}}}
}

// checkState compares every key's sum with batches times the sums of one batch.
func checkState(t *testing.T, xs []*executor.Executor, parts int, batches int64) {
	t.Helper()
	got := map[string]string{}
	for _, x := range xs {
		for slot, version := range x.State().Slots("q") {
			if version != batches-1 {
				continue // moved away
			}
			p, err := x.State().Open(context.Background(), "q", slot.Op, slot.Partition, parts, version)
			if err != nil {
				t.Fatal(err)
			}
			p.Scan(0, func(_ int, key, value []byte) bool {
				got[string(key)] = string(value)
				return true
			})
			p.Rollback()
		}
	}
	want := wantSums(1000, 50)
	if len(got) != len(want) {
		t.Fatalf("%d keys in state, want %d", len(got), len(want))
	}
	for k, sum := range want {
		if got[fmt.Sprint(k)] != fmt.Sprint(sum*batches) {
			t.Fatalf("key %d: %s, want %d", k, got[fmt.Sprint(k)], sum*batches)
		}
	}
}

func stateCluster(t *testing.T, log *changelog, n int, dir string) (*driver.Cluster, []*executor.Executor) {
	var xs []*executor.Executor
	peer := func(id string) (shuffle.Fetcher, error) {
		for _, x := range xs {
			if x.ID() == id {
				return x.Shuffle(), nil
			}
		}
		return nil, errors.New("no such executor")
	}
	c := driver.NewCluster()
	for i := range n {
		x := newExecutor(t, executor.Options{ID: fmt.Sprintf("x%d", i), Slots: 2, Peer: peer, Changelog: log.read, Dir: filepath.Join(dir, fmt.Sprint(i))})
		xs = append(xs, x)
		c.Add(x)
	}
	t.Cleanup(c.Close)
	return c, xs
}

func batchBinding(batch int64) *rdd.Binding {
	return &rdd.Binding{Query: "q", Batch: batch, StateVersion: batch - 1}
}

// runBatch runs a micro-batch to its commit.
func runBatch(t *testing.T, c *driver.Cluster, j *driver.Job, log *changelog, batch int64) {
	t.Helper()
	res, err := j.Run(context.Background(), driver.RunOptions{Binding: batchBinding(batch)})
	if err != nil {
		t.Fatal(err)
	}
	log.append(res)
	if err := c.CommitState("q", batch); err != nil {
		t.Fatal(err)
	}
}

func TestStateSurvivesFailedTasksAndAbortedBatches(t *testing.T) {
	name := setFault(t, func(tc *rdd.TaskContext) error {
		if tc.Attempt < 2 && tc.Partition == 1 {
			return errors.New("after some changes")
		}
		return nil
	})
	log := &changelog{pieces: map[int][][]byte{}}
	c, xs := stateCluster(t, log, 1, t.TempDir())
	j := prepare(t, c, stateGraph(3, name))
	for batch := range int64(4) {
		// A whole batch whose commit never comes.
		if _, err := j.Run(context.Background(), driver.RunOptions{Binding: batchBinding(batch)}); err != nil {
			t.Fatal(err)
		}
		if batch%2 == 0 {
			if err := c.AbortState("q"); err != nil {
				t.Fatal(err)
			}
		}
		runBatch(t, c, j, log, batch)
		checkState(t, xs, 3, batch+1)
	}
}

func TestStateIsRestoredAfterARestart(t *testing.T) {
	log := &changelog{pieces: map[int][][]byte{}}
	dir := t.TempDir()
	batch := int64(0)
	for round := range 3 {
		t.Run(fmt.Sprint(round), func(t *testing.T) {
			c, xs := stateCluster(t, log, 1, dir)
			j := prepare(t, c, stateGraph(3, ""))
			for range 3 {
				runBatch(t, c, j, log, batch)
				batch++
				if batch%2 == 0 {
					if err := xs[0].SnapshotState("q", log.ends()); err != nil {
						t.Fatal(err)
					}
				}
			}
			checkState(t, xs, 3, batch)
		})
	}
}

func TestStateMovesWhenItsExecutorIsLost(t *testing.T) {
	log := &changelog{pieces: map[int][][]byte{}}
	c, xs := stateCluster(t, log, 3, t.TempDir())
	var once sync.Once
	name := setFault(t, func(tc *rdd.TaskContext) error {
		if tc.Binding.Batch == 2 {
			once.Do(func() { c.Lose("x1") })
		}
		return nil
	})
	j := prepare(t, c, stateGraph(6, name))
	for batch := range int64(5) {
		runBatch(t, c, j, log, batch)
	}
	checkState(t, []*executor.Executor{xs[0], xs[2]}, 6, 5)
}

func BenchmarkStatefulBatch(b *testing.B) {
	x := newExecutor(b, executor.Options{Slots: 2})
	c := driver.NewCluster(x)
	defer c.Close()
	j := prepare(b, c, stateGraph(2, ""))
	batch := int64(0)
	for b.Loop() {
		if _, err := j.Run(context.Background(), driver.RunOptions{Binding: batchBinding(batch)}); err != nil {
			b.Fatal(err)
		}
		c.CommitState("q", batch)
		batch++
	}
}
