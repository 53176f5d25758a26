package stream

import (
	"github.com/streamflow/streamflow/rdd"
	"github.com/streamflow/streamflow/structured/connector"
)

// Status of a query.
const (
	Running  = "running"
	Stopped  = "stopped"  // by its user; it can be resumed
	Finished = "finished" // its input ended
	Failed   = "failed"
)

// Record is what the cluster knows of a query. It is replicated; the loop changes it only through commands.
type Record struct {
	Name       string `json:"name"`
	ID         string `json:"id"`
	Definition []byte `json:"definition"`     // what the driver plans from
	ProducerID int64  `json:"producerId"`     // of the query's transactions in the log
	Node       int32  `json:"node,omitempty"` // that started it, and resumes it
	Epoch      int64  `json:"epoch"`          // the driver's incarnation; each claim is one higher
	Status     string `json:"status"`
	Error      string `json:"error,omitempty"`
	Paused     bool   `json:"paused,omitempty"` // by its user: it runs, but no batch does
	// StartOffsets are where the sources began, set once with the first claim that chose them.
	StartOffsets map[string]connector.Offsets `json:"startOffsets,omitempty"`
	// Planned holds the ranges of a batch that must be replayed with the same content, because a sink is only idempotent.
	Planned *Planned `json:"planned,omitempty"`
	// Committed is the last committed batch, nil before the first.
	Committed *Commit `json:"committed,omitempty"`
	// StateNames are the names under which operators' state is kept, where that is not the operator's id: state that a batch
	// brought over from another version of the query, from another query, or from a savepoint.
	StateNames map[string]string `json:"stateNames,omitempty"`
	// Shapes says of operators whose number of partitions has changed, by the name of their state, in how many they kept which
	// versions.
	Shapes map[string][]rdd.StateShape `json:"shapes,omitempty"`
	// Loaded is the id of the last state that was brought over.
	Loaded string `json:"loaded,omitempty"`
	// Totals are exact counters summed over all committed batches: rows.in, rows.out, rows.late, rows.dead …
	Totals map[string]int64 `json:"totals,omitempty"`
}

// Planned is a batch whose ranges were fixed before it ran.
type Planned struct {
	Epoch int64                        `json:"epoch"`
	Batch int64                        `json:"batch"`
	To    map[string]connector.Offsets `json:"to"`
	Ended bool                         `json:"ended"`
}

// Commit is the entry that makes a batch true: input progress, event time, state version and output together. The state
// version is the batch number.
type Commit struct {
	Epoch      int64                        `json:"epoch"`
	Batch      int64                        `json:"batch"`
	Offsets    map[string]connector.Offsets `json:"offsets"`              // by source: one past the last row read
	Clocks     map[string][]int64           `json:"clocks,omitempty"`     // by watermark operator: largest event time of each partition
	Watermarks map[string]int64             `json:"watermarks,omitempty"` // by operator, as it was given to the batch
	Tokens     map[string][][]byte          `json:"tokens,omitempty"`     // by sink: what its tasks staged
	Counters   map[string]int64             `json:"counters,omitempty"`
	Ended      bool                         `json:"ended,omitempty"` // the input had ended; nothing follows
	// Settled: since the last row event time has moved on beyond it, so that nothing waits for later rows.
	Settled bool `json:"settled,omitempty"`
	// Silent: the batch puts out nothing, and sinks know nothing of it.
	Silent bool `json:"silent,omitempty"`
	// Load: the batch brought state over, and what of the record is another with it.
	Load *Loaded `json:"load,omitempty"`
}

// Loaded is what a batch that brings state over changes of a query's record.
type Loaded struct {
	ID           string                       `json:"id"`
	Definition   []byte                       `json:"definition,omitempty"` // nil leaves it
	StateNames   map[string]string            `json:"stateNames"`
	StartOffsets map[string]connector.Offsets `json:"startOffsets,omitempty"` // of sources that Offsets does not have; nil leaves them
}

// NextBatch is the number of the batch after the last committed one.
func (r *Record) NextBatch() int64 {
	if r.Committed == nil {
		return 0
	}
	return r.Committed.Batch + 1
}

// From is where the next batch begins to read a source.
func (r *Record) From(source string) connector.Offsets {
	if r.Committed != nil {
		if o, ok := r.Committed.Offsets[source]; ok {
			return o
		}
	}
	return r.StartOffsets[source]
}
