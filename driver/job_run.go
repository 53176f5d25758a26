package driver

import (
	"context"
	"errors"
	"io"
	"strconv"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/rdd"
	"github.com/streamflow/streamflow/scheduler"
)

// RunOptions say how to run a job once.
type RunOptions struct {
	Binding *rdd.Binding
	// BeforeStage may give a stage another binding, from what the tasks of the stages before it reported. It is called in
	// the cluster's own goroutine, once for each stage, and must not block.
	BeforeStage func(stage int, done []*rdd.TaskResult) *rdd.Binding
	// OnBatch receives the rows of the result stage, partition after partition in order. The batch is valid during the
	// call. It returns ErrEnough to end the run early and well.
	OnBatch func(part int, b *column.Batch) error
	// OnSide receives what operators set aside, of each task once, when the task has succeeded.
	OnSide func(side string, b *column.Batch) error
	// OnTask sees each task that has succeeded, once, in the order in which they did: for progress.
	OnTask func(t *rdd.TaskResult)
	// OnStages sees the stages that a job which is planned while it runs goes on with, before their tasks.
	OnStages func(stages []*scheduler.Stage)
	// Pool is the scheduling pool.
	Pool string
	// Files writes map outputs to files always, not only when memory is short.
	Files bool
}

// ErrEnough is what OnBatch returns when it needs no more rows.
var ErrEnough = errors.New("driver: enough rows")

// JobResult is what the tasks of a run told: each task once, by stage and partition. After ErrEnough tasks are missing.
type JobResult struct {
	Tasks []*rdd.TaskResult
}

// Counters are the sums over all tasks, by operator and name.
func (r *JobResult) Counters() map[string]map[string]int64 {
	sums := map[string]map[string]int64{}
	for _, t := range r.Tasks {
		for _, c := range t.Counters {
			if sums[c.Op] == nil {
				sums[c.Op] = map[string]int64{}
			}
			sums[c.Op][c.Name] += c.N
		}
	}
	return sums
}

// Times are the sums over all tasks, by operator.
func (r *JobResult) Times() map[string]rdd.OpTime {
	sums := map[string]rdd.OpTime{}
	for _, t := range r.Tasks {
		for _, o := range t.Times {
			sum := sums[o.Op]
			sums[o.Op] = rdd.OpTime{Op: o.Op, Nanos: sum.Nanos + o.Nanos, Rows: sum.Rows + o.Rows, Batches: sum.Batches + o.Batches}
		}
	}
	return sums
}

// Reports are the values that tasks attached to an operator and key, by stage and partition.
func (r *JobResult) Reports(op, key string) [][]byte {
	var list [][]byte
	for _, t := range r.Tasks {
		for _, p := range t.Reports {
			if p.Op == op && p.Key == key {
				list = append(list, p.Value)
			}
		}
	}
	return list
}

// run is one run of a job. The owner goroutine has it, but for out, which it fills and Job.Run empties.
type run struct {
	id     string
	job    *Job
	opts   *RunOptions
	ctx    context.Context
	cancel context.CancelCauseFunc
	out    *mailbox
	last   int // the result stage, -1 as long as it is not known

	attempts map[scheduler.Task]attempt // launched, not reported
	results  [][]*rdd.TaskResult        // by stage and partition: the first success
	bindings []*rdd.Binding
	inputs   [][]rdd.InputSpec // by stage, as of the sources below
	sources  [][][]rdd.Source
	finished bool
	err      error
}

type attempt struct {
	executor string
	cancel   context.CancelCauseFunc
}

// message is a task's success on its way to Job.Run, new stages, or the end of the run.
type message struct {
	result *rdd.TaskResult
	final  bool // of the result stage
	stages []*scheduler.Stage
	end    bool
	err    error
}

// Run runs the job and returns when all its tasks have ended, also when it fails or ctx is cancelled. The callbacks, except
// BeforeStage, are called from this goroutine.
func (j *Job) Run(ctx context.Context, opts RunOptions) (*JobResult, error) {
	if err := ctx.Err(); err != nil {
		return nil, context.Cause(ctx)
	}
	r := j.newRun(ctx, &opts)
	defer r.cancel(nil)
	if !j.cluster.send(event{Event: j.submission(r.id, &opts), start: r}) {
		return nil, ErrClusterClosed
	}
	err := r.consume(ctx)
	for _, x := range j.cluster.all() {
		x.DropJob(r.id)
	}
	if err != nil {
		return nil, err
	}
	return r.collected(), nil
}

func (j *Job) newRun(ctx context.Context, opts *RunOptions) *run {
	c := j.cluster
	c.mu.Lock()
	c.runs++
	n := c.runs
	c.mu.Unlock()
	r := &run{id: "job" + strconv.FormatUint(n, 10), job: j, opts: opts, out: newMailbox(), attempts: make(map[scheduler.Task]attempt, 8), last: -1}
	r.room(j.shapes, !j.growth.open())
	r.ctx, r.cancel = context.WithCancelCause(ctx)
	return r
}

// consume takes the results as they come, until the run's last task has ended, and hands rows on in partition order.
func (r *run) consume(ctx context.Context) error {
	var failed error
	d := delivery{run: r, waiting: map[int]rdd.Reader{}}
	defer d.close()
	done, closed := ctx.Done(), r.job.cluster.done
	for {
		select {
		case <-r.out.wake:
			for _, m := range r.out.take() {
				if m.end {
					return r.verdict(failed, m.err)
				}
				if m.stages != nil {
					if r.opts.OnStages != nil {
						r.opts.OnStages(m.stages)
					}
				} else if failed == nil {
					if failed = d.take(m.result, m.final); failed != nil {
						r.giveUp(failed)
					}
				} else if m.result.Output != nil {
					m.result.Output.Close()
				}
			}
		case <-closed: // too late to be taken on, or ended just now
			closed = nil
			r.out.put(message{end: true, err: ErrClusterClosed})
		case <-done:
			done = nil
			if failed == nil {
				failed = context.Cause(ctx)
			}
			r.giveUp(failed)
		}
	}
}

// giveUp cancels the run; its end follows when its tasks have noticed.
func (r *run) giveUp(err error) {
	r.job.cluster.send(event{Event: scheduler.Cancel{Job: r.id, Err: err}})
	r.cancel(err)
}

func (r *run) verdict(failed, ended error) error {
	if errors.Is(failed, ErrEnough) {
		return nil
	}
	if failed != nil {
		return failed
	}
	return ended
}

func (r *run) collected() *JobResult {
	res := &JobResult{}
	for _, stage := range r.results {
		for _, t := range stage {
			if t != nil {
				res.Tasks = append(res.Tasks, t)
			}
		}
	}
	return res
}

// delivery hands out rows in partition order; outputs that are early wait unread.
type delivery struct {
	run     *run
	next    int
	waiting map[int]rdd.Reader
}

func (d *delivery) take(t *rdd.TaskResult, final bool) error {
	r := d.run
	if r.opts.OnTask != nil {
		r.opts.OnTask(t)
	}
	if r.opts.OnSide != nil {
		for _, s := range t.Sides {
			if err := r.opts.OnSide(s.Name, s.Batch); err != nil {
				return err
			}
		}
	}
	if !final {
		return nil
	}
	d.waiting[t.Partition] = t.Output // nil when it has no rows
	for {
		out, ok := d.waiting[d.next]
		if !ok {
			return nil
		}
		delete(d.waiting, d.next)
		d.next++
		if err := d.drain(d.next-1, out); err != nil {
			return err
		}
	}
}

func (d *delivery) drain(part int, out rdd.Reader) error {
	if out == nil {
		return nil
	}
	defer out.Close()
	if d.run.opts.OnBatch == nil {
		return nil
	}
	for {
		b, err := out.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if err := d.run.opts.OnBatch(part, b); err != nil {
			return err
		}
	}
}

func (d *delivery) close() {
	for _, out := range d.waiting {
		if out != nil {
			out.Close()
		}
	}
}
