package kafka

import (
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Coordinator key types.
const (
	coordinatorGroup = 0
	coordinatorTxn   = 1
)

// findCoordinator always names this node.
func (c *call) findCoordinator(req *kmsg.FindCoordinatorRequest) (kmsg.Response, error) {
	resp := req.ResponseKind().(*kmsg.FindCoordinatorResponse)
	host, port := c.address(c.conn)
	ec := int16(0)
	if req.CoordinatorType != coordinatorGroup && req.CoordinatorType != coordinatorTxn {
		ec = kerr.InvalidRequest.Code
	}
	if req.Version < 4 {
		resp.ErrorCode, resp.NodeID, resp.Host, resp.Port = ec, c.opts.NodeID, host, port
		return resp, nil
	}
	for _, key := range req.CoordinatorKeys {
		k := kmsg.NewFindCoordinatorResponseCoordinator()
		k.Key, k.ErrorCode, k.NodeID, k.Host, k.Port = key, ec, c.opts.NodeID, host, port
		resp.Coordinators = append(resp.Coordinators, k)
	}
	return resp, nil
}
