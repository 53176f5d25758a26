package rdd

import "github.com/streamflow/streamflow/internal/codec"

// StateDeltaKey is the report key under which a task returns the changes that it made to an operator's keyed state: one
// or more pieces, each complete in itself (see docs/format/state.md). Whoever runs the job writes them to the query's
// changelog before it commits the batch.
const StateDeltaKey = "state.delta"

// Register names an operator's type so that it can travel in fragments: Register("physical.Filter", (*Filter)(nil)).
func Register(name string, op Operator) { codec.Register(name, op) }

// StateSize is what is kept of one operator's state in one partition: keys, and the bytes of those that are in memory.
type StateSize struct {
	Op               string
	Partition, Parts int
	Keys, Bytes      int64
}
