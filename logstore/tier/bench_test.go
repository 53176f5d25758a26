package tier

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/internal/vfs"
	"github.com/streamflow/streamflow/logstore"
	"github.com/streamflow/streamflow/logstore/record"
)

// benchRecords is how many records a benchmark's segments hold: some segments of 8 MiB.
const benchRecords = 200_000

func benchTopic(b *testing.B) Topic {
	b.Helper()
	t := jsonTopic(b)
	s, err := column.ParseDDL("ts TIMESTAMP, item STRING, customer BIGINT, price DOUBLE, n INT")
	if err != nil {
		b.Fatal(err)
	}
	t.Schema = s
	return t
}

// benchOrder is about 100 bytes of JSON with values that do not repeat much.
func benchOrder(r *rand.Rand, i int) []byte {
	at := time.UnixMilli(orderTime(i)).UTC().Format("2006-01-02T15:04:05.000Z")
	return fmt.Appendf(nil, `{"ts":"%s","item":"item-%04d","customer":%d,"price":%.2f,"n":%d}`, at, r.IntN(5000), r.IntN(1_000_000), r.Float64()*500, r.IntN(10))
}

// benchNode is a node with sealed segments on the machine's disk.
func benchNode(b *testing.B, topic Topic, codec record.Codec) *node {
	b.Helper()
	dir := b.TempDir()
	n := &node{t: b, dir: dir + "/tier", store: NewDir(vfs.OS, dir+"/store"), topic: topic,
		cfg: logstore.PartitionConfig{SegmentRecords: 60_000, LocalRetention: 1}}
	var err error
	if n.log, err = logstore.Open(logstore.Options{Dir: dir + "/log", Logger: quiet, Sync: logstore.SyncAsync}); err != nil {
		b.Fatal(err)
	}
	if n.p, err = n.log.EnsurePartition(logstore.TopicPartition{Topic: topic.Name}, n.cfg); err != nil {
		b.Fatal(err)
	}
	if n.tier, err = Open(Options{Store: n.store, Dir: n.dir, Interval: -1, Logger: quiet}); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(n.close)
	n.tier.Attach(n.p, topic)
	r := rand.New(rand.NewPCG(1, 1))
	var last *logstore.Pending
	for i := 0; i < benchRecords; {
		rb := record.NewBuilder(codec)
		for range 500 {
			rb.Add(orderTime(i), fmt.Appendf(nil, "k%d", i%1000), benchOrder(r, i))
			i++
		}
		out, err := rb.Finish()
		if err != nil {
			b.Fatal(err)
		}
		last = n.p.Append(logstore.AppendRequest{Data: out, LeaderEpoch: -1})
	}
	if _, err := last.Wait(context.Background()); err != nil {
		b.Fatal(err)
	}
	n.settle()
	return n
}

// BenchmarkBuild makes an object of each kind of a sealed segment.
func BenchmarkBuild(b *testing.B) {
	for _, codec := range []record.Codec{record.None, record.LZ4} {
		for _, kind := range []Kind{Raw, Parquet} {
			b.Run(fmt.Sprintf("%s/%s", codecName(codec), kind), func(b *testing.B) {
				topic := benchTopic(b)
				n := benchNode(b, topic, codec)
				s := n.p.Archivable(0)[0]
				size, bytes, records := int64(0), int64(0), int64(0)
				for b.Loop() {
					out, err := buildAs(context.Background(), n.dir, kind, source{topic: &topic, sealed: &s})
					if err != nil {
						b.Fatal(err)
					}
					size, bytes, records = out.entry.Size, out.entry.Bytes, out.entry.Records
					out.discard()
				}
				b.ReportMetric(float64(size)/float64(bytes), "object/log")
				b.ReportMetric(float64(records)*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mrec/s")
				b.SetBytes(bytes)
			})
		}
	}
}

func codecName(c record.Codec) string {
	if c == record.None {
		return "plain"
	}
	return "lz4"
}

// BenchmarkBatchesColumn compares how the batches can be kept beside the columns: as one compressed value for a row group,
// or as key and value columns of which batches are made anew.
func BenchmarkBatchesColumn(b *testing.B) {
	topic := benchTopic(b)
	n := benchNode(b, topic, record.None)
	s := n.p.Archivable(0)[0]
	raw := make([]byte, 0, s.Summary.Bytes)
	err := s.Segment().Scan(0, func(_ int64, batch record.Batch) (bool, error) {
		raw = append(raw, batch...)
		return len(raw) < groupBytes, nil
	})
	if err != nil {
		b.Fatal(err)
	}
	enc, _ := zstd.NewWriter(nil)
	dec, _ := zstd.NewReader(nil)
	packed := enc.EncodeAll(raw, nil)
	values := enc.EncodeAll(onlyValues(raw), nil)
	b.Run("whole/write", func(b *testing.B) {
		for b.Loop() {
			packed = enc.EncodeAll(raw, packed[:0])
		}
		b.SetBytes(int64(len(raw)))
		b.ReportMetric(float64(len(packed))/float64(len(raw)), "size")
	})
	b.Run("whole/read", func(b *testing.B) {
		var out []byte
		for b.Loop() {
			if out, err = dec.DecodeAll(packed, out[:0]); err != nil {
				b.Fatal(err)
			}
		}
		b.SetBytes(int64(len(raw)))
	})
	b.Run("again/write", func(b *testing.B) {
		for b.Loop() {
			values = enc.EncodeAll(onlyValues(raw), values[:0])
		}
		b.SetBytes(int64(len(raw)))
		b.ReportMetric(float64(len(values))/float64(len(raw)), "size")
	})
	b.Run("again/read", func(b *testing.B) {
		var out []byte
		rb := record.NewBuilder(record.None)
		for b.Loop() {
			if out, err = dec.DecodeAll(values, out[:0]); err != nil {
				b.Fatal(err)
			}
			for rest := raw; len(rest) > 0; { // the same records, put into batches again
				var batch record.Batch
				if batch, rest, err = record.Next(rest); err != nil {
					b.Fatal(err)
				}
				for it := batch.Records(); it.Next(); {
					rb.Add(it.Timestamp, it.Key, it.Value)
				}
				if _, err := rb.Finish(); err != nil {
					b.Fatal(err)
				}
			}
		}
		b.SetBytes(int64(len(raw)))
	})
}

// onlyValues is the keys and values of batches, as a column would have them.
func onlyValues(raw []byte) (out []byte) {
	for len(raw) > 0 {
		batch, rest, err := record.Next(raw)
		if err != nil {
			panic(err)
		}
		for it := batch.Records(); it.Next(); {
			out = append(append(out, it.Key...), it.Value...)
		}
		raw = rest
	}
	return out
}

// BenchmarkRead reads the whole partition as a Kafka client does: from the log, and from the tier with a cold cache.
func BenchmarkRead(b *testing.B) {
	for _, topic := range []Topic{rawTopic(), benchTopic(b)} {
		n := benchNode(b, topic, record.None)
		kind := Raw
		if topic.Schema != nil {
			kind = Parquet
		}
		end := n.p.Archivable(0)
		to, bytes := end[len(end)-1].Summary.Next, int64(0)
		read := func() {
			for at := int64(0); at < to; {
				res, err := n.p.ReadWait(context.Background(), at, 1<<20, false)
				if err != nil {
					b.Fatal(err)
				}
				for rest := res.Data; len(rest) > 0; {
					var batch record.Batch
					if batch, rest, err = record.Next(rest); err != nil {
						b.Fatal(err)
					}
					at = batch.LastOffset() + 1
				}
				bytes += int64(len(res.Data))
				res.Release()
			}
		}
		run := func(name string, before func()) {
			b.Run(name, func(b *testing.B) {
				bytes = 0
				for b.Loop() {
					before()
					read()
				}
				b.SetBytes(bytes / int64(b.N))
			})
		}
		run(kind.String()+"/log", func() {})
		n.round()
		if n.p.LocalStart() < to {
			b.Fatal("not freed")
		}
		run(kind.String()+"/tier", func() {
			for _, o := range n.p.Cold().Objects() {
				e, _ := entryAt(n.tier.Partitions()[0].entries, o.Base)
				n.tier.forget(e.Key)
			}
		})
	}
}

// BenchmarkColumns reads two columns of all rows.
func BenchmarkColumns(b *testing.B) {
	n := benchNode(b, benchTopic(b), record.None)
	n.round()
	p := n.tier.Partitions()[0]
	_, next := p.Bounds()
	groups, err := p.Groups(context.Background(), 0, next)
	if err != nil {
		b.Fatal(err)
	}
	rows := 0
	for b.Loop() {
		rows = 0
		for _, g := range groups {
			r, err := p.ReadGroup(context.Background(), g, []string{ColOffset, "price", "item"})
			if err != nil {
				b.Fatal(err)
			}
			for {
				batch, err := r.Next()
				if err == io.EOF {
					break
				}
				if err != nil {
					b.Fatal(err)
				}
				rows += batch.N
			}
		}
	}
	b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mrows/s")
}
