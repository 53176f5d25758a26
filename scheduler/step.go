package scheduler

import (
	"cmp"
	"fmt"
	"slices"
)

// Options of a scheduler.
type Options struct {
	// MaxFailures is how often a task may fail before its job does; 0 means 4.
	MaxFailures int
	// Fair shares slots between pools by weight instead of serving jobs in order.
	Fair    bool
	Weights map[string]int
}

// Scheduler is the state machine. It belongs to one goroutine.
type Scheduler struct {
	opts      Options
	executors []*executor // by id
	jobs      []*job      // in order of submission
	byID      map[string]*job
	running   map[string]int // tasks by pool
	seq       int
	actions   []Action
	fair      []*job
}

// New returns a scheduler without executors.
func New(opts Options) *Scheduler {
	if opts.MaxFailures == 0 {
		opts.MaxFailures = 4
	}
	return &Scheduler{opts: opts, byID: map[string]*job{}, running: map[string]int{}}
}

// Step takes in an event and returns what to do, in order. The actions are valid until the next Step.
func (s *Scheduler) Step(e Event) []Action {
	clear(s.actions)
	s.actions = s.actions[:0]
	switch e := e.(type) {
	case Submit:
		s.submit(e)
	case Extend:
		s.extend(e)
	case TaskEnded:
		s.taskEnded(e)
	case ExecutorAdded:
		s.addExecutor(e)
	case ExecutorLost:
		s.loseExecutor(e.ID)
	case Cancel:
		if j := s.byID[e.Job]; j != nil {
			s.finish(j, e.Err)
		}
	case Speculate:
		s.speculate(e.Task)
	}
	s.assign()
	return s.actions
}

func (s *Scheduler) do(a Action) { s.actions = append(s.actions, a) }

func (s *Scheduler) submit(e Submit) {
	if s.byID[e.Job] != nil || len(e.Stages) == 0 {
		panic(fmt.Sprintf("BUG: scheduler: job %q submitted twice or empty", e.Job))
	}
	s.seq++
	j := newJob(e, s.seq)
	s.jobs = append(s.jobs, j)
	s.byID[j.id] = j
	s.advance(j)
}

// advance begins the stages that have become ready, and finishes the job when its last stage is complete. A stage without
// partitions is complete when it begins, so this repeats until nothing changes.
func (s *Scheduler) advance(j *job) {
	if j.finished() && j.stages[len(j.stages)-1].begun {
		s.finish(j, nil)
		return
	}
	empty := false
	j.refresh(func(i int) {
		s.do(Action{Kind: Begin, Task: Task{Job: j.id, Stage: i}})
		empty = empty || j.stages[i].complete()
	})
	s.tell(j)
	if empty {
		s.advance(j)
	}
}

// finish ends a job: attempts still running are killed, and their slots become free when they report.
func (s *Scheduler) finish(j *job, err error) {
	for i := range j.stages {
		for p := range j.stages[i].tasks {
			for _, a := range j.stages[i].tasks[p].running {
				s.do(Action{Kind: Kill, Task: Task{j.id, i, p, a.number}, Executor: a.executor})
				s.running[j.pool]--
			}
		}
	}
	if s.running[j.pool] == 0 {
		delete(s.running, j.pool)
	}
	delete(s.byID, j.id)
	s.jobs = slices.DeleteFunc(s.jobs, func(x *job) bool { return x == j })
	s.do(Action{Kind: Finish, Task: Task{Job: j.id}, Err: err})
}

func (s *Scheduler) addExecutor(e ExecutorAdded) {
	if s.find(e.ID) != nil {
		panic(fmt.Sprintf("BUG: scheduler: executor %q added twice", e.ID))
	}
	s.executors = append(s.executors, &executor{id: e.ID, slots: e.Slots})
	slices.SortFunc(s.executors, func(a, b *executor) int { return cmp.Compare(a.id, b.id) })
}

func (s *Scheduler) loseExecutor(id string) {
	s.executors = slices.DeleteFunc(s.executors, func(x *executor) bool { return x.id == id })
	for _, j := range slices.Clone(s.jobs) {
		before := j.runningTasks()
		j.loseExecutor(id)
		s.running[j.pool] -= before - j.runningTasks()
		if err := j.worn(s.opts.MaxFailures, id); err != nil {
			s.finish(j, err)
			continue
		}
		s.advance(j)
	}
}

func (j *job) runningTasks() int {
	n := 0
	for i := range j.stages {
		for p := range j.stages[i].tasks {
			n += len(j.stages[i].tasks[p].running)
		}
	}
	return n
}

// worn reports the task that has lost too many executors.
func (j *job) worn(limit int, executor string) error {
	for i := range j.stages {
		for p := range j.stages[i].tasks {
			if t := &j.stages[i].tasks[p]; j.stages[i].Once && t.failures > 0 && !t.done {
				return once(Task{j.id, i, p, t.attempts - 1}, fmt.Errorf("executor %s was lost", executor))
			} else if !t.done && (t.failures >= limit || t.losses >= limit) {
				return &TaskError{Task: Task{j.id, i, p, t.attempts - 1}, Err: fmt.Errorf("executor %s was lost", executor)}
			}
		}
	}
	return nil
}

// assign gives free slots to pending tasks.
func (s *Scheduler) assign() {
	for free := s.freeSlots(); free > 0; {
		launched := false
		for _, j := range s.order() {
			n := s.launchFrom(j, free)
			free -= n
			launched = launched || n > 0
			if free == 0 || s.opts.Fair && n > 0 {
				break // fair: the order has changed
			}
		}
		if !launched {
			return
		}
	}
}

// launchFrom starts pending tasks of a job and returns how many: as many as fit, or one when pools are fair.
func (s *Scheduler) launchFrom(j *job, free int) int {
	n := 0
	for i := range j.stages {
		st := &j.stages[i]
		if !st.ready || len(st.pending) == 0 {
			continue
		}
		kept := st.pending[:0]
		for at, part := range st.pending {
			if n == free || s.opts.Fair && n > 0 {
				if len(kept) == 0 {
					kept = st.pending[at:] // the usual case: launched from the front, nothing moves
				} else {
					kept = append(kept, st.pending[at:]...)
				}
				break
			}
			x := s.place(st, part)
			if x == nil {
				kept = append(kept, part)
				continue
			}
			st.tasks[part].pending = false
			s.launch(j, i, part, x)
			n++
		}
		st.pending = kept
	}
	return n
}

func (s *Scheduler) launch(j *job, stage, part int, x *executor) {
	st := &j.stages[stage]
	t := &st.tasks[part]
	id := Task{j.id, stage, part, t.attempts}
	t.running = append(t.running, attempt{t.attempts, x.id})
	t.attempts++
	x.running++
	s.running[j.pool]++
	s.do(Action{Kind: Launch, Task: id, Executor: x.id, Inputs: st.inputs})
}

// speculate launches a second attempt elsewhere if there is room.
func (s *Scheduler) speculate(id Task) {
	j := s.byID[id.Job]
	if j == nil {
		return
	}
	st := &j.stages[id.Stage]
	t := &st.tasks[id.Part]
	if !st.ready || st.Pinned || st.Once || t.done || len(t.running) != 1 || t.running[0].number != id.Attempt {
		return
	}
	for _, x := range s.executors {
		if x.free() > 0 && x.id != t.running[0].executor {
			s.launch(j, id.Stage, id.Part, x)
			return
		}
	}
}
