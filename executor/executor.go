package executor

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"

	"github.com/streamflow/streamflow/executor/state"
	"github.com/streamflow/streamflow/internal/vfs"
	"github.com/streamflow/streamflow/rdd"
	"github.com/streamflow/streamflow/shuffle"
)

// Options of an executor.
type Options struct {
	ID    string // unique among the executors of a cluster, and for each of its lives
	Slots int    // tasks at a time
	// MemoryLimit is what operators, map outputs and state may keep in memory together, in bytes. StateMemory is the part
	// of it that state may keep; 0 is a quarter.
	MemoryLimit int64
	StateMemory int64
	// Dir holds map outputs and state. When it is empty a temporary directory is made, and removed by Close.
	Dir string
	// FS is the file system that state is kept on; nil is the machine's.
	FS       vfs.FS
	Services map[string]any // handed to tasks
	Log      *slog.Logger
	// Peer gives access to the map outputs of another executor.
	Peer func(executor string) (shuffle.Fetcher, error)
	// Changelog reads back the state changes of a query's partition, to restore state that is not here or not at the
	// version that a task asks for. Without it such a task fails.
	Changelog state.Changelog
	// Shapes tells in how many partitions an operator of a query has kept its state; see state.Options.
	Shapes func(query, op string) []rdd.StateShape
}

// Executor runs tasks. Its methods are safe for concurrent use.
type Executor struct {
	opts    Options
	temp    bool
	memory  *pool
	cache   cache
	shuffle *shuffle.Store
	state   *state.Store

	queue chan *task
	stop  context.CancelCauseFunc
	ctx   context.Context
	wg    sync.WaitGroup
}

// ErrClosed ends the tasks of an executor that is being closed.
var ErrClosed = errors.New("executor: closed")

// New starts an executor.
func New(opts Options) (*Executor, error) {
	if opts.Slots < 1 {
		opts.Slots = 1
	}
	if opts.ID == "" {
		opts.ID = "local"
	}
	if opts.MemoryLimit <= 0 {
		opts.MemoryLimit = 1 << 30
	}
	if opts.StateMemory <= 0 {
		opts.StateMemory = opts.MemoryLimit / 4
	}
	if opts.Log == nil {
		opts.Log = slog.Default()
	}
	x := &Executor{opts: opts, memory: newPool(opts.MemoryLimit, opts.Slots), queue: make(chan *task, opts.Slots)}
	if err := x.openStores(); err != nil {
		return nil, err
	}
	x.ctx, x.stop = context.WithCancelCause(context.Background())
	x.wg.Add(opts.Slots)
	for range opts.Slots {
		go x.slot()
	}
	return x, nil
}

func (x *Executor) openStores() error {
	if x.opts.Dir == "" {
		dir, err := os.MkdirTemp("", "streamflow-executor-")
		if err != nil {
			return fmt.Errorf("executor: temporary directory: %w", err)
		}
		x.opts.Dir, x.temp = dir, true
	}
	var err error
	if x.shuffle, err = shuffle.Open(filepath.Join(x.opts.Dir, "shuffle"), x.memory); err != nil {
		return err
	}
	x.state, err = state.Open(state.Options{FS: state.Files(x.opts.FS), Dir: filepath.Join(x.opts.Dir, "state"), Memory: x.opts.StateMemory, Changelog: x.opts.Changelog, Shapes: x.opts.Shapes, Log: x.opts.Log})
	return err
}

// Dir is where the executor keeps its files.
func (x *Executor) Dir() string { return x.opts.Dir }

// ID is the executor's name.
func (x *Executor) ID() string { return x.opts.ID }

// Slots is how many tasks it runs at a time.
func (x *Executor) Slots() int { return x.opts.Slots }

// Load makes a fragment known; Forget undoes one Load.
func (x *Executor) Load(f *rdd.Fragment) { x.cache.load(f) }

// Forget drops a fragment and its operators once nobody who loaded it needs it.
func (x *Executor) Forget(hash string) { x.cache.forget(hash) }

// Run queues a task and returns; done is called once, from the slot that ran it. Cancelling ctx ends the task.
func (x *Executor) Run(ctx context.Context, spec *rdd.TaskSpec, done func(*rdd.TaskResult)) {
	t := &task{x: x, ctx: ctx, spec: spec, done: done}
	select {
	case x.queue <- t:
	case <-x.ctx.Done():
		done(t.result(ErrClosed))
	}
}

func (x *Executor) slot() {
	defer x.wg.Done()
	for {
		select {
		case t := <-x.queue:
			t.done(t.run())
		case <-x.ctx.Done():
			x.refuse()
			return
		}
	}
}

// refuse ends the tasks that no slot will take any more.
func (x *Executor) refuse() {
	for {
		select {
		case t := <-x.queue:
			t.done(t.result(ErrClosed))
		default:
			return
		}
	}
}

// Fetch opens a share of a map output for another executor.
func (x *Executor) peer(id string) (shuffle.Fetcher, error) {
	if x.opts.Peer == nil {
		return nil, fmt.Errorf("%w: executor %s is out of reach", shuffle.ErrLost, id)
	}
	f, err := x.opts.Peer(id)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", shuffle.ErrLost, err)
	}
	return f, nil
}

// Shuffle is the store of map outputs, which other executors fetch from.
func (x *Executor) Shuffle() *shuffle.Store { return x.shuffle }

// State is the store of keyed state.
func (x *Executor) State() *state.Store { return x.state }

// DropJob removes the map outputs and results of a run.
func (x *Executor) DropJob(job string) { x.shuffle.DropJob(job) }

// CommitState makes the changes of a query's last batch the committed ones; AbortState takes them back.
func (x *Executor) CommitState(query string, version int64) error {
	return x.state.Commit(query, version)
}

// AbortState takes a query's state back to its last committed version.
func (x *Executor) AbortState(query string) error { return x.state.Abort(query) }

// SnapshotState writes a query's committed state to disk, what changed since the last snapshot. See state.Store.SnapshotQuery.
func (x *Executor) SnapshotState(query string, positions map[int]int64) error {
	return x.state.SnapshotQuery(query, positions)
}

// ForgetState drops a query's state, from disk too.
func (x *Executor) ForgetState(query string) error { return x.state.Forget(query, true) }

// RetainState drops what there is of a query's state besides the operators that keep says, from disk too.
func (x *Executor) RetainState(query string, keep func(op string) bool) error {
	return x.state.Retain(query, keep)
}

// StateSizes are what is here of a query's state, by operator and partition.
func (x *Executor) StateSizes(query string) []rdd.StateSize { return x.state.Sizes(query) }

// ViewState shows a partition of an operator's state at a committed version; see state.Store.View.
func (x *Executor) ViewState(ctx context.Context, query, op string, partition, parts int, version int64, view func(rdd.State) error) error {
	return x.state.View(ctx, state.Slot{Query: query, Op: op, Partition: partition, Parts: parts}, version, view)
}

// ViewPastState shows a partition as it was at a version that is kept; see state.Store.ViewPast.
func (x *Executor) ViewPastState(ctx context.Context, slot state.Slot, version, base int64, view func(rdd.State) error) error {
	return x.state.ViewPast(ctx, slot, version, base, view)
}

// StateChanges visits what versions changed in a partition; see state.Store.Changes.
func (x *Executor) StateChanges(ctx context.Context, slot state.Slot, from, to, base int64, visit func(*state.Change) error) error {
	return x.state.Changes(ctx, slot, from, to, base, visit)
}

// KeptState lists the snapshots that are kept of a query's state, oldest first.
func (x *Executor) KeptState(query string) ([]state.Kept, error) { return x.state.Kept(query) }

// RescaleState moves an operator's state to another number of partitions; see state.Store.Rescale.
func (x *Executor) RescaleState(query, op string, from, to int, version int64) error {
	return x.state.Rescale(query, op, from, to, version)
}

// LoadState changes a partition of an operator's state outside a task; see state.Store.Load.
func (x *Executor) LoadState(ctx context.Context, query, op string, partition, parts int, version int64, load func(rdd.State) error) ([][]byte, error) {
	return x.state.Load(ctx, state.Slot{Query: query, Op: op, Partition: partition, Parts: parts}, version, load)
}

// MemoryUsed is what is reserved of the memory limit.
func (x *Executor) MemoryUsed() int64 { return x.memory.used() }

// Close ends running tasks with ErrClosed, waits for them and closes the stores.
func (x *Executor) Close() error {
	x.stop(ErrClosed)
	x.wg.Wait()
	x.refuse()
	err := errors.Join(x.shuffle.Close(), x.state.Close())
	if x.temp {
		err = errors.Join(err, os.RemoveAll(x.opts.Dir))
	}
	return err
}
