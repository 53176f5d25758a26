package kafka

import (
	"github.com/streamflow/streamflow/logstore/acl"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// initProducerID gives an idempotent producer an id of its own, and a transactional one the id that its name has.
func (c *call) initProducerID(req *kmsg.InitProducerIDRequest) (kmsg.Response, error) {
	resp := req.ResponseKind().(*kmsg.InitProducerIDResponse)
	resp.ProducerID, resp.ProducerEpoch = -1, -1
	id, epoch, err := c.producer(req)
	if resp.ErrorCode = code(err); err == nil {
		resp.ProducerID, resp.ProducerEpoch = id, epoch
	}
	return resp, nil
}

func (c *call) producer(req *kmsg.InitProducerIDRequest) (int64, int16, error) {
	switch {
	case req.TransactionalID == nil:
		if !c.mayBeIdempotent() {
			return 0, 0, kerr.ClusterAuthorizationFailed
		}
		id, err := c.broker.NextProducerID(c.ctx)
		return id, 0, err
	case *req.TransactionalID == "":
		return 0, 0, kerr.InvalidRequest
	case !c.authorize(acl.Write, acl.TransactionalID, *req.TransactionalID):
		return 0, 0, kerr.TransactionalIDAuthorizationFailed
	case req.TransactionTimeoutMillis <= 0 || req.TransactionTimeoutMillis > c.opts.MaxTxnMs:
		return 0, 0, kerr.InvalidTransactionTimeout
	}
	if err := c.coordinatesTxn(*req.TransactionalID); err != nil {
		return 0, 0, err
	}
	pid, epoch := int64(-1), int16(-1)
	if req.Version >= 3 {
		pid, epoch = req.ProducerID, req.ProducerEpoch
	}
	t, err := c.broker.InitTxn(c.ctx, *req.TransactionalID, int64(req.TransactionTimeoutMillis), pid, epoch)
	if err != nil {
		return 0, 0, err
	}
	return t.ProducerID, t.Epoch, nil
}

// mayBeIdempotent says whether the client may have a producer id: whoever may write to some topic may (KIP-679).
func (c *call) mayBeIdempotent() bool {
	return c.authorizeAny(acl.Write, acl.Topic) || c.authorizeCluster(acl.IdempotentWrite)
}
