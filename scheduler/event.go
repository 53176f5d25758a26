package scheduler

import (
	"fmt"

	"github.com/streamflow/streamflow/rdd"
)

// Event is what happened.
type Event interface{ event() }

// Submit starts a job.
type Submit struct {
	Job    string
	Pool   string
	Stages []Shape // parents before children, the result stage last
	// Open says that more stages follow, which are chosen when it is known what the first ones wrote: see Extend.
	Open bool
}

// Extend adds stages to an open job. Their numbers go on from those that the job has, and Parents may name any of them.
type Extend struct {
	Job    string
	Stages []Shape
	Last   bool // the job is complete with them: the last one is the result stage
}

// Shape is a stage as the scheduler sees it.
type Shape struct {
	Parts   int
	Parents []int // stages whose map output it reads, one for each input
	After   []int // stages that must have been complete before its first task; each comes before it
	// Prefer names the executor that should run each partition ("" for any); Pinned makes its tasks wait for that executor
	// as long as it lives, because their state is there, and never run twice at a time.
	Prefer []string
	Pinned bool
	// Once says that a task which fails, or whose executor is lost, leaves effects behind: it is not tried again, and the job
	// fails with ErrOnce.
	Once bool
}

// Task names one attempt.
type Task struct {
	Job         string
	Stage, Part int
	Attempt     int
}

func (t Task) String() string { return fmt.Sprintf("%s/%d.%d#%d", t.Job, t.Stage, t.Part, t.Attempt) }

// TaskEnded is the end of an attempt: success when Err is nil.
type TaskEnded struct {
	Task
	Executor string
	Err      error
	Lost     *Lost // the attempt failed because this map output could not be read
	Fatal    bool  // another attempt would fail the same way: the program is wrong, not the world
}

// Lost names a map output that could not be read.
type Lost struct {
	Stage  int
	Source rdd.Source
}

// ExecutorAdded brings slots. An executor that comes back after it was lost has another id.
type ExecutorAdded struct {
	ID    string
	Slots int
}

// ExecutorLost takes an executor away, with its running tasks and map outputs.
type ExecutorLost struct{ ID string }

// Cancel ends a job early.
type Cancel struct {
	Job string
	Err error
}

// Speculate asks for a second attempt of a task that takes long; the first to end wins.
type Speculate struct{ Task }

func (Submit) event()        {}
func (Extend) event()        {}
func (TaskEnded) event()     {}
func (ExecutorAdded) event() {}
func (ExecutorLost) event()  {}
func (Cancel) event()        {}
func (Speculate) event()     {}

// ActionKind says what to do.
type ActionKind uint8

const (
	Begin    ActionKind = iota // the stage's inputs are complete; its first tasks follow
	Launch                     // run Task on Executor, reading Inputs
	Complete                   // all tasks of a stage of an open job have succeeded, for the first time: Extend may follow
	Kill                       // stop Task on Executor
	Finish                     // the job has ended, with Err or without
)

// Action is what the caller does now.
type Action struct {
	Kind ActionKind
	Task
	Executor string
	// Inputs has the map outputs to read for each parent of the stage, by map partition. It is shared and never changes.
	Inputs [][]rdd.Source
	Err    error
}

func (a Action) String() string {
	switch a.Kind {
	case Begin:
		return fmt.Sprintf("begin %s/%d", a.Job, a.Stage)
	case Launch:
		return fmt.Sprintf("launch %s on %s%s", a.Task, a.Executor, sourcesString(a.Inputs))
	case Complete:
		return fmt.Sprintf("complete %s/%d", a.Job, a.Stage)
	case Kill:
		return fmt.Sprintf("kill %s on %s", a.Task, a.Executor)
	}
	if a.Err != nil {
		return fmt.Sprintf("finish %s: %v", a.Job, a.Err)
	}
	return "finish " + a.Job
}

func sourcesString(inputs [][]rdd.Source) string {
	s := ""
	for _, in := range inputs {
		s += " reading"
		for _, src := range in {
			s += fmt.Sprintf(" %d#%d@%s", src.MapPart, src.Attempt, src.Executor)
		}
	}
	return s
}
