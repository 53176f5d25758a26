// Package kafka is the connector of topics on clusters elsewhere: Apache Kafka, or whatever speaks its protocol.
//
// A topic is read as Spark's Kafka source gives it (key, value, topic, partition, offset, timestamp, timestampType), or,
// with format json and declared columns, as rows. Only what is committed is read. A batch of a streaming query is a range
// of offsets, so that a batch that runs again reads the same.
//
// A write is exactly-once. Each task of a batch writes a transaction of its own and leaves it open; its token names the
// transaction. When the batch's commit entry is replicated, publishing ends the transactions, as often as it takes, also from
// another process: the protocol lets anybody end a transaction who knows its id, producer and epoch.
//
//	task ──produce──▶ transaction, open ── token ──▶ commit entry ──▶ EndTxn(commit)
//	                         └── no entry ─────────────────────────▶ InitProducerId, which aborts
//
// A batch and the one after it use different ids, so that beginning one never aborts the other. What the cluster can do to this
// is end a transaction by its timeout (transaction.timeout.ms, 15 minutes): a node that is away longer than that between a
// commit entry and its publishing has lost the batch's rows, and the query fails and says so.
package kafka
