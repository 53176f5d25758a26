package connector

import (
	"context"
	"strings"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/rdd"
)

// Table is a named relation as the catalog and the planner see it.
type Table interface {
	Name() string
	// Schema has the table's columns, then its hidden metadata columns (see Hidden).
	Schema() *column.Schema
	// Hidden is the number of trailing schema columns that SELECT * leaves out, such as _partition and _offset.
	Hidden() int
	// Provider is the connector's name: "topic", "parquet", "csv", "json", "memory" …
	Provider() string
	// Options are what the table was declared with.
	Options() map[string]string
}

// ScanRequest says what a query needs of a table.
type ScanRequest struct {
	Columns []int       // positions in Schema, ascending, the only ones produced
	Filters []expr.Expr // conjuncts over the produced columns (bound to their new positions) that every row must satisfy
	Limit   int64       // rows wanted at the most; 0 means all
	From    *int64      // bounds in time for tables with history, microseconds since the epoch; nil means unbounded
	To      *int64
	// Partitions is the parallelism the planner would like.
	Partitions int
}

// Scan is how a table will be read.
type Scan struct {
	// Op is a source operator (no inputs) that reads tc.Binding.Splits[tc.Op][tc.Partition].
	Op rdd.Operator
	// Splits of a batch scan, one list for each partition. A streaming scan has none: each batch binds its own.
	Splits [][]rdd.Split
	// Residual are the filters that the scan does not promise to apply exactly.
	Residual []expr.Expr
	// Note is shown by explain: "row groups 3 of 11".
	Note string
}

// KeyFiltered is a source operator that can use what a join knows of the keys of its other side: it may leave out rows, and whole
// pieces of files, in which rdd.TaskContext.KeyFilters[id] excludes every value of the produced column col. The filter is there,
// if ever, when the first batch is asked for. Rows that it should have left out do no harm.
type KeyFiltered interface {
	rdd.Operator
	WithKeyFilter(id string, col int) rdd.Operator
}

// BatchReader is a table whose present content can be read.
type BatchReader interface {
	Table
	PlanScan(ctx context.Context, req ScanRequest) (*Scan, error)
}

// Offsets is a position in a growing source: one number for each of its partitions. The source gives them meaning.
type Offsets []int64

// Start says where a streaming query begins reading a source.
type Start struct {
	Mode string // "beginning", "now" or "time"
	Time int64  // microseconds, for "time"
}

// Availability is what a growing source has.
type Availability struct {
	End Offsets // one past the last readable row of each partition
	// Ended: nothing will ever follow End (a sealed topic, a finite input).
	Ended bool
}

// StreamReader is a table that grows. One that holds something of a query, such as a connection, is an io.Closer too, and is
// closed when the query has ended. So is a Sink.
type StreamReader interface {
	BatchReader
	// PlanStream is PlanScan for a query that runs on; partitions of the scan are the source's partitions.
	PlanStream(ctx context.Context, req ScanRequest) (*Scan, error)
	// Begin is the position that a start mode means.
	Begin(ctx context.Context, s Start) (Offsets, error)
	// Available is what can be read now.
	Available(ctx context.Context) (Availability, error)
	// Wait returns when more than after can be read or the source has ended, woken by the data itself.
	Wait(ctx context.Context, after Offsets) error
	// Bind turns a range into the splits of one micro-batch, one list for each partition (nil where the range is empty).
	Bind(from, to Offsets) [][]rdd.Split
}

// Marker is a growing source whose log can hold marks for partitions that bring nothing: readers of the partition take the
// event time of a column to be at least clock (microseconds) from there on.
type Marker interface {
	Mark(ctx context.Context, partition int, column string, clock int64) error
}

// Anchored is a growing source that is told, before anything of it is read, where the query began and how far it has read.
type Anchored interface {
	Anchor(begin, at Offsets)
}

// Stepped is a growing source that says itself how far a micro-batch goes.
type Stepped interface {
	Until(from Offsets) Offsets
}

// OutputMode is Spark's: what of a result a sink receives.
type OutputMode uint8

const (
	Append OutputMode = iota
	Update
	Complete
)

func (m OutputMode) String() string { return [...]string{"append", "update", "complete"}[m] }

// PartitionByOption is the option of a table of files that lists the columns, separated by NUL, whose values become
// directories when rows are written.
const PartitionByOption = "partitionBy"

// WriteRequest says what will be written.
type WriteRequest struct {
	Schema    *column.Schema
	Mode      OutputMode
	Overwrite bool     // batch only: replace the content
	Replaces  []string // with Overwrite, of a table of files: replace these only; nil: all
	Query     string   // streaming only
	Keys      []int    // upsert key columns for Update mode, when known
	// Deletes, in Update mode, says that Schema has one more column at its end, which is no column of the table: 1 for a row that
	// its key now has, -1 for the last row of a key that is gone. Without Keys rows stand for themselves: 1 adds one, -1 takes
	// away one that is equal.
	Deletes bool
}

// OpColumn is the last column of a changelog, the kind of each change, by Flink's short names of RowKind: +I for a new row, -U
// and +U for the old and the new state of one that changed, -D for one that is gone.
const OpColumn = "_op"

// IsChangelog reports whether a table is declared to take every change of a query's rows.
func IsChangelog(t interface{ Options() map[string]string }) bool {
	o := t.Options()
	return strings.EqualFold(o["changelog"], "true") || strings.EqualFold(o["streamflow.changelog"], "true")
}

// Writer is a table that can be written.
type Writer interface {
	Table
	PlanWrite(ctx context.Context, req WriteRequest) (Sink, error)
}

// Sink is one write in progress, batch or streaming. A batch write is one transaction (batch 0).
type Sink interface {
	// Op is the terminal operator that stages rows; it yields no rows and reports its token under TokenKey.
	Op() rdd.Operator
	// Guarantee is what explain prints: "exactly-once", "at-least-once", "idempotent" with the reason.
	Guarantee() string
	// Begin prepares a batch, before its tasks start, and returns parameters for Binding.Params.
	Begin(ctx context.Context, tx Tx) (map[string]string, error)
	// Publish makes the batch visible once its commit entry is replicated. It is redone on recovery until it succeeded.
	Publish(ctx context.Context, tx Tx, tokens [][]byte) error
	// Abort discards what a batch staged, known tokens or not. On recovery it is called once with Batch one past the
	// last committed batch, before the first Begin.
	Abort(ctx context.Context, tx Tx) error
}

// TokenKey is the report key under which sink tasks return what they staged.
const TokenKey = "sink.token"

// DiskFull is the code of the user error for staging that had no room. A query waits until there is some.
const DiskFull = "DISK_FULL"

// Tx names a batch of a query.
type Tx struct {
	Query string
	ID    string // of the query's life: another query that takes the name later has another one
	Epoch int64
	Batch int64
}

// Life tells a query's writes from those of an earlier query of the same name.
func (tx Tx) Life() string {
	if tx.ID != "" {
		return tx.ID
	}
	return tx.Query
}
