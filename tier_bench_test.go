package streamflow

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/streamflow/streamflow/logstore"
	"github.com/streamflow/streamflow/logstore/record"
	"github.com/streamflow/streamflow/logstore/tier"
)

// BenchmarkHistory reads a topic's history: JSON records from the log's segments, and columns from the cold tier.
func BenchmarkHistory(b *testing.B) {
	const rows = 600_000
	s, err := Local(Config{Dir: b.TempDir(), Slots: 2, Memory: 1 << 30, Logger: slog.New(slog.DiscardHandler), Tier: &tier.Options{Interval: 50 * time.Millisecond}})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	run := func(sql string) {
		df, err := s.SQL(context.Background(), sql)
		if err == nil {
			_, err = df.Collect(context.Background())
		}
		if err != nil {
			b.Fatal(err)
		}
	}
	const columns = "(ts TIMESTAMP, item STRING, customer BIGINT, price DOUBLE, n INT) USING topic OPTIONS (partitions '1', streamflow.segment.records '60000'"
	run("CREATE TABLE hot " + columns + ")")
	run("CREATE TABLE cold " + columns + ", remote.storage.enable 'true', local.retention.ms '1')")
	for _, topic := range []string{"hot", "cold"} {
		p, err := s.Node().Broker().Partition(topic, 0)
		if err != nil {
			b.Fatal(err)
		}
		r := rand.New(rand.NewPCG(1, 1))
		var last *logstore.Pending
		for i := 0; i < rows; {
			rb := record.NewBuilder(record.None)
			for range 500 {
				at := time.UnixMilli(1_700_000_000_000 + int64(i)*10).UTC()
				rb.Add(at.UnixMilli(), nil, fmt.Appendf(nil, `{"ts":"%s","item":"item-%04d","customer":%d,"price":%.2f,"n":%d}`,
					at.Format("2006-01-02T15:04:05.000Z"), r.IntN(5000), r.IntN(1_000_000), r.Float64()*500, r.IntN(10)))
				i++
			}
			batch, err := rb.Finish()
			if err != nil {
				b.Fatal(err)
			}
			last = p.Append(logstore.AppendRequest{Data: batch, LeaderEpoch: -1})
		}
		if _, err := last.Wait(context.Background()); err != nil {
			b.Fatal(err)
		}
		for topic == "cold" && p.LocalStart() < rows-60_000 {
			time.Sleep(10 * time.Millisecond)
		}
	}
	for _, q := range []struct{ name, sql string }{
		{"sum", "SELECT sum(price) FROM %s"},
		{"group", "SELECT item, count(*), sum(price) FROM %s GROUP BY item"},
		{"hour", "SELECT sum(price) FROM %s WHERE ts >= TIMESTAMP '2023-11-14 22:50:00' AND ts < TIMESTAMP '2023-11-14 23:00:00'"},
	} {
		for _, topic := range []string{"hot", "cold"} {
			b.Run(q.name+"/"+topic, func(b *testing.B) {
				for b.Loop() {
					run(fmt.Sprintf(q.sql, topic))
				}
				b.ReportMetric(rows*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mrows/s")
			})
		}
	}
}
