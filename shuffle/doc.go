// Package shuffle moves rows between the tasks of two stages: it cuts a map task's batches by target partition, keeps them
// in memory or in files on local disk, and reads a reduce task's share back.
//
//	map task ─▶ Writer ─┬─ collector 0 ─┐  ≤ 64K rows each          ┌─▶ Reader of partition 0, from every map task
//	  batches           ├─ collector 1 ─┼─▶ memory, or blocks of ───┼─▶ Reader of partition 1
//	                    └─ collector n ─┘   one data file + index   └─▶ Reader of partition n
//
// Rows are copied once, on the way in: what a Writer was given may be reused by its owner, and what a Reader returns stays
// in place until the job's outputs are dropped. An output exists when its writer has committed, whole, and never changes.
// Memory outputs spill to files when the memory limit says so; docs/format/shuffle.md draws the files. Anything wrong with
// an output, from a missing file to a flipped bit, is ErrLost: the remedy is the same, the map task runs again.
//
// The package moves batches; it knows nothing of graphs, stages or operators.
package shuffle
