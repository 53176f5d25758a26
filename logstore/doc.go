// Package logstore is a node's storage engine: partitions of Kafka record batches over one shared write-ahead log.
//
//	Append ─ validate ─ stamp offsets ─┬─> wal group ── write ── fdatasync ─> high watermark ─> Pending, Changed
//	                                   └─> tail (memory) ─ in the background ─> segment files ─ fsync ─> wal file is recycled
//	Read  <─ tail, or segment files by pread
//
// A batch is copied once on its way in, into the buffer that the write-ahead log writes from; reads of recent offsets and
// the segment writer use the same bytes.
//
// A partition with other replicas leads or follows, as it was told by Lead or Follow. A leader's followers take batches from
// memory as soon as their bytes stand, before they are on its own disk, so that all disks sync at the same time; the high
// watermark waits for every in-sync replica's disk, and Pending for the high watermark. A follower's log is cut where it
// left its leader's, by leader epochs; the cut is a record of the write-ahead log, so that no crash brings back what it took.
// What is decided is decided in package replica. A partition that was never told is its own only replica, and nothing of this
// costs it anything.
//
//	leader    Append ─> bytes stand ─> ReplicaRead (followers) ─> their next ReplicaRead says what they have on disk ─> high watermark
//	follower  AppendReplicated ─> wal ─> fdatasync ─> the next fetch;   TruncateToEpoch, Reset
//
// What the package owns: offsets, durability, the state of idempotent and transactional producers, replicas' logs, retention,
// recovery.
// What it never does: it knows no protocol, no schema, no cluster metadata and no query. See docs/format for its files.
package logstore
