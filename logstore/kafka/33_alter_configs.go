package kafka

import (
	"github.com/streamflow/streamflow/logstore/acl"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// alterConfigs replaces all configs of a topic by those given.
func (c *call) alterConfigs(req *kmsg.AlterConfigsRequest) (kmsg.Response, error) {
	resp := req.ResponseKind().(*kmsg.AlterConfigsResponse)
	for _, asked := range req.Resources {
		r := kmsg.NewAlterConfigsResponseResource()
		r.ResourceType, r.ResourceName = asked.ResourceType, asked.ResourceName
		err := c.replaceConfigs(asked, req.ValidateOnly)
		r.ErrorCode, r.ErrorMessage = code(err), message(err)
		resp.Resources = append(resp.Resources, r)
	}
	return resp, nil
}

func (c *call) replaceConfigs(asked kmsg.AlterConfigsRequestResource, validateOnly bool) error {
	if err := c.mayConfigure(acl.AlterConfigs, asked.ResourceType, asked.ResourceName); err != nil {
		return err
	}
	if asked.ResourceType == kmsg.ConfigResourceTypeGroupConfig {
		return c.replaceGroupConfigs(asked, validateOnly)
	}
	if asked.ResourceType != kmsg.ConfigResourceTypeTopic {
		return withMessage(kerr.InvalidRequest, "only topics' and groups' configs can be altered while the node runs")
	}
	t, err := c.broker.Topic(asked.ResourceName)
	if err != nil {
		return err
	}
	set := map[string]string{}
	for _, cfg := range asked.Configs {
		if cfg.Value != nil {
			set[cfg.Name] = *cfg.Value
		}
	}
	var unset []string
	for k := range t.Configs {
		if _, kept := set[k]; !kept {
			unset = append(unset, k)
		}
	}
	return c.alter(t.Name, set, unset, validateOnly)
}

func (c *call) alter(topic string, set map[string]string, unset []string, validateOnly bool) error {
	if validateOnly {
		return c.broker.ValidateAlter(topic, set, unset)
	}
	return c.broker.AlterConfigs(c.ctx, topic, set, unset)
}

func (c *call) replaceGroupConfigs(asked kmsg.AlterConfigsRequestResource, validateOnly bool) error {
	set, unset := map[string]string{}, []string(nil)
	for _, cfg := range asked.Configs {
		set[cfg.Name] = deref(cfg.Value)
	}
	for k := range c.broker.GroupConfigs(asked.ResourceName) {
		if _, kept := set[k]; !kept {
			unset = append(unset, k)
		}
	}
	return c.broker.AlterGroupConfigs(c.ctx, asked.ResourceName, set, unset, validateOnly)
}
