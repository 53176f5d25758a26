// Package tier is the log's cold tier: sealed segments in an object store, found by manifests, read by ranges.
//
//	sealed segment ─ build ─▶ object ─ Put ─▶ store ◀─ ranges ─ cache ◀─ Read, OffsetForTime   (Kafka clients: the batches)
//	                            │                             ◀─ Groups                        (the engine: columns)
//	                            └─ announced, then finished, in the partition's manifest
//
// A segment of a topic with a schema becomes a Parquet file: the schema's columns, where each row lies, and in one column
// the batches as they were in the log, so that a Kafka client gets the same bytes from here as from the log. Others are kept
// as they are. Both carry the aborted transactions that their readers need and the producers' state behind them.
//
// What holds, at any step at which a node dies:
//   - a finished entry of a manifest leads to an object that is whole and has its checksum; readers see no other;
//   - an object without entry, or with one that is not finished, is garbage, which the next leader deletes;
//   - a segment leaves this node's disk only after the manifest that has it is in the store;
//   - an object is deleted only after the manifest without it is in the store;
//   - of two leaders the manifests of the later epoch hold (ledger.go says why).
//
// The package knows no queries and no cluster: it is told which topics there are, and asks each partition whether this node
// leads it. See docs/format/tier.md for the bytes.
package tier
