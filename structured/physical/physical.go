package physical

import (
	"math"
	"time"

	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/rdd"
	"github.com/streamflow/streamflow/structured/connector"
)

// Options are what planning needs besides the plan.
type Options struct {
	// Parts is the number of partitions after an exchange; usually the number of slots. 0 means 1.
	Parts int
	// Streaming plans a query that runs on, in micro-batches; Query is its name.
	Streaming  bool
	Query      string
	OutputMode connector.OutputMode
	// Sink is the table that the rows go to; nil returns them to the caller.
	Sink connector.Writer
	// Changes gives every change with its weight in a last column, ChangeColumn, whether or not rows change.
	Changes bool
	// Changelog gives every change with its kind in a last column, connector.OpColumn.
	Changelog bool
	Overwrite bool
	// Conf are the session's settings, such as streamflow.state.unbounded.
	Conf     map[string]string
	Location *time.Location // session time zone; nil is UTC
	Now      int64          // what current_timestamp gives in a batch run, microseconds
	ANSI     bool
}

// Physical is a plan ready to run, any number of times.
type Physical struct {
	Root       *Node
	Output     []*expr.Attr // the columns of the result, or of what the sink is given
	Sources    []Source
	Watermarks []WatermarkOp
	Stateful   []StatefulOp
	Sink       connector.Sink // nil when rows go to the caller
	SinkOp     string         // operator id of the sink; its tasks report connector.TokenKey under it
	Streaming  bool
	// Upsert are the columns that identify a row of the result, nil when rows are only added.
	Upsert    []*expr.Attr
	Refreshes []Refresh // tables that are read again while the query runs

	adaptive AdaptiveConf
}

// Source is a leaf that reads a table. A run binds Splits[Op].
type Source struct {
	Op     string
	Table  connector.Table
	Stream connector.StreamReader // not nil in a streaming plan: each micro-batch binds Stream.Bind(from, to)
	Scan   *connector.Scan
	Parts  int
	Start  connector.Start // where a streaming query begins, from the scan's options; Mode "" means the query's default

	request connector.ScanRequest
}

// WatermarkOp is an operator that follows event time. Each task reports ClockKey with the new clock of its partition; the
// next run carries the clocks in Binding.PartitionClocks[Op].
type WatermarkOp struct {
	Op      string
	Column  string   // the event time column
	Delay   int64    // microseconds
	Sources []string // operator ids of the sources below
	Parts   int      // partitions, hence clocks
}

// StatefulOp is an operator that keeps state between micro-batches.
type StatefulOp struct {
	Op         string
	Watermarks []string // operator ids of the watermarks that close it; its own watermark is the least of theirs
	Bound      string   // what bounds its state, for explain
	Lag        int64    // microseconds: its watermark is so much behind, because rows from below come with event times that much earlier
	Unbounded  bool
	Wakes      bool        // it may ask for a batch at a time (WakeKey)
	Name       string      // given by the user, "" for none
	TTL        int64       // how long an entry lives after its last change, microseconds; 0 for ever
	Parts      int         // partitions of the operator, and so of its state
	Layout     StateLayout // of its entries
	Input      string      // what computes the rows that reach it, for comparing versions of a query
}

// Binding returns the binding of a batch run: all splits, no state, and event time at its end.
func (p *Physical) Binding() *rdd.Binding {
	b := &rdd.Binding{Splits: map[string][][]rdd.Split{}, StateVersion: -1, Watermarks: map[string]int64{},
		LastWatermarks: map[string]int64{}, PartitionClocks: map[string][]int64{}, Params: map[string]string{}}
	for _, s := range p.Sources {
		b.Splits[s.Op] = s.Scan.Splits
	}
	for _, s := range p.Stateful {
		b.Watermarks[s.Op], b.LastWatermarks[s.Op] = math.MaxInt64, math.MinInt64
	}
	for _, w := range p.Watermarks {
		b.PartitionClocks[w.Op] = NoClocks(w.Parts)
	}
	return b
}

// NoClocks are the clocks of n partitions before any row was seen.
func NoClocks(n int) []int64 {
	c := make([]int64, n)
	for i := range c {
		c[i] = math.MinInt64
	}
	return c
}
