package structured

import (
	"regexp"
	"strconv"
	"strings"
)

// checkAdaptive refuses values of the settings of adaptive execution that are none.
func checkAdaptive(key, value string) error {
	name, adaptive := strings.CutPrefix(key, "spark.sql.adaptive.")
	switch {
	case !adaptive && key != "spark.sql.autoBroadcastJoinThreshold":
		return nil
	case name == "enabled" || strings.HasSuffix(name, ".enabled") || name == "coalescePartitions.parallelismFirst":
		if v := strings.ToLower(value); v != "true" && v != "false" {
			return badConf(key, value, "true or false")
		}
	case name == "skewJoin.skewedPartitionFactor":
		if f, err := strconv.ParseFloat(value, 64); err != nil || !(f >= 0) {
			return badConf(key, value, "a number that is not negative")
		}
	case strings.HasSuffix(key, "autoBroadcastJoinThreshold"):
		if !sizeText.MatchString(value) && strings.TrimSpace(value) != "-1" {
			return badConf(key, value, "a number of bytes such as 10MB, or -1 for never")
		}
	case strings.HasSuffix(name, "InBytes") || strings.HasSuffix(name, "Size"):
		if !sizeText.MatchString(value) {
			return badConf(key, value, "a number of bytes such as 64MB")
		}
	}
	return nil
}

// sizeText is a number of bytes as Spark's settings have it.
var sizeText = regexp.MustCompile(`(?i)^\s*\d{1,15}\s*(b|[kmgt]b?)?\s*$`)
