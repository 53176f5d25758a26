package kafka

import (
	"errors"

	"github.com/streamflow/streamflow/logstore/acl"
	"github.com/streamflow/streamflow/logstore/broker"
	"github.com/streamflow/streamflow/logstore/meta"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

func (c *call) offsetCommit(req *kmsg.OffsetCommitRequest) (kmsg.Response, error) {
	resp := req.ResponseKind().(*kmsg.OffsetCommitResponse)
	allowed := c.authorize(acl.Read, acl.Group, req.Group)
	var good []broker.GroupOffset
	for _, t := range req.Topics {
		rt := kmsg.NewOffsetCommitResponseTopic()
		rt.Topic, rt.TopicID = t.Topic, t.TopicID
		topic, err := c.named(t.Topic, t.TopicID, req.Version >= 10)
		for _, p := range t.Partitions {
			rp := kmsg.NewOffsetCommitResponseTopicPartition()
			rp.Partition = p.Partition
			rp.ErrorCode = kerr.GroupAuthorizationFailed.Code
			if allowed {
				rp.ErrorCode = code(c.checkNamed(topic, err, p.Partition, p.Metadata))
			}
			if rp.ErrorCode == 0 {
				good = append(good, c.groupOffset(topic, p.Partition, p.Offset, p.LeaderEpoch, p.Metadata))
			}
			rt.Partitions = append(rt.Partitions, rp)
		}
		resp.Topics = append(resp.Topics, rt)
	}
	if !allowed {
		return resp, nil
	}
	if ec := c.commitGood(req, good); ec != 0 {
		for i := range resp.Topics {
			for j := range resp.Topics[i].Partitions {
				if p := &resp.Topics[i].Partitions[j]; p.ErrorCode == 0 {
					p.ErrorCode = ec
				}
			}
		}
	}
	return resp, nil
}

// commitGood commits what passed the checks of single partitions, if the member may commit.
func (c *call) commitGood(req *kmsg.OffsetCommitRequest, good []broker.GroupOffset) int16 {
	if req.Group == "" && req.Generation >= 0 {
		return kerr.InvalidGroupID.Code
	}
	who := committer{epoch: req.Generation, old: req.Version < 9}
	who.MemberID, who.InstanceID = req.MemberID, deref(req.InstanceID)
	var pending *meta.Pending
	err := c.groups.commit(req.Group, who, func() {
		if len(good) > 0 {
			pending = c.broker.SubmitOffsets(req.Group, good) // inside, so that a later generation's commits come later
		}
	})
	if err != nil || pending == nil {
		return code(err)
	}
	if _, err := pending.Wait(c.ctx); errors.Is(err, broker.ErrNotCoordinator) {
		return kerr.NotCoordinator.Code
	} else if err != nil {
		return kerr.CoordinatorNotAvailable.Code
	}
	return 0
}

// checkNamed is checkOffset for a topic that named found, or did not.
func (c *call) checkNamed(topic string, err error, partition int32, metadata *string) error {
	if err != nil {
		return err
	}
	return c.checkOffset(topic, partition, metadata)
}

func (c *call) checkOffset(topic string, partition int32, metadata *string) error {
	if !c.authorize(acl.Read, acl.Topic, topic) {
		return kerr.TopicAuthorizationFailed
	}
	if err := c.exists(topic, partition); err != nil {
		return err
	}
	if metadata != nil && len(*metadata) > c.opts.MaxMetadata {
		return kerr.OffsetMetadataTooLarge
	}
	return nil
}

func (c *call) groupOffset(topic string, partition int32, offset int64, epoch int32, metadata *string) broker.GroupOffset {
	o := broker.GroupOffset{Topic: topic, Partition: partition}
	o.Offset, o.LeaderEpoch, o.TimeMs = offset, epoch, c.opts.Now().UnixMilli()
	if metadata != nil {
		o.Metadata = *metadata
	}
	return o
}
