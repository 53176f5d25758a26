package rdd

import (
	"context"
	"log/slog"
	"math"
	"time"

	"github.com/streamflow/streamflow/column"
)

// Split is one partition's share of a source: an opaque description that the source's own operator reads. For a topic it
// is a partition and an offset range, for a file a path and a row group.
type Split struct {
	Data  []byte
	Bytes int64 // size estimate, 0 when unknown
	Rows  int64
	Hosts []string
}

// Binding is what changes from one run of a fragment to the next. A batch query has one binding; a streaming query binds
// each micro-batch. Its maps are keyed by operator id (RDD.ID) and read-only in tasks.
type Binding struct {
	Query string
	Epoch int64 // the driver's incarnation; stale ones are fenced
	Batch int64
	// Splits of each source operator: Splits[id][p] is what partition p reads; nil means nothing in this batch.
	Splits map[string][][]Split
	// Watermarks: event time in microseconds. For an operator that closes windows, up to which it may close them after
	// this batch (MaxInt64 when the input has ended); its previous value is in LastWatermarks.
	Watermarks     map[string]int64
	LastWatermarks map[string]int64
	// PartitionClocks: for a watermark operator id, the largest event time seen so far in each source partition
	// (MinInt64 at first). It carries lateness over batch borders.
	PartitionClocks map[string][]int64
	// StateVersion is the committed version that stateful operators start from; they produce StateVersion+1. -1 is empty.
	StateVersion int64
	// StateNames are the names under which the state of operators is kept, where that is not the operator's id: state that was
	// brought over from elsewhere.
	StateNames map[string]string
	// Now is the run's processing time, microseconds since the epoch: TTLs count by it.
	Now int64
	// StateTTL is, for operators whose state has one, how long an entry lives after its last change, in microseconds.
	StateTTL map[string]int64
	// Params are connector-specific values, such as a sink's transaction.
	Params map[string]string
}

// TaskContext is all that a running task can reach. Its methods are safe in the task's goroutine only.
type TaskContext struct {
	Context   context.Context
	Job       string
	Stage     int
	Partition int // of the stage
	Parts     int // partitions of the stage
	Attempt   int
	Binding   *Binding
	Log       *slog.Logger
	Memory    Memory
	// Services of the node that connectors need (such as the log), by name; set up by the process.
	Services map[string]any

	// Op is the id of the operator being opened; the executor sets it around each Open.
	Op string

	// OpenState opens the keyed state of the operator in this partition at Binding.StateVersion.
	OpenState func(op string) (State, error)
	// Clocks are the event times (microseconds) to which marks in the source's log have advanced this partition so far, by
	// the name of the event time column. A source advances one before it returns the first batch behind its mark.
	Clocks map[string]int64
	// KeyFilters are what joins of this task have learnt of the keys that their other side may have, by the id that the plan gave
	// them. An operator below looks when its first batch is asked for; what is not there yet filters nothing.
	KeyFilters map[string]*column.KeyFilter
	// Emit hands rows to a side output ("late", "dead"), from where the job takes them with the same guarantee as its
	// output. The batch is copied.
	Emit func(side string, b *column.Batch) error
	// Report attaches a value to the task's result, by operator and key; the driver reads it when the task has succeeded.
	Report func(op, key string, value []byte)
	// Count adds to an operator's exact counters (rows in, rows out, rows late …), which travel with the task's result.
	Count func(op, counter string, n int64)
}

// Advance moves a column's clock forward.
func (tc *TaskContext) Advance(column string, clock int64) {
	if tc.Clocks == nil {
		tc.Clocks = map[string]int64{}
	}
	if old, ok := tc.Clocks[column]; !ok || clock > old {
		tc.Clocks[column] = clock
	}
}

// Clock is a column's clock by marks, MinInt64 when there was none.
func (tc *TaskContext) Clock(column string) int64 {
	if c, ok := tc.Clocks[column]; ok {
		return c
	}
	return math.MinInt64
}

// Memory is a task's share of the process's one limit. Reserve returns false when the task should spill.
type Memory interface {
	Reserve(bytes int64) bool
	Release(bytes int64)
}

// State is one operator's keyed state in one partition: buckets of key-value pairs. A bucket is an int64 the operator
// chooses, usually a window's end, so that what the watermark passes is found in order and dropped whole. Keys carry
// their key group, so that state can move between partitions. Changes belong to the batch being run and become durable
// and visible when it commits; a batch that fails leaves no trace.
type State interface {
	// Get returns the value of a key; the bytes are valid until the next Put or Delete in this state.
	Get(bucket int64, keyGroup int, key []byte) ([]byte, bool, error)
	Put(bucket int64, keyGroup int, key, value []byte) error
	Delete(bucket int64, keyGroup int, key []byte) error
	// Buckets returns the buckets <= upTo that hold anything, ascending.
	Buckets(upTo int64) ([]int64, error)
	// Scan visits the pairs of a bucket in ascending (key group, key) order until visit returns false.
	Scan(bucket int64, visit func(keyGroup int, key, value []byte) bool) error
	// DropBucket removes a bucket and all it holds.
	DropBucket(bucket int64) error
}

// TaskSpec is the order to run one task; it travels from driver to executor.
type TaskSpec struct {
	Job, Query string
	Stage      int
	Partition  int
	Parts      int
	Attempt    int
	Fragment   string // hash
	Binding    *Binding
	// Inputs name the shuffle data that the fragment's input nodes read, as the scheduler placed them.
	Inputs []InputSpec
	// Output says where the stage's rows go; nil for a result stage, whose rows go to the driver.
	Output *OutputSpec
}

// InputSpec is the map output that one input node of a fragment reads.
type InputSpec struct {
	Shuffle   string   // id of the shuffle
	Sources   []Source // one for each map partition
	Broadcast bool     // read all reduce partitions, not just the task's own
	Reads     []Read   // what each partition reads, nil for its own reduce partition
}

// Source is one map task's output.
type Source struct {
	Executor string
	MapPart  int
	Attempt  int
}

// OutputSpec is the shuffle that a map stage writes.
type OutputSpec struct {
	Shuffle     string
	Partitioner Partitioner
	InMemory    bool // keep the output in the executor's memory instead of files
}

// TaskResult is what a task tells the driver when it ends.
type TaskResult struct {
	Job       string
	Stage     int
	Partition int
	Attempt   int
	Executor  string
	Err       error
	// LostInput names the source whose rows could not be fetched, when that is why the task failed.
	LostInput *LostInput
	Reports   []Report
	Counters  []Counter
	Sides     []Side
	Times     []OpTime      // by operator
	Elapsed   time.Duration // of the task, in its slot; what Times leave is moving rows between stages and writing down state
	Rows      int64
	Bytes     int64
	Sizes     []Size // of a map task: what it wrote for each reduce partition
	// Output has the rows of a task of the result stage; who takes the result reads and closes it. Nil when there are none.
	Output Reader
}

// Size is how much there is of rows.
type Size struct{ Rows, Bytes int64 }

// OpTime is what one operator took of a task, without the operators below it, and the rows that it gave.
type OpTime struct {
	Op            string
	Nanos         int64
	Rows, Batches int64
}

// Side is a batch that an operator set aside with Emit.
type Side struct {
	Name  string
	Batch *column.Batch
}

// LostInput says which map output is gone.
type LostInput struct {
	Shuffle string
	Source  Source
}

// Report is a value that an operator attached to its task.
type Report struct {
	Op, Key string
	Value   []byte
}

// Counter is an exact count by operator and name.
type Counter struct {
	Op, Name string
	N        int64
}
