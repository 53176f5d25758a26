package stream

import (
	"context"
	"time"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/rdd"
	"github.com/streamflow/streamflow/structured/connector"
)

// Spec is a planned query, ready to run: the job whose fragments never change, and what each micro-batch must bind.
type Spec struct {
	Name       string
	Job        Job
	Sources    []Source
	Static     map[string][][]rdd.Split // of tables that do not grow, bound to every batch
	Refresh    []Refresh                // tables that are read again
	Watermarks []WatermarkOp
	Stateful   []string // ids of operators with state, whose watermark is bound
	// Wakes says that operators may ask for a batch at a time (WakeKey).
	Wakes    bool
	StateTTL map[string]int64 // of operators whose state expires, microseconds
	// Lags: by how many microseconds the watermark of an operator is behind the query's, where it is.
	Lags map[string]int64
	// MaxWatermark makes the query's watermark follow the fastest of its watermark operators instead of the slowest.
	MaxWatermark bool
	// MaxDrift is by how many microseconds of event time a partition may be ahead of others that have something to read; 0 for
	// any.
	MaxDrift  int64
	Sinks     []Sink
	Own       QueryLog
	Deliver   Deliver // rows of a query without a sink, after each commit; nil when all rows go to sinks
	Trigger   Trigger
	MaxRows   int64 // cap on rows taken from one partition by one batch; 0 takes all there is
	FixRanges bool  // some sink is only idempotent
	// IdleTimeout is how long a partition may bring nothing before it is marked; 0 never.
	IdleTimeout time.Duration
	// IdleClose is how long all sources with a watermark may bring nothing before event time moves on by Settle, microseconds,
	// beyond the last row: what then waits for later rows is put out. 0 never.
	IdleClose time.Duration
	Settle    int64
	// TargetLatency, when it is not 0, is how long a batch should take: the loop takes as many rows as fit into it, within MaxRows.
	TargetLatency time.Duration
	Restart       Restart    // the zero value is DefaultRestart
	Admission     *Admission // shared with other queries; nil admits everything
	// Load is state to be brought over before anything is read; nil for none.
	Load *StateLoad
}

// StateLoad brings state over from another version of the query, another query or a savepoint. It is a batch of its own: its
// changes of state are staged as those of any batch, and one commit entry makes them true together with where to read on.
type StateLoad struct {
	ID string // of the record's Loaded when it is done
	// Run changes the state of a version (the batch before) and hands on what it changed. The entry has the batch's number; Run
	// fills in the rest, and Load.
	Run func(ctx context.Context, tx connector.Tx, r *Record, stage func(op string, partition int, delta []byte) error) (*Commit, error)
}

// Source is a growing table at the operator that scans it.
type Source struct {
	ID     string
	Reader connector.StreamReader
	Start  connector.Start
}

// WatermarkOp is a watermark operator and its delay in microseconds. It has one clock for each partition of its stage.
type WatermarkOp struct {
	ID     string
	Delay  int64
	Parts  int
	Source string // the source whose partitions are the operator's, or "" when there are several
	Column string // the event time column
}

// Sink is a write at the operator that stages it.
type Sink struct {
	ID string
	connector.Sink
}

// QueryLog takes rows that operators set aside and the changes of their state. They are staged in the query's transaction
// and become visible with the batch.
type QueryLog interface {
	connector.Sink
	// Stage takes rows of a batch that is running. It is safe for concurrent use and copies what it keeps.
	Stage(tx connector.Tx, side string, b *column.Batch) error
	// StageState takes the change that a batch made to an operator's state in one partition.
	StageState(tx connector.Tx, op string, partition int, delta []byte) error
	// Flush returns when all staged rows are durable, with the token of what was staged (nil for nothing).
	Flush(ctx context.Context, tx connector.Tx) ([]byte, error)
}

// Deliver receives the rows of a committed batch. It may keep them.
type Deliver func(batch int64, rows []*column.Batch) error

// Job is the planned query at the driver.
type Job interface {
	Run(ctx context.Context, r JobRun) (*RunResult, error)
}

// JobRun is one execution of the job.
type JobRun struct {
	Binding *rdd.Binding
	// BeforeStage may give a stage another binding, from what the stages before it reported.
	BeforeStage func(stage int, done []*rdd.TaskResult) *rdd.Binding
	// OnBatch receives the rows of a job without a sink; the batch is valid during the call.
	OnBatch func(partition int, b *column.Batch) error
	OnSide  func(side string, b *column.Batch) error
}

// RunResult is what the tasks of a run told.
type RunResult struct{ Tasks []*rdd.TaskResult }

// State is the executors' keyed state of a query.
type State interface {
	// Commit makes the changes of version the committed ones.
	Commit(query string, version int64) error
	// Abort drops uncommitted changes; state is at the last committed version again.
	Abort(query string) error
}

// Log replicates the query's record. Refusals are errors: ErrFenced when another driver has claimed the query.
type Log interface {
	Claim(ctx context.Context, name string, start map[string]connector.Offsets) (Record, error)
	Plan(ctx context.Context, name string, p Planned) error
	Commit(ctx context.Context, name string, c Commit) error
	SetStatus(ctx context.Context, name string, s StatusCmd) error
}

// Trigger says when batches run.
type Trigger struct {
	Interval     time.Duration // 0: as soon as the last batch has committed and there is data
	Once         bool          // one batch of what is there now
	AvailableNow bool          // batches until what is there now is done
}

// Progress tells how one batch went.
type Progress struct {
	Batch      int64
	Started    time.Time
	Choose     time.Duration // finding offsets
	Run        time.Duration // tasks, up to staged and durable
	Sync       time.Duration // of Run: waiting for what was staged to be durable
	Commit     time.Duration // replicating the entry
	Publish    time.Duration // making it visible
	RowsIn     int64
	RowsOut    int64
	Counters   map[string]int64
	From, To   map[string]connector.Offsets
	Available  map[string]connector.Offsets
	Watermarks map[string]int64
	Ended      bool
	Arrivals   map[int64]int64 // rows read, by the time that their records were stamped with, milliseconds
	Published  time.Time
	Ops        []OpTime // what took the tasks' time
}

// OpTime is what one operator took in all tasks of one stage; Op "" is what stages take besides their operators: moving rows
// to the next stage and writing down state.
type OpTime struct {
	Stage int
	Op    string
	Time  time.Duration
	Rows  int64
}

// Total is the batch's duration from trigger to visible.
func (p *Progress) Total() time.Duration { return p.Choose + p.Run + p.Commit + p.Publish }
