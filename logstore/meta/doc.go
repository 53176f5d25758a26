// Package meta is the node's metadata log: one Raft group (hashicorp/raft over raft-boltdb) that hosts named Machines.
//
//	callers --Apply(machine, cmd)--> queue --one entry of many commands--> raft --fsync--> machines in log order
//
// A Machine is a deterministic state machine owned by another package (topics, committed offsets, query commits). It sees
// commands in log order, one at a time, and never reads a clock, a random source or a file: whoever proposes a command puts
// such things into it. Machines guard their own state for readers; meta never holds a lock while it calls one.
//
// Concurrent callers share log entries: whatever queued while the previous entry was being synced becomes the next entry, so
// there is no linger timer and a lone caller pays exactly one entry.
//
// The package knows nothing of topics or queries, never interprets command bytes, and opens no socket (one voter; its
// transport is in memory).
package meta
