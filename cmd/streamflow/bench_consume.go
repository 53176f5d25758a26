package main

import (
	"context"
	"errors"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/urfave/cli/v2"

	"github.com/streamflow/streamflow/internal/config"
	"github.com/streamflow/streamflow/internal/term"
)

func benchConsumeCommand() *cli.Command {
	return &cli.Command{
		Name: "consume", Usage: "read a topic of any Kafka-compatible cluster and measure it", ArgsUsage: "TOPIC", Action: benchConsume,
		Flags: []cli.Flag{bootstrapFlag(), term.OutputFlag("table or json"),
			&cli.Int64Flag{Name: "records", Aliases: []string{"n"}, Usage: "stop after this many; without, at the offsets that are the end now"},
			&cli.DurationFlag{Name: "duration", Aliases: []string{"d"}, Usage: "stop after this time, and wait at the end for more until then"},
			&cli.BoolFlag{Name: "now", Usage: "begin at the end instead of the beginning; latency then counts from a record's timestamp"},
			&cli.IntFlag{Name: "consumers", Value: 1, Usage: "clients; with --group they share the partitions, without each reads all"},
			&cli.StringFlag{Name: "group", Aliases: []string{"g"}, Usage: "consume as members of this group"},
			&cli.BoolFlag{Name: "uncommitted", Usage: "read open and aborted transactions too"},
			&cli.StringFlag{Name: "fetch", Value: "50MiB", Usage: "`BYTES` of one fetch"}},
	}
}

// consumeLoad is a run of bench consume.
type consumeLoad struct {
	topic     string
	enough    int64 // records after which it ends
	consumers int
	now       bool
	opts      []kgo.Opt

	began   time.Time
	last    atomic.Int64 // when the newest records came, in nanoseconds after began
	records atomic.Int64
	bytes   atomic.Int64
	latency histogram
}

func benchConsume(c *cli.Context) error {
	topic, err := oneArg(c, "topic")
	if err != nil {
		return err
	}
	l := &consumeLoad{topic: topic, consumers: c.Int("consumers"), now: c.Bool("now")}
	if err := l.options(c); err != nil {
		return err
	}
	if err := l.findEnd(c); err != nil {
		return err
	}
	if err := l.run(c); err != nil {
		return topicError(topic, err)
	}
	took := time.Duration(l.last.Load())
	if c.IsSet("duration") {
		took = min(time.Since(l.began), c.Duration("duration"))
	}
	n, bytes, s := l.records.Load(), l.bytes.Load(), max(took.Seconds(), 1e-6)
	r := loadResult{Bench: "consume", Topic: topic, Records: n, Bytes: bytes, Seconds: round(s), RecordRate: round(float64(n) / s), Megabytes: round(float64(bytes) / 1e6 / s),
		Consumers: l.consumers, Latency: latencyOf(&l.latency)}
	return r.print(c.String("output"), &l.latency)
}

func (l *consumeLoad) options(c *cli.Context) error {
	fetch, err := config.ParseSize(c.String("fetch"))
	if err != nil || fetch <= 0 || fetch > math.MaxInt32 {
		return term.Usage("--fetch takes bytes, such as 1MiB, not %q", c.String("fetch"))
	}
	if l.consumers < 1 {
		return term.Usage("--consumers must be at least 1")
	}
	if l.now && !c.IsSet("duration") && !c.IsSet("records") {
		return term.Usage("--now needs --duration or --records: at the end nothing is left to read")
	}
	from := kgo.NewOffset().AtStart()
	if l.now {
		from = kgo.NewOffset().AtEnd()
	}
	l.opts = []kgo.Opt{kgo.ConsumeTopics(l.topic), kgo.ConsumeResetOffset(from), kgo.FetchMaxBytes(int32(fetch)), kgo.FetchMaxPartitionBytes(int32(fetch)), kgo.FetchMaxWait(500 * time.Millisecond)}
	if !c.Bool("uncommitted") {
		l.opts = append(l.opts, kgo.FetchIsolationLevel(kgo.ReadCommitted()))
	}
	if g := c.String("group"); g != "" {
		l.opts = append(l.opts, kgo.ConsumerGroup(g), kgo.DisableAutoCommit())
	}
	return nil
}

// findEnd decides how many records are enough.
func (l *consumeLoad) findEnd(c *cli.Context) error {
	adm, err := admin(c.Context, c)
	if err != nil {
		return err
	}
	defer adm.Close()
	if list, err := adm.ListTopics(c.Context, l.topic); err != nil || list[l.topic].Err != nil {
		return topicError(l.topic, errors.Join(err, list[l.topic].Err))
	}
	switch {
	case c.IsSet("records"):
		l.enough = c.Int64("records")
	case c.IsSet("duration"):
		l.enough = math.MaxInt64
	default:
		if l.enough, err = recordsOf(c.Context, adm, l.topic); err != nil {
			return topicError(l.topic, err)
		}
		if c.String("group") == "" {
			l.enough *= int64(l.consumers)
		}
	}
	return nil
}

// recordsOf counts the offsets between a topic's beginning and its end: records, and the marks that end transactions.
func recordsOf(ctx context.Context, adm *kadm.Client, topic string) (int64, error) {
	starts, err := adm.ListStartOffsets(ctx, topic)
	if err != nil {
		return 0, err
	}
	ends, err := adm.ListCommittedOffsets(ctx, topic)
	if err != nil {
		return 0, err
	}
	n := int64(0)
	for p, end := range ends[topic] {
		n += end.Offset - starts[topic][p].Offset
	}
	return n, nil
}

// idle ends a run that waits for nothing but marks of transactions, which are counted as offsets and never seen.
const idle = 3 * time.Second

func (l *consumeLoad) run(c *cli.Context) error {
	ctx, cancel := context.WithCancelCause(c.Context)
	defer cancel(nil)
	if d := c.Duration("duration"); d > 0 {
		time.AfterFunc(d, func() { cancel(nil) })
	}
	clients := make([]*kgo.Client, l.consumers)
	for i := range clients {
		cl, err := connect(ctx, c, l.opts...)
		if err != nil {
			return err
		}
		defer cl.Close()
		clients[i] = cl
	}
	l.began = time.Now()
	stop := showProgress(func() string {
		return progressLine(time.Since(l.began), l.records.Load(), l.bytes.Load(), time.Since(l.began))
	})
	defer stop()
	var wg sync.WaitGroup
	for _, cl := range clients {
		wg.Go(func() {
			if err := l.consume(ctx, cl, !c.IsSet("duration")); err != nil {
				cancel(err)
			}
			if l.records.Load() >= l.enough {
				cancel(nil)
			}
		})
	}
	wg.Wait()
	if err := context.Cause(ctx); err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// consume takes records until there are enough of all clients together.
func (l *consumeLoad) consume(ctx context.Context, cl *kgo.Client, untilIdle bool) error {
	for l.records.Load() < l.enough && ctx.Err() == nil {
		poll, cancel := context.WithTimeout(ctx, idle)
		fetches := cl.PollFetches(poll)
		cancel()
		if err := fetches.Err0(); err != nil && ctx.Err() == nil && !errors.Is(err, context.DeadlineExceeded) {
			return err
		}
		if fetches.Empty() && untilIdle && l.records.Load() > 0 && time.Since(l.began)-time.Duration(l.last.Load()) > idle {
			return nil
		}
		l.take(fetches)
	}
	return nil
}

func (l *consumeLoad) take(fetches kgo.Fetches) {
	n, bytes, now := int64(0), int64(0), time.Now()
	fetches.EachRecord(func(r *kgo.Record) {
		n++
		bytes += int64(len(r.Key) + len(r.Value))
		if l.now {
			l.latency.observe(now.Sub(r.Timestamp))
		}
	})
	if n > 0 {
		l.last.Store(now.Sub(l.began).Nanoseconds())
		l.bytes.Add(bytes)
		l.records.Add(n)
	}
}
