// Package replicator copies what other nodes lead: one goroutine for each leader fetches all partitions that this node
// follows there, over one connection of the peer port, by the Kafka protocol's Fetch.
//
//	Set(partitions) ─> fetcher for node 1 ─┐   request: what has moved since the last one (a KIP-227 session)
//	                   fetcher for node 2  ├─> response ─> append | cut | begin anew ─> fsync ─> the next request
//	                   …                  ─┘   the next request says what is on disk, and that is the acknowledgement
//
// A fetch asks from the end of what is on this node's disk, so that all partitions of a response share the fsync, and the
// leader counts nothing that a crash here could take back. What to do with a response is decided by package replica; how a
// log is cut is package logstore's. A partition with which something is wrong is left out for a while; the others go on.
//
// The package never elects, never truncates by a high watermark, and knows no topics but by id.
package replicator
