package main

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/streamflow/streamflow/structured"
	"github.com/streamflow/streamflow/structured/stream"
)

// benchLive measures how quickly a streaming query works off a backlog: window counts by key, exactly once into a topic.
func benchLive(b *bench) error {
	n, err := b.node("live")
	if err != nil {
		return err
	}
	return errors.Join(n.live(b), n.Close())
}

func (n *benchNode) live(b *bench) error {
	for _, t := range b.topics() {
		if err := n.load(b, t); err != nil {
			return err
		}
		if err := n.seal(b, t.name); err != nil {
			return err
		}
		n.takeBatches()
		runs := 0
		wall, cpu, err := best(b.c.Int("repeat"), func() error {
			runs++
			q, into, err := n.startCounts(b, t, runs)
			if err != nil {
				return err
			}
			return n.awaitCounts(b, t, q, into)
		})
		if err != nil {
			return err
		}
		b.print(result{Case: fmt.Sprintf("live: 1-minute window count by key, exactly-once, backlog of %s %s events", count(t.rows), t.format), Value: float64(t.rows) / wall.Seconds(), Unit: "rows/s", CPU: cpu})
		b.breakdown("live "+t.format, n.takeBatches())
	}
	if err := n.keepUp(b); err != nil {
		return err
	}
	return n.memoryAfter(b)
}

// keepUp measures producer and query at the same time: from the first record sent to the commit of the last result.
func (n *benchNode) keepUp(b *bench) error {
	t := benchTopic{"bids_stream", "json", b.c.Int64("json-events")}
	if err := n.bidTable(b.ctx, t.name, t.format); err != nil {
		return err
	}
	q, into, err := n.startCounts(b, t, 0)
	if err != nil {
		return err
	}
	before, began := cpuSeconds(), time.Now()
	if err := n.produceBids(b.ctx, t.name, t.rows); err != nil {
		return err
	}
	if err := n.seal(b, t.name); err != nil {
		return err
	}
	if err := n.awaitCounts(b, t, q, into); err != nil {
		return err
	}
	took := time.Since(began)
	b.print(result{Case: "live: JSON bids sent over the Kafka protocol while the query runs, exactly-once, client in the same process", Value: float64(t.rows) / took.Seconds(), Unit: "rows/s", CPU: cpuSeconds() - before})
	b.breakdown("live stream", n.takeBatches())
	return nil
}

// memoryAfter tells what the process keeps when the work is done.
func (n *benchNode) memoryAfter(b *bench) error {
	time.Sleep(time.Second)
	kib, err := residentKiB(os.Getpid())
	if err == nil {
		b.print(result{Case: "live: memory (RSS) a second after all that, client in the same process", Value: kib / 1024, Unit: "MiB"})
	}
	return err
}

func (n *benchNode) seal(b *bench, topic string) error {
	return n.Node().Broker().AlterConfigs(b.ctx, topic, map[string]string{"streamflow.sealed": "true"}, nil)
}

// startCounts starts the query over a topic, into a topic of its own.
func (n *benchNode) startCounts(b *bench, t benchTopic, run int) (q *structured.StreamingQuery, into string, err error) {
	into = t.name + "_counts" + strconv.Itoa(run)
	if _, err := n.sql(b.ctx, fmt.Sprintf("CREATE TABLE %s (w TIMESTAMP, auction BIGINT, n BIGINT) USING topic OPTIONS (partitions '%d')", into, bidParts)); err != nil {
		return nil, "", err
	}
	q, err = n.start(b.ctx, into, fmt.Sprintf("SELECT window(ts, '1 minute').start AS w, auction, count(*) AS n FROM %s GROUP BY window(ts, '1 minute'), auction", t.name), "append", into)
	return q, into, err
}

// awaitCounts waits until the query has come to the end of its sealed topic, and checks what it wrote.
func (n *benchNode) awaitCounts(b *bench, t benchTopic, q *structured.StreamingQuery, into string) error {
	if err := q.AwaitTermination(b.ctx); err != nil {
		return err
	}
	rows, err := n.sql(b.ctx, "SELECT sum(n) AS n FROM "+into)
	if err == nil && (len(rows) != 1 || fmt.Sprint(rows[0]) != fmt.Sprintf("Row(n=%d)", t.rows)) {
		err = fmt.Errorf("%s counts %v events, want %d", into, rows, t.rows)
	}
	return err
}

// breakdown prints where the batches' time went.
func (b *bench) breakdown(name string, batches []*stream.Progress) {
	phases := []struct {
		name string
		of   func(*stream.Progress) time.Duration
	}{
		{"choose", func(p *stream.Progress) time.Duration { return p.Choose }},
		{"run (staged and durable)", func(p *stream.Progress) time.Duration { return p.Run }},
		{"commit", func(p *stream.Progress) time.Duration { return p.Commit }},
		{"publish", func(p *stream.Progress) time.Duration { return p.Publish }},
	}
	for _, ph := range phases {
		var list []float64
		for _, p := range batches {
			list = append(list, ms(ph.of(p)))
		}
		for _, q := range []struct {
			name string
			q    float64
		}{{"p50", 0.5}, {"p99", 0.99}} {
			b.print(result{Case: fmt.Sprintf("%s: micro-batch, %s, %s of %d", name, ph.name, q.name, len(list)), Value: quantile(list, q.q), Unit: "ms"})
		}
	}
}
