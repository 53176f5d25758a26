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
	damaged  = prometheus.NewDesc("streamflow_partitions_damaged", "Partitions of this node that are offline because their files are damaged.", nil, nil)
	badReads = prometheus.NewDesc("streamflow_damaged_reads_total", "Reads that met bytes which are not what was written.", nil, nil)
	scrubbed = prometheus.NewDesc("streamflow_scrubbed_bytes_total", "Bytes that were read in search of damage.", nil, nil)
	compacts = prometheus.NewDesc("streamflow_compactions_total", "Compactions that replaced segments.", nil, nil)
	compactB = prometheus.NewDesc("streamflow_compacted_bytes_total", "Bytes of segments that compactions replaced, and of what they wrote for them.", []string{"side"}, nil)
	openSegs = prometheus.NewDesc("streamflow_segment_files_open", "Segment files that are open.", nil, nil)
	running  = prometheus.NewDesc("streamflow_query_running", "1 while a streaming query runs.", []string{"query"}, nil)
)

// collector reads the node's state when it is scraped; nothing is counted on hot paths for it.
type collector struct{ o Options }

func (c *collector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{logStart, logEnd, stable, logBytes, batches, rows, running, damaged, badReads, scrubbed, compacts, compactB, openSegs,
		brokers, partitions, led, offline, underReplicated, underMinISR, reassigning, unclean, lag} {
		ch <- d
	}
	for _, d := range tierDescs {
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
	c.storage(ch)
	c.tier(ch, gauge)
	c.queries(ch, gauge)
	c.cluster(ch, gauge)
}

// storage tells what the log does to its segments.
func (c *collector) storage(ch chan<- prometheus.Metric) {
	s := c.o.Broker.Log().Stats()
	for d, v := range map[*prometheus.Desc]int64{badReads: s.DamagedReads, scrubbed: s.ScrubbedBytes, compacts: s.Compactions} {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(v))
	}
	ch <- prometheus.MustNewConstMetric(damaged, prometheus.GaugeValue, float64(s.Damaged))
	ch <- prometheus.MustNewConstMetric(openSegs, prometheus.GaugeValue, float64(s.OpenFiles))
	ch <- prometheus.MustNewConstMetric(compactB, prometheus.CounterValue, float64(s.CompactedBefore), "before")
	ch <- prometheus.MustNewConstMetric(compactB, prometheus.CounterValue, float64(s.CompactedAfter), "after")
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
