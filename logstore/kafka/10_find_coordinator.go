package kafka

import (
	"github.com/streamflow/streamflow/logstore/acl"
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
	if req.Version < 4 {
		ec := code(c.mayCoordinate(req.CoordinatorType, req.CoordinatorKey))
		resp.ErrorCode, resp.NodeID, resp.Host, resp.Port = ec, c.opts.NodeID, host, port
		return resp, nil
	}
	for _, key := range req.CoordinatorKeys {
		k := kmsg.NewFindCoordinatorResponseCoordinator()
		ec := code(c.mayCoordinate(req.CoordinatorType, key))
		k.Key, k.ErrorCode, k.NodeID, k.Host, k.Port = key, ec, c.opts.NodeID, host, port
		resp.Coordinators = append(resp.Coordinators, k)
	}
	return resp, nil
}

// mayCoordinate says why a client may not know the coordinator of a key.
func (c *call) mayCoordinate(typ int8, key string) error {
	switch {
	case typ != coordinatorGroup && typ != coordinatorTxn:
		return kerr.InvalidRequest
	case typ == coordinatorGroup && !c.authorize(acl.Describe, acl.Group, key):
		return kerr.GroupAuthorizationFailed
	case typ == coordinatorTxn && !c.authorize(acl.Describe, acl.TransactionalID, key):
		return kerr.TransactionalIDAuthorizationFailed
	}
	return nil
}
