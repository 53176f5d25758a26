package structured

import (
	"context"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/structured/logical"
)

// Backend is a session of an engine. Plans may be unresolved, and may hold logical.SQLText and logical.SQLExpr nodes:
// text is parsed where the catalog is. Errors that are the user's are *usererr.Error. All methods may be called from
// several goroutines.
type Backend interface {
	// Execute runs a query, or carries out a command and returns what it prints (no columns when it prints nothing).
	// A command has taken effect when Execute returns. Cancelling ctx ends the operation.
	Execute(ctx context.Context, plan logical.Plan, opts ExecOptions) (Rows, error)
	// Analyze resolves a plan without running it.
	Analyze(ctx context.Context, plan logical.Plan) (*Analysis, error)
	// Explain prints the stages of planning: mode "simple", "extended", "codegen", "cost" or "formatted".
	Explain(ctx context.Context, plan logical.Plan, mode string) (string, error)
	// Conf is the session's settings.
	Conf() Conf
	// StartQuery starts a streaming query; it has begun, and has a place in Queries, when StartQuery returns.
	StartQuery(ctx context.Context, q *logical.CreateStream) (QueryHandle, error)
	// Queries are the streaming queries that this session may see, running ones and those that ended since the engine
	// started, oldest first.
	Queries(ctx context.Context) ([]QueryHandle, error)
	// Close ends the session: its operations are cancelled, its temporary views forgotten. Streaming queries run on.
	Close() error
}

// ExecOptions are what an operation is run with; the zero value is fine.
type ExecOptions struct {
	Operation string         // id, a UUID; empty lets the backend choose
	Tags      []string       // Interrupt by tag finds the operation under these
	Progress  func(Progress) // called now and then from another goroutine, may be nil

	// Artifact is a file that the session's client has uploaded; may be nil.
	Artifact func(name string) ([]byte, bool)
}

// Progress is how far a running operation has come.
type Progress struct {
	Stages  []StageProgress
	Running int64 // tasks running now
}

// StageProgress is one stage's part of Progress.
type StageProgress struct {
	ID           int64
	Tasks        int64
	Completed    int64
	BytesRead    int64
	Done         bool
	RowsRead     int64
	RowsProduced int64
}

// Rows is a result being read. It belongs to one goroutine.
type Rows interface {
	Schema() *column.Schema
	// Next returns the next batch, valid until the next call, or io.EOF after the last one.
	Next(ctx context.Context) (*column.Batch, error)
	// Counters are exact numbers about the operation (rows read, late, dead …), complete after io.EOF.
	Counters() map[string]int64
	Close() error
}

// Observer is Rows of a plan with observations (DataFrame.Observe).
type Observer interface {
	// Observed computes the metrics; it is called once, after the rows were read and before they are closed.
	Observed(ctx context.Context) ([]Metrics, error)
}

// Metrics are what one observation found: a row of aggregates.
type Metrics struct {
	Name   string
	Schema *column.Schema
	Values *column.Batch // one row
}

// Row is the metrics as a row.
func (m Metrics) Row() Row { return rowsOf(m.Schema, m.Values)[0] }

// Analysis is what is known of a plan before it runs.
type Analysis struct {
	Schema    *column.Schema
	Streaming bool     // reads a growing source
	Command   bool     // does something besides producing rows
	Files     []string // the files it would read, if any
}

// Conf is a session's settings, by Spark's keys.
type Conf interface {
	// Get returns a setting or its default; ok is false when the key has neither.
	Get(ctx context.Context, key string) (value string, ok bool, err error)
	Set(ctx context.Context, key, value string) error
	Unset(ctx context.Context, key string) error
	// All lists the settings whose key has the prefix, defaults included.
	All(ctx context.Context, prefix string) (map[string]string, error)
	// Modifiable reports whether Set would accept the key.
	Modifiable(ctx context.Context, key string) (bool, error)
}

// QueryHandle is a streaming query of an engine. StreamingQuery wraps it for programs.
type QueryHandle interface {
	ID() string    // the same over restarts
	RunID() string // of this start
	Name() string
	Status(ctx context.Context) (QueryStatus, error)
	// Recent are the last batches' progress, oldest first.
	Recent(ctx context.Context) ([]QueryProgress, error)
	// Stop ends the query after the batch in hand; it has ended when Stop returns.
	Stop(ctx context.Context) error
	// Await blocks until the query has ended and returns the error that ended it, or ctx's error.
	Await(ctx context.Context) error
	// ProcessAllAvailable blocks until everything that was in the sources at the call is committed to the sink.
	ProcessAllAvailable(ctx context.Context) error
	// Err is the error that ended the query, or nil.
	Err(ctx context.Context) (error, error)
	Explain(ctx context.Context, extended bool) (string, error)
}

// QueryStatus is what a streaming query is doing now.
type QueryStatus struct {
	Message       string `json:"message"`
	DataAvailable bool   `json:"isDataAvailable"`
	TriggerActive bool   `json:"isTriggerActive"`
	Active        bool   `json:"-"`
}

// Persister is a Backend that can keep the rows of plans.
type Persister interface {
	// Persist keeps the rows of a plan when they are next computed, or, with keep false, forgets them.
	Persist(ctx context.Context, plan logical.Plan, keep bool) error
}

// Interrupter is a Backend that can cancel operations which other goroutines run.
type Interrupter interface {
	// Interrupt cancels all operations of the session, or those with a tag, or one by id, and returns the ids it ended.
	Interrupt(ctx context.Context, what Interrupt) ([]string, error)
}

// Interrupt chooses operations: by Tag, by Operation, or all when both are empty.
type Interrupt struct{ Tag, Operation string }
