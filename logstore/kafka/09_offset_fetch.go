package kafka

import (
	"slices"

	"github.com/google/uuid"
	"github.com/streamflow/streamflow/logstore/acl"
	"github.com/streamflow/streamflow/logstore/broker"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// offsetFetch answers with -1 where nothing was committed; a group that nobody knows has committed nothing.
func (c *call) offsetFetch(req *kmsg.OffsetFetchRequest) (kmsg.Response, error) {
	resp := req.ResponseKind().(*kmsg.OffsetFetchResponse)
	if req.Version < 8 {
		if !c.authorize(acl.Describe, acl.Group, req.Group) {
			return refusedOffsetFetch(req, resp, kerr.GroupAuthorizationFailed), nil
		}
		if err := c.groups.mayFetch(req.Group, "", -1); err != nil {
			return refusedOffsetFetch(req, resp, err), nil
		}
		for _, t := range c.wantedOffsets(req.Group, wantOld(req.Topics), req.RequireStable) {
			rt := kmsg.NewOffsetFetchResponseTopic()
			rt.Topic = t.topic
			for _, p := range t.offsets {
				rp := kmsg.NewOffsetFetchResponseTopicPartition()
				meta := p.Metadata
				rp.Partition, rp.Offset, rp.LeaderEpoch, rp.Metadata = p.Partition, p.Offset, p.LeaderEpoch, &meta
				rp.ErrorCode = t.errorOf(p.Partition)
				rt.Partitions = append(rt.Partitions, rp)
			}
			resp.Topics = append(resp.Topics, rt)
		}
		return resp, nil
	}
	for _, g := range req.Groups {
		rg := kmsg.NewOffsetFetchResponseGroup()
		rg.Group = g.Group
		if !c.authorize(acl.Describe, acl.Group, g.Group) {
			rg.ErrorCode = kerr.GroupAuthorizationFailed.Code
			resp.Groups = append(resp.Groups, rg)
			continue
		}
		memberID, epoch := "", int32(-1)
		if req.Version >= 9 {
			memberID, epoch = deref(g.MemberID), g.MemberEpoch
		}
		if err := c.groups.mayFetch(g.Group, memberID, epoch); err != nil {
			rg.ErrorCode = code(err)
			resp.Groups = append(resp.Groups, rg)
			continue
		}
		for _, t := range c.wantedOffsets(g.Group, c.wantNew(g.Topics, req.Version >= 10), req.RequireStable) {
			rt := kmsg.NewOffsetFetchResponseGroupTopic()
			rt.Topic, rt.TopicID = t.topic, t.id
			for _, p := range t.offsets {
				rp := kmsg.NewOffsetFetchResponseGroupTopicPartition()
				meta := p.Metadata
				rp.Partition, rp.Offset, rp.LeaderEpoch, rp.Metadata = p.Partition, p.Offset, p.LeaderEpoch, &meta
				rp.ErrorCode = t.errorOf(p.Partition)
				rt.Partitions = append(rt.Partitions, rp)
			}
			rg.Topics = append(rg.Topics, rt)
		}
		resp.Groups = append(resp.Groups, rg)
	}
	return resp, nil
}

// refusedOffsetFetch says why the client is not shown the group; version 1 can say that only of partitions.
func refusedOffsetFetch(req *kmsg.OffsetFetchRequest, resp *kmsg.OffsetFetchResponse, err error) kmsg.Response {
	resp.ErrorCode = code(err)
	for _, t := range req.Topics {
		rt := kmsg.NewOffsetFetchResponseTopic()
		rt.Topic = t.Topic
		for _, p := range t.Partitions {
			rp := kmsg.NewOffsetFetchResponseTopicPartition()
			none := ""
			rp.Partition, rp.Offset, rp.LeaderEpoch, rp.Metadata, rp.ErrorCode = p, -1, -1, &none, resp.ErrorCode
			rt.Partitions = append(rt.Partitions, rp)
		}
		resp.Topics = append(resp.Topics, rt)
	}
	return resp
}

// topicOffsets is what is asked for, or answered, of one topic.
type topicOffsets struct {
	topic   string
	id      uuid.UUID // of the question or, from version 10 on, the answer
	offsets []broker.GroupOffset
	pending map[int32]bool // partitions with offsets in an open transaction, if the question wants to know
	refused error          // why the client is told nothing of the topic
}

// errorOf is the error of a partition: the client may not look, or an open transaction may change its offset.
func (t *topicOffsets) errorOf(partition int32) int16 {
	if t.refused != nil {
		return code(t.refused)
	}
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

func (c *call) wantNew(topics []kmsg.OffsetFetchRequestGroupTopic, byID bool) []topicOffsets {
	if topics == nil {
		return nil
	}
	out := make([]topicOffsets, 0, len(topics))
	for _, t := range topics {
		name, err := c.named(t.Topic, t.TopicID, byID)
		w := wantTopic(name, t.Partitions)
		w.id, w.refused = t.TopicID, err
		out = append(out, w)
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
		want = slices.DeleteFunc(byTopic(c.broker.FetchOffsets(group)), func(t topicOffsets) bool { return !c.mayQuietly(acl.Describe, acl.Topic, t.topic) })
		for i := range want {
			if t, err := c.broker.Topic(want[i].topic); err == nil {
				want[i].id = t.ID
			}
		}
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
		if want[i].refused == nil && !c.authorize(acl.Describe, acl.Topic, want[i].topic) {
			want[i].refused = kerr.TopicAuthorizationFailed
		}
		for j := range want[i].offsets {
			o := &want[i].offsets[j]
			committed, ok := c.broker.FetchOffset(group, o.Topic, o.Partition)
			if !ok || want[i].refused != nil {
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
