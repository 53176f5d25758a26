package rdd

import "github.com/streamflow/streamflow/column"

// Operator is one node of the graph, as data: exported fields travel in fragments, unexported ones are private to a task.
// An operator value is owned by one task at a time; Open may reuse what an earlier Open left in unexported fields, so a
// resident task pays for compiling expressions and allocating buffers once, not for each micro-batch.
type Operator interface {
	// Open starts the operator in a task. in has one reader for each dependency, in order. The returned reader yields the
	// operator's output; an operator without output (a sink) yields none and does its work in the first Next.
	Open(tc *TaskContext, in []Reader) (Reader, error)
}

// Once is an operator whose effects stay when its task fails: rows that it has put into a transaction, say. Its task is not tried
// again: the run fails with what it did, and whoever ran it may run all of it anew.
type Once interface{ Once() bool }

// Reader yields batches. Next returns io.EOF after the last one; a batch is valid until the next call. Close releases what
// the reader holds, may be called early, and closes its inputs.
type Reader interface {
	Next() (*column.Batch, error)
	Close() error
}

// RDD is a dataset of Parts partitions computed by Op from Deps.
type RDD struct {
	ID     string // stable within a plan and between runs of it: explain, metrics, state and errors use it
	Name   string // for people: "HashAggregate(partial)"
	Op     Operator
	Deps   []Dep
	Parts  int
	Schema *column.Schema
}

// DepKind says how partitions of a parent reach the child.
type DepKind uint8

const (
	// Narrow: child partition i reads parent partition i-Base when that exists in the parent, and nothing otherwise
	// (union places its parents side by side by Base).
	Narrow DepKind = iota
	// Shuffle: every parent partition is split by Partitioner into the child's partitions.
	Shuffle
	// Broadcast: every child partition reads all rows of the parent.
	Broadcast
)

// Dep is an edge of the graph.
type Dep struct {
	Parent      *RDD
	Kind        DepKind
	Base        int         // Narrow only
	Partitioner Partitioner // Shuffle only
	// Reads is, for a shuffle whose outputs have been measured, what each of the child's partitions reads of it. Nil: partition i
	// reads reduce partition i.
	Reads []Read
	// Later says that the parent's stage had better not begin yet: other stages decide whether it is needed at all.
	Later bool
}

// Read is what one task reads of a shuffle: of the map outputs [FirstMap, EndMap) the reduce partitions [First, End). EndMap 0 is all
// map outputs.
type Read struct {
	First, End       int
	FirstMap, EndMap int
}

// Maps are the map outputs that are read of n.
func (r Read) Maps(n int) (first, end int) {
	if r.EndMap == 0 {
		return 0, n
	}
	return r.FirstMap, r.EndMap
}

// PartitionKind says how a shuffle chooses a row's target partition.
type PartitionKind uint8

const (
	// Single sends every row to partition 0.
	Single PartitionKind = iota
	// Hash sends a row to the partition that owns its key group: KeyGroup(hash of Keys, KeyGroups) * N / KeyGroups.
	Hash
	// RoundRobin spreads batches evenly.
	RoundRobin
	// Range sends rows to ascending key ranges, by Bounds.
	Range
)

// Partitioner says how a shuffle cuts rows into N partitions. Keys are column positions: project first.
type Partitioner struct {
	Kind   PartitionKind
	Keys   []int
	Desc   []bool        // Range: descending keys
	NullsF []bool        // Range: nulls first
	Bounds *column.Batch // Range: N-1 rows of the key columns
	N      int
}

// KeyGroups is the number of key groups of keyed state; it bounds a query's parallelism and never changes in its life.
const KeyGroups = 1024

// KeyGroup maps a row's key hash (column.Hash) to its key group.
func KeyGroup(hash uint64) int { return int(hash >> 54) }

// PartitionOf is the partition among n that owns a key group.
func PartitionOf(keyGroup, n int) int { return keyGroup * n / KeyGroups }
