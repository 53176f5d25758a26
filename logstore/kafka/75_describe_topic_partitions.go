package kafka

import (
	"sort"

	"github.com/streamflow/streamflow/logstore/acl"
	"github.com/streamflow/streamflow/logstore/broker"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// maxPageSize is how many partitions a page of DescribeTopicPartitions has at most (Kafka's max.request.partition.size.limit).
const maxPageSize = 2000

// describeTopicPartitions is the metadata of topics in pages, in order of their names (KIP-966).
func (c *call) describeTopicPartitions(req *kmsg.DescribeTopicPartitionsRequest) (kmsg.Response, error) {
	resp := req.ResponseKind().(*kmsg.DescribeTopicPartitionsResponse)
	names := c.pagedTopics(req)
	page := topicPage{room: maxPageSize}
	if n := int(req.ResponsePartitionLimit); n > 0 {
		page.room = min(n, maxPageSize)
	}
	from := int32(0)
	if at := req.Cursor; at != nil {
		names = names[sort.SearchStrings(names, at.Topic):]
		if len(names) > 0 && names[0] == at.Topic {
			from = max(0, at.Partition)
		}
	}
	for _, name := range names {
		if page.next != nil {
			break
		}
		if page.room == 0 {
			page.next = &kmsg.DescribeTopicPartitionsResponseNextCursor{Topic: name, Partition: from}
			break
		}
		c.describePage(name, from, &page)
		from = 0
	}
	resp.Topics, resp.NextCursor = page.topics, page.next
	return resp, nil
}

type topicPage struct {
	topics []kmsg.DescribeTopicPartitionsResponseTopic
	room   int // partitions
	next   *kmsg.DescribeTopicPartitionsResponseNextCursor
}

// pagedTopics are the names asked for, or all, in order.
func (c *call) pagedTopics(req *kmsg.DescribeTopicPartitionsRequest) []string {
	var names []string
	for _, t := range req.Topics {
		names = append(names, t.Topic)
	}
	if len(req.Topics) == 0 {
		for _, t := range c.broker.AllTopics() {
			if c.mayQuietly(acl.Describe, acl.Topic, t.Name) {
				names = append(names, t.Name)
			}
		}
	}
	sort.Strings(names)
	return names
}

// describePage adds a topic's partitions from one on to the page, as many as it has room for.
func (c *call) describePage(name string, from int32, page *topicPage) {
	r := kmsg.NewDescribeTopicPartitionsResponseTopic()
	r.Topic = &name
	t, err := c.describable(name)
	if err != nil {
		r.ErrorCode = code(err)
		page.topics = append(page.topics, r)
		return
	}
	r.TopicID, r.IsInternal, r.AuthorizedOperations = t.ID, broker.IsInternal(name), c.operations(true, acl.Topic, name)
	for p := from; p < t.Partitions; p++ {
		if page.room == 0 {
			page.next = &kmsg.DescribeTopicPartitionsResponseNextCursor{Topic: name, Partition: p}
			break
		}
		if m, ok := c.partitionPage(name, p); ok {
			r.Partitions = append(r.Partitions, m)
			page.room--
		}
	}
	page.topics = append(page.topics, r)
}

func (c *call) describable(name string) (*broker.Topic, error) {
	if !c.authorize(acl.Describe, acl.Topic, name) {
		return nil, kerr.TopicAuthorizationFailed
	}
	return c.broker.Topic(name)
}

func (c *call) partitionPage(topic string, p int32) (r kmsg.DescribeTopicPartitionsResponseTopicPartition, ok bool) {
	s, err := c.broker.PartitionState(topic, p)
	if err != nil {
		return r, false
	}
	r = kmsg.NewDescribeTopicPartitionsResponseTopicPartition()
	r.Partition, r.LeaderID, r.LeaderEpoch = p, s.Leader, s.LeaderEpoch
	r.Replicas, r.ISR, r.OfflineReplicas = s.Replicas, s.ISR, s.Offline
	// These two may be null on the wire, and Java's admin client fails on a null.
	r.EligibleLeaderReplicas, r.LastKnownELR = append([]int32{}, s.ELR...), []int32{}
	if s.Leader < 0 {
		r.ErrorCode = kerr.LeaderNotAvailable.Code
	}
	return r, true
}
