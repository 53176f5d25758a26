package kafka

import (
	"bytes"
	"context"
	"fmt"
	"sort"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// The benchmarks run franz-go and the server in one process: its CPU is in the figures.

func BenchmarkProduce(b *testing.B) {
	for _, size := range []int{100, 1024} {
		b.Run(fmt.Sprintf("bytes=%d", size), func(b *testing.B) {
			n := startNode(b)
			n.create("t", 6, nil)
			cl := n.client(kgo.DefaultProduceTopic("t"), kgo.MaxBufferedRecords(200_000), kgo.ProducerBatchCompression(kgo.NoCompression()))
			value := bytes.Repeat([]byte("x"), size)
			b.SetBytes(int64(size))
			b.ResetTimer()
			produceMany(b, cl, value, b.N)
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "rec/s")
		})
	}
}

func produceMany(b *testing.B, cl *kgo.Client, value []byte, n int) {
	var failed atomic.Value
	for range n {
		cl.Produce(context.Background(), &kgo.Record{Value: value}, func(_ *kgo.Record, err error) {
			if err != nil {
				failed.Store(err)
			}
		})
	}
	if err := cl.Flush(context.Background()); err != nil {
		b.Fatal(err)
	}
	if err := failed.Load(); err != nil {
		b.Fatal(err)
	}
}

func BenchmarkConsume(b *testing.B) {
	for _, size := range []int{100, 1024} {
		b.Run(fmt.Sprintf("bytes=%d", size), func(b *testing.B) {
			n := startNode(b)
			n.create("t", 6, nil)
			cl := n.client(kgo.DefaultProduceTopic("t"), kgo.MaxBufferedRecords(200_000), kgo.ProducerBatchCompression(kgo.NoCompression()))
			produceMany(b, cl, bytes.Repeat([]byte("x"), size), b.N)
			consumer := n.client(kgo.ConsumeTopics("t"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
			b.SetBytes(int64(size))
			b.ResetTimer()
			for got := 0; got < b.N; {
				fs := consumer.PollFetches(context.Background())
				fs.EachError(func(_ string, _ int32, err error) { b.Fatal(err) })
				got += fs.NumRecords()
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "rec/s")
		})
	}
}

// BenchmarkProduceSync is one record in flight; p50 and p99 are what a client sees.
func BenchmarkProduceSync(b *testing.B) {
	for _, clients := range []int{1, 64} {
		b.Run(fmt.Sprintf("clients=%d", clients), func(b *testing.B) {
			n := startNode(b)
			n.create("t", 6, nil)
			cls := make([]*kgo.Client, clients)
			for i := range cls {
				cls[i] = n.client(kgo.DefaultProduceTopic("t"), kgo.ProducerLinger(0))
				if err := cls[i].ProduceSync(context.Background(), kgo.StringRecord("warm")).FirstErr(); err != nil {
					b.Fatal(err)
				}
			}
			value := bytes.Repeat([]byte("x"), 1024)
			took := make([]time.Duration, b.N)
			var next atomic.Int64
			var wg sync.WaitGroup
			b.ResetTimer()
			for _, cl := range cls {
				wg.Go(func() {
					for i := next.Add(1) - 1; i < int64(b.N); i = next.Add(1) - 1 {
						start := time.Now()
						if err := cl.ProduceSync(context.Background(), &kgo.Record{Value: value}).FirstErr(); err != nil {
							b.Error(err)
							return
						}
						took[i] = time.Since(start)
					}
				})
			}
			wg.Wait()
			b.StopTimer()
			sort.Slice(took, func(i, j int) bool { return took[i] < took[j] })
			b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-us")
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-us")
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "req/s")
		})
	}
}
