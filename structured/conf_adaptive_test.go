package structured

import (
	"context"
	"testing"
)

func TestSettingsOfAdaptiveExecution(t *testing.T) {
	var c MemConf
	ctx := context.Background()
	for _, x := range []struct {
		key, value string
		ok         bool
	}{
		{"enabled", "FALSE", true}, {"enabled", "maybe", false}, {"coalescePartitions.parallelismFirst", "1", false},
		{"skewJoin.enabled", "true", true}, {"skewJoin.skewedPartitionFactor", "2.5", true}, {"skewJoin.skewedPartitionFactor", "-1", false},
		{"skewJoin.skewedPartitionFactor", "NaN", false}, {"advisoryPartitionSizeInBytes", "64MB", true}, {"advisoryPartitionSizeInBytes", "1 k", true},
		{"advisoryPartitionSizeInBytes", "-5", false}, {"coalescePartitions.minPartitionSize", "much", false},
		{"autoBroadcastJoinThreshold", "-1", true}, {"autoBroadcastJoinThreshold", "10485760b", true}, {"autoBroadcastJoinThreshold", "ten", false},
		{"logLevel", "anything", true},
	} {
		if err := c.Set(ctx, "spark.sql.adaptive."+x.key, x.value); (err == nil) != x.ok {
			t.Errorf("%s = %s: %v", x.key, x.value, err)
		}
	}
	if v, _, _ := c.Get(ctx, "spark.sql.adaptive.advisoryPartitionSizeInBytes"); v != "1 k" {
		t.Errorf("it is %q", v)
	}
}
