package kafka

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// BenchmarkDrain fetches what lies in segments, as a client that throws it away, and tells the CPU time of the process for a
// gigabyte, in which the reading side is too.
func BenchmarkDrain(b *testing.B) {
	n := startNode(b)
	n.create("t", 1, nil)
	cl := n.client(kgo.DefaultProduceTopic("t"), kgo.MaxBufferedRecords(200_000), kgo.ProducerBatchCompression(kgo.NoCompression()))
	produceMany(b, cl, bytes.Repeat([]byte("x"), 1024), 100_000)
	time.Sleep(time.Second) // into the segments
	nc, err := net.Dial("tcp", n.addr)
	if err != nil {
		b.Fatal(err)
	}
	defer nc.Close()
	req := kmsg.NewPtrFetchRequest()
	req.Version, req.MaxWaitMillis, req.MinBytes, req.MaxBytes, req.SessionEpoch = 11, 100, 1, 8<<20, -1
	t := kmsg.NewFetchRequestTopic()
	p := kmsg.NewFetchRequestTopicPartition()
	p.CurrentLeaderEpoch, p.PartitionMaxBytes = -1, 8<<20
	t.Topic, t.Partitions = "t", append(t.Partitions, p)
	req.Topics = append(req.Topics, t)
	frame := kmsg.NewRequestFormatter(kmsg.FormatterClientID("drain")).AppendRequest(nil, req, 1)
	r := bufio.NewReaderSize(nc, 256<<10)
	var bytes int64
	before := cpu()
	b.ResetTimer()
	for range b.N {
		if _, err := nc.Write(frame); err != nil {
			b.Fatal(err)
		}
		var size [4]byte
		if _, err := io.ReadFull(r, size[:]); err != nil {
			b.Fatal(err)
		}
		got, err := r.Discard(int(binary.BigEndian.Uint32(size[:])))
		if err != nil || got < 7<<20 {
			b.Fatalf("%d bytes: %v", got, err)
		}
		bytes += int64(got)
	}
	b.StopTimer()
	b.SetBytes(bytes / int64(b.N))
	b.ReportMetric((cpu()-before).Seconds()/(float64(bytes)/1e9), "cpu-s/GB")
}

func cpu() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
