package kafka

import (
	"github.com/streamflow/streamflow/logstore/acl"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// unregisterBroker forgets a broker that is gone for good (KIP-631).
func (c *call) unregisterBroker(req *kmsg.UnregisterBrokerRequest) (kmsg.Response, error) {
	resp := req.ResponseKind().(*kmsg.UnregisterBrokerResponse)
	err := error(kerr.ClusterAuthorizationFailed)
	if c.authorizeCluster(acl.Alter) {
		err = c.broker.Unregister(c.ctx, req.BrokerID)
	}
	resp.ErrorCode, resp.ErrorMessage = code(err), message(err)
	return resp, nil
}
