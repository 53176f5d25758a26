package kafka

import (
	"github.com/streamflow/streamflow/logstore/broker"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// offsetFetch answers with -1 where nothing was committed; a group that nobody knows has committed nothing.
func (c *call) offsetFetch(req *kmsg.OffsetFetchRequest) (kmsg.Response, error) {
	resp := req.ResponseKind().(*kmsg.OffsetFetchResponse)
	if req.Version < 8 {
		for _, t := range c.wantedOffsets(req.Group, wantOld(req.Topics), req.RequireStable) {
			rt := kmsg.NewOffsetFetchResponseTopic()
			rt.Topic = t.topic
			for _, p := range t.offsets {
				rp := kmsg.NewOffsetFetchResponseTopicPartition()
				meta := p.Metadata
				rp.Partition, rp.Offset, rp.LeaderEpoch, rp.Metadata = p.Partition, p.Offset, p.LeaderEpoch, &meta
				rp.ErrorCode = t.unstable(p.Partition)
				rt.Partitions = append(rt.Partitions, rp)
			}
			resp.Topics = append(resp.Topics, rt)
		}
		return resp, nil
	}
	for _, g := range req.Groups {
		rg := kmsg.NewOffsetFetchResponseGroup()
		rg.Group = g.Group
		for _, t := range c.wantedOffsets(g.Group, wantNew(g.Topics), req.RequireStable) {
			rt := kmsg.NewOffsetFetchResponseGroupTopic()
			rt.Topic = t.topic
			for _, p := range t.offsets {
				rp := kmsg.NewOffsetFetchResponseGroupTopicPartition()
				meta := p.Metadata
				rp.Partition, rp.Offset, rp.LeaderEpoch, rp.Metadata = p.Partition, p.Offset, p.LeaderEpoch, &meta
				rp.ErrorCode = t.unstable(p.Partition)
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
	pending map[int32]bool // partitions with offsets in an open transaction, if the question wants to know
}

// unstable is the error of a partition whose offset an open transaction may change.
func (t *topicOffsets) unstable(partition int32) int16 {
	if t.pending[partition] {
		return kerr.UnstableOffsetCommit.Code
	}
	return 0
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

// wantedOffsets answers a question; stable asks for a note where a transaction may change the answer.
func (c *call) wantedOffsets(group string, want []topicOffsets, stable bool) []topicOffsets {
	if want == nil {
		want = byTopic(c.broker.FetchOffsets(group))
	} else {
		c.fillOffsets(group, want)
	}
	if stable {
		for i := range want {
			want[i].pending = c.broker.PendingOffsets(group, want[i].topic)
		}
	}
	return want
}

func (c *call) fillOffsets(group string, want []topicOffsets) {
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
