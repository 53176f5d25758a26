package kafka

import (
	"github.com/google/uuid"
	"github.com/streamflow/streamflow/logstore/acl"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// deleteShareGroupOffsets forgets topics of a share group without members.
func (c *call) deleteShareGroupOffsets(req *kmsg.DeleteShareGroupOffsetsRequest) (kmsg.Response, error) {
	resp := req.ResponseKind().(*kmsg.DeleteShareGroupOffsetsResponse)
	if err := c.mayChangeShare(req.GroupID, acl.Delete); err != nil {
		resp.ErrorCode, resp.ErrorMessage = code(err), message(err)
		return resp, nil
	}
	var ids []uuid.UUID
	for _, t := range req.Topics {
		rt := kmsg.NewDeleteShareGroupOffsetsResponseTopic()
		rt.Topic = t.Topic
		topic, err := c.readable(t.Topic)
		if rt.ErrorCode, rt.ErrorMessage = code(err), message(err); err == nil {
			rt.TopicID = topic.ID
			ids = append(ids, topic.ID)
		}
		resp.Topics = append(resp.Topics, rt)
	}
	if len(ids) > 0 {
		err := c.broker.DropShareStates(c.ctx, req.GroupID, ids...)
		resp.ErrorCode, resp.ErrorMessage = code(err), message(err)
		c.shares.forget(req.GroupID)
	}
	return resp, nil
}
