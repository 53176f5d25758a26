package streamlog

import "github.com/streamflow/streamflow/rdd"

func init() {
	rdd.Register("streamlog.TopicScan", (*TopicScan)(nil))
	rdd.Register("streamlog.TopicSink", (*TopicSink)(nil))
}
