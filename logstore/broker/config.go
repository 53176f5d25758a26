package broker

import (
	"fmt"
	"math"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/logstore"
)

// maxPartitions bounds one topic.
const maxPartitions = 10_000

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
	{Name: "cleanup.policy", Default: "delete", Kind: KindList, Values: []string{"delete", "compact"}, Doc: "what becomes of old segments"},
	{Name: "compression.type", Default: "producer", Kind: KindEnum, Values: []string{"producer", "uncompressed", "gzip", "snappy", "lz4", "zstd"}, Doc: "accepted; batches keep the producer's codec"},
	{Name: "delete.retention.ms", Default: "86400000", Kind: KindInt, Max: anyInt, Doc: "how long tombstones stay"},
	{Name: "file.delete.delay.ms", Default: "60000", Kind: KindInt, Max: anyInt, Doc: "accepted, no effect"},
	{Name: "flush.messages", Default: "9223372036854775807", Kind: KindInt, Max: anyInt, Doc: "accepted; every acknowledged batch is synced"},
	{Name: "flush.ms", Default: "9223372036854775807", Kind: KindInt, Max: anyInt, Doc: "accepted; every acknowledged batch is synced"},
	{Name: "index.interval.bytes", Default: "4096", Kind: KindInt, Min: 512, Max: math.MaxInt32, Doc: "bytes between index entries"},
	{Name: "max.compaction.lag.ms", Default: "9223372036854775807", Kind: KindInt, Min: 1, Max: anyInt, Doc: "accepted, no effect"},
	{Name: "max.message.bytes", Default: "1048588", Kind: KindInt, Max: math.MaxInt32, Doc: "largest record batch"},
	{Name: "message.downconversion.enable", Default: "false", Kind: KindBool, Doc: "accepted, no effect"},
	{Name: "message.timestamp.after.max.ms", Default: "9223372036854775807", Kind: KindInt, Max: anyInt, Doc: "accepted, no effect"},
	{Name: "message.timestamp.before.max.ms", Default: "9223372036854775807", Kind: KindInt, Max: anyInt, Doc: "accepted, no effect"},
	{Name: "message.timestamp.difference.max.ms", Default: "9223372036854775807", Kind: KindInt, Max: anyInt, Doc: "accepted, no effect"},
	{Name: "message.timestamp.type", Default: "CreateTime", Kind: KindEnum, Values: []string{"CreateTime", "LogAppendTime"}, Doc: "whose clock stamps records"},
	{Name: "min.cleanable.dirty.ratio", Default: "0.5", Kind: KindFloat, Doc: "accepted, no effect"},
	{Name: "min.compaction.lag.ms", Default: "0", Kind: KindInt, Max: anyInt, Doc: "accepted, no effect"},
	{Name: "min.insync.replicas", Default: "1", Kind: KindInt, Min: 1, Max: math.MaxInt32, Doc: "in-sync replicas that acks=all wants"},
	{Name: "preallocate", Default: "false", Kind: KindBool, Doc: "accepted, no effect"},
	{Name: "retention.bytes", Default: "-1", Kind: KindInt, Min: -1, Max: anyInt, Doc: "bytes kept in a partition; -1 for all"},
	{Name: "retention.ms", Default: "604800000", Kind: KindInt, Min: -1, Max: anyInt, Doc: "how long records are kept; -1 for ever"},
	{Name: "segment.bytes", Default: "1073741824", Kind: KindInt, Min: 14, Max: math.MaxInt32, Doc: "segments roll at this size"},
	{Name: "segment.index.bytes", Default: "10485760", Kind: KindInt, Min: 4, Max: math.MaxInt32, Doc: "accepted, no effect"},
	{Name: "segment.jitter.ms", Default: "0", Kind: KindInt, Max: anyInt, Doc: "accepted, no effect"},
	{Name: "segment.ms", Default: "86400000", Kind: KindInt, Min: 1, Max: anyInt, Doc: "segments roll at this age"},
	{Name: "unclean.leader.election.enable", Default: "false", Kind: KindBool, Doc: "whether a replica that lacks records may lead"},
	{Name: "streamflow.format", Default: "raw", Kind: KindEnum, Values: []string{"raw", "json", "arrow"}, Doc: "how a payload becomes columns"},
	{Name: "streamflow.schema", Kind: KindString, Doc: "columns as DDL, such as: ts TIMESTAMP, delay INT"},
	{Name: "streamflow.event.time", Kind: KindString, Doc: "the column that is the event time"},
	{Name: "streamflow.watermark.delay.ms", Default: "0", Kind: KindInt, Max: anyInt, Doc: "how late rows may be"},
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

// ValidateConfigs checks a topic's whole configuration.
func ValidateConfigs(configs map[string]string) error {
	for _, k := range sortedKeys(configs) {
		if err := knownConfig(k); err != nil {
			return err
		}
		if err := configKeys[k].check(configs[k]); err != nil {
			return err
		}
	}
	return validateTogether(configs)
}

// validateTogether checks what only several keys can say: the schema, and what needs one.
func validateTogether(configs map[string]string) error {
	ddl, eventTime := configs["streamflow.schema"], configs["streamflow.event.time"]
	if ddl == "" {
		if f := configs["streamflow.format"]; f == "json" || f == "arrow" {
			return invalidConfig("streamflow.format", "format %s wants a schema", f).WithFix("Set streamflow.schema.")
		}
		if eventTime != "" {
			return invalidConfig("streamflow.event.time", "an event time column wants a schema").WithFix("Set streamflow.schema.")
		}
		return nil
	}
	schema, err := column.ParseDDL(ddl)
	if err != nil {
		return invalidSchema(err)
	}
	if eventTime != "" {
		return validateEventTime(schema, eventTime)
	}
	return nil
}

// invalidSchema keeps what the DDL parser says, and where it says it, under this package's code.
func invalidSchema(err error) error {
	ue, ok := usererr.As(err)
	if !ok {
		return invalidConfig("streamflow.schema", "%v", err)
	}
	e := invalidConfig("streamflow.schema", "schema: %s", ue.Message).WithFix("%s", ue.Fix)
	e.Text, e.Line, e.Col = ue.Text, ue.Line, ue.Col
	return e
}

func validateEventTime(schema *column.Schema, name string) error {
	i := schema.Index(name)
	if i < 0 {
		var names []string
		for _, f := range schema.Fields {
			names = append(names, f.Name)
		}
		e := invalidConfig("streamflow.event.time", "the schema has no column %q", name)
		if near := nearest(name, names); near != "" {
			return e.WithFix("Did you mean %q?", near)
		}
		return e
	}
	if k := schema.Fields[i].Type.Kind; k != column.Timestamp && k != column.TimestampNTZ {
		return invalidConfig("streamflow.event.time", "column %q is %s, not TIMESTAMP", name, schema.Fields[i].Type)
	}
	return nil
}

func knownConfig(key string) error {
	if configKeys[key] != nil {
		return nil
	}
	e := invalidConfig(key, "no topic config is called %q", key)
	if near := nearest(key, sortedKeys(configKeys)); near != "" {
		return e.WithFix("Did you mean %q?", near)
	}
	return e
}

func invalidConfig(key, format string, args ...any) *usererr.Error {
	return usererr.New(CodeInvalidConfig, "22023", format, args...).In(key).With("key", key)
}

func (k *ConfigKey) check(v string) error {
	switch k.Kind {
	case KindBool:
		return k.checkOneOf(v, []string{"true", "false"})
	case KindEnum:
		return k.checkOneOf(v, k.Values)
	case KindList:
		for e := range strings.SplitSeq(v, ",") {
			if err := k.checkOneOf(strings.TrimSpace(e), k.Values); err != nil {
				return err
			}
		}
	case KindInt:
		n, err := strconv.ParseInt(v, 10, 64)
		if err != nil || n < k.Min || n > k.Max {
			return invalidConfig(k.Name, "%s is %q, not a whole number from %d to %d", k.Name, v, k.Min, k.Max)
		}
	case KindFloat:
		f, err := strconv.ParseFloat(v, 64)
		if err != nil || !(f >= 0 && f <= 1) {
			return invalidConfig(k.Name, "%s is %q, not a number from 0 to 1", k.Name, v)
		}
	}
	return nil
}

func (k *ConfigKey) checkOneOf(v string, values []string) error {
	for _, ok := range values {
		if v == ok {
			return nil
		}
	}
	e := invalidConfig(k.Name, "%s is %q", k.Name, v)
	return e.WithFix("It can be %s.", strings.Join(values, ", "))
}

// validateName refuses names that Kafka refuses.
func validateName(name string) error {
	bad := func(why string) error {
		return usererr.New(CodeInvalidTopic, "42602", "topic name %q %s", name, why).
			WithFix("Use letters, digits, '.', '_' and '-', at most 249 of them.")
	}
	switch {
	case name == "":
		return bad("is empty")
	case name == "." || name == "..":
		return bad("means a directory")
	case len(name) > 249:
		return bad(fmt.Sprintf("has %d characters", len(name)))
	}
	for _, r := range name {
		ok := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '.' || r == '_' || r == '-'
		if !ok {
			return bad(fmt.Sprintf("has the character %q", r))
		}
	}
	return nil
}

// partitionConfig is what the storage engine wants to know of a topic.
func (t *Topic) partitionConfig() logstore.PartitionConfig {
	cfg := logstore.PartitionConfig{
		SegmentBytes:   t.int64Config("segment.bytes"),
		SegmentAge:     milliseconds(t.int64Config("segment.ms")),
		SegmentRecords: t.int64Config("streamflow.segment.records"),
		MaxBatchBytes:  int(t.MaxMessageBytes()),
		LogAppendTime:  t.Config("message.timestamp.type") == "LogAppendTime",
		RequireKeys:    t.Compacted(),
		Sealed:         t.Sealed(),
	}
	if _, set := t.Configs["index.interval.bytes"]; set {
		cfg.IndexInterval = int(t.int64Config("index.interval.bytes"))
	}
	if strings.Contains(t.Config("cleanup.policy"), "delete") {
		cfg.RetentionBytes = max(0, t.int64Config("retention.bytes"))
		cfg.Retention = retention(t.int64Config("retention.ms"))
	}
	return cfg
}

// milliseconds saturates: Kafka's Long.MAX_VALUE means for ever.
func milliseconds(ms int64) time.Duration {
	if ms > math.MaxInt64/int64(time.Millisecond) {
		return math.MaxInt64
	}
	return time.Duration(ms) * time.Millisecond
}

// retention turns retention.ms into the engine's form, where 0 is no limit.
func retention(ms int64) time.Duration {
	if ms < 0 {
		return 0
	}
	return milliseconds(max(1, ms))
}
