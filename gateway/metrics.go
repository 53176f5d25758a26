package gateway

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
)

var (
	logStart = prometheus.NewDesc("streamflow_partition_log_start_offset", "First offset of a partition.", []string{"topic", "partition"}, nil)
	logEnd   = prometheus.NewDesc("streamflow_partition_high_watermark", "One past the last durable offset of a partition.", []string{"topic", "partition"}, nil)
	stable   = prometheus.NewDesc("streamflow_partition_last_stable_offset", "One past the last committed offset of a partition.", []string{"topic", "partition"}, nil)
	logBytes = prometheus.NewDesc("streamflow_partition_size_bytes", "Bytes of a partition on disk.", []string{"topic", "partition"}, nil)
	batches  = prometheus.NewDesc("streamflow_query_committed_batches", "Batches that a streaming query has committed.", []string{"query"}, nil)
	rows     = prometheus.NewDesc("streamflow_query_rows_total", "Rows of a streaming query, by kind: in, out, late, dead.", []string{"query", "kind"}, nil)
	running  = prometheus.NewDesc("streamflow_query_running", "1 while a streaming query runs.", []string{"query"}, nil)
)

// collector reads the node's state when it is scraped; nothing is counted on hot paths for it.
type collector struct{ o Options }

func (c *collector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{logStart, logEnd, stable, logBytes, batches, rows, running} {
		ch <- d
	}
}

func (c *collector) Collect(ch chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	for _, t := range c.o.Broker.Topics() {
		for i := range t.Partitions {
			p, err := c.o.Broker.Partition(t.Name, i)
			if err != nil {
				continue // deleted since
			}
			o, n := p.Offsets(), strconv.Itoa(int(i))
			gauge(logStart, float64(o.LogStart), t.Name, n)
			gauge(logEnd, float64(o.HighWatermark), t.Name, n)
			gauge(stable, float64(o.LastStable), t.Name, n)
			gauge(logBytes, float64(p.Size()), t.Name, n)
		}
	}
	c.queries(ch, gauge)
}

func (c *collector) queries(ch chan<- prometheus.Metric, gauge func(*prometheus.Desc, float64, ...string)) {
	for _, q := range c.o.Queries.Queries() {
		gauge(batches, float64(q.NextBatch()), q.Name)
		up := 0.0
		if q.Status == "running" {
			up = 1
		}
		gauge(running, up, q.Name)
		for _, kind := range []string{"in", "out", "late", "dead"} {
			ch <- prometheus.MustNewConstMetric(rows, prometheus.CounterValue, float64(q.Totals["rows."+kind]), q.Name, kind)
		}
	}
}
