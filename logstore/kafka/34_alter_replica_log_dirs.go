package kafka

import (
	"github.com/streamflow/streamflow/logstore/acl"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// alterReplicaLogDirs moves nothing: a node has one log directory. A replica that is asked to be where it is, is there.
func (c *call) alterReplicaLogDirs(req *kmsg.AlterReplicaLogDirsRequest) (kmsg.Response, error) {
	resp := req.ResponseKind().(*kmsg.AlterReplicaLogDirsResponse)
	allowed := c.authorizeCluster(acl.Alter)
	for _, d := range req.Dirs {
		for _, t := range d.Topics {
			rt := kmsg.NewAlterReplicaLogDirsResponseTopic()
			rt.Topic = t.Topic
			for _, p := range t.Partitions {
				rp := kmsg.NewAlterReplicaLogDirsResponseTopicPartition()
				rp.Partition, rp.ErrorCode = p, kerr.ClusterAuthorizationFailed.Code
				if allowed {
					rp.ErrorCode = code(c.mayMove(t.Topic, p, d.Dir))
				}
				rt.Partitions = append(rt.Partitions, rp)
			}
			resp.Topics = append(resp.Topics, rt)
		}
	}
	return resp, nil
}

func (c *call) mayMove(topic string, p int32, dir string) error {
	switch err := c.exists(topic, p); {
	case err != nil:
		return err
	case dir != c.broker.LogDir():
		return kerr.LogDirNotFound
	case !c.broker.Local(topic, p):
		return kerr.ReplicaNotAvailable
	}
	return nil
}
