package kafka

import (
	"github.com/streamflow/streamflow/logstore/acl"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

func (c *call) deleteRecords(req *kmsg.DeleteRecordsRequest) (kmsg.Response, error) {
	resp := req.ResponseKind().(*kmsg.DeleteRecordsResponse)
	for _, t := range req.Topics {
		rt := kmsg.NewDeleteRecordsResponseTopic()
		rt.Topic = t.Topic
		for _, p := range t.Partitions {
			rp := kmsg.NewDeleteRecordsResponseTopicPartition()
			low, err := c.deleteBefore(t.Topic, p.Partition, p.Offset)
			rp.Partition, rp.LowWatermark, rp.ErrorCode = p.Partition, low, code(err)
			rt.Partitions = append(rt.Partitions, rp)
		}
		resp.Topics = append(resp.Topics, rt)
	}
	return resp, nil
}

func (c *call) deleteBefore(topic string, partition int32, offset int64) (int64, error) {
	if !c.authorize(acl.Delete, acl.Topic, topic) {
		return -1, kerr.TopicAuthorizationFailed
	}
	part, err := c.broker.Partition(topic, partition)
	if err != nil {
		return -1, err
	}
	low, err := part.DeleteRecords(offset)
	if err != nil {
		return -1, err
	}
	return low, nil
}
