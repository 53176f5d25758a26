package logical

import (
	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/structured/stats"
)

// Plan is a node of the tree.
type Plan interface {
	Children() []Plan
	WithChildren(kids []Plan) Plan
	// Exprs are the node's own expressions; WithExprs returns the node with others in their place, same order and number.
	Exprs() []expr.Expr
	WithExprs(list []expr.Expr) Plan
	// Output are the attributes that the node produces, once resolved.
	Output() []*expr.Attr
	// Resolved reports whether the node itself is resolved; see AllResolved for the tree.
	Resolved() bool
	// String is the node alone in one line, as explain prints it.
	String() string
}

// Table is what the plan needs to know of a table; connector.Table has the rest.
type Table interface {
	Name() string
	Schema() *column.Schema
	Hidden() int
	Provider() string
	Options() map[string]string
}

// PlanID wraps a relation that a Spark Connect client numbered, so that df["a"] can mean that relation's column.
type PlanID struct {
	Child Plan
	ID    int64
}

// UnresolvedTable is a name to be looked up in the catalog, or a format and paths to be read directly.
type UnresolvedTable struct {
	Parts     []string
	Streaming bool
	Format    string // read.format(…).load(…) when not empty
	Paths     []string
	Schema    *column.Schema // declared schema, may be nil
	Options   map[string]string
	Pos       expr.Pos
}

// Scan reads a table. Attrs are its output, a subset of the table's schema in Columns' order.
type Scan struct {
	Table     Table
	Columns   []int
	Attrs     []*expr.Attr
	Streaming bool
	Filters   []expr.Expr // pushed down; rows must satisfy all
	Limit     int64
	Options   map[string]string
	Stats     *stats.Table // what the catalog knows of the table from ANALYZE TABLE, nil for nothing
}

// Local is rows that travel in the plan. Batches share one schema.
type Local struct {
	Schema  *column.Schema
	Batches []*column.Batch
	Attrs   []*expr.Attr
}

// UnresolvedValues is VALUES (…), (…): rows of expressions.
type UnresolvedValues struct {
	Rows  [][]expr.Expr
	Names []string
}

// Range is the bigint column id from Start to End (exclusive) by Step.
type Range struct {
	Start, End, Step int64
	Parts            int
	Attr             *expr.Attr
}

// Project computes List from each row.
type Project struct {
	List  []expr.Expr
	Child Plan
	// WindowTable: the list is a star and the columns of a window table function, before it is resolved.
	WindowTable bool
}

// Filter keeps the rows for which Cond is true.
type Filter struct {
	Cond  expr.Expr
	Child Plan
}

// Aggregate groups by Keys and outputs List, whose expressions are keys, aggregates and functions of them. Having,
// when not nil, is resolved against List and the child and becomes a Filter.
//
// An analysed Aggregate is in normal form: every key is an *expr.Attr of the child, and every item of List is a key's
// *expr.Attr or an *expr.Alias of an *expr.Agg. What the query computes from them stands in a Project above, what it
// computes before grouping in a Project below.
type Aggregate struct {
	Keys   []expr.Expr
	Sets   [][]int // GROUPING SETS, before analysis: which of Keys each grouping has; nil for one grouping by all
	List   []expr.Expr
	Having expr.Expr
	Label  Label
	Child  Plan
}

// Sort orders rows; Global over the whole result, else within each partition.
type Sort struct {
	Orders []*expr.SortOrder
	Global bool
	Child  Plan
}

// Limit passes N rows after skipping Offset. N < 0 is no limit.
type Limit struct {
	N, Offset int64
	Child     Plan
}

// Tail passes the last N rows.
type Tail struct {
	N     int64
	Child Plan
}

// Scan options in which the analyser hands the bounds of a Run to the connector: microseconds since the epoch, as text.
const (
	OptionFrom = "streamflow.scan.from"
	OptionTo   = "streamflow.scan.to"
)

// Table options that declare an event time column and its watermark. The analyser puts a Watermark above such a scan.
const (
	OptionEventTime = "streamflow.event.time"
	OptionDelayMs   = "streamflow.watermark.delay.ms"
)

// JoinKind is the kind of a join.
type JoinKind uint8

const (
	Inner JoinKind = iota
	LeftOuter
	RightOuter
	FullOuter
	LeftSemi
	LeftAnti
	Cross
)

func (k JoinKind) String() string {
	return [...]string{"Inner", "LeftOuter", "RightOuter", "FullOuter", "LeftSemi", "LeftAnti", "Cross"}[k]
}

// Join combines rows of both sides for which Cond is true. Using names columns equal on both sides, before analysis.
type Join struct {
	Kind        JoinKind
	Left, Right Plan
	Cond        expr.Expr
	Using       []string
	Natural     bool
	Label       Label
	Hint        string // "broadcast_left", "broadcast_right", "shuffle_hash", "merge" or ""
}

// Union places the children's rows one after the other; columns by position, or by name when ByName.
type Union struct {
	Kids         []Plan
	ByName       bool
	AllowMissing bool
	Attrs        []*expr.Attr // set by the analyser
}

// Dedup keeps one row for each combination of Cols (all columns when empty). WithinWatermark is Spark's
// dropDuplicatesWithinWatermark.
type Dedup struct {
	Cols            []expr.Expr
	WithinWatermark bool
	Label           Label
	Child           Plan
}

// SubqueryAlias names the child; its columns can be written alias.column.
type SubqueryAlias struct {
	Alias string
	Names []string // column aliases, may be nil
	Child Plan
}

// Watermark declares the event time column and how long to wait for late rows, in microseconds.
type Watermark struct {
	Col   expr.Expr
	Delay int64
	Child Plan
}

// Window assigns rows to event-time windows; the analyser makes it from window(…), cumulate_window(…) and session_window(…). It adds Attr, a
// struct<start, end> column. A sliding window repeats a row for each window it falls in. A session window groups rows of
// equal keys whose gaps are less than Gap; it only occurs directly below the Aggregate that it belongs to.
type Window struct {
	Time               expr.Expr
	Size, Slide, Start int64 // microseconds; Slide == Size is tumbling
	// Cumulate, when not 0, is the length after which windows begin anew; until then there is one more each Size, all of
	// which begin together.
	Cumulate int64
	Gap      expr.Expr
	// Rows, when not "", says that the windows are of rows: Size and Slide count them, Time is the number of a row, from 1, and
	// Attr is struct<start, end> of numbers from 0. It is the text of the call.
	Rows  string
	Attr  *expr.Attr
	Child Plan
}

// Generate applies a table-generating function to each row and appends its columns.
type Generate struct {
	Gen   *expr.Generate
	Attrs []*expr.Attr
	Child Plan
}

// Repartition redistributes rows into N partitions, by Keys when given.
type Repartition struct {
	N     int
	Keys  []expr.Expr
	Child Plan
}

// Sample keeps rows between the fractions Lower and Upper of a uniform draw with Seed.
type Sample struct {
	Lower, Upper float64
	Seed         int64
	Replace      bool // a row may come several times; Upper is how often it comes on average
	Child        Plan
}

// Hint carries a /*+ … */ or df.hint until the analyser has used it. Args are the relations it names; without any it
// means the child as a whole.
type Hint struct {
	Name  string
	Args  []string
	Child Plan
}

// ToDF renames all columns.
type ToDF struct {
	Names []string
	Child Plan
}

// With holds named subplans that may be referred to as tables inside Child (CTEs, Connect references). Recursive ones may refer
// to themselves; Levels are how deep each may go, 0 for the session's limit, nil when none says.
type With struct {
	Names     []string
	Plans     []Plan
	Recursive bool
	Levels    []int64
	Child     Plan
}

// Run says over what part of its topics a program runs: history (up to now, the default), live (from now on, as a stream),
// or from and to points in time (microseconds). The analyser pushes it into the scans below.
type Run struct {
	Name     string // of the program: its side outputs are the topics <name>.late and <name>.dead; may be empty
	Live     bool
	From, To *int64
	Child    Plan
}
