package scheduler

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/streamflow/streamflow/rdd"
)

// world plays the executors: it checks each action against what it knows and answers in random ways.
type world struct {
	t       *testing.T
	r       *rand.Rand
	s       *Scheduler
	slots   map[string]int
	busy    map[Task]string
	outputs map[Task]string // published map outputs and where they are
	ended   map[string]error
	shapes  map[string][]Shape
	nextX   int
	begun   map[string]bool
	later   map[string][][]Shape // stages that open jobs are extended by when another stage is complete
}

func (w *world) step(e Event) {
	var complete []string
	for _, a := range w.s.Step(e) {
		switch a.Kind {
		case Begin:
			if key := fmt.Sprint(a.Job, a.Stage); w.begun[key] {
				w.t.Fatalf("stage %s began twice", key)
			} else {
				w.begun[key] = true
			}
		case Launch:
			w.launched(a)
		case Complete:
			if key := fmt.Sprint("complete", a.Job, a.Stage); w.begun[key] {
				w.t.Fatalf("%s twice", key)
			} else {
				w.begun[key] = true
			}
			complete = append(complete, a.Job)
		case Finish:
			if _, again := w.ended[a.Job]; again {
				w.t.Fatalf("%s finished twice", a.Job)
			}
			w.ended[a.Job] = a.Err
		}
	}
	for _, job := range complete {
		w.extend(job)
	}
}

func (w *world) extend(job string) {
	next := w.later[job]
	if len(next) == 0 || w.s.byID[job] == nil {
		return
	}
	w.later[job] = next[1:]
	w.shapes[job] = append(w.shapes[job], next[0]...)
	w.step(Extend{Job: job, Stages: next[0], Last: len(next) == 1})
}

func (w *world) launched(a Action) {
	if w.slots[a.Executor] == 0 {
		w.t.Fatalf("%v: the executor is gone or full", a)
	}
	w.slots[a.Executor]--
	if _, twice := w.busy[a.Task]; twice {
		w.t.Fatalf("%v launched twice", a)
	}
	w.busy[a.Task] = a.Executor
	for i, in := range a.Inputs {
		parent := w.shapes[a.Job][a.Stage].Parents[i]
		if len(in) != w.shapes[a.Job][parent].Parts {
			w.t.Fatalf("%v reads %d outputs of stage %d", a, len(in), parent)
		}
	}
}

// finishOne lets a random attempt end: well, badly, or because an input is gone.
func (w *world) finishOne() {
	n := w.r.IntN(len(w.busy))
	for _, task := range w.sorted() {
		if n--; n >= 0 {
			continue
		}
		x := w.busy[task]
		delete(w.busy, task)
		w.slots[x]++
		e := TaskEnded{Task: task, Executor: x}
		if lost := w.missing(task); lost != nil {
			e.Err, e.Lost = errors.New("lost"), lost
		} else if w.r.IntN(20) == 0 {
			e.Err = errors.New("flaky")
		} else {
			w.outputs[task] = x
		}
		w.step(e)
		return
	}
}

func (w *world) sorted() []Task {
	var list []Task
	for t := range w.busy {
		list = append(list, t)
	}
	for i := range list {
		for j := i; j > 0 && list[j].String() < list[j-1].String(); j-- {
			list[j], list[j-1] = list[j-1], list[j]
		}
	}
	return list
}

// missing finds an input of the task that no executor holds any more.
func (w *world) missing(task Task) *Lost {
	j := w.s.byID[task.Job]
	if j == nil {
		return nil
	}
	for i, p := range j.stages[task.Stage].Parents {
		for m := range j.stages[p].tasks {
			src := rdd.Source{Executor: "", MapPart: m}
			if in := j.stages[task.Stage].inputs; in != nil {
				src = in[i][m]
			}
			if _, ok := w.outputs[Task{task.Job, p, m, src.Attempt}]; !ok {
				return &Lost{p, src}
			}
		}
	}
	return nil
}

func (w *world) loseOne() {
	for id := range w.slots {
		delete(w.slots, id)
		for task, x := range w.busy {
			if x == id {
				delete(w.busy, task)
			}
		}
		for out, x := range w.outputs {
			if x == id {
				delete(w.outputs, out)
			}
		}
		w.step(ExecutorLost{id})
		break
	}
	w.addOne()
}

func (w *world) addOne() {
	id := fmt.Sprintf("x%d", w.nextX)
	w.nextX++
	w.slots[id] = 1 + w.r.IntN(3)
	w.step(ExecutorAdded{id, w.slots[id]})
}

// TestRandomWorlds runs random jobs among failures, lost outputs and lost executors: each job ends, exactly once, and no
// slot is ever used twice.
func TestRandomWorlds(t *testing.T) {
	for seed := range uint64(200) {
		w := &world{t: t, r: rand.New(rand.NewPCG(seed, 7)), s: New(Options{MaxFailures: 30, Fair: seed%2 == 0}), slots: map[string]int{}, busy: map[Task]string{},
			outputs: map[Task]string{}, ended: map[string]error{}, shapes: map[string][]Shape{}, begun: map[string]bool{}, later: map[string][][]Shape{}}
		for range 3 {
			w.addOne()
		}
		for j := range 4 {
			var shapes []Shape
			for i := range 1 + w.r.IntN(4) {
				sh := Shape{Parts: w.r.IntN(5)}
				for p := range i {
					if w.r.IntN(2) == 0 || p == i-1 {
						sh.Parents = append(sh.Parents, p)
					}
				}
				shapes = append(shapes, sh)
			}
			id := fmt.Sprintf("j%d", j)
			e := Submit{Job: id, Pool: fmt.Sprint(j % 2), Stages: shapes}
			if len(shapes) > 1 && j%2 == 0 { // each stage is known when another is complete
				e.Open, e.Stages = true, shapes[:1]
				for _, sh := range shapes[1:] {
					w.later[id] = append(w.later[id], []Shape{sh})
				}
			}
			w.shapes[id] = e.Stages
			w.step(e)
		}
		for n := 0; len(w.busy) > 0; n++ {
			if n > 5000 {
				t.Fatalf("seed %d: no end", seed)
			}
			switch w.r.IntN(30) {
			case 0:
				w.loseOne()
			case 1:
				for task := range w.busy {
					w.step(Speculate{task})
					break
				}
			default:
				w.finishOne()
			}
		}
		if len(w.ended) != 4 {
			t.Fatalf("seed %d: %d of 4 jobs ended: %v", seed, len(w.ended), w.ended)
		}
		for id, err := range w.ended {
			if err != nil {
				t.Fatalf("seed %d: %s: %v", seed, id, err)
			}
		}
	}
}

// BenchmarkJob is the scheduling of a whole job of 4+4 tasks.
func BenchmarkJob(b *testing.B) {
	s := New(Options{})
	s.Step(ExecutorAdded{"a", 4})
	shapes := []Shape{{Parts: 4}, {Parts: 4, Parents: []int{0}}}
	b.ReportAllocs()
	for b.Loop() {
		s.Step(Submit{Job: "j", Stages: shapes})
		for stage := range 2 {
			for p := range 4 {
				s.Step(TaskEnded{Task: Task{"j", stage, p, 0}, Executor: "a"})
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/8, "ns/task")
}

// BenchmarkWideJob has many more tasks than slots.
func BenchmarkWideJob(b *testing.B) {
	s := New(Options{})
	s.Step(ExecutorAdded{"a", 16})
	for b.Loop() {
		s.Step(Submit{Job: "j", Stages: []Shape{{Parts: 10_000}}})
		for p := range 10_000 {
			s.Step(TaskEnded{Task: Task{"j", 0, p, 0}, Executor: "a"})
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/10_000, "ns/task")
}
