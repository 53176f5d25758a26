// Package wal is the write-ahead log that all partitions of a node share: records go to one preallocated file at a time,
// many to each fdatasync.
//
//	Reserve ─ place in file and memory, LSN ─> fill ─> Commit        (many goroutines at once)
//	                    │
//	                group n+1 collects while group n is written and synced    (one goroutine)
//	                    │
//	         Committer.Committed(token), in order, then the group's Done
//
// There is no timer: the group that queued while the last fdatasync ran is the next one. Only lazy records wait for
// company, and then at most LazyDelay.
//
// Rot and a torn tail look alike, so the log keeps them apart by marks. Each group begins with a mark that says which
// records were durable before it; a bad record that a later mark calls durable is damage (CORRUPT_WAL), any other bad
// record is where the crash was. A file's salt and the unbroken run of LSNs keep a recycled file's old bytes out.
//
// Room in a file is reserved before a record gets its LSN, and files are preallocated: a full disk is an error of
// Reserve, never a half-written record. A failed write or sync ends the log for good, because what the disk holds is
// then unknown.
//
// The package does not know what its records mean. See docs/format/wal.md for the bytes.
package wal
