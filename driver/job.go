package driver

import (
	"fmt"
	"sync"

	"github.com/streamflow/streamflow/rdd"
	"github.com/streamflow/streamflow/scheduler"
	"github.com/streamflow/streamflow/structured/physical"
)

// Job is a graph that was cut into stages and encoded, ready to run any number of times: a batch query once, a streaming
// query for each micro-batch, with nothing but the binding changing. Runs of one job that keep state must not overlap.
type Job struct {
	cluster *Cluster
	stages  []*scheduler.Stage
	shapes  []scheduler.Shape
	shuffle []string // id of each stage's output

	mu     sync.Mutex
	loaded map[string]Executor // executors that have the fragments
	home   [][]string          // stateful runs: where each partition of each stage ran last
	closed bool
}

// Prepare cuts the graph below root into stages and encodes their fragments.
func (c *Cluster) Prepare(root *rdd.RDD) (*Job, error) { return c.prepare(root, nil, nil) }

// PrepareStream prepares the job of a streaming query. What closes by the watermark waits for all that moves it, so that one
// micro-batch has one watermark.
func (c *Cluster) PrepareStream(phys *physical.Physical) (*Job, error) {
	clocks, closers := map[string]bool{}, map[string]bool{}
	for _, w := range phys.Watermarks {
		clocks[w.Op] = true
	}
	for _, s := range phys.Stateful {
		closers[s.Op] = true
	}
	return c.prepare(phys.Lower(), clocks, closers)
}

func (c *Cluster) prepare(root *rdd.RDD, first, then map[string]bool) (*Job, error) {
	stages, err := scheduler.Stages(root)
	if err != nil {
		return nil, fmt.Errorf("driver: prepare %s: %w", root.Name, err)
	}
	if len(first) > 0 {
		scheduler.Order(stages, func(op string) bool { return first[op] }, func(op string) bool { return then[op] })
	}
	j := &Job{cluster: c, stages: stages, loaded: map[string]Executor{}}
	for i, s := range stages {
		j.shapes = append(j.shapes, s.Shape())
		j.shuffle = append(j.shuffle, fmt.Sprintf("s%d", i))
		j.home = append(j.home, make([]string, s.Root.Parts))
	}
	for _, x := range c.all() {
		j.loadOn(x)
	}
	return j, nil
}

// Stages are the stages, parents before children; explain and the console show them.
func (j *Job) Stages() []*scheduler.Stage { return j.stages }

// Close lets executors forget the job's fragments and the operators they keep for it.
func (j *Job) Close() {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.closed {
		return
	}
	j.closed = true
	for _, x := range j.loaded {
		for _, s := range j.stages {
			x.Forget(s.Fragment.Hash)
		}
	}
}

// loadOn gives an executor the fragments, once.
func (j *Job) loadOn(x Executor) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.loaded[x.ID()] == x {
		return
	}
	j.loaded[x.ID()] = x
	for _, s := range j.stages {
		x.Load(s.Fragment)
	}
}

// stageOf is the stage that writes a shuffle.
func (j *Job) stageOf(shuffle string) int {
	for i, id := range j.shuffle {
		if id == shuffle {
			return i
		}
	}
	panic("BUG: driver: a task read a shuffle that its job does not have: " + shuffle)
}

// submission is what the scheduler is told for a run. A run with state goes where its state is.
func (j *Job) submission(id string, o *RunOptions) scheduler.Submit {
	shapes := append([]scheduler.Shape{}, j.shapes...)
	if o.Binding != nil && o.Binding.Query != "" {
		j.mu.Lock()
		for i := range shapes {
			shapes[i].Prefer = append([]string{}, j.home[i]...)
			shapes[i].Pinned = true
		}
		j.mu.Unlock()
	}
	return scheduler.Submit{Job: id, Pool: o.Pool, Stages: shapes}
}

// settled remembers where a partition ran.
func (j *Job) settled(stage, part int, executor string) {
	j.mu.Lock()
	j.home[stage][part] = executor
	j.mu.Unlock()
}
