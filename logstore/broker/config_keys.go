package broker

import (
	"math"
	"sort"
)

// ConfigKey is a topic configuration that is known.
type ConfigKey struct {
	Name    string
	Default string
	Kind    ConfigKind
	Values  []string // of KindEnum; of KindList, its elements
	Min     int64    // of KindInt
	Max     int64
	Doc     string
}

// ConfigKind says how a value is checked. The numbers are DescribeConfigs' config types.
type ConfigKind int8

const (
	KindBool   ConfigKind = 1
	KindString ConfigKind = 2
	KindInt    ConfigKind = 5
	KindEnum   ConfigKind = 20 // shown as string
	KindList   ConfigKind = 7
	KindFloat  ConfigKind = 6
)

const anyInt = math.MaxInt64

// configTable is every known key. Keys that Kafka knows and this broker does not act on are here too, because tools set and
// read them; Doc says so.
var configTable = []ConfigKey{
	{Name: "cleanup.policy", Default: "delete", Kind: KindList, Values: []string{"delete", "compact"}, Doc: "what becomes of old segments: deleted by age and size, or rewritten so that the last record of each key stays; compact asks for a key in each record"},
	{Name: "compression.type", Default: "producer", Kind: KindEnum, Values: []string{"producer", "uncompressed", "gzip", "snappy", "lz4", "zstd"}, Doc: "accepted; batches keep the producer's codec"},
	{Name: "delete.retention.ms", Default: "86400000", Kind: KindInt, Max: anyInt, Doc: "how long a compacted topic keeps a tombstone, from the first compaction that saw it"},
	{Name: "file.delete.delay.ms", Default: "60000", Kind: KindInt, Max: anyInt, Doc: "how long a file stays that is out of use"},
	{Name: "flush.messages", Default: "9223372036854775807", Kind: KindInt, Max: anyInt, Doc: "accepted; every acknowledged batch is synced"},
	{Name: "flush.ms", Default: "9223372036854775807", Kind: KindInt, Max: anyInt, Doc: "accepted; every acknowledged batch is synced"},
	{Name: "index.interval.bytes", Default: "4096", Kind: KindInt, Min: 512, Max: math.MaxInt32, Doc: "bytes between index entries"},
	{Name: "local.retention.bytes", Default: "-2", Kind: KindInt, Min: -2, Max: anyInt, Doc: "bytes of a partition kept on this node's disk once the cold tier has them; -2 for retention.bytes, -1 for all"},
	{Name: "local.retention.ms", Default: "-2", Kind: KindInt, Min: -2, Max: anyInt, Doc: "how long records stay on this node's disk once the cold tier has them; -2 for retention.ms, -1 for ever"},
	{Name: "max.compaction.lag.ms", Default: "9223372036854775807", Kind: KindInt, Min: 1, Max: anyInt, Doc: "records older than this are compacted, whatever the dirty ratio"},
	{Name: "max.message.bytes", Default: "1048588", Kind: KindInt, Max: math.MaxInt32, Doc: "largest record batch"},
	{Name: "message.downconversion.enable", Default: "false", Kind: KindBool, Doc: "accepted, no effect"},
	{Name: "message.timestamp.after.max.ms", Default: "9223372036854775807", Kind: KindInt, Max: anyInt, Doc: "accepted, no effect"},
	{Name: "message.timestamp.before.max.ms", Default: "9223372036854775807", Kind: KindInt, Max: anyInt, Doc: "accepted, no effect"},
	{Name: "message.timestamp.difference.max.ms", Default: "9223372036854775807", Kind: KindInt, Max: anyInt, Doc: "accepted, no effect"},
	{Name: "message.timestamp.type", Default: "CreateTime", Kind: KindEnum, Values: []string{"CreateTime", "LogAppendTime"}, Doc: "whose clock stamps records"},
	{Name: "min.cleanable.dirty.ratio", Default: "0.5", Kind: KindFloat, Doc: "a compaction begins when so much of the log was written since the last"},
	{Name: "min.compaction.lag.ms", Default: "0", Kind: KindInt, Max: anyInt, Doc: "records younger than this are not compacted"},
	{Name: "min.insync.replicas", Default: "1", Kind: KindInt, Min: 1, Max: math.MaxInt32, Doc: "replicas that must have a record before it is acknowledged (acks=all); fewer in sync refuse it"},
	{Name: "preallocate", Default: "false", Kind: KindBool, Doc: "accepted, no effect"},
	{Name: "remote.storage.enable", Default: "false", Kind: KindBool, Doc: "sealed segments go to the cold tier; once on, it stays on"},
	{Name: "retention.bytes", Default: "-1", Kind: KindInt, Min: -1, Max: anyInt, Doc: "bytes kept in a partition; -1 for all"},
	{Name: "retention.ms", Default: "604800000", Kind: KindInt, Min: -1, Max: anyInt, Doc: "how long records are kept; -1 for ever"},
	{Name: "segment.bytes", Default: "1073741824", Kind: KindInt, Min: 14, Max: math.MaxInt32, Doc: "segments roll at this size"},
	{Name: "segment.index.bytes", Default: "10485760", Kind: KindInt, Min: 4, Max: math.MaxInt32, Doc: "accepted, no effect"},
	{Name: "segment.jitter.ms", Default: "0", Kind: KindInt, Max: anyInt, Doc: "accepted, no effect"},
	{Name: "segment.ms", Default: "86400000", Kind: KindInt, Min: 1, Max: anyInt, Doc: "segments roll at this age"},
	{Name: "unclean.leader.election.enable", Default: "false", Kind: KindBool, Doc: "when no replica is left that has every committed record, let another lead; what it lacks is lost"},
	{Name: "streamflow.format", Default: "raw", Kind: KindEnum, Values: []string{"raw", "json", "arrow"}, Doc: "how a payload becomes columns; json without it when there is a schema"},
	{Name: "streamflow.schema", Kind: KindString, Doc: "columns as DDL, such as: ts TIMESTAMP, delay INT"},
	{Name: "streamflow.event.time", Kind: KindString, Doc: "the column that is the event time"},
	{Name: "streamflow.watermark.delay.ms", Default: "0", Kind: KindInt, Max: anyInt, Doc: "how late rows may be"},
	{Name: "streamflow.key", Kind: KindString, Doc: "column whose text is the record key of rows that the engine writes"},
	{Name: "streamflow.changelog", Default: "false", Kind: KindBool, Doc: "queries write every change of their rows, with its kind (+I, -U, +U, -D) in a last column _op"},
	{Name: "streamflow.sealed", Default: "false", Kind: KindBool, Doc: "the topic is complete: it refuses appends, and sources over it end"},
	{Name: "streamflow.segment.records", Default: "1000000", Kind: KindInt, Min: 1, Max: anyInt, Doc: "segments roll at this many records"},
}

var configKeys = func() map[string]*ConfigKey {
	m := make(map[string]*ConfigKey, len(configTable))
	for i := range configTable {
		m[configTable[i].Name] = &configTable[i]
	}
	return m
}()

// ConfigKeys returns all known keys by name.
func ConfigKeys() []ConfigKey {
	keys := append([]ConfigKey(nil), configTable...)
	sort.Slice(keys, func(i, j int) bool { return keys[i].Name < keys[j].Name })
	return keys
}
