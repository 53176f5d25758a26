package driver

import (
	"context"
	"errors"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/rdd"
	"github.com/streamflow/streamflow/scheduler"
	"github.com/streamflow/streamflow/structured"
	"github.com/streamflow/streamflow/structured/connector"
	"github.com/streamflow/streamflow/structured/physical"
)

// batchRun says how a batch query runs.
type batchRun struct {
	name      string           // of the program; its side outputs become topics
	target    connector.Writer // what its rows are written to, nil for none
	overwrite bool             // they take the place of what is there
	progress  func(structured.Progress)
}

// run starts a batch query; its rows are read while it runs.
func (e *Engine) run(ctx context.Context, phys *physical.Physical, how batchRun) (structured.Rows, error) {
	job, err := e.opts.Cluster.PrepareBatch(phys)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	h := newHandoff(schemaOf(phys.Output), cancel)
	go func() {
		defer cancel()
		defer job.Close()
		counters, err := e.runBatch(ctx, job, phys, how, func(_ int, b *column.Batch) error { return h.give(ctx, b) })
		h.end(err, counters)
	}()
	return h, nil
}

// writeTries is how often a write is tried of which a task failed that had staged rows.
const writeTries = 4

// runBatch runs a job over all its splits, as one transaction when it writes or sets rows aside.
func (e *Engine) runBatch(ctx context.Context, job *Job, phys *physical.Physical, how batchRun, onBatch func(int, *column.Batch) error) (map[string]int64, error) {
	return e.tryBatch(ctx, job, phys, how, onBatch, writeTries)
}

// tryBatch runs a job in a transaction; when rows of it were staged by a task that failed, again in another one.
func (e *Engine) tryBatch(ctx context.Context, job *Job, phys *physical.Physical, how batchRun, onBatch func(int, *column.Batch) error, tries int) (map[string]int64, error) {
	opts := RunOptions{Binding: phys.Binding(), OnBatch: onBatch}
	if how.progress != nil {
		opts.OnTask, opts.OnStages = progressOf(job, how.progress)
	}
	w, err := e.beginWrite(ctx, phys, how, opts.Binding)
	if err != nil {
		return nil, err
	}
	opts.OnSide = w.side
	res, err := job.Run(ctx, opts)
	if err != nil {
		err = w.abort(err)
		if errors.Is(err, scheduler.ErrOnce) && tries > 1 && ctx.Err() == nil {
			return e.tryBatch(ctx, job, phys, how, onBatch, tries-1)
		}
		return nil, err
	}
	if err := w.commit(ctx, res.Tasks); err != nil {
		return nil, err
	}
	return sumCounters(res.Tasks, phys), nil
}

// sumCounters adds up the tasks' counters by name; rows in are those that sources read.
func sumCounters(tasks []*rdd.TaskResult, phys *physical.Physical) map[string]int64 {
	sources := map[string]bool{}
	for _, s := range phys.Sources {
		sources[s.Op] = true
	}
	sums := map[string]int64{}
	for _, t := range tasks {
		for _, c := range t.Counters {
			if c.Name != physical.RowsIn || sources[c.Op] {
				sums[c.Name] += c.N
			}
		}
	}
	return sums
}

// progressOf reports how many tasks of each stage are done.
func progressOf(job *Job, report func(structured.Progress)) (func(*rdd.TaskResult), func([]*scheduler.Stage)) {
	p := structured.Progress{}
	add := func(stages []*scheduler.Stage) {
		for _, s := range stages {
			p.Stages = append(p.Stages, structured.StageProgress{ID: int64(s.ID), Tasks: int64(s.Root.Parts)})
		}
	}
	add(job.Stages())
	return func(t *rdd.TaskResult) {
		s := &p.Stages[t.Stage]
		s.Completed++
		s.RowsProduced += t.Rows
		for _, c := range t.Counters {
			if c.Name == physical.RowsIn {
				s.RowsRead += c.N
			}
		}
		s.Done = s.Completed == s.Tasks
		p.Running = 0
		for _, st := range p.Stages {
			p.Running += st.Tasks - st.Completed
		}
		out := p
		out.Stages = append([]structured.StageProgress{}, p.Stages...)
		report(out)
	}, add
}
