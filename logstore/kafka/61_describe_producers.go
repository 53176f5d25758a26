package kafka

import (
	"github.com/streamflow/streamflow/logstore/acl"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

func (c *call) describeProducers(req *kmsg.DescribeProducersRequest) (kmsg.Response, error) {
	resp := req.ResponseKind().(*kmsg.DescribeProducersResponse)
	for _, t := range req.Topics {
		rt := kmsg.NewDescribeProducersResponseTopic()
		rt.Topic = t.Topic
		for _, p := range t.Partitions {
			rt.Partitions = append(rt.Partitions, c.producersOf(t.Topic, p))
		}
		resp.Topics = append(resp.Topics, rt)
	}
	return resp, nil
}

func (c *call) producersOf(topic string, partition int32) kmsg.DescribeProducersResponseTopicPartition {
	r := kmsg.NewDescribeProducersResponseTopicPartition()
	r.Partition = partition
	if !c.authorize(acl.Read, acl.Topic, topic) {
		r.ErrorCode = kerr.TopicAuthorizationFailed.Code
		return r
	}
	part, err := c.broker.Partition(topic, partition)
	if err != nil {
		r.ErrorCode, r.ErrorMessage = code(err), message(err)
		return r
	}
	for _, p := range part.Producers() {
		rp := kmsg.NewDescribeProducersResponseTopicPartitionActiveProducer()
		rp.ProducerID, rp.ProducerEpoch, rp.LastSequence = p.ProducerID, int32(p.Epoch), p.LastSequence
		rp.LastTimestamp, rp.CurrentTxnStartOffset, rp.CoordinatorEpoch = p.LastAppend, p.TxnFirst, 0
		r.ActiveProducers = append(r.ActiveProducers, rp)
	}
	return r
}
