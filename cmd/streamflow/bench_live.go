package main

import (
	"errors"
	"fmt"
	"strconv"
	"time"

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
		if err := n.Node().Broker().AlterConfigs(b.ctx, t.name, map[string]string{"streamflow.sealed": "true"}, nil); err != nil {
			return err
		}
		n.takeBatches()
		runs := 0
		wall, cpu, err := best(b.c.Int("repeat"), func() error {
			runs++
			return n.catchUp(b, t, t.name+"_counts"+strconv.Itoa(runs))
		})
		if err != nil {
			return err
		}
		b.print(result{Case: fmt.Sprintf("live: 1-minute window count by key, exactly-once, backlog of %s %s events", count(t.rows), t.format), Value: float64(t.rows) / wall.Seconds(), Unit: "rows/s", CPU: cpu})
		b.breakdown("live "+t.format, n.takeBatches())
	}
	return nil
}

// catchUp runs the query from the beginning of the sealed topic to its end, and checks what it wrote.
func (n *benchNode) catchUp(b *bench, t benchTopic, into string) error {
	if _, err := n.sql(b.ctx, fmt.Sprintf("CREATE TABLE %s (w TIMESTAMP, auction BIGINT, n BIGINT) USING topic OPTIONS (partitions '%d')", into, bidParts)); err != nil {
		return err
	}
	q, err := n.start(b.ctx, into, fmt.Sprintf("SELECT window(ts, '1 minute').start AS w, auction, count(*) AS n FROM %s GROUP BY window(ts, '1 minute'), auction", t.name), "append", into)
	if err != nil {
		return err
	}
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
		b.print(result{Case: fmt.Sprintf("%s: micro-batch, %s, p50 of %d", name, ph.name, len(list)), Value: quantile(list, 0.5), Unit: "ms"})
	}
}
