package scheduler

import (
	"errors"
	"fmt"

	"github.com/streamflow/streamflow/rdd"
)

// TaskError is why a job failed: the task whose last attempt failed, and how.
type TaskError struct {
	Task Task
	Err  error
}

func (e *TaskError) Error() string {
	return fmt.Sprintf("task %d of stage %d failed (attempt %d): %v", e.Task.Part, e.Task.Stage, e.Task.Attempt+1, e.Err)
}

func (e *TaskError) Unwrap() error { return e.Err }

// ErrOnce is in the error of a job that failed because a task with effects that stay did (see Shape.Once). Run anew, with nothing left of
// those effects, it may succeed.
var ErrOnce = errors.New("what its task has done would be done twice")

// once is the error of a task that is not tried again.
func once(task Task, err error) error { return &TaskError{task, fmt.Errorf("%w: %w", err, ErrOnce)} }

func (s *Scheduler) taskEnded(e TaskEnded) {
	if x := s.find(e.Executor); x != nil && x.running > 0 {
		x.running--
	}
	j := s.byID[e.Job]
	if j == nil {
		return // finished, and this attempt was killed
	}
	st := &j.stages[e.Stage]
	t := &st.tasks[e.Part]
	if !t.end(e.Attempt) {
		return // its executor was given up before it reported
	}
	s.running[j.pool]--
	switch {
	case t.done: // the other attempt won
	case e.Err == nil:
		s.succeeded(j, st, e)
	case e.Lost != nil:
		s.lostInput(j, st, e)
	default:
		s.failed(j, st, e)
	}
}

func (s *Scheduler) succeeded(j *job, st *stage, e TaskEnded) {
	t := &st.tasks[e.Part]
	t.done, t.output = true, rdd.Source{Executor: e.Executor, MapPart: e.Part, Attempt: e.Attempt}
	st.done++
	for _, a := range t.running {
		s.do(Action{Kind: Kill, Task: Task{j.id, e.Stage, e.Part, a.number}, Executor: a.executor})
	}
	if st.complete() {
		s.advance(j)
	}
}

func (s *Scheduler) failed(j *job, st *stage, e TaskEnded) {
	t := &st.tasks[e.Part]
	t.failures++
	if st.Once && !e.Fatal {
		s.finish(j, once(e.Task, e.Err))
		return
	}
	if e.Fatal || t.failures >= s.opts.MaxFailures {
		s.finish(j, &TaskError{e.Task, e.Err})
		return
	}
	st.retry(e.Part)
}

// lostInput orders the lost map output again, unless that has happened since the reader was launched, and puts the reader
// back in line. The reader is not to blame and keeps its attempts.
func (s *Scheduler) lostInput(j *job, st *stage, e TaskEnded) {
	if st.Once {
		s.finish(j, once(e.Task, e.Err))
		return
	}
	st.retry(e.Part)
	lost := &j.stages[e.Lost.Stage].tasks[e.Lost.Source.MapPart]
	if lost.done && lost.output == e.Lost.Source {
		j.loseOutput(e.Lost.Stage, e.Lost.Source.MapPart)
		if lost.losses >= s.opts.MaxFailures {
			s.finish(j, &TaskError{e.Task, e.Err})
			return
		}
	}
	s.advance(j)
}
