// Package quota bounds what clients may use: bytes produced and fetched, time of request handlers, topics and partitions
// changed, connections opened.
//
//	Entity   user, client id, both, or address; each by name or the default of all that have no limit of their own
//	Limits   an immutable set of limits: which one a client is under (KIP-55: the most specific entity that sets it)
//	Machine  the limits in the metadata log (KIP-546)
//	Bucket   tokens that time refills: how long must who takes n tokens be kept waiting
//	Meter    the buckets of a node
//
// Limits hold for each node by itself, as in Kafka. A bucket may go into debt: the request that overdraws it is served, the
// client is told how long to wait, and its connection is not read until then (KIP-219). Time is given, never asked for. Where
// no limit is set, Meter answers with nil after one comparison.
package quota
