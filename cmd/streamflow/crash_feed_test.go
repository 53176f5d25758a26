package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// createTopics makes the input and the outputs.
func (c *crash) createTopics(ctx context.Context) {
	c.t.Helper()
	cl := kafkaClient(c.t, c.node.Kafka)
	defer cl.Close()
	adm := kadm.NewClient(cl)
	create := func(name string, parts int32, configs map[string]string) {
		ptrs := map[string]*string{"retention.ms": kadm.StringPtr("-1")}
		for k, v := range configs {
			ptrs[k] = kadm.StringPtr(v)
		}
		if _, err := adm.CreateTopic(ctx, parts, 1, ptrs, name); err != nil {
			c.t.Fatalf("create %s: %v", name, err)
		}
	}
	create(crashInput, crashParts, map[string]string{"streamflow.format": "json", "streamflow.schema": "id BIGINT, ts TIMESTAMP, k STRING, v BIGINT",
		"streamflow.event.time": "ts", "streamflow.watermark.delay.ms": strconv.FormatInt(crashDelay.Milliseconds(), 10)})
	for _, q := range crashQueries {
		configs := map[string]string{"streamflow.format": "json", "streamflow.schema": "w TIMESTAMP, k STRING, n BIGINT, total BIGINT", "streamflow.key": "k"}
		if q.size == 0 {
			configs["streamflow.schema"] = "id BIGINT, k STRING, v BIGINT"
		}
		if q.arrow {
			configs["streamflow.format"] = "arrow"
			delete(configs, "streamflow.key")
		}
		create(q.name+".out", 3, configs)
	}
}

func kafkaClient(t testing.TB, addr string, opts ...kgo.Opt) *kgo.Client {
	t.Helper()
	cl, err := kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(addr), kgo.RetryBackoffFn(func(int) time.Duration { return 50 * time.Millisecond })}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	return cl
}

// feed produces records from one idempotent client, all through the crashes. Each record carries an id of its own; a
// record that the log holds twice, or not at all although it was acknowledged, is the log's fault.
type feed struct {
	t    *testing.T
	cl   *kgo.Client
	rng  *rand.Rand
	stop chan struct{}
	done chan struct{}

	mu    sync.Mutex
	sent  int64
	acked map[int64]bool
}

func startFeed(t *testing.T, addr string, seed uint64) *feed {
	f := &feed{t: t, rng: rand.New(rand.NewPCG(seed, 2)), stop: make(chan struct{}), done: make(chan struct{}), acked: map[int64]bool{},
		cl: kafkaClient(t, addr, kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerLinger(0), kgo.StopProducerOnDataLossDetected(),
			kgo.MaxBufferedRecords(20_000), kgo.DefaultProduceTopic(crashInput))}
	t.Cleanup(f.cl.Close)
	go f.run()
	return f
}

// run sends some hundred records a second, in small bursts.
func (f *feed) run() {
	defer close(f.done)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-f.stop:
			return
		case <-tick.C:
			for range f.rng.IntN(10) {
				f.send()
			}
		}
	}
}

func (f *feed) send() {
	id := f.sent
	f.sent++
	r := &kgo.Record{Partition: int32(f.rng.IntN(crashParts)), Key: strconv.AppendInt(nil, id, 10), Value: f.value(id)}
	f.cl.Produce(context.Background(), r, func(_ *kgo.Record, err error) {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.acked[id] = err == nil
		if err != nil {
			f.t.Errorf("record %d is not acknowledged: %v", id, err)
		}
	})
}

// value is a record's JSON: event time moves on by 20 ms with each, out of order by up to 8 s; some are a minute late, some
// are broken.
func (f *feed) value(id int64) []byte {
	ts := crashEpoch.Add(time.Duration(id) * 20 * time.Millisecond)
	switch n := f.rng.IntN(200); {
	case n == 0:
		return fmt.Appendf(nil, "no json %d", id)
	case n < 4:
		ts = ts.Add(-time.Minute)
	default:
		ts = ts.Add(-time.Duration(f.rng.IntN(8000)) * time.Millisecond)
	}
	return fmt.Appendf(nil, `{"id":%d,"ts":"%s","k":"key-%d","v":%d}`, id, ts.Format("2006-01-02T15:04:05.000Z"), f.rng.IntN(7), f.rng.IntN(1000))
}

// crashEpoch is the event time of the first record.
var crashEpoch = time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC)

// finish stops sending and waits until everything is acknowledged.
func (f *feed) finish(ctx context.Context) {
	f.t.Helper()
	close(f.stop)
	<-f.done
	if err := f.cl.Flush(ctx); err != nil {
		f.t.Fatalf("records are not acknowledged: %v", err)
	}
}
