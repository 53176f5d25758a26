// Package replica decides how a partition is replicated: what its leader counts as committed, whom it calls in sync, where
// a follower cuts its log, and who may lead next. It is pure: events and times come in, decisions go out; it knows no
// goroutine, clock, file or connection.
//
//	follower's fetch ─┐
//	local fsync ──────┼─> Leader ─> high watermark moves
//	new record ───────┤         └─> proposal of other in-sync replicas ─> controller (compare and swap) ─> new record
//	time ─────────────┘
//
//	fetch response ──> Step ─> append | cut at an offset | begin anew | wait
//	replicas alive ──> Elect ─> leader
//
// The rules are Kafka's in the form of KIP-966, with one strengthening: a replica has what it has on disk, so that the high
// watermark counts fsynced offsets only.
//
//   - A record is committed when every member of the maximal in-sync set has it. The maximal set is the committed one
//     together with every set that was proposed and may still become true.
//   - While the committed set is smaller than min.insync.replicas, the high watermark stands still.
//   - A follower is counted by what it fetched under this leader epoch, in its newest uptime session, after its log was
//     found to agree with the leader's.
//   - A log is cut by leader epochs (KIP-101, KIP-279, KIP-595), never by a high watermark of its own.
//   - A leader comes from the in-sync replicas, else from the eligible ones; from others only when somebody allowed it.
package replica
