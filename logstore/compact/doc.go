// Package compact decides what stays of a log that keeps the last record of each key. It is pure: batches come in, batches go
// out; no goroutine, no clock, no I/O.
//
//	dirty batches ─> Map: key ─> last offset           (as many keys as memory allows)
//	all batches   ─> Cleaner.Clean ─> what stays       (superseded records, old tombstones, aborted data and
//	                                                    the markers of what is gone are dropped)
//
// The rules are Kafka's (KIP-58, KIP-354, KIP-534), with these of our own:
//
//   - The offsets of a log stay without a hole. Where whole batches go, an empty batch keeps their offsets and their leader
//     epoch; neighbours of one epoch share one. So a missing batch is always damage.
//   - A record without a key is superseded by nothing, and stays.
//   - A batch whose keys are not known here (an Arrow payload, a payload that cannot be decoded) stays as it is, and from there on
//     tombstones stay too: the batch may hold an older value of their key.
//   - Control batches of our own (record.FirstOwnControl and above) carry event time, and stay.
package compact
