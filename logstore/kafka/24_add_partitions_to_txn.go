package kafka

import (
	"github.com/streamflow/streamflow/logstore/acl"
	"github.com/streamflow/streamflow/logstore/broker"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// addPartitionsToTxn adds all partitions or, if one of them is not there, none.
func (c *call) addPartitionsToTxn(req *kmsg.AddPartitionsToTxnRequest) (kmsg.Response, error) {
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
	if _, err := c.broker.Partition(topic, partition); err != nil {
		return kerr.UnknownTopicOrPartition
	}
	return nil
}
