// Package physical turns an optimised logical plan into operators and those into an rdd graph.
//
// A Node is an operator with its children; an Exchange node stands wherever rows must move between partitions, so that
// what the scheduler will cut is visible in explain:
//
//	logical.Plan ──Plan──▶ Physical{Root *Node …} ──Lower──▶ *rdd.RDD
//	                          │
//	                          ├─ Sources     what each run binds splits for
//	                          ├─ Watermarks  whose clocks each run carries on
//	                          ├─ Stateful    what is kept between runs, and how it is bounded
//	                          └─ Sink        where rows are staged
//
// Each operator is one file: a struct with exported fields (it travels in fragments) and its private cursor. Operators see
// column positions, never names; their expressions are bound and compiled when they are first opened and kept by the
// resident task.
//
// One plan serves history and live. What differs is decided by Binding.Query: without a query an operator keeps its
// groups in memory (spilling when refused) and emits all at the end; with one, it keeps them in rdd.State and emits what
// the watermark has passed. Lateness is decided row by row, by Watermark and DropLate, before any exchange, from the
// order of the row's own partition alone, so both runs give the same answer.
//
// The package never runs tasks, opens files (except to spill) or reads the clock.
package physical
