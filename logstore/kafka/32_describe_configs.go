package kafka

import (
	"slices"
	"strconv"

	"github.com/streamflow/streamflow/logstore/acl"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

func (c *call) describeConfigs(req *kmsg.DescribeConfigsRequest) (kmsg.Response, error) {
	resp := req.ResponseKind().(*kmsg.DescribeConfigsResponse)
	for _, asked := range req.Resources {
		r := kmsg.NewDescribeConfigsResponseResource()
		r.ResourceType, r.ResourceName = asked.ResourceType, asked.ResourceName
		configs, err := c.configsOf(asked)
		r.ErrorCode, r.ErrorMessage = code(err), message(err)
		for _, cfg := range configs {
			if asked.ConfigNames == nil || slices.Contains(asked.ConfigNames, cfg.name) {
				r.Configs = append(r.Configs, cfg.encode(req))
			}
		}
		resp.Resources = append(resp.Resources, r)
	}
	return resp, nil
}

func (c *call) configsOf(r kmsg.DescribeConfigsRequestResource) ([]config, error) {
	if err := c.mayConfigure(acl.DescribeConfigs, r.ResourceType, r.ResourceName); err != nil {
		return nil, err
	}
	switch r.ResourceType {
	case kmsg.ConfigResourceTypeTopic:
		t, err := c.broker.Topic(r.ResourceName)
		if err != nil {
			return nil, err
		}
		return topicConfigs(t), nil
	case kmsg.ConfigResourceTypeBroker:
		if r.ResourceName != "" && r.ResourceName != strconv.Itoa(int(c.opts.NodeID)) {
			return nil, withMessage(kerr.InvalidRequest, "there is no broker %q", r.ResourceName)
		}
		return c.brokerConfigs(), nil
	case kmsg.ConfigResourceTypeGroupConfig:
		if r.ResourceName == "" {
			return nil, withMessage(kerr.InvalidRequest, "the group has no name")
		}
		return c.groupConfigs(r.ResourceName), nil
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
