package kafka

import (
	"github.com/streamflow/streamflow/logstore/acl"
	"github.com/streamflow/streamflow/logstore/broker"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// addPartitionsToTxn adds all partitions or, if one of them is not there, none. From version 4 on it is a question among
// brokers, about many transactions.
func (c *call) addPartitionsToTxn(req *kmsg.AddPartitionsToTxnRequest) (kmsg.Response, error) {
	if req.Version >= 4 {
		return c.addPartitionsToTxns(req)
	}
	var places []broker.TxnPlace
	bad := map[broker.TxnPlace]int16{} // why a partition cannot be added
	for _, t := range req.Topics {
		for _, p := range t.Partitions {
			place := broker.TxnPlace{Topic: t.Topic, Partition: p}
			places = append(places, place)
			if err := c.mayAdd(t.Topic, p); err != nil {
				bad[place] = code(err)
			}
		}
	}
	all := int16(0)
	if !c.authorize(acl.Write, acl.TransactionalID, req.TransactionalID) {
		all, bad = kerr.TransactionalIDAuthorizationFailed.Code, nil
	} else if err := c.coordinatesTxn(req.TransactionalID); err != nil {
		all, bad = code(err), nil
	} else if len(bad) > 0 {
		all = kerr.OperationNotAttempted.Code
	} else if err := c.broker.AddToTxn(c.ctx, req.TransactionalID, req.ProducerID, req.ProducerEpoch, places); err != nil {
		all = code(err)
	}
	resp := req.ResponseKind().(*kmsg.AddPartitionsToTxnResponse)
	for _, t := range req.Topics {
		rt := kmsg.NewAddPartitionsToTxnResponseTopic()
		rt.Topic = t.Topic
		for _, p := range t.Partitions {
			rp := kmsg.NewAddPartitionsToTxnResponseTopicPartition()
			rp.Partition, rp.ErrorCode = p, all
			if ec := bad[broker.TxnPlace{Topic: t.Topic, Partition: p}]; ec != 0 {
				rp.ErrorCode = ec
			}
			rt.Partitions = append(rt.Partitions, rp)
		}
		resp.Topics = append(resp.Topics, rt)
	}
	return resp, nil
}

// mayAdd says why a partition cannot be part of the client's transaction.
func (c *call) mayAdd(topic string, partition int32) error {
	if !c.authorize(acl.Write, acl.Topic, topic) {
		return kerr.TopicAuthorizationFailed
	}
	return c.exists(topic, partition)
}

// addPartitionsToTxns adds partitions to transactions, or only asks whether they are in them.
func (c *call) addPartitionsToTxns(req *kmsg.AddPartitionsToTxnRequest) (kmsg.Response, error) {
	resp := req.ResponseKind().(*kmsg.AddPartitionsToTxnResponse)
	if !c.authorizeCluster(acl.ClusterAction) {
		resp.ErrorCode = kerr.ClusterAuthorizationFailed.Code
		return resp, nil
	}
	for _, t := range req.Transactions {
		rt := kmsg.NewAddPartitionsToTxnResponseTransaction()
		rt.TransactionalID = t.TransactionalID
		var places []broker.TxnPlace
		for _, topic := range t.Topics {
			for _, p := range topic.Partitions {
				places = append(places, broker.TxnPlace{Topic: topic.Topic, Partition: p})
			}
		}
		codeOf := c.addOrVerify(t, places, req.Version)
		for _, topic := range t.Topics {
			rtt := kmsg.NewAddPartitionsToTxnResponseTransactionTopic()
			rtt.Topic = topic.Topic
			for _, p := range topic.Partitions {
				rp := kmsg.NewAddPartitionsToTxnResponseTransactionTopicPartition()
				rp.Partition, rp.ErrorCode = p, codeOf(broker.TxnPlace{Topic: topic.Topic, Partition: p})
				rtt.Partitions = append(rtt.Partitions, rp)
			}
			rt.Topics = append(rt.Topics, rtt)
		}
		resp.Transactions = append(resp.Transactions, rt)
	}
	return resp, nil
}

// addOrVerify adds places to a transaction, or looks whether they are in it, and returns the answer for each.
func (c *call) addOrVerify(t kmsg.AddPartitionsToTxnRequestTransaction, places []broker.TxnPlace, version int16) func(broker.TxnPlace) int16 {
	if err := c.coordinatesTxn(t.TransactionalID); err != nil {
		return func(broker.TxnPlace) int16 { return code(err) }
	}
	if !t.VerifyOnly {
		ec := code(c.broker.AddToTxn(c.ctx, t.TransactionalID, t.ProducerID, t.ProducerEpoch, places))
		return func(broker.TxnPlace) int16 { return ec }
	}
	stale := kerr.InvalidTxnState.Code
	if version >= 5 {
		stale = kerr.TransactionAbortable.Code
	}
	return func(p broker.TxnPlace) int16 {
		switch now := c.broker.Txn(t.TransactionalID); {
		case now == nil || now.ProducerID != t.ProducerID:
			return kerr.InvalidProducerIDMapping.Code
		case now.Epoch != t.ProducerEpoch:
			return kerr.ProducerFenced.Code
		case now.State != broker.TxnOngoing || !now.Has(p):
			return stale
		}
		return 0
	}
}
