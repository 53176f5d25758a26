// Package streamlog makes the node's own topics readable and writable as tables.
//
// Reading: a topic's declared columns (topic config streamflow.schema) are decoded from JSON records or mapped from Arrow
// batches; a topic without a schema has Spark's Kafka columns (key, value, topic, partition, offset, timestamp). Behind the
// declared columns stand hidden ones that say where a row lies. A scan reads committed rows only and never past the last
// stable offset. Records that cannot be decoded go to the side output "dead" with their place and the reason.
//
// Writing: rows are staged as a Kafka transaction of the query's producer id, so that any read-committed client sees a
// micro-batch whole or not at all:
//
//	tasks append ──▶ all appends durable ──▶ [query's commit entry] ──▶ commit markers ──▶ last stable offset moves
//	(transactional batches, invisible)                                  (not synced: the entry is the truth)
//
// A token says where a batch's staged rows end in each partition. After a crash, Publish finishes the transactions that lie
// below the committed token, and Abort ends the rest.
//
// Side outputs and the changelog of keyed state are topics written in the same transaction (querylog.go).
package streamlog
