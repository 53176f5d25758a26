package kafka

import (
	"github.com/streamflow/streamflow/logstore/broker"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// offsetFetch answers with -1 where nothing was committed; a group that nobody knows has committed nothing.
func (c *call) offsetFetch(req *kmsg.OffsetFetchRequest) (kmsg.Response, error) {
	resp := req.ResponseKind().(*kmsg.OffsetFetchResponse)
	if req.Version < 8 {
		for _, t := range c.wantedOffsets(req.Group, wantOld(req.Topics)) {
			rt := kmsg.NewOffsetFetchResponseTopic()
			rt.Topic = t.topic
			for _, p := range t.offsets {
				rp := kmsg.NewOffsetFetchResponseTopicPartition()
				meta := p.Metadata
				rp.Partition, rp.Offset, rp.LeaderEpoch, rp.Metadata = p.Partition, p.Offset, p.LeaderEpoch, &meta
				rt.Partitions = append(rt.Partitions, rp)
			}
			resp.Topics = append(resp.Topics, rt)
		}
		return resp, nil
	}
	for _, g := range req.Groups {
		rg := kmsg.NewOffsetFetchResponseGroup()
		rg.Group = g.Group
		for _, t := range c.wantedOffsets(g.Group, wantNew(g.Topics)) {
			rt := kmsg.NewOffsetFetchResponseGroupTopic()
			rt.Topic = t.topic
			for _, p := range t.offsets {
				rp := kmsg.NewOffsetFetchResponseGroupTopicPartition()
				meta := p.Metadata
				rp.Partition, rp.Offset, rp.LeaderEpoch, rp.Metadata = p.Partition, p.Offset, p.LeaderEpoch, &meta
				rt.Partitions = append(rt.Partitions, rp)
			}
			rg.Topics = append(rg.Topics, rt)
		}
		resp.Groups = append(resp.Groups, rg)
	}
	return resp, nil
}

// topicOffsets is what is asked for, or answered, of one topic.
type topicOffsets struct {
	topic   string
	offsets []broker.GroupOffset
}

// wantOld and wantNew bring both forms of the question into one; nil asks for all.
func wantOld(topics []kmsg.OffsetFetchRequestTopic) []topicOffsets {
	if topics == nil {
		return nil
	}
	out := make([]topicOffsets, 0, len(topics))
	for _, t := range topics {
		out = append(out, wantTopic(t.Topic, t.Partitions))
	}
	return out
}

func wantNew(topics []kmsg.OffsetFetchRequestGroupTopic) []topicOffsets {
	if topics == nil {
		return nil
	}
	out := make([]topicOffsets, 0, len(topics))
	for _, t := range topics {
		out = append(out, wantTopic(t.Topic, t.Partitions))
	}
	return out
}

func wantTopic(topic string, partitions []int32) topicOffsets {
	w := topicOffsets{topic: topic}
	for _, p := range partitions {
		w.offsets = append(w.offsets, broker.GroupOffset{Topic: topic, Partition: p})
	}
	return w
}

func (c *call) wantedOffsets(group string, want []topicOffsets) []topicOffsets {
	if want == nil {
		return byTopic(c.broker.FetchOffsets(group))
	}
	for i := range want {
		for j := range want[i].offsets {
			o := &want[i].offsets[j]
			committed, ok := c.broker.FetchOffset(group, o.Topic, o.Partition)
			if !ok {
				committed = broker.CommittedOffset{Offset: -1, LeaderEpoch: -1}
			}
			o.CommittedOffset = committed
		}
	}
	return want
}

// byTopic groups offsets that are in topic order.
func byTopic(offsets []broker.GroupOffset) []topicOffsets {
	var out []topicOffsets
	for _, o := range offsets {
		if len(out) == 0 || out[len(out)-1].topic != o.Topic {
			out = append(out, topicOffsets{topic: o.Topic})
		}
		last := &out[len(out)-1]
		last.offsets = append(last.offsets, o)
	}
	return out
}
