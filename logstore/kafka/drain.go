package kafka

import (
	"slices"
	"strconv"

	"github.com/streamflow/streamflow/logstore/broker"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// drainingConfig is the one config of a broker that can be changed while it runs: whether it is being emptied. Kafka has no
// request for that; as a config it can be set by every admin client, and through any broker.
const drainingConfig = "streamflow.draining"

// draining is the config as described of a broker.
func (c *call) draining(id int32) config {
	x := config{name: drainingConfig, value: "false", def: "false", kind: broker.KindBool, source: kmsg.ConfigSourceDefaultConfig,
		doc: "whether the broker is given no new replicas and leaderships, and those that it has move to others"}
	if slices.ContainsFunc(c.broker.Brokers(), func(b broker.BrokerInfo) bool { return b.ID == id && b.Draining }) {
		x.value, x.source = "true", kmsg.ConfigSourceDynamicBrokerConfig
	}
	return x
}

func (c *call) changeBrokerConfigs(asked kmsg.IncrementalAlterConfigsRequestResource, validateOnly bool) error {
	id, err := strconv.ParseInt(asked.ResourceName, 10, 32)
	if err != nil || !slices.ContainsFunc(c.broker.Brokers(), func(b broker.BrokerInfo) bool { return b.ID == int32(id) }) {
		return withMessage(kerr.InvalidRequest, "there is no broker %q", asked.ResourceName)
	}
	drain := false
	for _, cfg := range asked.Configs {
		if cfg.Name != drainingConfig {
			return withMessage(kerr.InvalidConfig, "config %s of a broker cannot be changed while it runs", cfg.Name)
		}
		switch cfg.Op {
		case kmsg.IncrementalAlterConfigOpSet:
			if drain, err = strconv.ParseBool(deref(cfg.Value)); err != nil {
				return withMessage(kerr.InvalidConfig, "config %s is true or false, not %q", cfg.Name, deref(cfg.Value))
			}
		case kmsg.IncrementalAlterConfigOpDelete:
		default:
			return withMessage(kerr.InvalidConfig, "config %s is not a list", cfg.Name)
		}
	}
	if validateOnly || len(asked.Configs) == 0 {
		return nil
	}
	return c.broker.Drain(c.ctx, int32(id), !drain)
}
