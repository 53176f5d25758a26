package kafka

import (
	"slices"

	"github.com/streamflow/streamflow/logstore/acl"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// describeLogDirs says how large the partitions of this node are. A node has one log directory.
func (c *call) describeLogDirs(req *kmsg.DescribeLogDirsRequest) (kmsg.Response, error) {
	resp := req.ResponseKind().(*kmsg.DescribeLogDirsResponse)
	if !c.authorizeCluster(acl.Describe) {
		resp.ErrorCode = kerr.ClusterAuthorizationFailed.Code
		return resp, nil
	}
	d := kmsg.NewDescribeLogDirsResponseDir()
	d.Dir = c.broker.LogDir()
	d.TotalBytes, d.UsableBytes = c.broker.Volume()
	for _, t := range c.broker.Topics() {
		partitions, asked := askedOf(req, t.Name, t.Partitions)
		if !asked {
			continue
		}
		rt := kmsg.NewDescribeLogDirsResponseDirTopic()
		rt.Topic = t.Name
		for _, p := range partitions {
			if size, ok := c.localSize(t.Name, p); ok {
				rp := kmsg.NewDescribeLogDirsResponseDirTopicPartition()
				rp.Partition, rp.Size = p, size
				rt.Partitions = append(rt.Partitions, rp)
			}
		}
		if len(rt.Partitions) > 0 {
			d.Topics = append(d.Topics, rt)
		}
	}
	resp.Dirs = append(resp.Dirs, d)
	return resp, nil
}

// askedOf are the partitions of a topic that the request is about: all when it names no topic.
func askedOf(req *kmsg.DescribeLogDirsRequest, topic string, count int32) ([]int32, bool) {
	if req.Topics == nil {
		all := make([]int32, count)
		for i := range all {
			all[i] = int32(i)
		}
		return all, true
	}
	for _, t := range req.Topics {
		if t.Topic == topic {
			return slices.DeleteFunc(slices.Clone(t.Partitions), func(p int32) bool { return p < 0 || p >= count }), true
		}
	}
	return nil, false
}

// localSize is the size of a partition that this node has a replica of.
func (c *call) localSize(topic string, p int32) (int64, bool) {
	if !c.broker.Local(topic, p) {
		return 0, false
	}
	part, err := c.broker.Partition(topic, p)
	if err != nil {
		return 0, false
	}
	return part.Size(), true
}
