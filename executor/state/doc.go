// Package state keeps the keyed state of streaming operators: memory first, with one LSM (Pebble) behind it for what does
// not fit and for snapshots.
//
//	Store ─▶ Partition (query, operator, partition) ─▶ table for each bucket
//	              │ Get Put Delete Scan DropBucket       pointer-free: slots ─▶ entries ─▶ arena of keys and values
//	              ▼
//	   undo log of the batch ── Rollback ──▶ as before the batch
//	              │── Delta ──▶ bytes for the query's changelog
//	              │── Commit ─▶ version+1
//	              ▼
//	   Pebble: snapshots (dirty entries only) and evicted buckets, at committed versions
//
// A batch's changes are made in place; the first change of an entry in a batch saves what it was. The durable truth is
// the changelog: what is in Pebble is some committed version or a mixture of versions between the snapshot and now, and
// becomes exact by replaying the changelog from the snapshot's position, because deltas hold whole values.
//
// A Partition belongs to one task at a time; the Store hands it out and its methods are safe for concurrent use.
package state
