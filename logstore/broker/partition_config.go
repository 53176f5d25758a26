package broker

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/streamflow/streamflow/logstore"
)

// partitionConfig is what the storage engine wants to know of a topic.
func (t *Topic) partitionConfig() logstore.PartitionConfig {
	cfg := logstore.PartitionConfig{
		SegmentBytes:   t.int64Config("segment.bytes"),
		SegmentAge:     milliseconds(t.int64Config("segment.ms")),
		SegmentRecords: t.int64Config("streamflow.segment.records"),
		MaxBatchBytes:  int(t.MaxMessageBytes()),
		LogAppendTime:  t.Config("message.timestamp.type") == "LogAppendTime",
		RequireKeys:    t.Compacted(),
		Sealed:         t.Sealed() || IsInternal(t.Name), // what coordinators keep is not in their topics
		TopicID:        t.ID,
	}
	if _, set := t.Configs["index.interval.bytes"]; set {
		cfg.IndexInterval = int(t.int64Config("index.interval.bytes"))
	}
	t.compaction(&cfg)
	if strings.Contains(t.Config("cleanup.policy"), "delete") {
		cfg.RetentionBytes = max(0, t.int64Config("retention.bytes"))
		cfg.Retention = retention(t.int64Config("retention.ms"))
	}
	cfg.LocalRetention, cfg.LocalRetentionBytes = t.localRetention(cfg)
	return cfg
}

// compaction is what the storage engine wants to know of the last record of each key.
func (t *Topic) compaction(cfg *logstore.PartitionConfig) {
	cfg.Compact = t.Compacted()
	cfg.DirtyRatio, _ = strconv.ParseFloat(t.Config("min.cleanable.dirty.ratio"), 64) // validated
	cfg.MinCompactionLag = milliseconds(t.int64Config("min.compaction.lag.ms"))
	cfg.DeleteRetention = milliseconds(t.int64Config("delete.retention.ms"))
	cfg.DeleteDelay = milliseconds(t.int64Config("file.delete.delay.ms"))
	if lag := t.int64Config("max.compaction.lag.ms"); lag < math.MaxInt64 {
		cfg.MaxCompactionLag = milliseconds(lag)
	}
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
