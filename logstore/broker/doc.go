// Package broker is one node's view of topics: the log (package logstore) and the metadata that says what is in it
// (package meta), kept in step.
//
//	Broker ─┬─ meta.Node: topics, committed offsets, producer ids, catalog (machines), and those that Options adds
//	        └─ logstore.Log: partitions, opened for each topic that the topics machine knows
//
// Metadata is the truth. A topic exists when its creation is in the metadata log; its partitions are made after that, and
// made again at open if a crash came between. A deleted topic stays on a list until its files are gone, so that a new topic
// of the same name can never see old records.
//
// Broker speaks no wire protocol and holds no client state; package kafka does.
package broker
