package logstore

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/streamflow/streamflow/logstore/record"
)

func benchLog(b *testing.B) *Log {
	return mustOpen(b, Options{Dir: b.TempDir(), Logger: quiet})
}

func benchBatch(b *testing.B, records, size int) record.Batch {
	bl, value := record.NewBuilder(record.None), []byte(strings.Repeat("x", size))
	for i := range records {
		bl.Add(int64(i), nil, value)
	}
	return finish(b, bl)
}

// BenchmarkAppend has writers that each keep five batches in flight, on the real disk with fsync before the ack.
func BenchmarkAppend(b *testing.B) {
	for _, c := range []struct{ writers, records, size int }{
		{1, 1, 1000}, {64, 1, 1000}, {6, 16, 1000}, {6, 1000, 1000}, {6, 1000, 100},
	} {
		b.Run(fmt.Sprintf("writers=%d/records=%d/size=%d", c.writers, c.records, c.size), func(b *testing.B) {
			l := benchLog(b)
			defer l.Close()
			batch := benchBatch(b, c.records, c.size)
			var left atomic.Int64
			left.Store(int64(b.N))
			b.SetBytes(int64(len(batch)))
			b.ResetTimer()
			var wg sync.WaitGroup
			for w := range c.writers {
				p, err := l.EnsurePartition(TopicPartition{Topic: "t", Partition: int32(w % 6)}, PartitionConfig{MaxBatchBytes: 8 << 20})
				if err != nil {
					b.Fatal(err)
				}
				wg.Add(1)
				go func() {
					defer wg.Done()
					flight := 5
					if c.writers != 6 {
						flight = 1
					}
					keepFlying(b, p, batch, flight, &left)
				}()
			}
			wg.Wait()
			b.ReportMetric(float64(b.N*c.records)/b.Elapsed().Seconds(), "records/s")
		})
	}
}

func keepFlying(b *testing.B, p *Partition, batch record.Batch, flight int, left *atomic.Int64) {
	var queue []*Pending
	for left.Add(-1) >= 0 {
		queue = append(queue, p.Append(AppendRequest{Data: batch}))
		if len(queue) == flight {
			if _, err := queue[0].Wait(context.Background()); err != nil {
				b.Error(err)
				return
			}
			queue = queue[1:]
		}
	}
	for _, q := range queue {
		q.Wait(context.Background())
	}
}

// BenchmarkReadTail reads batches that are still in memory, BenchmarkReadSegment ones that were flushed.
func BenchmarkReadTail(b *testing.B)    { benchRead(b, false) }
func BenchmarkReadSegment(b *testing.B) { benchRead(b, true) }

func benchRead(b *testing.B, flushed bool) {
	l := mustOpen(b, Options{Dir: b.TempDir(), Logger: quiet, FlushBytes: 1 << 30, FlushInterval: 1 << 40})
	defer l.Close()
	p := mustEnsure(b, l, "t", PartitionConfig{})
	batch := benchBatch(b, 16, 1000)
	var last *Pending
	for range 2000 {
		last = p.Append(AppendRequest{Data: batch})
	}
	if _, err := wait(last); err != nil {
		b.Fatal(err)
	}
	if flushed {
		if err := p.flush(); err != nil {
			b.Fatal(err)
		}
	}
	var bytes int64
	var at int64
	for b.Loop() {
		res, err := p.Read(at, 1<<20, true)
		if err != nil {
			b.Fatal(err)
		}
		bytes += int64(len(res.Data))
		at = (at + 1000) % 30000
		res.Release()
	}
	b.ReportMetric(float64(bytes)/b.Elapsed().Seconds()/1e6, "MB/s")
}
