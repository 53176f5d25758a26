package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

const (
	latencyKeys  = 100         // of the smoke test's queries
	latencyWarm  = time.Second // left out of the figures
	latencyParts = 1
)

// benchLatency measures from a producer's clock to a read-committed consumer's, across topic, query and topic.
func benchLatency(b *bench) error {
	n, err := b.node("latency")
	if err != nil {
		return err
	}
	return errors.Join(n.latency(b), n.Close())
}

// latencyQuery is a query over ticks and how its output tells which events it shows.
type latencyQuery struct {
	name, columns, text, mode string
	rate                      int // events a second; 0 sends one when the one before has come out
	keys                      int
}

func (n *benchNode) latency(b *bench) error {
	pass := latencyQuery{name: "pass", columns: "k BIGINT, sent BIGINT", text: "SELECT k, sent FROM %s WHERE k >= 0", mode: "append"}
	counts := latencyQuery{name: "counts", columns: "w TIMESTAMP, k BIGINT, n BIGINT, sent BIGINT", mode: "update",
		text: "SELECT window(ts, '1 minute').start AS w, k, count(*) AS n, max(sent) AS sent FROM %s GROUP BY window(ts, '1 minute'), k"}
	for _, q := range []latencyQuery{pass, counts} {
		q.keys = latencyKeys
		if err := n.latencyOf(b, q); err != nil {
			return fmt.Errorf("%s alone: %w", q.name, err)
		}
		q.rate = b.c.Int("rate")
		if err := n.latencyOf(b, q); err != nil {
			return fmt.Errorf("%s: %w", q.name, err)
		}
	}
	return nil
}

func (n *benchNode) latencyOf(b *bench, lq latencyQuery) error {
	t, err := n.measure(b, lq)
	if err != nil {
		return err
	}
	return b.reportLatency(lq, t, n)
}

// measure runs a query while events are sent and returns how long each took, in milliseconds, by the second of its sending.
// The batches that it took are in n.
func (n *benchNode) measure(b *bench, lq latencyQuery) ([][]float64, error) {
	name := lq.name + strconv.Itoa(lq.rate)
	in, out := name+"_in", name+"_out"
	for _, ddl := range []string{
		fmt.Sprintf("CREATE TABLE %s (k BIGINT, sent BIGINT, ts TIMESTAMP, WATERMARK FOR ts AS ts - INTERVAL 5 SECONDS) USING topic OPTIONS (partitions '%d')", in, latencyParts),
		fmt.Sprintf("CREATE TABLE %s (%s) USING topic OPTIONS (partitions '%d')", out, lq.columns, latencyParts),
	} {
		if _, err := n.sql(b.ctx, ddl); err != nil {
			return nil, err
		}
	}
	q, err := n.start(b.ctx, name, fmt.Sprintf(lq.text, in), lq.mode, out)
	if err != nil {
		return nil, err
	}
	n.takeBatches()
	t, err := n.ticks(b, lq, in, out)
	if err != nil {
		return nil, err
	}
	return t, q.Stop(b.ctx)
}

// ticks sends events and takes what comes out, and returns how long each was on its way.
func (n *benchNode) ticks(b *bench, lq latencyQuery, in, out string) ([][]float64, error) {
	prod, err := n.client(kgo.DefaultProduceTopic(in), kgo.ProducerLinger(0), kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerBatchCompression(kgo.NoCompression()))
	if err != nil {
		return nil, err
	}
	defer prod.Close()
	cons, err := n.client(kgo.ConsumeTopics(out), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.FetchMaxWait(time.Second))
	if err != nil {
		return nil, err
	}
	defer cons.Close()
	ctx, cancel := context.WithTimeout(b.ctx, b.c.Duration("duration")+30*time.Second)
	defer cancel()
	t := &ticker{prod: prod, rate: lq.rate, cumulative: lq.mode == "update", seen: make(chan struct{}, 1), sent: make([][]int64, lq.keys)}
	var wg sync.WaitGroup
	var sendErr error
	wg.Go(func() {
		if sendErr = t.send(ctx, b.c.Duration("duration")); sendErr != nil {
			cancel()
		}
	})
	err = t.receive(ctx, cons)
	cancel()
	wg.Wait()
	return t.took, errors.Join(sendErr, err)
}

// ticker knows when each event was sent. The n-th event of a key in the topic is the n-th that was sent.
type ticker struct {
	prod       *kgo.Client
	rate       int
	cumulative bool // rows carry a count of their key's events instead of being one each
	seen       chan struct{}

	mu    sync.Mutex
	began int64
	sent  [][]int64 // of cumulative queries: microseconds, not yet seen, by key and window
	done  bool
	open  int // sent and not seen

	took [][]float64 // milliseconds, by the second in which they were sent
}

func (t *ticker) send(ctx context.Context, d time.Duration) error {
	failed := make(chan error, 1)
	began := time.Now()
	t.mu.Lock()
	t.began = began.UnixMicro()
	t.mu.Unlock()
	defer func() {
		t.mu.Lock()
		t.done = true
		t.mu.Unlock()
	}()
	for i := int64(0); time.Since(began) < d; {
		due := int64(time.Since(began).Seconds() * float64(t.rate))
		if t.rate == 0 {
			due = i + 1
		}
		for ; i < due; i++ {
			t.sendOne(ctx, i, failed)
		}
		if err := t.pause(ctx, failed); err != nil {
			return err
		}
	}
	return t.prod.Flush(ctx)
}

// pause waits for a millisecond, or for the one event that is on its way.
func (t *ticker) pause(ctx context.Context, failed chan error) error {
	var tick <-chan time.Time
	if t.rate > 0 {
		tick = time.After(time.Millisecond)
	}
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-tick:
	case <-t.seen:
	}
	return nil
}

func (t *ticker) sendOne(ctx context.Context, i int64, failed chan error) {
	now, key := time.Now().UnixMicro(), i%int64(len(t.sent))
	t.mu.Lock()
	t.sent[key] = append(t.sent[key], now)
	t.open++
	t.mu.Unlock()
	value := fmt.Appendf(nil, `{"k":%d,"sent":%d,"ts":"%s"}`, key, now, time.UnixMicro(now).UTC().Format("2006-01-02T15:04:05.000000Z"))
	t.prod.Produce(ctx, &kgo.Record{Value: value}, func(_ *kgo.Record, err error) {
		if err != nil {
			select {
			case failed <- err:
			default:
			}
		}
	})
}

// latencyRow is a record of the output: Sent is the newest event that it shows.
type latencyRow struct{ K, N, Sent int64 }

// receive takes the output until all events that were sent have been seen.
func (t *ticker) receive(ctx context.Context, cons *kgo.Client) error {
	for {
		fetches, err := fetchSome(ctx, cons)
		now := time.Now().UnixMicro()
		if err != nil {
			return err
		}
		fetches.EachRecord(func(r *kgo.Record) {
			var row latencyRow
			if jerr := json.Unmarshal(r.Value, &row); jerr != nil {
				err = jerr
				return
			}
			t.observe(row, now)
		})
		if err != nil {
			return err
		}
		if t.finished() {
			return nil
		}
	}
}

// fetchSome waits for records, but not so long that the end of the sending is missed.
func fetchSome(ctx context.Context, cons *kgo.Client) (kgo.Fetches, error) {
	short, cancel := context.WithTimeout(ctx, 200*time.Millisecond)
	defer cancel()
	fetches := cons.PollFetches(short)
	if ctx.Err() != nil {
		return nil, fmt.Errorf("not all events came out: %w", context.Cause(ctx))
	}
	if err := fetches.Err(); err != nil && short.Err() == nil {
		return nil, err
	}
	return fetches, nil
}

// observe counts the events that a row shows: the one, or all of its key up to the newest.
func (t *ticker) observe(row latencyRow, now int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	list := t.sent[row.K]
	for len(list) > 0 && list[0] <= row.Sent {
		if after := list[0] - t.began - latencyWarm.Microseconds(); after >= 0 {
			for second := after / 1_000_000; int64(len(t.took)) <= second; {
				t.took = append(t.took, nil)
			}
			t.took[after/1_000_000] = append(t.took[after/1_000_000], float64(now-list[0])/1000)
		}
		list = list[1:]
		t.open--
		if !t.cumulative {
			break
		}
	}
	t.sent[row.K] = list
}

// finished lets the next event go and tells whether there is none any more.
func (t *ticker) finished() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.rate == 0 && t.open == 0 {
		select {
		case t.seen <- struct{}{}:
		default:
		}
	}
	return t.done && t.open == 0
}

// reportLatency prints quantiles over all events, and those of the best second: what the path takes when the machine's
// other tenants are quiet.
func (b *bench) reportLatency(lq latencyQuery, seconds [][]float64, n *benchNode) error {
	if err := b.probe(); err != nil {
		return err
	}
	what, batch := "stateless pass", "pass"
	if lq.name == "counts" {
		what, batch = "1-minute window count by key, update mode", "counts"
	}
	how := fmt.Sprintf("%d events/s", lq.rate)
	if lq.rate == 0 {
		how = "one event at a time"
	}
	all := slices.Concat(seconds...)
	for _, x := range []struct {
		name    string
		q, disk float64
	}{{"p50", 0.5, b.diskP50}, {"p99", 0.99, b.diskP99}} {
		name := fmt.Sprintf("latency: %s, exactly-once, %s, %s", what, how, x.name)
		b.print(result{Case: fmt.Sprintf("%s of %d", name, len(all)), Value: quantile(all, x.q), Unit: "ms", Peer: "disk, two fdatasyncs, " + x.name, PeerValue: x.disk})
		b.print(result{Case: name + " of the best second", Value: bestSecond(seconds, x.q), Unit: "ms", Peer: "disk, two fdatasyncs, " + x.name, PeerValue: x.disk})
	}
	b.breakdown("latency "+batch+", "+how, n.takeBatches())
	return nil
}

// bestSecond is the least of the seconds' quantiles; a last second that is cut short does not count.
func bestSecond(seconds [][]float64, q float64) float64 {
	low := 0.0
	for i, list := range seconds {
		if len(list) == 0 || i > 0 && i == len(seconds)-1 && 4*len(list) < 3*len(seconds[i-1]) {
			continue
		}
		if x := quantile(list, q); low == 0 || x < low {
			low = x
		}
	}
	return low
}

// probe looks at the disk again: what it could do a minute ago says little on a shared machine.
func (b *bench) probe() error {
	_, _, err := b.twoSyncs(200)
	return err
}
