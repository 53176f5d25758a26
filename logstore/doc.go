// Package logstore is a node's storage engine: partitions of Kafka record batches over one shared write-ahead log.
//
//	Append ─ validate ─ stamp offsets ─┬─> wal group ── write ── fdatasync ─> high watermark ─> Pending, Changed
//	                                   └─> tail (memory) ─ in the background ─> segment files ─ fsync ─> wal file is recycled
//	Read  <─ tail, or segment files by pread
//
// A batch is copied once on its way in, into the buffer that the write-ahead log writes from; reads of recent offsets and
// the segment writer use the same bytes.
//
// What the package owns: offsets, durability, the state of idempotent and transactional producers, retention, recovery.
// What it never does: it knows no protocol, no schema, no cluster metadata and no query. See docs/format for its files.
package logstore
