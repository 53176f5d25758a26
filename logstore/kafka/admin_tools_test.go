package kafka

import (
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// TestDescribeQuorum asks a node that is alone who keeps the metadata: it does, and it knows how far its log is.
func TestDescribeQuorum(t *testing.T) {
	n := startNode(t)
	n.create("t", 1, nil)
	req := kmsg.NewPtrDescribeQuorumRequest()
	for _, name := range []string{metadataTopic, "t"} {
		rt := kmsg.NewDescribeQuorumRequestTopic()
		rt.Topic = name
		rt.Partitions = append(rt.Partitions, kmsg.NewDescribeQuorumRequestTopicPartition())
		req.Topics = append(req.Topics, rt)
	}
	res, err := req.RequestWith(timeout(t, 10*time.Second), n.client())
	if err != nil {
		t.Fatal(err)
	}
	p := res.Topics[0].Partitions[0]
	if len(p.CurrentVoters) != 1 || p.LeaderID != p.CurrentVoters[0].ReplicaID || p.HighWatermark <= 0 || p.CurrentVoters[0].LogEndOffset < p.HighWatermark || len(p.Observers) != 0 {
		t.Errorf("the metadata log is described as %+v", p)
	}
	if got := res.Topics[1].Partitions[0].ErrorCode; got != kerr.UnknownTopicOrPartition.Code {
		t.Errorf("an ordinary topic has no quorum, got %v", kerr.ErrorForCode(got))
	}
}

func TestListConfigResources(t *testing.T) {
	n := startNode(t)
	n.create("t", 1, nil)
	list, err := n.admin().ListConfigResources(timeout(t, 10*time.Second))
	if err != nil || list.Err != nil {
		t.Fatal(err, list.Err)
	}
	found := map[string]kadm.ConfigResourceType{}
	for _, r := range list.Resources {
		found[r.Name] = r.Type
	}
	if found["t"] != kadm.ConfigResourceTopic || len(found) < 2 {
		t.Errorf("listed %v", list.Resources)
	}
}

// TestDescribedListsAreNotNull asks as Java's admin client does, which takes no null for a list of brokers.
func TestDescribedListsAreNotNull(t *testing.T) {
	n := startNode(t)
	n.create("t", 1, nil)
	req := kmsg.NewPtrDescribeTopicPartitionsRequest()
	rt := kmsg.NewDescribeTopicPartitionsRequestTopic()
	rt.Topic = "t"
	req.Topics = append(req.Topics, rt)
	res, err := req.RequestWith(timeout(t, 10*time.Second), n.client())
	if err != nil {
		t.Fatal(err)
	}
	if p := res.Topics[0].Partitions[0]; p.EligibleLeaderReplicas == nil || p.LastKnownELR == nil {
		t.Errorf("eligible %v, last known %v", p.EligibleLeaderReplicas, p.LastKnownELR)
	}
}
