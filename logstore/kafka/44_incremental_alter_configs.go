package kafka

import (
	"slices"
	"strings"

	"github.com/streamflow/streamflow/logstore/acl"
	"github.com/streamflow/streamflow/logstore/broker"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

func (c *call) incrementalAlterConfigs(req *kmsg.IncrementalAlterConfigsRequest) (kmsg.Response, error) {
	resp := req.ResponseKind().(*kmsg.IncrementalAlterConfigsResponse)
	for _, asked := range req.Resources {
		r := kmsg.NewIncrementalAlterConfigsResponseResource()
		r.ResourceType, r.ResourceName = asked.ResourceType, asked.ResourceName
		err := c.changeConfigs(asked, req.ValidateOnly)
		r.ErrorCode, r.ErrorMessage = code(err), message(err)
		resp.Resources = append(resp.Resources, r)
	}
	return resp, nil
}

func (c *call) changeConfigs(asked kmsg.IncrementalAlterConfigsRequestResource, validateOnly bool) error {
	if err := c.mayConfigure(acl.AlterConfigs, asked.ResourceType, asked.ResourceName); err != nil {
		return err
	}
	if asked.ResourceType == kmsg.ConfigResourceTypeGroupConfig {
		return c.changeGroupConfigs(asked, validateOnly)
	}
	if asked.ResourceType == kmsg.ConfigResourceTypeBroker {
		return c.changeBrokerConfigs(asked, validateOnly)
	}
	if asked.ResourceType != kmsg.ConfigResourceTypeTopic {
		return withMessage(kerr.InvalidRequest, "only topics', groups' and brokers' configs can be altered while the node runs")
	}
	t, err := c.broker.Topic(asked.ResourceName)
	if err != nil {
		return err
	}
	set, unset := map[string]string{}, []string(nil)
	for _, cfg := range asked.Configs {
		v := deref(cfg.Value)
		switch cfg.Op {
		case kmsg.IncrementalAlterConfigOpSet:
			set[cfg.Name] = v
		case kmsg.IncrementalAlterConfigOpDelete:
			unset = append(unset, cfg.Name)
		case kmsg.IncrementalAlterConfigOpAppend:
			set[cfg.Name] = changeList(t, cfg.Name, v, true)
		case kmsg.IncrementalAlterConfigOpSubtract:
			set[cfg.Name] = changeList(t, cfg.Name, v, false)
		default:
			return withMessage(kerr.InvalidRequest, "config %s: operation %d", cfg.Name, cfg.Op)
		}
	}
	return c.alter(t.Name, set, unset, validateOnly)
}

// changeList adds elements to, or takes them from, a config that is a list.
func changeList(t *broker.Topic, key, elements string, add bool) string {
	var list []string
	if now := t.Config(key); now != "" {
		list = strings.Split(now, ",")
	}
	for e := range strings.SplitSeq(elements, ",") {
		i := slices.Index(list, e)
		switch {
		case add && i < 0:
			list = append(list, e)
		case !add && i >= 0:
			list = slices.Delete(list, i, i+1)
		}
	}
	return strings.Join(list, ",")
}

func (c *call) changeGroupConfigs(asked kmsg.IncrementalAlterConfigsRequestResource, validateOnly bool) error {
	if asked.ResourceName == "" {
		return withMessage(kerr.InvalidRequest, "the group has no name")
	}
	set, unset := map[string]string{}, []string(nil)
	for _, cfg := range asked.Configs {
		switch cfg.Op {
		case kmsg.IncrementalAlterConfigOpSet:
			set[cfg.Name] = deref(cfg.Value)
		case kmsg.IncrementalAlterConfigOpDelete:
			unset = append(unset, cfg.Name)
		default:
			return withMessage(kerr.InvalidConfig, "config %s is not a list", cfg.Name)
		}
	}
	return c.broker.AlterGroupConfigs(c.ctx, asked.ResourceName, set, unset, validateOnly)
}
