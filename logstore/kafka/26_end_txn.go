package kafka

import "github.com/twmb/franz-go/pkg/kmsg"

func (c *call) endTxn(req *kmsg.EndTxnRequest) (kmsg.Response, error) {
	resp := req.ResponseKind().(*kmsg.EndTxnResponse)
	resp.ErrorCode = code(c.broker.EndTxn(c.ctx, req.TransactionalID, req.ProducerID, req.ProducerEpoch, req.Commit))
	return resp, nil
}
