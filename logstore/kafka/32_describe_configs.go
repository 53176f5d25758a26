package kafka

import (
	"slices"
	"strconv"

	"github.com/streamflow/streamflow/logstore/acl"
	"github.com/streamflow/streamflow/logstore/broker"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

func (c *call) describeConfigs(req *kmsg.DescribeConfigsRequest) (kmsg.Response, error) {
	resp := req.ResponseKind().(*kmsg.DescribeConfigsResponse)
	for _, asked := range req.Resources {
		r := kmsg.NewDescribeConfigsResponseResource()
		r.ResourceType, r.ResourceName = asked.ResourceType, asked.ResourceName
		configs, err := c.configsOf(asked, req.IncludeDocumentation)
		r.ErrorCode, r.ErrorMessage = code(err), message(err)
		for _, cfg := range configs {
			if asked.ConfigNames == nil || slices.Contains(asked.ConfigNames, cfg.Name) {
				r.Configs = append(r.Configs, cfg)
			}
		}
		resp.Resources = append(resp.Resources, r)
	}
	return resp, nil
}

func (c *call) configsOf(r kmsg.DescribeConfigsRequestResource, doc bool) ([]kmsg.DescribeConfigsResponseResourceConfig, error) {
	if err := c.mayConfigure(acl.DescribeConfigs, r.ResourceType, r.ResourceName); err != nil {
		return nil, err
	}
	switch r.ResourceType {
	case kmsg.ConfigResourceTypeTopic:
		t, err := c.broker.Topic(r.ResourceName)
		if err != nil {
			return nil, err
		}
		return topicConfigs(t, doc), nil
	case kmsg.ConfigResourceTypeBroker:
		if r.ResourceName != "" && r.ResourceName != strconv.Itoa(int(c.opts.NodeID)) {
			return nil, withMessage(kerr.InvalidRequest, "there is no broker %q", r.ResourceName)
		}
		return c.brokerConfigs(), nil
	}
	return nil, withMessage(kerr.InvalidRequest, "resource type %d has no configs here", r.ResourceType)
}

// mayConfigure says why the client may not look at, or change, the configs of a resource.
func (c *call) mayConfigure(op acl.Operation, typ kmsg.ConfigResourceType, name string) error {
	switch typ {
	case kmsg.ConfigResourceTypeTopic:
		if !c.authorize(op, acl.Topic, name) {
			return kerr.TopicAuthorizationFailed
		}
	case kmsg.ConfigResourceTypeGroupConfig:
		if !c.authorize(op, acl.Group, name) {
			return kerr.GroupAuthorizationFailed
		}
	default:
		if !c.authorizeCluster(op) {
			return kerr.ClusterAuthorizationFailed
		}
	}
	return nil
}

func topicConfigs(t *broker.Topic, doc bool) []kmsg.DescribeConfigsResponseResourceConfig {
	var out []kmsg.DescribeConfigsResponseResourceConfig
	for _, k := range broker.ConfigKeys() {
		cfg := kmsg.NewDescribeConfigsResponseResourceConfig()
		v := t.Config(k.Name)
		cfg.Name, cfg.Value, cfg.ConfigType = k.Name, &v, configType(k.Kind)
		cfg.Source = kmsg.ConfigSource(configSource(t, k.Name))
		cfg.IsDefault = cfg.Source == kmsg.ConfigSourceDefaultConfig
		if doc {
			d := k.Doc
			cfg.Documentation = &d
		}
		out = append(out, cfg)
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

// brokerConfigs is what tools look for on a broker. All of it is fixed while the node runs.
func (c *call) brokerConfigs() []kmsg.DescribeConfigsResponseResourceConfig {
	host, port := c.address(c.conn)
	values := []struct{ name, value string }{
		{"advertised.listeners", "PLAINTEXT://" + host + ":" + strconv.Itoa(int(port))},
		{"auto.create.topics.enable", strconv.FormatBool(!c.opts.DisableAutoCreate)},
		{"broker.id", strconv.Itoa(int(c.opts.NodeID))},
		{"default.replication.factor", "1"},
		{"group.initial.rebalance.delay.ms", strconv.FormatInt(c.opts.Groups.InitialDelay, 10)},
		{"message.max.bytes", "1048588"},
		{"min.insync.replicas", "1"},
		{"num.partitions", strconv.Itoa(int(c.broker.DefaultPartitions()))},
		{"offset.metadata.max.bytes", strconv.Itoa(c.opts.MaxMetadata)},
		{"offsets.topic.replication.factor", "1"},
		{"socket.request.max.bytes", strconv.Itoa(int(c.opts.MaxRequestBytes))},
		{"transaction.max.timeout.ms", strconv.Itoa(int(c.opts.MaxTxnMs))},
	}
	var out []kmsg.DescribeConfigsResponseResourceConfig
	for _, v := range values {
		cfg := kmsg.NewDescribeConfigsResponseResourceConfig()
		value := v.value
		cfg.Name, cfg.Value, cfg.ReadOnly = v.name, &value, true
		cfg.Source, cfg.ConfigType = kmsg.ConfigSourceStaticBrokerConfig, kmsg.ConfigTypeString
		out = append(out, cfg)
	}
	return out
}
