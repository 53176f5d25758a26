// Package stream runs streaming queries as a loop of micro-batches, each of which commits exactly once.
//
// A query is planned once, into a job whose fragments never change. A micro-batch only binds: offset ranges, watermarks,
// the state version. The next batch starts as soon as the last has committed and there is data; it takes all there is
// (up to a cap), so catching up from history is the same loop with big batches.
//
//	         ┌───────────── wait for data (woken by the log, never polling)
//	         ▼
//	decide ─▶ choose ranges ─▶ run tasks: sinks stage, state logs its delta ─▶ COMMIT ─▶ publish ─┐
//	 ▲                            │ failure: abort, the batch runs again          one Raft entry   │
//	 └────────────────────────────┴──────────────────────────────────────────────────────────────┘
//
// The commit entry holds the batch number, the offsets read, the event-time clocks, the watermarks and the sinks' tokens.
// It is the only commit point: before it a batch leaves no trace, after it publishing is redone until it succeeded. A
// driver that lost its query to another has a lower epoch, and its entries are refused.
//
// decide.go is the recovery and progress rule as one pure function; machine.go is the replicated record as a pure state
// machine; watermark.go holds the event-time rules; loop.go is the shell that carries decisions out.
//
// The package does not plan queries, schedule tasks or store anything itself.
package stream
