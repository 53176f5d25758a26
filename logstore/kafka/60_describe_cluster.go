package kafka

import "github.com/twmb/franz-go/pkg/kmsg"

func (c *call) describeCluster(req *kmsg.DescribeClusterRequest) (kmsg.Response, error) {
	resp := req.ResponseKind().(*kmsg.DescribeClusterResponse)
	host, port := c.address(c.conn)
	resp.ClusterID, resp.ControllerID = c.broker.ClusterID(), c.opts.NodeID
	resp.ClusterAuthorizedOperations = c.clusterOperations(req.IncludeClusterAuthorizedOperations)
	resp.EndpointType = 1
	b := kmsg.NewDescribeClusterResponseBroker()
	b.NodeID, b.Host, b.Port = c.opts.NodeID, host, port
	resp.Brokers = append(resp.Brokers, b)
	return resp, nil
}
