package main

import (
	"errors"
	"fmt"
	"time"
)

// windowCount is a filter and a one-minute window count.
const windowCount = "SELECT window(ts, '1 minute').start AS w, count(*) AS n FROM %s WHERE price > 5000 GROUP BY window(ts, '1 minute')"

// benchHistory measures queries over the whole past of a topic.
func benchHistory(b *bench) error {
	n, err := b.node("history")
	if err != nil {
		return err
	}
	return errors.Join(n.history(b), n.Close())
}

func (n *benchNode) history(b *bench) error {
	for _, t := range b.topics() {
		if err := n.load(b, t); err != nil {
			return err
		}
		want := expectedWindows(t.rows)
		wall, cpu, err := best(b.c.Int("repeat"), func() error {
			rows, err := n.sql(b.ctx, fmt.Sprintf(windowCount, t.name))
			if err == nil && len(rows) != want {
				err = fmt.Errorf("%d windows over %s, want %d", len(rows), t.name, want)
			}
			return err
		})
		if err != nil {
			return err
		}
		b.print(result{Case: fmt.Sprintf("history: filter and 1-minute window count, %s, %s events", t.format, count(t.rows)), Value: float64(t.rows) / wall.Seconds(), Unit: "rows/s", CPU: cpu})
	}
	return nil
}

// benchTopic is a topic of bids in one format.
type benchTopic struct {
	name, format string
	rows         int64
}

func (b *bench) topics() []benchTopic {
	return []benchTopic{{"bids_arrow", "arrow", b.c.Int64("events")}, {"bids_json", "json", b.c.Int64("json-events")}}
}

// load fills a topic: columnar ones as the engine does, JSON ones as a Kafka client.
func (n *benchNode) load(b *bench, t benchTopic) error {
	if err := n.bidTable(b.ctx, t.name, t.format); err != nil {
		return err
	}
	fill, how := n.appendBids, "columnar batches into the log"
	if t.format == "json" {
		fill, how = n.produceBids, "JSON records over the Kafka protocol, acks=all, client in the same process"
	}
	before, began := cpuSeconds(), time.Now()
	if err := fill(b.ctx, t.name, t.rows); err != nil {
		return fmt.Errorf("load %s: %w", t.name, err)
	}
	b.print(result{Case: "write: " + how, Value: float64(t.rows) / time.Since(began).Seconds(), Unit: "rows/s", CPU: cpuSeconds() - before})
	return nil
}

func expectedWindows(rows int64) int {
	return int((rows-1)/(60*bidsPerSec)) + 1
}

// count writes a number of events short.
func count(n int64) string {
	if n >= 1_000_000 {
		return fmt.Sprintf("%.3g M", float64(n)/1e6)
	}
	return fmt.Sprint(n)
}
