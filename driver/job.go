package driver

import (
	"fmt"
	"strconv"
	"strings"
	"sync"

	"github.com/streamflow/streamflow/rdd"
	"github.com/streamflow/streamflow/scheduler"
	"github.com/streamflow/streamflow/structured/physical"
)

// Job is a graph that was cut into stages and encoded, ready to run any number of times: a batch query once, a streaming
// query for each micro-batch, with nothing but the binding changing. Runs of one job that keep state must not overlap.
type Job struct {
	cluster *Cluster
	stages  []*scheduler.Stage // of a job that is planned on: those that are known
	shapes  []scheduler.Shape
	growth  *growth // nil for a job whose stages are all known

	mu     sync.Mutex
	loaded map[string]loaded
	home   [][]string // stateful runs: where each partition of each stage ran last
	closed bool
}

// loaded is an executor that has the fragments of the first n stages.
type loaded struct {
	Executor
	n int
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
	return c.job(stages), nil
}

func (c *Cluster) job(stages []*scheduler.Stage) *Job {
	j := &Job{cluster: c, loaded: map[string]loaded{}}
	j.add(stages)
	for _, x := range c.all() {
		j.loadOn(x)
	}
	return j
}

// add appends stages.
func (j *Job) add(stages []*scheduler.Stage) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, s := range stages {
		j.stages, j.shapes = append(j.stages, s), append(j.shapes, s.Shape())
		j.home = append(j.home, make([]string, s.Root.Parts))
	}
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
		for _, s := range j.stages[:x.n] {
			x.Forget(s.Fragment.Hash)
		}
	}
}

// loadOn gives an executor the fragments, each once.
func (j *Job) loadOn(x Executor) {
	j.mu.Lock()
	defer j.mu.Unlock()
	has := j.loaded[x.ID()]
	if has.Executor != x {
		has = loaded{Executor: x}
	}
	for ; has.n < len(j.stages); has.n++ {
		x.Load(j.stages[has.n].Fragment)
	}
	j.loaded[x.ID()] = has
}

// shuffleOf is the id of what a stage writes; stageOf is the stage that writes a shuffle.
func shuffleOf(stage int) string { return "s" + strconv.Itoa(stage) }

func stageOf(shuffle string) int {
	stage, err := strconv.Atoi(strings.TrimPrefix(shuffle, "s"))
	if err != nil {
		panic("BUG: driver: a task read a shuffle that no job writes: " + shuffle)
	}
	return stage
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
	return scheduler.Submit{Job: id, Pool: o.Pool, Stages: shapes, Open: j.growth.open()}
}

// settled remembers where a partition ran.
func (j *Job) settled(stage, part int, executor string) {
	j.mu.Lock()
	j.home[stage][part] = executor
	j.mu.Unlock()
}
