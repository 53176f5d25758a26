package run

import (
	"context"
	"fmt"
	"time"

	"github.com/streamflow/streamflow/internal/nexmark"
	"github.com/streamflow/streamflow/logstore"
	"github.com/streamflow/streamflow/logstore/columnar"
	"github.com/streamflow/streamflow/logstore/record"
)

// Load fills the topics of some kinds with their rows of the first Events events. done, when set, is told how many rows are written.
func (b *Bench) Load(ctx context.Context, kinds []nexmark.Kind, done func(rows int64)) error {
	if b.opts.Source == "generator" {
		return nil
	}
	total := int64(0)
	for _, k := range kinds {
		rows := k.Rows(b.opts.Events)
		for from := int64(0); from < rows; from += 64 * int64(b.opts.Rows) {
			to := min(rows, from+64*int64(b.opts.Rows))
			if err := b.Append(ctx, k, from, to); err != nil {
				return err
			}
			if total += to - from; done != nil {
				done(total)
			}
		}
	}
	return nil
}

// Seal says that no row of the kind will follow.
func (b *Bench) Seal(ctx context.Context, k nexmark.Kind) error { return b.seal(ctx, k, "true") }

func (b *Bench) seal(ctx context.Context, k nexmark.Kind, sealed string) error {
	if b.opts.Source == "generator" {
		return nil
	}
	return b.Node().Broker().AlterConfigs(ctx, k.String(), map[string]string{"streamflow.sealed": sealed}, nil)
}

// Append writes the rows from place from to place to-1 of a kind's table and waits until they are on disk. Batches go to
// the topic's partitions in turn.
func (b *Bench) Append(ctx context.Context, k nexmark.Kind, from, to int64) error {
	last, err := b.append(k, from, to)
	if err == nil && last != nil {
		_, err = last.Wait(ctx)
	}
	return err
}

// post is Append without the wait.
func (b *Bench) post(k nexmark.Kind, from, to int64) error {
	_, err := b.append(k, from, to)
	return err
}

func (b *Bench) append(k nexmark.Kind, from, to int64) (last *logstore.Pending, err error) {
	for step := int64(b.opts.Rows); from < to; from += step {
		data, err := b.encode(k, from, int(min(step, to-from)))
		if err != nil {
			return nil, err
		}
		p, err := b.Node().Broker().Partition(k.String(), int32(b.turn[k]%b.opts.Partitions))
		if err != nil {
			return nil, err
		}
		b.turn[k]++
		last = p.Append(logstore.AppendRequest{Data: data, Internal: true})
	}
	return last, nil
}

// Stamp is the time in milliseconds that a batch of rows from a place on carries.
func (b *Bench) Stamp(k nexmark.Kind, from int64) int64 {
	if b.opts.Stamped {
		return b.gen.Time(k, from) / 1000
	}
	return time.Now().UnixMilli()
}

// encode makes one batch of the log.
func (b *Bench) encode(k nexmark.Kind, from int64, n int) ([]byte, error) {
	stamp := b.Stamp(k, from)
	if b.opts.Format == "arrow" {
		return columnar.Encode(nil, b.gen.Batch(k, from, n), columnar.Header{Timestamp: stamp})
	}
	if b.opts.Format != "json" {
		return nil, fmt.Errorf("nexmark: a topic's format is arrow or json, not %q", b.opts.Format)
	}
	batch := record.NewBuilder(record.None)
	var row []byte
	for i := range n {
		row = b.gen.AppendJSON(row[:0], k, from+int64(i))
		batch.Add(stamp, nil, row)
	}
	return batch.AppendBatch(nil)
}
