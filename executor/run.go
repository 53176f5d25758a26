package executor

import (
	"context"
	"fmt"
	"io"
	"runtime/debug"
	"strings"
	"time"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/executor/state"
	"github.com/streamflow/streamflow/rdd"
	"github.com/streamflow/streamflow/shuffle"
)

// task is one attempt on its way through a slot.
type task struct {
	x    *Executor
	ctx  context.Context
	spec *rdd.TaskSpec
	done func(*rdd.TaskResult)

	memory   taskMemory
	states   []*state.Partition
	lost     *rdd.LostInput
	reports  []rdd.Report
	counters []rdd.Counter
	sides    []rdd.Side
	times    []rdd.OpTime
	inside   time.Duration // measured within the call that is being measured
}

// result starts the answer to the driver.
func (t *task) result(err error) *rdd.TaskResult {
	s := t.spec
	return &rdd.TaskResult{Job: s.Job, Stage: s.Stage, Partition: s.Partition, Attempt: s.Attempt, Executor: t.x.opts.ID, Err: err}
}

// run does the task's work. Whatever fails, what the task reserved is released and its state is as before.
func (t *task) run() *rdd.TaskResult {
	t.x.memory.active.Add(1)
	t.memory.pool = t.x.memory
	began := time.Now()
	ctx, cancel := context.WithCancelCause(t.ctx)
	stop := context.AfterFunc(t.x.ctx, func() { cancel(ErrClosed) })
	t.ctx = ctx
	res := t.result(nil)
	t.attempt(res)
	stop()
	cancel(nil)
	t.memory.close()
	t.x.memory.active.Add(-1)
	if res.Err != nil {
		for _, s := range t.states {
			s.Rollback()
		}
		res.LostInput = t.lost
		if res.Output != nil {
			res.Output.Close()
			res.Output = nil
		}
		return res
	}
	res.Reports, res.Counters, res.Sides, res.Times, res.Elapsed = t.reports, t.counters, t.sides, t.times, time.Since(began)
	return res
}

// attempt runs the operators and turns a panic into the task's error.
func (t *task) attempt(res *rdd.TaskResult) {
	defer func() {
		if r := recover(); r != nil {
			res.Err = t.panicked(r)
		}
	}()
	if res.Err = context.Cause(t.ctx); res.Err != nil {
		return
	}
	root, err := t.x.cache.take(t.spec.Fragment, t.spec.Partition)
	if err != nil {
		res.Err = err
		return
	}
	if res.Err = t.work(root, res); res.Err == nil {
		res.Err = t.deltas()
	}
	if res.Err == nil {
		t.x.cache.put(t.spec.Fragment, t.spec.Partition, root)
	}
}

func (t *task) panicked(r any) error {
	text := fmt.Sprint(r)
	if strings.HasPrefix(text, "FATAL:") {
		panic(r)
	}
	t.x.opts.Log.Error("task panicked", "job", t.spec.Job, "stage", t.spec.Stage, "partition", t.spec.Partition, "attempt", t.spec.Attempt,
		"panic", text, "stack", string(debug.Stack()))
	return fmt.Errorf("executor: panic in stage %d partition %d: %s", t.spec.Stage, t.spec.Partition, text)
}

// work pulls the stage's rows and puts them where they belong.
func (t *task) work(root *rdd.Node, res *rdd.TaskResult) (err error) {
	in, err := t.open(root, t.context(), t.spec.Partition)
	if err != nil {
		return err
	}
	defer func() {
		if e := in.Close(); err == nil {
			err = e
		}
	}()
	if t.spec.Output == nil {
		return t.collect(in, res)
	}
	o := t.spec.Output
	w := t.x.shuffle.NewWriter(t.key(o.Shuffle), shuffle.WriterOptions{Parts: max(o.Partitioner.N, 1),
		Assign: rdd.NewAssigner(o.Partitioner, t.spec.Partition), InMemory: o.InMemory, Compress: false})
	return t.write(in, w, res, nil)
}

func (t *task) key(id string) shuffle.Key {
	return shuffle.Key{Job: t.spec.Job, Shuffle: id, Map: t.spec.Partition, Attempt: t.spec.Attempt}
}

// write drains in into an output, which is published when all of it is there. first, when not nil, is a batch that was
// read already.
func (t *task) write(in rdd.Reader, w *shuffle.Writer, res *rdd.TaskResult, first *column.Batch) error {
	b, err := first, error(nil)
	if b == nil {
		b, err = in.Next()
	}
	for err == nil {
		if err = w.Write(b); err == nil {
			if err = context.Cause(t.ctx); err == nil {
				b, err = in.Next()
			}
		}
	}
	if err != io.EOF {
		w.Abort()
		return err
	}
	stats, err := w.Commit()
	res.Rows, res.Bytes = stats.Rows, stats.Bytes
	if t.spec.Output != nil {
		res.Sizes = make([]rdd.Size, len(stats.Parts))
		for i, p := range stats.Parts {
			res.Sizes[i] = rdd.Size(p)
		}
	}
	return err
}

// resultShuffle names the output that holds the rows of a result task until the driver has read them.
const resultShuffle = "result"

// collect keeps the rows of a result stage for the driver. Rows of Go values are kept as they are.
func (t *task) collect(in rdd.Reader, res *rdd.TaskResult) error {
	b, err := in.Next()
	if err == io.EOF {
		return nil
	}
	if err != nil {
		return err
	}
	if b.Objects != nil {
		return t.collectObjects(in, b, res)
	}
	k := t.key(resultShuffle)
	if err := t.write(in, t.x.shuffle.NewWriter(k, shuffle.WriterOptions{Parts: 1, InMemory: true}), res, b); err != nil {
		return err
	}
	out, err := t.x.shuffle.Fetch(k, shuffle.One(0), b.Schema)
	if err == nil {
		res.Output = out
	}
	return err
}

func (t *task) collectObjects(in rdd.Reader, b *column.Batch, res *rdd.TaskResult) error {
	var list batches
	for {
		keep := *b
		list = append(list, &keep)
		res.Rows += int64(b.N)
		next, err := in.Next()
		if err == io.EOF {
			res.Output = &list
			return nil
		}
		if err != nil {
			return err
		}
		b = next
	}
}

// batches is a reader over batches in memory.
type batches []*column.Batch

func (l *batches) Next() (*column.Batch, error) {
	if len(*l) == 0 {
		return nil, io.EOF
	}
	b := (*l)[0]
	*l = (*l)[1:]
	return b, nil
}

func (l *batches) Close() error { return nil }
