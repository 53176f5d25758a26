package gateway

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
)

var (
	brokers         = prometheus.NewDesc("streamflow_brokers", "Brokers of the cluster, by state: running, fenced.", []string{"state"}, nil)
	partitions      = prometheus.NewDesc("streamflow_partitions", "Partitions of the cluster.", nil, nil)
	led             = prometheus.NewDesc("streamflow_partitions_led", "Partitions that this node leads.", nil, nil)
	offline         = prometheus.NewDesc("streamflow_partitions_offline", "Partitions without a leader.", nil, nil)
	underReplicated = prometheus.NewDesc("streamflow_partitions_under_replicated", "Partitions with fewer replicas in sync than they have.", nil, nil)
	underMinISR     = prometheus.NewDesc("streamflow_partitions_under_min_insync", "Partitions with fewer replicas in sync than min.insync.replicas.", nil, nil)
	reassigning     = prometheus.NewDesc("streamflow_partitions_reassigning", "Partitions whose replicas are being moved.", nil, nil)
	unclean         = prometheus.NewDesc("streamflow_unclean_elections_total", "Leaders elected without being known to have every committed record.", nil, nil)
	lag             = prometheus.NewDesc("streamflow_replica_lag_offsets", "How far a partition that this node follows is behind its leader.", []string{"topic", "partition"}, nil)
)

// cluster tells how the cluster is, as this node has it.
func (c *collector) cluster(ch chan<- prometheus.Metric, gauge func(*prometheus.Desc, float64, ...string)) {
	h := c.o.Broker.Health()
	gauge(brokers, float64(h.Brokers), "running")
	gauge(brokers, float64(h.Fenced), "fenced")
	gauge(partitions, float64(h.Partitions))
	gauge(led, float64(h.Led))
	gauge(offline, float64(h.Offline))
	gauge(underReplicated, float64(h.UnderReplicated))
	gauge(underMinISR, float64(h.UnderMinISR))
	gauge(reassigning, float64(h.Reassigning))
	ch <- prometheus.MustNewConstMetric(unclean, prometheus.CounterValue, float64(h.Unclean))
	for _, l := range c.o.Broker.ReplicationLags() {
		gauge(lag, float64(l.Offsets), l.Partition.Topic, strconv.Itoa(int(l.Partition.Partition)))
	}
}
