package driver

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/streamflow/streamflow/executor/state"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/rdd"
	"github.com/streamflow/streamflow/scheduler"
)

// Executor is what the cluster needs of an executor. Local ones are called directly.
type Executor interface {
	ID() string
	Slots() int
	// Load makes a fragment known; Forget undoes one Load.
	Load(f *rdd.Fragment)
	Forget(hash string)
	// Run starts a task and returns at once; done is called exactly once, from any goroutine. Cancelling ctx ends the task.
	Run(ctx context.Context, spec *rdd.TaskSpec, done func(*rdd.TaskResult))
	// DropJob removes the map outputs of a run.
	DropJob(job string)
	// CommitState makes the state changes of a query's batch the committed version; AbortState takes them back.
	CommitState(query string, version int64) error
	AbortState(query string) error
	// ForgetState drops a query's state, from disk too.
	ForgetState(query string) error
	// RetainState drops what there is of a query's state besides the operators that keep says, from disk too.
	RetainState(query string, keep func(op string) bool) error
	// StateSizes are what is here of a query's state, by operator and partition.
	StateSizes(query string) []rdd.StateSize
	// ViewState shows a partition of an operator's state at a committed version, between two batches of the query.
	ViewState(ctx context.Context, query, op string, partition, parts int, version int64, view func(rdd.State) error) error
	// ViewPastState and StateChanges read versions that are kept, and KeptState lists the snapshots that they begin with.
	ViewPastState(ctx context.Context, slot state.Slot, version, base int64, view func(rdd.State) error) error
	StateChanges(ctx context.Context, slot state.Slot, from, to, base int64, visit func(*state.Change) error) error
	KeptState(query string) ([]state.Kept, error)
	// RescaleState moves an operator's state to another number of partitions, between two batches of the query.
	RescaleState(query, op string, from, to int, version int64) error
	// LoadState opens a batch in a partition, lets load change it, and returns the changes (see rdd.StateDeltaKey). The next
	// CommitState or AbortState of the query decides the batch.
	LoadState(ctx context.Context, query, op string, partition, parts int, version int64, load func(rdd.State) error) ([][]byte, error)
}

// ErrClusterClosed ends the runs of a cluster that is being closed.
var ErrClusterClosed = errors.New("driver: cluster closed")

// Cluster joins the scheduler and the executors. One goroutine owns the scheduler: everything that happens comes to it as
// an event, and it carries the scheduler's actions out, none of which blocks.
//
//	Job.Run ──Submit──▶ ┌─────────┐ ──Launch──▶ Executor.Run
//	                    │  owner  │
//	   results ◀─────── └─────────┘ ◀─TaskEnded── done
type Cluster struct {
	events chan event
	quit   chan struct{} // closed by Close
	done   chan struct{} // closed when the owner has ended

	mu        sync.Mutex
	executors map[string]Executor
	runs      uint64 // numbers runs

	// The owner's.
	sched  *scheduler.Scheduler
	active map[string]*run
}

// event is what the owner receives: an event for the scheduler, with the run that it starts or the result that it brings.
type event struct {
	scheduler.Event
	start  *run
	result *rdd.TaskResult
	stages []*scheduler.Stage // what scheduler.Extend adds
}

// NewCluster starts a cluster of the executors.
func NewCluster(executors ...Executor) *Cluster {
	return NewClusterWith(scheduler.Options{}, executors...)
}

// NewClusterWith starts a cluster with scheduling options.
func NewClusterWith(opts scheduler.Options, executors ...Executor) *Cluster {
	c := &Cluster{events: make(chan event, 256), quit: make(chan struct{}), done: make(chan struct{}), executors: map[string]Executor{},
		sched: scheduler.New(opts), active: map[string]*run{}}
	go c.own()
	for _, x := range executors {
		c.Add(x)
	}
	return c
}

// Add brings an executor into the cluster.
func (c *Cluster) Add(x Executor) {
	c.mu.Lock()
	c.executors[x.ID()] = x
	c.mu.Unlock()
	c.send(event{Event: scheduler.ExecutorAdded{ID: x.ID(), Slots: x.Slots()}})
}

// Lose takes an executor out: its tasks run again elsewhere, and so do the map tasks whose output it held.
func (c *Cluster) Lose(id string) {
	c.mu.Lock()
	delete(c.executors, id)
	c.mu.Unlock()
	c.send(event{Event: scheduler.ExecutorLost{ID: id}})
}

// Slots is the number of tasks that can run at a time.
func (c *Cluster) Slots() int {
	n := 0
	for _, x := range c.all() {
		n += x.Slots()
	}
	return n
}

func (c *Cluster) all() []Executor {
	c.mu.Lock()
	defer c.mu.Unlock()
	list := make([]Executor, 0, len(c.executors))
	for _, x := range c.executors {
		list = append(list, x)
	}
	return list
}

func (c *Cluster) executor(id string) Executor {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.executors[id]
}

// CommitState makes the changes that a query's last run made to its state the committed version, on every executor.
func (c *Cluster) CommitState(query string, version int64) error {
	var errs []error
	for _, x := range c.all() {
		errs = append(errs, x.CommitState(query, version))
	}
	return errors.Join(errs...)
}

// AbortState takes a query's state back to its committed version.
func (c *Cluster) AbortState(query string) error {
	var errs []error
	for _, x := range c.all() {
		errs = append(errs, x.AbortState(query))
	}
	return errors.Join(errs...)
}

// ForgetState drops a query's state everywhere, so that a query of the same name begins with none.
func (c *Cluster) ForgetState(query string) error {
	var errs []error
	for _, x := range c.all() {
		errs = append(errs, x.ForgetState(query))
	}
	return errors.Join(errs...)
}

// RetainState drops what executors have of a query's state besides the operators that keep says.
func (c *Cluster) RetainState(query string, keep func(op string) bool) error {
	var errs []error
	for _, x := range c.all() {
		errs = append(errs, x.RetainState(query, keep))
	}
	return errors.Join(errs...)
}

// StateSizes sums what executors hold of a query's state, by operator.
func (c *Cluster) StateSizes(query string) map[string]rdd.StateSize {
	out := map[string]rdd.StateSize{}
	for _, x := range c.all() {
		for _, s := range x.StateSizes(query) {
			sum := out[s.Op]
			sum.Op, sum.Parts = s.Op, s.Parts
			sum.Keys, sum.Bytes = sum.Keys+s.Keys, sum.Bytes+s.Bytes
			out[s.Op] = sum
		}
	}
	return out
}

// holder is the executor that has a partition of an operator's state, or could restore it.
func (c *Cluster) holder(query, op string, partition int) Executor {
	list := c.all()
	for _, x := range list {
		for _, s := range x.StateSizes(query) {
			if s.Op == op && s.Partition == partition {
				return x
			}
		}
	}
	if len(list) == 0 {
		return nil
	}
	return list[0]
}

// ViewState shows a partition of an operator's state at a committed version, between two batches of the query.
func (c *Cluster) ViewState(ctx context.Context, query, op string, partition, parts int, version int64, view func(rdd.State) error) error {
	x := c.holder(query, op, partition)
	if x == nil {
		return ErrClusterClosed
	}
	return x.ViewState(ctx, query, op, partition, parts, version, view)
}

// LoadState changes a partition of an operator's state in a batch of its own; see Executor.
func (c *Cluster) LoadState(ctx context.Context, query, op string, partition, parts int, version int64, load func(rdd.State) error) ([][]byte, error) {
	x := c.holder(query, op, partition)
	if x == nil {
		return nil, ErrClusterClosed
	}
	return x.LoadState(ctx, query, op, partition, parts, version, load)
}

// Close ends all runs with ErrClusterClosed and waits for their tasks. It does not close the executors.
func (c *Cluster) Close() {
	close(c.quit)
	<-c.done
}

// send brings an event to the owner and reports whether there still is one.
func (c *Cluster) send(e event) bool {
	select {
	case <-c.done:
		return false
	default:
	}
	select {
	case c.events <- e:
		return true
	case <-c.done:
		return false
	}
}

// own is the owner goroutine.
func (c *Cluster) own() {
	defer close(c.done)
	quit := c.quit
	for quit != nil || len(c.active) > 0 {
		select {
		case e := <-c.events:
			c.step(e, quit == nil)
		case <-quit:
			quit = nil
			for id := range c.active {
				c.step(event{Event: scheduler.Cancel{Job: id, Err: ErrClusterClosed}}, true)
			}
		}
	}
}

// step lets the scheduler take in an event and carries out what it says.
func (c *Cluster) step(e event, closing bool) {
	switch ev := e.Event.(type) {
	case scheduler.Submit:
		if closing {
			e.start.out.put(message{end: true, err: ErrClusterClosed})
			return
		}
		c.active[ev.Job] = e.start
	case scheduler.Extend:
		r := c.active[ev.Job]
		if r == nil || r.finished {
			return
		}
		r.grow(e.stages, ev.Last)
	case scheduler.TaskEnded:
		if r := c.active[ev.Job]; r != nil {
			r.ended(ev, e.result)
		} else if e.result.Output != nil {
			e.result.Output.Close()
		}
	case scheduler.ExecutorLost:
		for _, r := range c.active {
			r.lost(ev.ID)
		}
	}
	for _, a := range c.sched.Step(e.Event) {
		c.carryOut(a)
	}
	c.settle()
}

func (c *Cluster) carryOut(a scheduler.Action) {
	r := c.active[a.Job]
	switch a.Kind {
	case scheduler.Begin:
		r.begin(a.Stage)
	case scheduler.Launch:
		c.launch(r, a)
	case scheduler.Complete:
		r.planOn(a.Stage)
	case scheduler.Kill:
		if stop := r.attempts[a.Task]; stop.cancel != nil {
			stop.cancel(errKilled)
		}
	case scheduler.Finish:
		r.finish(a.Err)
	}
}

var errKilled = errors.New("driver: attempt no longer needed")

// launch hands a task to its executor.
func (c *Cluster) launch(r *run, a scheduler.Action) {
	ctx, cancel := context.WithCancelCause(r.ctx)
	r.attempts[a.Task] = attempt{a.Executor, cancel}
	x := c.executor(a.Executor)
	if x == nil { // lost a moment ago; the event is on its way
		c.report(&rdd.TaskResult{Job: a.Job, Stage: a.Stage, Partition: a.Part, Attempt: a.Attempt, Executor: a.Executor,
			Err: fmt.Errorf("driver: executor %s is gone", a.Executor)}, r)
		return
	}
	r.job.loadOn(x)
	x.Run(ctx, r.spec(a), func(res *rdd.TaskResult) { c.report(res, r) })
}

// report brings a task's result to the owner.
func (c *Cluster) report(res *rdd.TaskResult, r *run) {
	ev := scheduler.TaskEnded{Task: scheduler.Task{Job: res.Job, Stage: res.Stage, Part: res.Partition, Attempt: res.Attempt},
		Executor: res.Executor, Err: res.Err, Fatal: fatal(res.Err)}
	if l := res.LostInput; l != nil {
		ev.Lost = &scheduler.Lost{Stage: stageOf(l.Shuffle), Source: l.Source}
	}
	e := event{Event: ev, result: res}
	select {
	case c.events <- e:
	default: // the owner itself may be the one who reports: it must not wait for itself
		go func() {
			if !c.send(e) && res.Output != nil {
				res.Output.Close()
			}
		}()
	}
}

// fatal reports whether another attempt would end the same way.
func fatal(err error) bool {
	var u *usererr.Error
	return errors.As(err, &u)
}

// settle ends the runs that have finished and whose attempts have all reported.
func (c *Cluster) settle() {
	for id, r := range c.active {
		if r.finished && len(r.attempts) == 0 {
			delete(c.active, id)
			r.out.put(message{end: true, err: r.err})
		}
	}
}
