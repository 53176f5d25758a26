package kafka

import (
	"github.com/streamflow/streamflow/logstore/acl"
	"github.com/streamflow/streamflow/logstore/broker"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// writeTxnMarkers is for operators who end a transaction that hangs in a partition (KIP-664), and wants what the cluster's own
// nodes may. Coordinators do not use it: they tell leaders the decision's place in the metadata log too.
func (c *call) writeTxnMarkers(req *kmsg.WriteTxnMarkersRequest) (kmsg.Response, error) {
	resp := req.ResponseKind().(*kmsg.WriteTxnMarkersResponse)
	allowed := c.authorizeCluster(acl.ClusterAction)
	for _, m := range req.Markers {
		rm := kmsg.NewWriteTxnMarkersResponseMarker()
		rm.ProducerID = m.ProducerID
		for _, t := range m.Topics {
			rm.Topics = append(rm.Topics, c.writeMarkers(m, t, allowed))
		}
		resp.Markers = append(resp.Markers, rm)
	}
	return resp, nil
}

func (c *call) writeMarkers(m kmsg.WriteTxnMarkersRequestMarker, t kmsg.WriteTxnMarkersRequestMarkerTopic, allowed bool) kmsg.WriteTxnMarkersResponseMarkerTopic {
	rt := kmsg.NewWriteTxnMarkersResponseMarkerTopic()
	rt.Topic = t.Topic
	places := make([]broker.TxnPlace, len(t.Partitions))
	for i, p := range t.Partitions {
		places[i] = broker.TxnPlace{Topic: t.Topic, Partition: p}
	}
	var errs []error
	if allowed {
		errs = c.broker.WriteMarkers(c.ctx, m.ProducerID, m.ProducerEpoch, m.Committed, places)
	}
	for i, p := range t.Partitions {
		rp := kmsg.NewWriteTxnMarkersResponseMarkerTopicPartition()
		rp.Partition, rp.ErrorCode = p, kerr.ClusterAuthorizationFailed.Code
		if allowed {
			rp.ErrorCode = code(errs[i])
		}
		rt.Partitions = append(rt.Partitions, rp)
	}
	return rt
}
