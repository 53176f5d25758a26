package physical

import (
	"strconv"
	"strings"
)

// AdaptiveConf are the settings of adaptive execution, with Spark's names and defaults (spark.sql.adaptive.*).
type AdaptiveConf struct {
	Enabled bool // enabled

	Coalesce         bool  // coalescePartitions.enabled
	ParallelismFirst bool  // coalescePartitions.parallelismFirst: as many tasks as there are slots, if they have enough to do
	Advisory         int64 // advisoryPartitionSizeInBytes: how much a task should read
	MinPartition     int64 // coalescePartitions.minPartitionSize: what a task should read at least

	SkewJoin      bool    // skewJoin.enabled
	SkewFactor    float64 // skewJoin.skewedPartitionFactor: times the median
	SkewThreshold int64   // skewJoin.skewedPartitionThresholdInBytes

	// Broadcast is up to how many bytes a measured side is given to every task (autoBroadcastJoinThreshold); -1 never.
	Broadcast int64
}

// adaptiveConf reads the settings; values that cannot be read have been refused when they were set.
func (p *planner) adaptiveConf() AdaptiveConf {
	conf := p.opt.Conf
	on := func(key string) bool { return !strings.EqualFold(conf["spark.sql.adaptive."+key], "false") }
	bytes := func(key string, otherwise int64) int64 {
		if v, ok := byteSize(conf["spark.sql.adaptive."+key]); ok {
			return v
		}
		return otherwise
	}
	a := AdaptiveConf{Enabled: on("enabled"), Coalesce: on("coalescePartitions.enabled"), ParallelismFirst: on("coalescePartitions.parallelismFirst"),
		Advisory: max(bytes("advisoryPartitionSizeInBytes", 64<<20), 1), MinPartition: max(bytes("coalescePartitions.minPartitionSize", 1<<20), 1),
		SkewJoin: on("skewJoin.enabled"), SkewFactor: 5, SkewThreshold: bytes("skewJoin.skewedPartitionThresholdInBytes", 256<<20)}
	if f, err := strconv.ParseFloat(conf["spark.sql.adaptive.skewJoin.skewedPartitionFactor"], 64); err == nil {
		a.SkewFactor = f
	}
	limit, set := p.broadcastSetting()
	if !set {
		limit = largestBroadcast // a size that was measured is as good as one that statistics tell
	}
	a.Broadcast = bytes("autoBroadcastJoinThreshold", limit)
	return a
}
