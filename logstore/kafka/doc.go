// Package kafka serves a broker.Broker over the Kafka protocol.
//
// One file for each API key (00_produce.go, 01_fetch.go, …) holds its handler; apis.go is the table of keys and version
// ranges, and advertises exactly what the handlers serve.
//
//	socket ─ reader: frame, header ─┬ Produce: append at once ─┐
//	                                └ others: as they are ─────┴─> items, in order ─ writer: wait or handle, encode ─ socket
//
// Responses leave in request order. A produce request is appended as soon as it has been read, so that a client's pipelined
// requests share a sync; any other request runs when all before it have been answered. Fetch waits on the partitions' own
// signals, never on a timer loop.
//
// Messages are decoded and encoded with franz-go's kmsg, except Produce and Fetch responses and Produce requests, which are
// hot, large or both. Frames are capped and counted against a memory budget before they are read, and their buffers pooled.
//
// Fetch sessions (KIP-227) keep what a client fetches, and a watcher tells which of it has changed, so that a fetch of a thousand
// partitions looks at those few.
//
// The package holds the shells of groups (packages group, group/consumer and group/share: one group is of one kind at a time, and
// void when this node no longer coordinates it) and of share partitions, which the leader of a partition holds; it knows nothing
// of SQL. Topics whose batches are Arrow payloads are turned into JSON rows by a RowConverter that the node brings.
package kafka
