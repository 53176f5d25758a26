package kafka

import (
	"strconv"
	"strings"

	"github.com/streamflow/streamflow/logstore/broker"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// config is a configuration of a topic, a broker or a group, with where its value comes from.
type config struct {
	name     string
	value    string
	kind     broker.ConfigKind
	doc      string
	source   kmsg.ConfigSource
	readOnly bool
	under    string // what the default is called one level up
	def      string // the default
}

// encode writes a config as DescribeConfigs answers it: with every place that could have set it, the one that counts first.
func (c config) encode(req *kmsg.DescribeConfigsRequest) kmsg.DescribeConfigsResponseResourceConfig {
	r := kmsg.NewDescribeConfigsResponseResourceConfig()
	r.Name, r.Value, r.ReadOnly, r.Source, r.ConfigType = c.name, &c.value, c.readOnly, c.source, configType(c.kind)
	r.IsDefault = c.source == kmsg.ConfigSourceDefaultConfig
	if req.IncludeDocumentation {
		r.Documentation = &c.doc
	}
	if !req.IncludeSynonyms {
		return r
	}
	if !r.IsDefault {
		r.ConfigSynonyms = append(r.ConfigSynonyms, synonym(c.name, c.value, c.source))
	}
	if c.under != "" {
		r.ConfigSynonyms = append(r.ConfigSynonyms, synonym(c.under, c.def, kmsg.ConfigSourceDefaultConfig))
	}
	return r
}

func synonym(name, value string, source kmsg.ConfigSource) kmsg.DescribeConfigsResponseResourceConfigConfigSynonym {
	s := kmsg.NewDescribeConfigsResponseResourceConfigConfigSynonym()
	s.Name, s.Value, s.Source = name, &value, source
	return s
}

func configType(k broker.ConfigKind) kmsg.ConfigType {
	switch k {
	case broker.KindBool:
		return kmsg.ConfigTypeBoolean
	case broker.KindInt:
		return kmsg.ConfigTypeLong
	case broker.KindList:
		return kmsg.ConfigTypeList
	case broker.KindFloat:
		return kmsg.ConfigTypeDouble
	}
	return kmsg.ConfigTypeString
}

func topicConfigs(t *broker.Topic) []config {
	var out []config
	for _, k := range broker.ConfigKeys() {
		out = append(out, config{
			name: k.Name, value: t.Config(k.Name), kind: k.Kind, doc: k.Doc, source: kmsg.ConfigSource(configSource(t, k.Name)),
			under: brokerName(k.Name), def: k.Default,
		})
	}
	return out
}

// configSource is where a value comes from, as DescribeConfigs and CreateTopics number it.
func configSource(t *broker.Topic, key string) int8 {
	if _, set := t.Configs[key]; set {
		return int8(kmsg.ConfigSourceDynamicTopicConfig)
	}
	return int8(kmsg.ConfigSourceDefaultConfig)
}

// brokerNames are the names that Kafka's brokers have for a topic's configs, where that is not the same name behind "log.".
var brokerNames = map[string]string{
	"compression.type": "compression.type", "min.insync.replicas": "min.insync.replicas",
	"unclean.leader.election.enable": "unclean.leader.election.enable", "max.message.bytes": "message.max.bytes",
	"delete.retention.ms": "log.cleaner.delete.retention.ms", "min.compaction.lag.ms": "log.cleaner.min.compaction.lag.ms",
	"max.compaction.lag.ms": "log.cleaner.max.compaction.lag.ms", "min.cleanable.dirty.ratio": "log.cleaner.min.cleanable.ratio",
	"file.delete.delay.ms": "log.segment.delete.delay.ms", "flush.messages": "log.flush.interval.messages",
	"flush.ms": "log.flush.interval.ms", "segment.ms": "log.roll.ms", "segment.jitter.ms": "log.roll.jitter.ms",
	"segment.index.bytes": "log.index.size.max.bytes",
}

func brokerName(topicConfig string) string {
	if n, ok := brokerNames[topicConfig]; ok {
		return n
	}
	if strings.HasPrefix(topicConfig, "streamflow.") {
		return topicConfig
	}
	return "log." + topicConfig
}

// brokerConfigs is what tools look for on a broker. All of it but whether it is drained is fixed while the node runs.
func (c *call) brokerConfigs() []config {
	host, port := c.address(c.conn)
	number := func(n int64) string { return strconv.FormatInt(n, 10) }
	return append(fixed([]config{
		{name: "advertised.listeners", value: c.securityProtocol() + "://" + host + ":" + number(int64(port)), kind: broker.KindList, doc: "where clients are told to connect"},
		{name: "auto.create.topics.enable", value: strconv.FormatBool(!c.opts.DisableAutoCreate), def: "true", kind: broker.KindBool, doc: "whether a topic is created because a client asked for it"},
		{name: "broker.id", value: number(int64(c.opts.NodeID)), def: "0", kind: broker.KindInt, doc: "the node's id"},
		{name: "default.replication.factor", value: number(int64(c.broker.ReplicationFactor(0))), kind: broker.KindInt, doc: "replicas of a topic that does not say how many"},
		{name: "group.consumer.heartbeat.interval.ms", value: number(or(c.opts.Consumers.HeartbeatInterval, 5_000)), def: "5000", kind: broker.KindInt, doc: "how often a member of a consumer group says that it is there"},
		{name: "group.consumer.session.timeout.ms", value: number(or(c.opts.Consumers.SessionTimeout, 45_000)), def: "45000", kind: broker.KindInt, doc: "a member of a consumer group that says nothing for so long is removed"},
		{name: "group.initial.rebalance.delay.ms", value: number(c.opts.Groups.InitialDelay), def: "100", kind: broker.KindInt, doc: "how long the first rebalance of a group waits for further members"},
		{name: "group.max.session.timeout.ms", value: number(or(c.opts.Groups.MaxSessionTimeout, 1_800_000)), def: "1800000", kind: broker.KindInt, doc: "longest session of a classic group's member"},
		{name: "group.min.session.timeout.ms", value: number(or(c.opts.Groups.MinSessionTimeout, 6_000)), def: "6000", kind: broker.KindInt, doc: "shortest session of a classic group's member"},
		{name: "max.incremental.fetch.session.cache.slots", value: number(int64(max(0, c.opts.MaxFetchSessions))), def: "1000", kind: broker.KindInt, doc: "fetch sessions in memory"},
		{name: "message.max.bytes", value: "1048588", def: "1048588", kind: broker.KindInt, doc: "largest record batch of a topic that does not say"},
		{name: "min.insync.replicas", value: "1", def: "1", kind: broker.KindInt, doc: "replicas that acks=all wants of a topic that does not say"},
		{name: "num.partitions", value: number(int64(c.broker.DefaultPartitions())), def: "4", kind: broker.KindInt, doc: "partitions of a topic that does not say how many"},
		{name: "offset.metadata.max.bytes", value: number(int64(c.opts.MaxMetadata)), def: "4096", kind: broker.KindInt, doc: "largest text beside a committed offset"},
		{name: "offsets.topic.replication.factor", value: number(int64(c.broker.ReplicationFactor(0))), kind: broker.KindInt, doc: "replicas of the topic that names the groups' coordinators"},
		{name: "socket.request.max.bytes", value: number(int64(c.opts.MaxRequestBytes)), def: "104857600", kind: broker.KindInt, doc: "largest request"},
		{name: "transaction.max.timeout.ms", value: number(int64(c.opts.MaxTxnMs)), def: "900000", kind: broker.KindInt, doc: "longest that a producer may let a transaction be open"},
	}), c.draining(c.opts.NodeID))
}

// fixed makes configs of a running node's: read only, set where they are not the default.
func fixed(all []config) []config {
	for i := range all {
		c := &all[i]
		c.readOnly, c.source = true, kmsg.ConfigSourceStaticBrokerConfig
		if c.def != "" {
			c.under = c.name
		}
		if c.value == c.def {
			c.source = kmsg.ConfigSourceDefaultConfig
		}
	}
	return all
}

// groupConfigs are a group's, whether the group is there or not.
func (c *call) groupConfigs(group string) []config {
	set := c.broker.GroupConfigs(group)
	var out []config
	for _, k := range broker.GroupConfigKeys() {
		cfg := config{name: k.Name, value: k.Default, kind: k.Kind, doc: k.Doc, source: kmsg.ConfigSourceDefaultConfig, under: "group." + k.Name, def: k.Default}
		if v, ok := set[k.Name]; ok {
			cfg.value, cfg.source = v, kmsg.ConfigSourceGroupConfig
		}
		out = append(out, cfg)
	}
	return out
}
