package kafka

import (
	"github.com/streamflow/streamflow/logstore"
	"github.com/streamflow/streamflow/logstore/acl"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Special timestamps of ListOffsets.
const (
	tsLatest                = -1
	tsEarliest              = -2
	tsMax                   = -3 // KIP-734
	tsEarliestLocal         = -4 // KIP-405
	tsLatestTiered          = -5 // KIP-1005
	tsEarliestPendingUpload = -6 // KIP-1023
)

func (c *call) listOffsets(req *kmsg.ListOffsetsRequest) (kmsg.Response, error) {
	resp := req.ResponseKind().(*kmsg.ListOffsetsResponse)
	for _, t := range req.Topics {
		rt := kmsg.NewListOffsetsResponseTopic()
		rt.Topic = t.Topic
		for _, p := range t.Partitions {
			rp := kmsg.NewListOffsetsResponseTopicPartition()
			rp.Partition = p.Partition
			at, err := c.offsetAt(t.Topic, p, req.IsolationLevel == 1)
			rp.ErrorCode = code(err)
			rp.Timestamp, rp.Offset, rp.LeaderEpoch = at.Timestamp, at.Offset, at.LeaderEpoch
			rt.Partitions = append(rt.Partitions, rp)
		}
		resp.Topics = append(resp.Topics, rt)
	}
	return resp, nil
}

// offsetAt finds the offset that a timestamp, real or special, means.
func (c *call) offsetAt(topic string, p kmsg.ListOffsetsRequestTopicPartition, committed bool) (logstore.TimestampOffset, error) {
	none := logstore.TimestampOffset{Offset: -1, Timestamp: -1, LeaderEpoch: -1}
	if !c.authorize(acl.Describe, acl.Topic, topic) {
		return none, kerr.TopicAuthorizationFailed
	}
	part, err := c.broker.LeaderPartition(topic, p.Partition)
	if err == nil {
		err = checkLeader(part.Role(), p.CurrentLeaderEpoch)
	}
	if err != nil {
		return none, err
	}
	at := func(offset int64) (logstore.TimestampOffset, error) {
		return logstore.TimestampOffset{Offset: offset, Timestamp: -1, LeaderEpoch: part.EpochAt(offset)}, nil
	}
	o := part.Offsets()
	switch p.Timestamp {
	case tsEarliest:
		return at(o.LogStart)
	case tsEarliestLocal:
		return at(part.LocalStart())
	case tsLatestTiered, tsEarliestPendingUpload:
		return tiered(part, p.Timestamp, at)
	}
	if o, err = part.LatestOffsets(); err != nil { // a new leader that does not know the end yet
		return none, err
	}
	end := o.HighWatermark
	if committed {
		end = o.LastStable
	}
	switch {
	case p.Timestamp == tsLatest:
		return at(end)
	case p.Timestamp == tsMax:
		return found(part.MaxTimestamp())(end)
	case p.Timestamp < 0:
		return none, kerr.UnsupportedVersion
	}
	return found(part.OffsetForTime(p.Timestamp))(end)
}

// tiered answers about the cold tier: the last offset that it has, or the first that it has not yet. A partition that is
// not archived has neither.
func tiered(part *logstore.Partition, ts int64, at func(int64) (logstore.TimestampOffset, error)) (logstore.TimestampOffset, error) {
	next := part.ArchivedTo()
	switch {
	case part.Cold() == nil || next < 0 && ts == tsLatestTiered:
		return logstore.TimestampOffset{Offset: -1, Timestamp: -1, LeaderEpoch: -1}, nil
	case ts == tsLatestTiered:
		return at(next - 1)
	}
	return at(max(next, part.Offsets().LogStart))
}

// found drops an offset that the reader may not see yet.
func found(t logstore.TimestampOffset, err error) func(end int64) (logstore.TimestampOffset, error) {
	return func(end int64) (logstore.TimestampOffset, error) {
		if err != nil || t.Offset < 0 || t.Offset >= end {
			return logstore.TimestampOffset{Offset: -1, Timestamp: -1, LeaderEpoch: -1}, err
		}
		return t, nil
	}
}
