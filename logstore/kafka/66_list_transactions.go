package kafka

import (
	"slices"

	"github.com/streamflow/streamflow/logstore/acl"
	"github.com/twmb/franz-go/pkg/kmsg"
)

func (c *call) listTransactions(req *kmsg.ListTransactionsRequest) (kmsg.Response, error) {
	resp := req.ResponseKind().(*kmsg.ListTransactionsResponse)
	now := c.opts.Now().UnixMilli()
	for _, t := range c.broker.Txns() {
		switch {
		case !c.mayQuietly(acl.Describe, acl.TransactionalID, t.ID),
			!wanted(req.StateFilters, string(t.State)),
			len(req.ProducerIDFilters) > 0 && !slices.Contains(req.ProducerIDFilters, t.ProducerID),
			req.Version >= 1 && req.DurationFilterMillis >= 0 && (t.StartMs == 0 || now-t.StartMs < req.DurationFilterMillis):
			continue
		}
		r := kmsg.NewListTransactionsResponseTransactionState()
		r.TransactionalID, r.ProducerID, r.TransactionState = t.ID, t.ProducerID, string(t.State)
		resp.TransactionStates = append(resp.TransactionStates, r)
	}
	return resp, nil
}
