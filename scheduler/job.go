package scheduler

import (
	"fmt"
	"slices"

	"github.com/streamflow/streamflow/rdd"
)

// job is a submitted job until it finishes.
type job struct {
	id, pool string
	seq      int // order of submission
	stages   []stage
	open     bool // more stages follow
}

// stage counts its tasks; 0 <= done <= len(tasks). It is ready when inputs is not nil.
type stage struct {
	Shape
	children []int
	tasks    []task
	done     int
	begun    bool
	told     bool // it was reported as complete
	ready    bool
	inputs   [][]rdd.Source // what a new task reads; remade when a parent is computed again
	pending  []int          // partitions to launch, in order
}

func (s *stage) complete() bool { return s.done == len(s.tasks) }

// task is one partition of a stage. At most one of done and pending holds; a speculated task has two attempts running.
type task struct {
	attempts int // started so far, hence the number of the next
	failures int
	losses   int // times that its output was lost
	done     bool
	pending  bool
	output   rdd.Source
	running  []attempt
}

type attempt struct {
	number   int
	executor string
}

func newJob(e Submit, seq int) *job {
	j := &job{id: e.Job, pool: e.Pool, seq: seq, open: e.Open}
	j.add(e.Stages)
	return j
}

// add appends stages, whose tasks are all to be run.
func (j *job) add(shapes []Shape) {
	first, total := len(j.stages), 0
	for _, sh := range shapes {
		total += sh.Parts
	}
	j.stages = append(j.stages, make([]stage, len(shapes))...)
	tasks, pending := make([]task, total), make([]int, total)
	for i, sh := range shapes {
		i += first
		s := &j.stages[i]
		s.Shape = sh
		s.tasks, tasks = tasks[:sh.Parts:sh.Parts], tasks[sh.Parts:]
		s.pending, pending = pending[:0:sh.Parts], pending[sh.Parts:]
		for p := range s.tasks {
			s.tasks[p].pending = true
			s.pending = append(s.pending, p)
		}
		for _, parent := range sh.Parents {
			if parent < 0 || parent >= i {
				panic(fmt.Sprintf("BUG: scheduler: stage %d of %s reads stage %d", i, j.id, parent))
			}
			if c := &j.stages[parent].children; !slices.Contains(*c, i) {
				*c = append(*c, i)
			}
		}
	}
}

func (j *job) finished() bool { return !j.open && j.stages[len(j.stages)-1].complete() }

// refresh makes the stages ready whose parents are complete and the others not, and reports those that begin.
func (j *job) refresh(begin func(stage int)) {
	for i := range j.stages {
		s := &j.stages[i]
		if s.ready || s.complete() && s.begun {
			continue
		}
		if !j.parentsComplete(s) || !s.begun && !j.allComplete(s.After) {
			continue
		}
		s.ready, s.inputs = true, j.sources(s)
		if !s.begun {
			s.begun = true
			begin(i)
		}
	}
}

func (j *job) parentsComplete(s *stage) bool { return j.allComplete(s.Parents) }

// allComplete reports whether all of some stages are complete.
func (j *job) allComplete(stages []int) bool {
	for _, p := range stages {
		if !j.stages[p].complete() {
			return false
		}
	}
	return true
}

// sources are the outputs of the stage's parents as they are now.
func (j *job) sources(s *stage) [][]rdd.Source {
	if len(s.Parents) == 0 {
		return nil
	}
	in := make([][]rdd.Source, len(s.Parents))
	for i, p := range s.Parents {
		in[i] = make([]rdd.Source, len(j.stages[p].tasks))
		for m := range in[i] {
			in[i][m] = j.stages[p].tasks[m].output
		}
	}
	return in
}

// retry puts a partition back in line.
func (s *stage) retry(part int) {
	t := &s.tasks[part]
	if t.done || t.pending || len(t.running) > 0 {
		return
	}
	t.pending = true
	at, _ := slices.BinarySearch(s.pending, part)
	s.pending = slices.Insert(s.pending, at, part)
}

// end removes a running attempt and reports whether there was one.
func (t *task) end(number int) bool {
	for i, a := range t.running {
		if a.number == number {
			t.running = slices.Delete(t.running, i, i+1)
			return true
		}
	}
	return false
}
