package broker

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/logstore"
	"github.com/streamflow/streamflow/logstore/tier"
)

// configTiered is the topic config that gives a topic to the cold tier (KIP-405).
const configTiered = "remote.storage.enable"

// Tiered tells whether the topic's sealed segments go to the cold tier.
func (t *Topic) Tiered() bool { return t.Config(configTiered) == "true" }

// UseTier gives the broker the node's cold tier, and the tier the partitions that are open; it asks for them again at each
// round. The tier stays the caller's to close, before the broker.
func (b *Broker) UseTier(t *tier.Tier) {
	b.cold.Store(t)
	t.Serve(b.tieredPartitions)
}

// Tier is the node's cold tier; nil if it has none.
func (b *Broker) Tier() *tier.Tier { return b.cold.Load() }

// tieredPartitions lists the open partitions of topics that are given to the tier.
func (b *Broker) tieredPartitions() []tier.Attachment {
	var list []tier.Attachment
	for _, t := range b.topics.list() {
		if !t.Tiered() {
			continue
		}
		topic := tier.Topic{ID: t.ID, Name: t.Name, Schema: t.tierSchema()}
		for i := range t.Partitions {
			if p := b.open(partitionKey{t.Name, i}); p != nil {
				list = append(list, tier.Attachment{Partition: p, Topic: topic})
			}
		}
	}
	return list
}

// tierSchema is the declared columns that objects of the topic have; nil when segments are kept as they are.
func (t *Topic) tierSchema() *column.Schema {
	ddl := t.Config("streamflow.schema")
	if ddl == "" || t.Configs["streamflow.format"] == "raw" {
		return nil
	}
	s, err := column.ParseDDL(ddl)
	if err != nil {
		return nil // it was validated when it was set; segments as they are lose nothing
	}
	return s
}

// deleteTiered notes that the topic's objects are to be deleted.
func (b *Broker) deleteTiered(name string) error {
	t := b.Tier()
	if t == nil {
		return nil
	}
	if err := t.DeleteTopic(name); err != nil {
		return fmt.Errorf("broker: delete files of %s: %w", name, err)
	}
	return nil
}

// checkTier refuses what the cold tier cannot do: be used where there is none, and be left again.
func (b *Broker) checkTier(before, after map[string]string) error {
	was, is := before[configTiered] == "true", after[configTiered] == "true"
	switch {
	case was && !is:
		return invalidConfig(configTiered, "a topic that the cold tier has cannot be taken back").
			WithFix("Set local.retention.ms to -1 to keep its records on the disk as well.")
	case is && !was && b.Tier() == nil:
		return invalidConfig(configTiered, "this node has no cold tier").WithFix("Start it with storage.tier.enabled.")
	}
	return nil
}

// validateTier checks what the tier's keys say together.
func validateTier(configs map[string]string) error {
	if configs[configTiered] == "true" && strings.Contains(configs["cleanup.policy"], "compact") {
		return invalidConfig(configTiered, "a compacted topic cannot go to the cold tier, whose objects are never rewritten").WithFix("Set cleanup.policy to delete.")
	}
	for _, k := range []string{"retention.ms", "retention.bytes"} {
		local, whole := configs["local."+k], configs[k]
		if whole == "" {
			whole = configKeys[k].Default
		}
		l, err1 := strconv.ParseInt(local, 10, 64)
		w, err2 := strconv.ParseInt(whole, 10, 64)
		if err1 == nil && err2 == nil && w >= 0 && l > w {
			return invalidConfig("local."+k, "local.%s is %d, more than %s, which is %d", k, l, k, w)
		}
	}
	return nil
}

// localRetention is when this node's disk may forget what the cold tier has.
func (t *Topic) localRetention(whole logstore.PartitionConfig) (time.Duration, int64) {
	age, bytes := whole.Retention, whole.RetentionBytes
	if ms := t.int64Config("local.retention.ms"); ms != -2 {
		age = retention(ms)
	}
	if n := t.int64Config("local.retention.bytes"); n != -2 {
		bytes = max(0, n)
	}
	return age, bytes
}
