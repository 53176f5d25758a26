// Package broker is one node's view of topics: the log (package logstore) and the metadata that says what is in it
// (package meta), kept in step.
//
//	Broker ─┬─ meta.Node: topics, brokers, partition records, committed offsets, transactions … (machines)
//	        ├─ logstore.Log: the partitions that this node has replicas of
//	        └─ in a cluster: reconcile (records to roles), replicator (followers), controller, heartbeats, markers
//
// Metadata is the truth. A topic exists when its creation is in the metadata log; its partitions are made after that, and
// made again at open if a crash came between. A deleted topic stays on a list until its files are gone, so that a new topic
// of the same name can never see old records.
//
// Who leads a partition, and which replicas have all of it, is decided by commands only (record.go, election.go,
// reassignment.go: functions from record to record, after KIP-966). Each node compares what it has open with the records and
// makes it so, whatever it slept through. A node that is alone has topics without records: all are its own.
//
// Broker speaks no wire protocol and holds no client state; package kafka does.
package broker
