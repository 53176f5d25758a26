package gateway

import "github.com/prometheus/client_golang/prometheus"

var (
	tierFailing = prometheus.NewDesc("streamflow_tier_failing_partitions", "Partitions whose last look at the cold tier failed; they are tried again.", nil, nil)
	tierObjects = prometheus.NewDesc("streamflow_tier_objects", "Objects that the cold tier has of this node's partitions.", nil, nil)
	tierBytes   = prometheus.NewDesc("streamflow_tier_size_bytes", "Bytes of those objects.", nil, nil)
	tierCached  = prometheus.NewDesc("streamflow_tier_cache_bytes", "What was read of the cold tier and is kept in memory.", nil, nil)
	tierHits    = prometheus.NewDesc("streamflow_tier_cache_hits_total", "Reads of the cold tier that memory answered.", nil, nil)
	tierMisses  = prometheus.NewDesc("streamflow_tier_cache_misses_total", "Reads of the cold tier that went to its store.", nil, nil)

	tierDescs = []*prometheus.Desc{tierFailing, tierObjects, tierBytes, tierCached, tierHits, tierMisses}
)

// tier tells what the cold tier has; nothing on a node that has none.
func (c *collector) tier(ch chan<- prometheus.Metric, gauge func(*prometheus.Desc, float64, ...string)) {
	t := c.o.Broker.Tier()
	if t == nil {
		return
	}
	s := t.Stats()
	gauge(tierFailing, float64(s.Failing))
	gauge(tierObjects, float64(s.Objects))
	gauge(tierBytes, float64(s.Bytes))
	gauge(tierCached, float64(s.CacheBytes))
	ch <- prometheus.MustNewConstMetric(tierHits, prometheus.CounterValue, float64(s.CacheHits))
	ch <- prometheus.MustNewConstMetric(tierMisses, prometheus.CounterValue, float64(s.CacheMisses))
}
