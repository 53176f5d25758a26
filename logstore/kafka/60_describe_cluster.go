package kafka

import (
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// endpointControllers asks for the nodes of the metadata log at their own addresses (KIP-919).
const endpointControllers = 2

func (c *call) describeCluster(req *kmsg.DescribeClusterRequest) (kmsg.Response, error) {
	resp := req.ResponseKind().(*kmsg.DescribeClusterResponse)
	resp.ClusterID, resp.ControllerID = c.broker.ClusterID(), c.broker.Controller()
	resp.ClusterAuthorizedOperations = c.clusterOperations(req.IncludeClusterAuthorizedOperations)
	resp.EndpointType = 1
	if req.EndpointType == endpointControllers {
		err := withMessage(kerr.UnsupportedEndpointType, "controllers have no address for clients; any broker takes what is for the controller")
		resp.ErrorCode, resp.ErrorMessage = code(err), message(err)
		return resp, nil
	}
	for _, x := range c.broker.Brokers() {
		if x.Fenced && !req.IncludeFencedBrokers {
			continue
		}
		e := c.conn.endpointOf(x)
		b := kmsg.NewDescribeClusterResponseBroker()
		b.NodeID, b.Host, b.Port, b.Rack, b.IsFenced = e.node, e.host, e.port, nullable(e.rack), x.Fenced
		resp.Brokers = append(resp.Brokers, b)
	}
	return resp, nil
}
