package kafka

import (
	"regexp"
	"slices"

	"github.com/streamflow/streamflow/logstore/acl"
	"github.com/streamflow/streamflow/logstore/broker"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// txnStates are the states that a filter can name.
var txnStates = []string{"Empty", "Ongoing", "PrepareCommit", "PrepareAbort", "CompleteCommit", "CompleteAbort"}

// listTransactions lists transactional ids by state, producer id, how long a transaction has been open (KIP-994) and, as an
// RE2 expression, by name (KIP-1152).
func (c *call) listTransactions(req *kmsg.ListTransactionsRequest) (kmsg.Response, error) {
	resp := req.ResponseKind().(*kmsg.ListTransactionsResponse)
	var pattern *regexp.Regexp
	if p := deref(req.TransactionalIDPattern); p != "" {
		var err error
		if pattern, err = regexp.Compile("^(?:" + p + ")$"); err != nil {
			resp.ErrorCode = kerr.InvalidRegularExpression.Code
			return resp, nil
		}
	}
	for _, s := range req.StateFilters {
		if !slices.Contains(txnStates, s) {
			resp.UnknownStateFilters = append(resp.UnknownStateFilters, s)
		}
	}
	now := c.opts.Now().UnixMilli()
	for _, t := range c.broker.Txns() {
		if c.coordinatesTxn(t.ID) != nil {
			continue // its coordinator lists it
		}
		if !wantedTxn(req, t, now) || pattern != nil && !pattern.MatchString(t.ID) || !c.mayQuietly(acl.Describe, acl.TransactionalID, t.ID) {
			continue
		}
		r := kmsg.NewListTransactionsResponseTransactionState()
		r.TransactionalID, r.ProducerID, r.TransactionState = t.ID, t.ProducerID, txnState(t)
		resp.TransactionStates = append(resp.TransactionStates, r)
	}
	return resp, nil
}

func wantedTxn(req *kmsg.ListTransactionsRequest, t *broker.Txn, now int64) bool {
	switch {
	case !wanted(req.StateFilters, txnState(t)):
		return false
	case len(req.ProducerIDFilters) > 0 && !slices.Contains(req.ProducerIDFilters, t.ProducerID):
		return false
	case req.Version >= 1 && req.DurationFilterMillis >= 0:
		return t.StartMs != 0 && now-t.StartMs >= req.DurationFilterMillis
	}
	return true
}
