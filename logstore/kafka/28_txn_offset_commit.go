package kafka

import (
	"github.com/streamflow/streamflow/logstore/acl"
	"github.com/streamflow/streamflow/logstore/broker"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

func (c *call) txnOffsetCommit(req *kmsg.TxnOffsetCommitRequest) (kmsg.Response, error) {
	resp := req.ResponseKind().(*kmsg.TxnOffsetCommitResponse)
	refused := code(c.mayCommitInTxn(req))
	var good []broker.GroupOffset
	for _, t := range req.Topics {
		rt := kmsg.NewTxnOffsetCommitResponseTopic()
		rt.Topic, rt.TopicID = t.Topic, t.TopicID
		topic, err := c.named(t.Topic, t.TopicID, req.Version >= 6)
		for _, p := range t.Partitions {
			rp := kmsg.NewTxnOffsetCommitResponseTopicPartition()
			rp.Partition = p.Partition
			if rp.ErrorCode = refused; refused == 0 {
				rp.ErrorCode = code(c.checkNamed(topic, err, p.Partition, p.Metadata))
			}
			if rp.ErrorCode == 0 {
				good = append(good, c.groupOffset(topic, p.Partition, p.Offset, p.LeaderEpoch, p.Metadata))
			}
			rt.Partitions = append(rt.Partitions, rp)
		}
		resp.Topics = append(resp.Topics, rt)
	}
	if refused != 0 {
		return resp, nil
	}
	ec := c.commitInTxn(req, good)
	for i := range resp.Topics {
		for j := range resp.Topics[i].Partitions {
			if p := &resp.Topics[i].Partitions[j]; p.ErrorCode == 0 {
				p.ErrorCode = ec
			}
		}
	}
	return resp, nil
}

// mayCommitInTxn says why the client may not commit offsets of the group in the transaction.
func (c *call) mayCommitInTxn(req *kmsg.TxnOffsetCommitRequest) error {
	if !c.authorize(acl.Write, acl.TransactionalID, req.TransactionalID) {
		return kerr.TransactionalIDAuthorizationFailed
	}
	if !c.authorize(acl.Read, acl.Group, req.Group) {
		return kerr.GroupAuthorizationFailed
	}
	return nil
}

func (c *call) commitInTxn(req *kmsg.TxnOffsetCommitRequest, good []broker.GroupOffset) int16 {
	who := committer{epoch: req.Generation, txn: true}
	who.MemberID, who.InstanceID = req.MemberID, deref(req.InstanceID)
	if err := c.groups.commit(req.Group, who, func() {}); err != nil || len(good) == 0 {
		return code(err)
	}
	if req.Version >= 5 { // the group becomes part of the transaction by this (KIP-890)
		if err := c.broker.JoinTxnGroup(c.ctx, req.TransactionalID, req.ProducerID, req.ProducerEpoch, req.Group); err != nil {
			return code(err)
		}
	}
	return code(c.broker.CommitTxnOffsets(c.ctx, req.TransactionalID, req.ProducerID, req.ProducerEpoch, req.Group, good))
}
