// Package executor runs tasks: it has slots, one memory limit, the fragments it was given, the map outputs of its tasks and
// the keyed state of its partitions.
//
//	TaskSpec ─▶ slot ─▶ fragment by hash ─▶ operators, decoded once per partition and kept
//	                      │                    │ Open(TaskContext, inputs), Next, Next …
//	   shuffle inputs ────┘                    ▼
//	                               shuffle output, or rows for the driver ─▶ TaskResult
//
// A task reaches the world through its TaskContext alone. What it did counts only if its result says so: map output and
// result rows are published whole at the end, side rows and counters travel with the result, state changes wait for the
// batch's commit, and a task that fails takes its state back to where it started. The package knows batches, not SQL.
package executor
