package kafka

import (
	"github.com/streamflow/streamflow/logstore/acl"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// endTxn commits or aborts. From version 5 on the producer's epoch grows with it (KIP-890).
func (c *call) endTxn(req *kmsg.EndTxnRequest) (kmsg.Response, error) {
	resp := req.ResponseKind().(*kmsg.EndTxnResponse)
	if !c.authorize(acl.Write, acl.TransactionalID, req.TransactionalID) {
		resp.ErrorCode = kerr.TransactionalIDAuthorizationFailed.Code
		return resp, nil
	}
	if err := c.coordinatesTxn(req.TransactionalID); err != nil {
		resp.ErrorCode = code(err)
		return resp, nil
	}
	if req.Version < 5 {
		resp.ErrorCode = code(c.broker.EndTxn(c.ctx, req.TransactionalID, req.ProducerID, req.ProducerEpoch, req.Commit))
		return resp, nil
	}
	t, err := c.broker.EndTxnBump(c.ctx, req.TransactionalID, req.ProducerID, req.ProducerEpoch, req.Commit)
	if resp.ErrorCode = code(err); err == nil {
		resp.ProducerID, resp.ProducerEpoch = t.ProducerID, t.Epoch
	}
	return resp, nil
}
