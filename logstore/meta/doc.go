// Package meta is the metadata log: one Raft group (hashicorp/raft over raft-boltdb) that hosts named Machines on every node.
//
//	callers --Apply(machine, cmd)--> queue --one entry of many commands--> leader --fsync on a majority--> machines in log order
//
// A Machine is a deterministic state machine owned by another package (topics, committed offsets, query commits). It sees
// commands in log order, one at a time, and never reads a clock, a random source or a file: whoever proposes a command puts
// such things into it. Machines guard their own state for readers; meta never holds a lock while it calls one.
//
// Concurrent callers share log entries: whatever queued while the previous entry was being synced becomes the next entry, so
// there is no linger timer and a lone caller pays exactly one entry.
//
// A node is alone (alone.go: it votes for itself over a transport in memory and opens no socket), or one of a group (group.go:
// voters, and members without a vote, over the connections of package peer):
//
//	node 2                                      node 1, the leader                          node 3
//	Apply ─▶ proposer ──"meta.apply"──▶ raft ══ entries ══▶ followers
//	             ▲                        │
//	             │ machines of node 2 ◀───┴── "committed up to" (announce.go)
//
// An entry of a group is numbered in a session of the node that proposed it (session.go), so that one whose fate is unknown is
// sent again and still applied once. Apply returns when the proposer's own machines have seen the entry: it reads its writes.
// Barrier (readindex.go) makes all earlier writes of all nodes visible. Call and Handlers let other packages ask other nodes.
//
//	store     bolt file; front.go: a journal before it; supersede.go: in step with snapshots of the leader
//	fsm.go    log entries to machines       snapshot.go, dormant.go   states of machines
//	join.go, membership.go, prepare.go      who is in the group, and whether a directory fits it
//
// The package knows nothing of topics or queries and never interprets command bytes.
package meta
