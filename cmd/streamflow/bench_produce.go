package main

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/urfave/cli/v2"

	"github.com/streamflow/streamflow/internal/config"
	"github.com/streamflow/streamflow/internal/term"
)

func benchProduceCommand() *cli.Command {
	return &cli.Command{
		Name: "produce", Usage: "send records to a topic of any Kafka-compatible cluster and measure it", ArgsUsage: "TOPIC", Action: benchProduce,
		Flags: []cli.Flag{bootstrapFlag(), term.OutputFlag("table or json"),
			&cli.Int64Flag{Name: "records", Aliases: []string{"n"}, Usage: "stop after this many; --duration without"},
			&cli.DurationFlag{Name: "duration", Aliases: []string{"d"}, Value: 10 * time.Second, Usage: "stop after this time"},
			&cli.DurationFlag{Name: "warmup", Usage: "send this long before anything counts"},
			&cli.StringFlag{Name: "size", Value: "1KiB", Usage: "`BYTES` of a value: 100, 1KiB"},
			&cli.Int64Flag{Name: "keys", Value: 1000, Usage: "distinct keys; 0 sends none"},
			&cli.StringFlag{Name: "acks", Value: "all", Usage: "all (idempotent), leader or none"},
			&cli.StringFlag{Name: "compression", Value: "none", Usage: "none, gzip, snappy, lz4 or zstd"},
			&cli.IntFlag{Name: "producers", Value: 1, Usage: "clients, each with connections of its own"},
			&cli.Float64Flag{Name: "rate", Usage: "records a second of all producers together; as fast as it goes without. Latency then counts from when a record was due"},
			&cli.DurationFlag{Name: "linger", Usage: "how long a producer waits for a batch to fill"},
			&cli.StringFlag{Name: "batch", Value: "1MiB", Usage: "`BYTES` that a batch may take"},
			&cli.IntFlag{Name: "buffered", Value: 10_000, Usage: "records that a producer may have under way; 1 sends one at a time"},
			&cli.IntFlag{Name: "partitions", Aliases: []string{"p"}, Value: -1, Usage: "of the topic, if it has to be made; the cluster's default without"},
			&cli.IntFlag{Name: "replication-factor", Value: -1, Usage: "of the topic, if it has to be made; the cluster's default without"}},
	}
}

// produceLoad is a run of bench produce: what is asked for, and what has been done.
type produceLoad struct {
	topic     string
	records   int64 // of all producers; 0: until the time is over
	duration  time.Duration
	warmup    time.Duration
	size      int64
	keys      int64
	producers int
	rate      float64
	opts      []kgo.Opt

	began   time.Time
	taken   atomic.Int64 // records that producers have taken on
	acked   atomic.Int64 // since the warm-up
	bytes   atomic.Int64 // keys and values of those
	latency histogram
}

func benchProduce(c *cli.Context) error {
	topic, err := oneArg(c, "topic")
	if err != nil {
		return err
	}
	l, err := newProduceLoad(c, topic)
	if err != nil {
		return err
	}
	if err := l.makeTopic(c); err != nil {
		return err
	}
	took, err := l.run(c)
	if err != nil {
		return topicError(topic, err)
	}
	return l.print(c, took)
}

func newProduceLoad(c *cli.Context, topic string) (*produceLoad, error) {
	l := &produceLoad{topic: topic, records: c.Int64("records"), duration: c.Duration("duration"), warmup: c.Duration("warmup"), keys: c.Int64("keys"),
		producers: c.Int("producers"), rate: c.Float64("rate")}
	if c.IsSet("records") && !c.IsSet("duration") {
		l.duration = 24 * time.Hour
	}
	var batch int64
	for flag, to := range map[string]*int64{"size": &l.size, "batch": &batch} {
		n, err := config.ParseSize(c.String(flag))
		if err != nil || n <= 0 {
			return nil, term.Usage("--%s takes bytes, such as 100 or 1KiB, not %q", flag, c.String(flag))
		}
		*to = n
	}
	codec, ok := codecs[c.String("compression")]
	if !ok {
		return nil, term.Usage("--compression must be none, gzip, snappy, lz4 or zstd, not %q", c.String("compression"))
	}
	for _, flag := range []string{"producers", "buffered"} {
		if c.Int(flag) < 1 {
			return nil, term.Usage("--%s must be at least 1", flag)
		}
	}
	l.opts = []kgo.Opt{kgo.DefaultProduceTopic(topic), kgo.ProducerBatchCompression(codec), kgo.ProducerLinger(c.Duration("linger")), kgo.ProducerBatchMaxBytes(int32(batch)),
		kgo.MaxBufferedRecords(c.Int("buffered")), kgo.RecordDeliveryTimeout(time.Minute)}
	switch acks := c.String("acks"); acks {
	case "all":
	case "leader":
		l.opts = append(l.opts, kgo.RequiredAcks(kgo.LeaderAck()), kgo.DisableIdempotentWrite())
	case "none":
		l.opts = append(l.opts, kgo.RequiredAcks(kgo.NoAck()), kgo.DisableIdempotentWrite())
	default:
		return nil, term.Usage("--acks must be all, leader or none, not %q", acks)
	}
	return l, nil
}

// makeTopic makes the topic if it is not there, and connects everything that the clients share.
func (l *produceLoad) makeTopic(c *cli.Context) error {
	adm, err := admin(c.Context, c)
	if err != nil {
		return err
	}
	defer adm.Close()
	res, err := adm.CreateTopic(c.Context, int32(c.Int("partitions")), int16(c.Int("replication-factor")), nil, l.topic)
	if err == nil {
		err = res.Err
	}
	if errors.Is(err, kerr.TopicAlreadyExists) {
		return nil
	}
	if err != nil && res.ErrMessage != "" {
		return term.Usage("topic %s: %s", l.topic, res.ErrMessage)
	}
	if err == nil {
		err = awaitLeaders(c.Context, adm, l.topic)
	}
	return topicError(l.topic, err)
}

// awaitLeaders waits until every partition of a new topic has a leader.
func awaitLeaders(ctx context.Context, adm *kadm.Client, topic string) error {
	for wait := time.Now().Add(10 * time.Second); ; {
		list, err := adm.ListTopics(ctx, topic)
		if err != nil {
			return err
		}
		ready := list[topic].Err == nil && len(list[topic].Partitions) > 0
		for _, p := range list[topic].Partitions {
			ready = ready && p.Err == nil && p.Leader >= 0
		}
		if ready {
			return nil
		}
		if time.Now().After(wait) {
			return kerr.LeaderNotAvailable
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// run starts the producers and returns how long they took, the warm-up left out.
func (l *produceLoad) run(c *cli.Context) (time.Duration, error) {
	ctx, cancel := context.WithCancelCause(c.Context)
	defer cancel(nil)
	clients := make([]*kgo.Client, l.producers)
	for i := range clients {
		cl, err := connect(ctx, c, l.opts...)
		if err != nil {
			return 0, err
		}
		defer cl.Close()
		clients[i] = cl
	}
	l.began = time.Now()
	stop := showProgress(l.progress)
	defer stop()
	keys, noise := benchKeys(l.keys), benchNoise(l.size)
	var wg sync.WaitGroup
	for i, cl := range clients {
		wg.Go(func() {
			p := producer{load: l, cl: cl, id: i, keys: keys, noise: noise, rng: rand.New(rand.NewPCG(uint64(i), 7)), failed: cancel}
			if err := p.produce(ctx); err != nil {
				cancel(err)
			}
		})
	}
	wg.Wait()
	took := time.Since(l.counted())
	if l.records == 0 {
		took = min(took, l.duration)
	}
	if err := context.Cause(ctx); err != nil && c.Context.Err() == nil {
		return took, err
	}
	return took, nil // Ctrl-C ends it early, and what was measured is shown
}

// counted is when records begin to count.
func (l *produceLoad) counted() time.Time { return l.began.Add(l.warmup) }

func (l *produceLoad) progress() string {
	return progressLine(time.Since(l.began), l.acked.Load(), l.bytes.Load(), time.Since(l.counted())) + "  p99 " + shortDuration(l.latency.quantile(0.99).Nanoseconds())
}

// print tells what was measured.
func (l *produceLoad) print(c *cli.Context, took time.Duration) error {
	n, bytes := l.acked.Load(), l.bytes.Load()
	r := loadResult{Bench: "produce", Topic: l.topic, Records: n, Bytes: bytes, Seconds: round(took.Seconds()), RecordRate: round(float64(n) / took.Seconds()),
		Megabytes: round(float64(bytes) / 1e6 / took.Seconds()), Producers: l.producers, Rate: l.rate, Latency: latencyOf(&l.latency)}
	return r.print(c.String("output"), &l.latency)
}

// producer is one client of a load.
type producer struct {
	load   *produceLoad
	cl     *kgo.Client
	id     int
	keys   [][]byte
	noise  []byte
	rng    *rand.Rand
	pool   sync.Pool
	failed func(error)
}

// produce sends until there is enough, and waits for what is under way.
func (p *producer) produce(ctx context.Context) error {
	l := p.load
	end := l.counted().Add(l.duration)
	for i := 0; ctx.Err() == nil; i++ {
		due := time.Now()
		if l.rate > 0 {
			due = l.began.Add(time.Duration(float64(i*l.producers+p.id) / l.rate * 1e9))
			if wait := time.Until(due); wait > 0 {
				time.Sleep(wait)
			}
		}
		if due.After(end) || l.records > 0 && l.taken.Add(1) > l.records {
			break
		}
		p.cl.Produce(ctx, p.record(due), p.acked)
	}
	flush, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	return p.cl.Flush(flush)
}

// record is the next one: a key that has been seen before, and a value that does not compress.
func (p *producer) record(due time.Time) *kgo.Record {
	r, ok := p.pool.Get().(*kgo.Record)
	if !ok {
		r = &kgo.Record{}
	}
	at := p.rng.IntN(len(p.noise) - int(p.load.size) + 1)
	*r = kgo.Record{Value: p.noise[at : at+int(p.load.size)], Timestamp: due}
	if len(p.keys) > 0 {
		r.Key = p.keys[p.rng.IntN(len(p.keys))]
	}
	return r
}

func (p *producer) acked(r *kgo.Record, err error) {
	l := p.load
	switch {
	case errors.Is(err, context.Canceled):
	case err != nil:
		p.failed(err)
	default:
		l.count(r)
	}
	p.pool.Put(r)
}

// count takes a record that has been acknowledged: its latency, unless it was due in the warm-up, and for the throughput all
// that are acknowledged while it is measured, whenever they were sent.
func (l *produceLoad) count(r *kgo.Record) {
	now, from := time.Now(), l.counted()
	if !r.Timestamp.Before(from) {
		l.latency.observe(now.Sub(r.Timestamp))
	}
	if now.Before(from) || l.records == 0 && now.After(from.Add(l.duration)) {
		return
	}
	l.acked.Add(1)
	l.bytes.Add(int64(len(r.Key) + len(r.Value)))
}
