package kafka

import (
	"github.com/streamflow/streamflow/logstore/acl"
	"github.com/streamflow/streamflow/logstore/broker"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Coordinator key types.
const (
	coordinatorGroup = int8(broker.GroupCoordinator)
	coordinatorTxn   = int8(broker.TxnCoordinator)
	coordinatorShare = int8(broker.ShareCoordinator) // KIP-932; from version 6 on
)

func (c *call) findCoordinator(req *kmsg.FindCoordinatorRequest) (kmsg.Response, error) {
	resp := req.ResponseKind().(*kmsg.FindCoordinatorResponse)
	if req.Version < 4 {
		e, err := c.coordinator(req.CoordinatorType, req.CoordinatorKey, req.Version)
		resp.ErrorCode, resp.ErrorMessage, resp.NodeID, resp.Host, resp.Port = code(err), message(err), e.node, e.host, e.port
		return resp, nil
	}
	for _, key := range req.CoordinatorKeys {
		e, err := c.coordinator(req.CoordinatorType, key, req.Version)
		k := kmsg.NewFindCoordinatorResponseCoordinator()
		k.Key, k.ErrorCode, k.ErrorMessage, k.NodeID, k.Host, k.Port = key, code(err), message(err), e.node, e.host, e.port
		resp.Coordinators = append(resp.Coordinators, k)
	}
	return resp, nil
}

// coordinator is where the coordinator of a key is.
func (c *call) coordinator(typ int8, key string, version int16) (endpoint, error) {
	none := endpoint{node: -1, port: -1}
	if typ == coordinatorShare && version < 6 {
		return none, kerr.InvalidRequest
	}
	if err := c.mayCoordinate(typ, key); err != nil {
		return none, err
	}
	node, err := c.broker.CoordinatorOf(broker.Coordinator(typ), key)
	if err != nil {
		c.log.Debug("kafka: no coordinator", "key", key, "err", err)
		return none, kerr.CoordinatorNotAvailable // whatever it is, clients try again
	}
	for _, b := range c.broker.AliveBrokers() {
		if b.ID == node {
			return c.conn.endpointOf(b), nil
		}
	}
	return none, kerr.CoordinatorNotAvailable
}

// mayCoordinate says why a client may not know the coordinator of a key.
func (c *call) mayCoordinate(typ int8, key string) error {
	switch {
	case typ < coordinatorGroup || typ > coordinatorShare:
		return kerr.InvalidRequest
	case typ == coordinatorGroup && !c.authorize(acl.Describe, acl.Group, key):
		return kerr.GroupAuthorizationFailed
	case typ == coordinatorTxn && !c.authorize(acl.Describe, acl.TransactionalID, key):
		return kerr.TransactionalIDAuthorizationFailed
	case typ == coordinatorShare && !c.authorizeCluster(acl.ClusterAction):
		return kerr.ClusterAuthorizationFailed
	}
	return nil
}
