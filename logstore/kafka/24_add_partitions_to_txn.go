package kafka

import (
	"github.com/streamflow/streamflow/logstore/broker"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// addPartitionsToTxn adds all partitions or, if one of them is not there, none.
func (c *call) addPartitionsToTxn(req *kmsg.AddPartitionsToTxnRequest) (kmsg.Response, error) {
	var places []broker.TxnPlace
	missing := map[broker.TxnPlace]bool{}
	for _, t := range req.Topics {
		for _, p := range t.Partitions {
			place := broker.TxnPlace{Topic: t.Topic, Partition: p}
			places = append(places, place)
			if _, err := c.broker.Partition(t.Topic, p); err != nil {
				missing[place] = true
			}
		}
	}
	all := int16(0)
	if len(missing) > 0 {
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
			if missing[broker.TxnPlace{Topic: t.Topic, Partition: p}] {
				rp.ErrorCode = kerr.UnknownTopicOrPartition.Code
			}
			rt.Partitions = append(rt.Partitions, rp)
		}
		resp.Topics = append(resp.Topics, rt)
	}
	return resp, nil
}
