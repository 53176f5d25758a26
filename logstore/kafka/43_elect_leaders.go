package kafka

import (
	"github.com/streamflow/streamflow/logstore/acl"
	"github.com/streamflow/streamflow/logstore/broker"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// electLeaders elects preferred leaders, or, with election type 1, any leader for partitions without one (KIP-460). Asked for all
// partitions it answers for those only where there was something to do.
func (c *call) electLeaders(req *kmsg.ElectLeadersRequest) (kmsg.Response, error) {
	resp := req.ResponseKind().(*kmsg.ElectLeadersResponse)
	if !c.authorizeCluster(acl.Alter) {
		resp.ErrorCode = kerr.ClusterAuthorizationFailed.Code
		return resp, nil
	}
	if req.ElectionType < 0 || req.ElectionType > 1 {
		resp.ErrorCode = kerr.InvalidRequest.Code
		return resp, nil
	}
	places := placesToElect(req, c.broker)
	errs, err := c.broker.ElectLeaders(c.ctx, places, req.ElectionType == 1)
	if err != nil {
		resp.ErrorCode = code(err)
		return resp, nil
	}
	byTopic := map[string]int{}
	for i, pl := range places {
		if req.Topics == nil && code(errs[i]) == kerr.ElectionNotNeeded.Code {
			continue
		}
		at, ok := byTopic[pl.Topic]
		if !ok {
			at = len(resp.Topics)
			byTopic[pl.Topic] = at
			t := kmsg.NewElectLeadersResponseTopic()
			t.Topic = pl.Topic
			resp.Topics = append(resp.Topics, t)
		}
		p := kmsg.NewElectLeadersResponseTopicPartition()
		p.Partition, p.ErrorCode, p.ErrorMessage = pl.Partition, code(errs[i]), message(errs[i])
		resp.Topics[at].Partitions = append(resp.Topics[at].Partitions, p)
	}
	return resp, nil
}

func placesToElect(req *kmsg.ElectLeadersRequest, b *broker.Broker) []broker.TxnPlace {
	var places []broker.TxnPlace
	for _, t := range req.Topics {
		for _, p := range t.Partitions {
			places = append(places, broker.TxnPlace{Topic: t.Topic, Partition: p})
		}
	}
	if req.Topics == nil {
		for _, t := range b.AllTopics() {
			for p := range t.Partitions {
				places = append(places, broker.TxnPlace{Topic: t.Name, Partition: p})
			}
		}
	}
	return places
}
