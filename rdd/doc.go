// Package rdd holds partitioned datasets with lineage: what is computed from what, cut into partitions.
//
// An RDD is one operator over its parents' partitions. A narrow dependency reads the same partition of the parent in the
// same task; a shuffle dependency moves rows between partitions and is where the scheduler cuts stages; a broadcast
// dependency gives every task all of the parent. The work of one stage, its operators between two cuts, is a Fragment:
// data encoded once and named by its hash. What changes from one micro-batch to the next is a Binding.
//
//	 scan ──narrow──▶ filter ──narrow──▶ partial agg ══shuffle(keys,n)══▶ final agg ──narrow──▶ sink
//	└──────────────── stage 0, fragment A ─────────┘                   └──── stage 1, fragment B ────┘
//
// On top of the graph there is a typed API: Dataset, with Map, Filter, ReduceByKey, Join and their like over Go values. User
// functions that were given a name (MapFunc …) travel to executors in other processes of the same binary by that name; plain
// closures work while the executors are in the same process. Closures are never serialised.
//
// Operators are structs with exported fields, registered by name (Register); a task opens them in a TaskContext, its only
// capability. The package knows batches and column positions. It never knows names' meaning, SQL, expressions or time,
// and it never schedules, stores or sends anything.
package rdd
