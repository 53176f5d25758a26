// Package chaoslog tests the log as its worst user would: clients append unique values and move them between topics in
// transactions while nodes are killed, paused, cut off, slowed down, starved of disk and torn in the middle of a write. Then it
// compares everything that was seen with what the log promises.
//
//	seed ─▶ schedule of faults ─▶ cluster of real processes ◀─ clients ─▶ History ─▶ Check ─▶ anomalies
//
// What is promised, and so what is an anomaly, follows Jepsen's Kafka workload (jepsen.tests.kafka) and the log's own promises:
//
//	lost            an acknowledged value is not in the log at its offset at the end
//	duplicate       a value of an idempotent producer stands at two offsets
//	inconsistent    two values were seen at one offset
//	phantom         a value was read that nobody has sent, or that was refused for certain
//	torn            a record was read whose bytes are not what its producer sent
//	reordered       one producer's values stand in the log in another order than it sent them
//	aborted read    a read-committed reader saw a value of an aborted transaction
//	torn txn        a transaction is there in part
//	moved twice     a consume-transform-produce loop put one input into its output twice, or never
//	backwards       a reader's offsets, a partition's end, or a group's committed offset went back
//	diverged        two leaders of a partition served different logs
//
// A send whose answer never came is neither: it may be in the log, once.
//
// Clients and checker know the log only by the Kafka protocol. The package is a test tool; nothing imports it but its own
// command (package run below it).
package chaoslog
