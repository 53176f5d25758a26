package main

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/logstore"
	"github.com/streamflow/streamflow/logstore/columnar"
)

// Bids are made after Nexmark's: four numbers and three strings, some 180 bytes as JSON, 10,000 in a second of event time.
const (
	bidColumns  = "auction BIGINT, bidder BIGINT, price BIGINT, channel STRING, url STRING, ts TIMESTAMP, extra STRING"
	bidParts    = 4
	bidAuctions = 1000
	bidsPerSec  = 10_000
	bidEpoch    = 1_704_067_200_000_000 // 2024-01-01, microseconds
)

var bidChannels = [...]string{"Google", "Facebook", "Baidu", "Apple"}

// bid is the i-th one.
type bid struct{ auction, bidder, price, ts int64 }

func bidAt(i int64) bid {
	h := uint64(i+1) * 0x9e3779b97f4a7c15
	h ^= h >> 29
	return bid{auction: 1000 + int64(h>>8)%bidAuctions, bidder: 2000 + int64(h>>20)%50_000, price: 1 + int64(h>>33)%10_000, ts: bidEpoch + i*1_000_000/bidsPerSec}
}

func (b bid) channel() string { return bidChannels[b.bidder&3] }

func (b bid) appendJSON(dst []byte) []byte {
	dst = strconv.AppendInt(append(dst, `{"auction":`...), b.auction, 10)
	dst = strconv.AppendInt(append(dst, `,"bidder":`...), b.bidder, 10)
	dst = strconv.AppendInt(append(dst, `,"price":`...), b.price, 10)
	dst = append(append(dst, `,"channel":"`...), b.channel()...)
	dst = append(append(dst, `","url":"`...), "https://www.nexmark.com/item.htm?query="...)
	dst = strconv.AppendInt(dst, b.auction, 10)
	dst = appendTime(append(dst, `","ts":"`...), b.ts)
	return append(dst, `","extra":"0123456789abcdef"}`...)
}

// appendTime writes a bid's time. The first day's times, which are most, are put together from digits: making the bids
// shares the processors with what is measured.
func appendTime(dst []byte, micros int64) []byte {
	t := micros - bidEpoch
	if t >= 86_400_000_000 {
		return time.UnixMicro(micros).UTC().AppendFormat(dst, "2006-01-02T15:04:05.000000Z")
	}
	dst = append(dst, "2024-01-01T00:00:00.000000Z"...)
	at := dst[len(dst)-len("00:00:00.000000Z"):]
	for i, part := range [...]int64{t / 3_600_000_000, t / 60_000_000 % 60, t / 1_000_000 % 60} {
		at[3*i], at[3*i+1] = byte('0'+part/10), byte('0'+part%10)
	}
	for i, rest := 14, t%1_000_000; i > 8; i, rest = i-1, rest/10 {
		at[i] = byte('0' + rest%10)
	}
	return dst
}

// bidTable creates a topic of bids.
func (n *benchNode) bidTable(ctx context.Context, name, format string) error {
	_, err := n.sql(ctx, fmt.Sprintf("CREATE TABLE %s (%s, WATERMARK FOR ts AS ts - INTERVAL 5 SECONDS) USING topic OPTIONS (format '%s', partitions '%d')",
		name, bidColumns, format, bidParts))
	return err
}

// produceBids sends bids over the Kafka protocol, in event-time order in each partition.
func (n *benchNode) produceBids(ctx context.Context, topic string, count int64) error {
	cl, err := n.client(kgo.DefaultProduceTopic(topic), kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerBatchCompression(kgo.NoCompression()),
		kgo.MaxBufferedRecords(200_000), kgo.ProducerBatchMaxBytes(1<<20-512))
	if err != nil {
		return err
	}
	defer cl.Close()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	const run = 4096 // consecutive bids to one partition
	for from := int64(0); from < count && ctx.Err() == nil; from += run {
		buf := make([]byte, 0, 200*run)
		recs := make([]kgo.Record, min(run, count-from))
		for i := range recs {
			start := len(buf)
			buf = bidAt(from + int64(i)).appendJSON(buf)
			recs[i] = kgo.Record{Value: buf[start:len(buf):len(buf)], Partition: int32(from / run % bidParts)}
			cl.Produce(ctx, &recs[i], func(_ *kgo.Record, err error) {
				if err != nil {
					cancel(err)
				}
			})
		}
	}
	if err := cl.Flush(ctx); err != nil {
		return context.Cause(ctx)
	}
	return context.Cause(ctx)
}

// appendBids writes columnar batches straight into the log, as the engine's own sinks do.
func (n *benchNode) appendBids(ctx context.Context, topic string, count int64) error {
	rows := newBidRows()
	var last *logstore.Pending
	for from := int64(0); from < count; from += columnar.MaxRows {
		batch, err := columnar.Encode(nil, rows.fill(from, int(min(columnar.MaxRows, count-from))), columnar.Header{Timestamp: time.Now().UnixMilli()})
		if err != nil {
			return err
		}
		p, err := n.Node().Broker().Partition(topic, int32(from/columnar.MaxRows%bidParts))
		if err != nil {
			return err
		}
		last = p.Append(logstore.AppendRequest{Data: batch, Internal: true})
	}
	if last == nil {
		return nil
	}
	_, err := last.Wait(ctx)
	return err
}

// bidRows makes column batches; the strings of one are those of all, so that making them is not what is measured.
type bidRows struct {
	schema     *column.Schema
	url, extra *column.Vector
	channels   *column.Vector
}

func newBidRows() *bidRows {
	schema, err := column.ParseDDL(bidColumns)
	if err != nil {
		panic("BUG: " + err.Error())
	}
	r := &bidRows{schema: schema}
	url, extra, channels := column.NewBuilder(column.Of(column.String)), column.NewBuilder(column.Of(column.String)), column.NewBuilder(column.Of(column.String))
	for i := range int64(columnar.MaxRows) {
		url.AppendString("https://www.nexmark.com/item.htm?query=" + strconv.FormatInt(bidAt(i).auction, 10))
		extra.AppendString("0123456789abcdef")
	}
	for _, c := range bidChannels {
		channels.AppendString(c)
	}
	r.url, r.extra, r.channels = url.Finish(), extra.Finish(), channels.Finish()
	return r
}

func (r *bidRows) fill(from int64, n int) *column.Batch {
	ints := make([]int64, 4*n)
	auction, bidder, price, ts := ints[:n], ints[n:2*n], ints[2*n:3*n], ints[3*n:]
	codes := make([]int32, n)
	for i := range n {
		b := bidAt(from + int64(i))
		auction[i], bidder[i], price[i], ts[i], codes[i] = b.auction, b.bidder, b.price, b.ts, int32(b.bidder&3)
	}
	long := func(v []int64, k column.Kind) *column.Vector { return &column.Vector{Type: column.Of(k), N: n, I64: v} }
	return column.NewBatch(r.schema, n, long(auction, column.Int64), long(bidder, column.Int64), long(price, column.Int64),
		&column.Vector{Type: column.Of(column.String), N: n, Codes: codes, Dict: r.channels}, r.url.Slice(0, n), long(ts, column.Timestamp), r.extra.Slice(0, n))
}
