package structured

import (
	"context"
	"sort"
	"strings"
	"sync"

	"github.com/streamflow/streamflow/internal/usererr"
)

// Keys of settings that the engine itself reads.
const (
	ConfTimeZone      = "spark.sql.session.timeZone"
	ConfANSI          = "spark.sql.ansi.enabled"
	ConfShuffleParts  = "spark.sql.shuffle.partitions"
	ConfSource        = "spark.sql.sources.default"
	ConfCaseSensitive = "spark.sql.caseSensitive"
)

// defaults are the settings that clients read, with Spark 4.1's values. A client decides by them how it sends data, so a
// value here is a promise about the server.
var defaults = map[string]string{
	ConfTimeZone:      "UTC",
	ConfANSI:          "true",
	ConfShuffleParts:  "200",
	ConfSource:        "parquet",
	ConfCaseSensitive: "false",

	"spark.sql.timestampType":                                         "TIMESTAMP_LTZ",
	"spark.sql.session.localRelationCacheThreshold":                   "1048576",
	"spark.sql.session.localRelationSizeLimit":                        "3221225472",
	"spark.sql.session.localRelationChunkSizeRows":                    "10000",
	"spark.sql.session.localRelationChunkSizeBytes":                   "16777216",
	"spark.sql.session.localRelationBatchOfChunksSizeBytes":           "1073741824",
	"spark.sql.execution.pandas.convertToArrowArraySafely":            "true",
	"spark.sql.execution.pandas.inferPandasDictAsMap":                 "false",
	"spark.sql.execution.pandas.structHandlingMode":                   "legacy",
	"spark.sql.pyspark.inferNestedDictAsStruct.enabled":               "false",
	"spark.sql.pyspark.legacy.inferArrayTypeFromFirstElement.enabled": "false",
	"spark.sql.pyspark.legacy.inferMapTypeFromFirstPair.enabled":      "false",
	"spark.sql.pyspark.jvmStacktrace.enabled":                         "false",
	"spark.sql.execution.arrow.useLargeVarTypes":                      "false",
	"spark.sql.execution.arrow.maxRecordsPerBatch":                    "10000",
	"spark.sql.execution.arrow.pyspark.enabled":                       "false",
	"spark.sql.execution.arrow.pyspark.fallback.enabled":              "true",
	"spark.sql.execution.arrow.pyspark.selfDestruct.enabled":          "false",
	"spark.sql.execution.arrow.pyspark.validateSchema.enabled":        "true",
	"spark.sql.execution.pythonUDF.arrow.enabled":                     "false",
	"spark.sql.execution.pythonUDTF.arrow.enabled":                    "false",
	"spark.sql.execution.pyspark.binaryAsBytes":                       "true",
	"spark.sql.repl.eagerEval.enabled":                                "false",
	"spark.sql.repl.eagerEval.maxNumRows":                             "20",
	"spark.sql.repl.eagerEval.truncate":                               "20",
	"spark.connect.session.planCompression.threshold":                 "10485760",
	"spark.connect.session.planCompression.defaultAlgorithm":          "ZSTD",
	"spark.sql.connect.serverStacktrace.enabled":                      "false",
	"spark.python.sql.dataFrameDebugging.enabled":                     "true",
	"spark.sql.pyspark.plotting.max_rows":                             "1000",
	"spark.sql.pyspark.plotting.sample_ratio":                         "0.1",
	"spark.sql.storeAssignmentPolicy":                                 "ANSI",
	"spark.sql.legacy.timeParserPolicy":                               "CORRECTED",
	"spark.sql.adaptive.enabled":                                      "true",
	"spark.sql.adaptive.advisoryPartitionSizeInBytes":                 "64MB",
	"spark.sql.adaptive.coalescePartitions.enabled":                   "true",
	"spark.sql.adaptive.coalescePartitions.parallelismFirst":          "true",
	"spark.sql.adaptive.coalescePartitions.minPartitionSize":          "1MB",
	"spark.sql.adaptive.skewJoin.enabled":                             "true",
	"spark.sql.adaptive.skewJoin.skewedPartitionFactor":               "5.0",
	"spark.sql.adaptive.skewJoin.skewedPartitionThresholdInBytes":     "256MB",
	"spark.sql.autoBroadcastJoinThreshold":                            "10485760b",
	"spark.sql.join.preferSortMergeJoin":                              "false",
	"spark.sql.crossJoin.enabled":                                     "true",
	"spark.sql.debug.maxToStringFields":                               "25",
	"spark.sql.groupByOrdinal":                                        "true",
	"spark.sql.orderByOrdinal":                                        "true",
	"spark.sql.mapKeyDedupPolicy":                                     "EXCEPTION",
	"spark.sql.sources.partitionOverwriteMode":                        "STATIC",
	"spark.sql.streaming.stopTimeout":                                 "0",
	"spark.sql.streaming.numRecentProgressUpdates":                    "100",
	"spark.sql.streaming.noDataProgressEventInterval":                 "10000",
	"spark.sql.ui.explainMode":                                        "formatted",
	"spark.sql.warehouse.dir":                                         "spark-warehouse",
	"spark.sql.catalogImplementation":                                 "in-memory",
	"spark.sql.globalTempDatabase":                                    "global_temp",
	"spark.connect.execute.reattachable.senderMaxStreamDuration":      "0s",
	"spark.connect.execute.reattachable.senderMaxStreamSize":          "0",
	"spark.app.name": "StreamFlow",
	"spark.master":   "local[*]",
}

// static are the settings that are fixed when the node starts.
var static = map[string]bool{"spark.sql.warehouse.dir": true, "spark.sql.catalogImplementation": true,
	"spark.sql.globalTempDatabase": true, "spark.app.name": true, "spark.master": true, "spark.sql.extensions": true,
	"spark.app.id": true, "spark.driver.memory": true, "spark.executor.memory": true}

// MemConf keeps a session's settings in memory, over the defaults. Its zero value is ready.
type MemConf struct {
	mu  sync.Mutex
	set map[string]string
}

var _ Conf = (*MemConf)(nil)

// Get returns what was set, else the default.
func (c *MemConf) Get(_ context.Context, key string) (string, bool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if v, ok := c.set[key]; ok {
		return v, true, nil
	}
	v, ok := defaults[key]
	return v, ok, nil
}

// Set changes a setting; values that the engine reads are checked.
func (c *MemConf) Set(_ context.Context, key, value string) error {
	if static[key] {
		return cannotModify(key)
	}
	if err := checkConf(key, value); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.set == nil {
		c.set = map[string]string{}
	}
	c.set[key] = value
	return nil
}

// Unset puts a setting back to its default.
func (c *MemConf) Unset(_ context.Context, key string) error {
	if static[key] {
		return cannotModify(key)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.set, key)
	return nil
}

// All lists what was set and the defaults, for keys with the prefix.
func (c *MemConf) All(_ context.Context, prefix string) (map[string]string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := map[string]string{}
	for _, m := range []map[string]string{defaults, c.set} {
		for k, v := range m {
			if strings.HasPrefix(k, prefix) {
				out[k] = v
			}
		}
	}
	return out, nil
}

// Modifiable reports whether the key is known and not fixed.
func (c *MemConf) Modifiable(_ context.Context, key string) (bool, error) {
	_, known := defaults[key]
	c.mu.Lock()
	_, given := c.set[key]
	c.mu.Unlock()
	return (known || given) && !static[key], nil
}

func cannotModify(key string) error {
	return usererr.New("CANNOT_MODIFY_STATIC_CONFIG", "46110", "Cannot modify the value of the static Spark config: %q.", key).
		With("key", `"`+key+`"`).WithFix("Set it when the node is started.")
}

// NoSuchConf is the error for a setting that is neither known nor set, with the nearest known name.
func NoSuchConf(key string) error {
	e := usererr.New("SQL_CONF_NOT_FOUND", "42K0I", "The SQL config %q cannot be found. Please verify that the config exists.", key).
		With("sqlConf", `"`+key+`"`)
	if near := nearestConf(key); near != "" {
		e.WithFix("Did you mean %q?", near)
	}
	return e
}

// nearestConf is the known key that shares the longest beginning and end with key, if that is most of it.
func nearestConf(key string) string {
	best, score := "", len(key)/2
	known := make([]string, 0, len(defaults))
	for k := range defaults {
		known = append(known, k)
	}
	sort.Strings(known)
	for _, k := range known {
		if s := commonEnds(key, k); s > score {
			best, score = k, s
		}
	}
	return best
}

func commonEnds(a, b string) int {
	n := min(len(a), len(b))
	head := 0
	for head < n && a[head] == b[head] {
		head++
	}
	tail := 0
	for tail < n-head && a[len(a)-1-tail] == b[len(b)-1-tail] {
		tail++
	}
	return head + tail - (max(len(a), len(b)) - head - tail)
}
