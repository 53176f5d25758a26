package run

import (
	"context"
	"time"

	"github.com/streamflow/streamflow/internal/nexmark"
	"github.com/streamflow/streamflow/structured/stream"
)

// paceStep is how often events are written at a rate, and paceWarm what of a run does not count.
const (
	paceStep = 2 * time.Millisecond
	paceWarm = time.Second
)

// Pace runs a query over topics that were empty while events come at the rate TPS for a time, and returns within how many
// milliseconds half of the rows, and 99 of 100, were taken into a committed batch: from the time at which a row was written
// to the commit that made what it did visible. Rows of the first second do not count.
func (b *Bench) Pace(ctx context.Context, q nexmark.Query, d time.Duration) (p50, p99 float64, err error) {
	sq, _, err := b.Start(ctx, q)
	if err != nil {
		return 0, 0, err
	}
	var w waits
	began := time.Now()
	b.watch(func(p *stream.Progress) {
		if p.Started.Sub(began) > paceWarm {
			w.add(p)
		}
	})
	if err := b.feed(ctx, q, began, d+paceWarm); err != nil {
		return 0, 0, err
	}
	b.watch(nil) // what follows is the end of the input, which no row waits for
	for _, k := range q.Reads {
		if err := b.Seal(ctx, k); err != nil {
			return 0, 0, err
		}
	}
	if err := sq.AwaitTermination(ctx); err != nil {
		return 0, 0, err
	}
	return w.quantile(0.5), w.quantile(0.99), nil
}

// feed writes what is due at each step.
func (b *Bench) feed(ctx context.Context, q nexmark.Query, began time.Time, d time.Duration) error {
	tick := time.NewTicker(paceStep)
	defer tick.Stop()
	written := map[nexmark.Kind]int64{}
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
		passed := time.Since(began)
		if passed > d {
			return nil
		}
		due := int64(passed.Seconds() * float64(b.opts.TPS))
		for _, k := range q.Reads {
			to := k.Rows(due)
			if err := b.post(k, written[k], to); err != nil {
				return err
			}
			written[k] = to
		}
	}
}
