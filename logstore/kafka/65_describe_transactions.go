package kafka

import (
	"github.com/streamflow/streamflow/logstore/acl"
	"github.com/streamflow/streamflow/logstore/broker"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

func (c *call) describeTransactions(req *kmsg.DescribeTransactionsRequest) (kmsg.Response, error) {
	resp := req.ResponseKind().(*kmsg.DescribeTransactionsResponse)
	for _, id := range req.TransactionalIDs {
		r := kmsg.NewDescribeTransactionsResponseTransactionState()
		r.TransactionalID = id
		if !c.authorize(acl.Describe, acl.TransactionalID, id) {
			r.ErrorCode = kerr.TransactionalIDAuthorizationFailed.Code
			resp.TransactionStates = append(resp.TransactionStates, r)
			continue
		}
		if err := c.coordinatesTxn(id); err != nil {
			r.ErrorCode = code(err)
			resp.TransactionStates = append(resp.TransactionStates, r)
			continue
		}
		t := c.broker.Txn(id)
		if t == nil {
			r.ErrorCode = kerr.TransactionalIDNotFound.Code
			resp.TransactionStates = append(resp.TransactionStates, r)
			continue
		}
		r.State, r.TimeoutMillis, r.ProducerID, r.ProducerEpoch = txnState(t), int32(t.TimeoutMs), t.ProducerID, t.Epoch
		r.StartTimestamp = -1
		if t.StartMs > 0 {
			r.StartTimestamp = t.StartMs
		}
		for _, p := range t.Partitions {
			if !c.mayQuietly(acl.Describe, acl.Topic, p.Topic) {
				continue
			}
			if n := len(r.Topics); n == 0 || r.Topics[n-1].Topic != p.Topic {
				rt := kmsg.NewDescribeTransactionsResponseTransactionStateTopic()
				rt.Topic = p.Topic
				r.Topics = append(r.Topics, rt)
			}
			last := &r.Topics[len(r.Topics)-1]
			last.Partitions = append(last.Partitions, p.Partition)
		}
		resp.TransactionStates = append(resp.TransactionStates, r)
	}
	return resp, nil
}

// txnState is Kafka's name of where a transactional id stands: of one that rests, how its last transaction ended.
func txnState(t *broker.Txn) string {
	if t.State != broker.TxnEmpty || t.Ended == nil || !t.Ended.Rotated && t.Ended.Epoch != t.Epoch {
		return string(t.State)
	}
	if t.Ended.State == broker.TxnPrepareCommit {
		return "CompleteCommit"
	}
	return "CompleteAbort"
}
