package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/urfave/cli/v2"

	"github.com/streamflow/streamflow/internal/term"
)

func produceCommand() *cli.Command {
	return &cli.Command{
		Name: "produce", Usage: "send records to a topic: lines of standard input, or the rows of a file as JSON", ArgsUsage: "TOPIC",
		Flags: []cli.Flag{bootstrapFlag(),
			&cli.StringFlag{Name: "file", Aliases: []string{"f"}, Usage: "a Parquet or CSV `FILE`, or one with a record on each line; standard input without"},
			&cli.StringFlag{Name: "columns", Usage: "of a Parquet or CSV file, the columns to send, comma separated; all without"},
			&cli.StringFlag{Name: "key", Usage: "of a Parquet or CSV file, the column whose text is the record key"},
			&cli.StringFlag{Name: "key-separator", Usage: "of lines, what stands between key and value"},
			&cli.StringFlag{Name: "pace", Usage: "of a Parquet or CSV file, the timestamp column whose differences set the pace"},
			&cli.Float64Flag{Name: "speed", Value: 1, Usage: "with --pace, so many times faster than the timestamps"},
			&cli.Int64Flag{Name: "max", Aliases: []string{"n"}, Usage: "stop after this many records"},
			&cli.StringFlag{Name: "compression", Value: "none", Usage: "none, gzip, snappy, lz4 or zstd"},
			&cli.IntFlag{Name: "partition", Value: -1, Usage: "send all to this partition"}},
		Action: produce,
	}
}

// produceTimeout bounds how long a node that cannot store records, or does not answer, is asked again.
const produceTimeout = 15 * time.Second

var codecs = map[string]kgo.CompressionCodec{"none": kgo.NoCompression(), "gzip": kgo.GzipCompression(), "snappy": kgo.SnappyCompression(),
	"lz4": kgo.Lz4Compression(), "zstd": kgo.ZstdCompression()}

func produce(c *cli.Context) error {
	topic, err := oneArg(c, "topic")
	if err != nil {
		return err
	}
	src, err := openRecords(c)
	if err != nil {
		return err
	}
	defer src.Close()
	codec, ok := codecs[c.String("compression")]
	if !ok {
		return term.Usage("--compression must be none, gzip, snappy, lz4 or zstd, not %q", c.String("compression"))
	}
	partitioner := kgo.StickyKeyPartitioner(nil)
	if c.Int("partition") >= 0 {
		partitioner = kgo.ManualPartitioner()
	}
	cl, err := connect(c.Context, c, kgo.DefaultProduceTopic(topic), kgo.ProducerBatchCompression(codec), kgo.RecordPartitioner(partitioner),
		kgo.ProducerLinger(0), kgo.UnknownTopicRetries(3), kgo.AllowAutoTopicCreation(), kgo.RecordDeliveryTimeout(produceTimeout))
	if err != nil {
		return err
	}
	defer cl.Close()
	began := time.Now()
	n, bytes, err := send(c, cl, src)
	if err != nil {
		return topicError(topic, err)
	}
	took := time.Since(began).Seconds()
	fmt.Fprintf(os.Stderr, "%d records, %.1f MB in %.1f s (%.0f records/s)\n", n, float64(bytes)/1e6, took, float64(n)/took)
	return nil
}

// records is something to send.
type records interface {
	// next returns the next record and when, after the start, it is due; io.EOF after the last.
	next() (r *kgo.Record, due time.Duration, err error)
	Close() error
}

// send produces until the source ends and everything is acknowledged. The first failure ends it.
func send(c *cli.Context, cl *kgo.Client, src records) (n, bytes int64, err error) {
	ctx, cancel := context.WithCancelCause(c.Context)
	defer cancel(nil)
	began := time.Now()
	var acked atomic.Int64
	for limit := c.Int64("max"); limit <= 0 || n < limit; n++ {
		r, due, err := src.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return n, bytes, err
		}
		if wait := due - time.Since(began); wait > time.Millisecond {
			select {
			case <-time.After(wait):
			case <-ctx.Done():
				return n, bytes, context.Cause(ctx)
			}
		}
		if p := c.Int("partition"); p >= 0 {
			r.Partition = int32(p)
		}
		bytes += int64(len(r.Key) + len(r.Value))
		cl.Produce(ctx, r, func(_ *kgo.Record, err error) {
			if err != nil {
				cancel(err)
			} else {
				acked.Add(1)
			}
		})
	}
	if err := cl.Flush(ctx); err != nil || ctx.Err() != nil {
		return acked.Load(), bytes, context.Cause(ctx)
	}
	return n, bytes, nil
}

func openRecords(c *cli.Context) (records, error) {
	path := c.String("file")
	if strings.HasSuffix(path, ".parquet") || strings.HasSuffix(path, ".csv") {
		return openTable(path, c.String("columns"), c.String("key"), c.String("pace"), c.Float64("speed"))
	}
	for _, f := range []string{"columns", "key", "pace"} {
		if c.IsSet(f) {
			return nil, term.Usage("--%s needs a Parquet or CSV --file", f)
		}
	}
	in := os.Stdin
	if path != "" && path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return nil, term.Usage("%v", err)
		}
		in = f
	}
	return &lines{in: in, r: bufio.NewReaderSize(in, 1<<20), sep: c.String("key-separator")}, nil
}

// lines are the lines of a file; empty ones are left out.
type lines struct {
	in  *os.File
	r   *bufio.Reader
	sep string
}

func (l *lines) next() (*kgo.Record, time.Duration, error) {
	for {
		line, err := l.r.ReadString('\n')
		line = strings.TrimRight(line, "\r\n")
		if line == "" && err != nil {
			return nil, 0, err
		}
		if line == "" {
			continue
		}
		if l.sep != "" {
			if k, v, ok := strings.Cut(line, l.sep); ok {
				return &kgo.Record{Key: []byte(k), Value: []byte(v)}, 0, nil
			}
		}
		return &kgo.Record{Value: []byte(line)}, 0, nil
	}
}

func (l *lines) Close() error { return l.in.Close() }
