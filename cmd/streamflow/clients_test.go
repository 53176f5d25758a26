package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/streamflow/streamflow/internal/proctest"
)

// TestKcat has kcat (librdkafka) list, produce and consume, and read what a streaming query wrote.
func TestKcat(t *testing.T) {
	if _, err := exec.LookPath("kcat"); err != nil {
		t.Skip("skipped: kcat is not installed; scripts/foreign-clients.sh installs it")
	}
	n := proctest.NewNode(t).Start()
	n.SQL("CREATE TABLE readings (sensor STRING, value INT) USING topic OPTIONS (partitions '2')")
	n.SQL("CREATE TABLE hot (sensor STRING, value INT) USING topic OPTIONS (partitions '1')")
	n.SQL("CREATE STREAMING QUERY hot_readings AS INSERT INTO hot SELECT sensor, value FROM readings WHERE value > 30")

	if list := kcat(t, n, "", "-L"); !strings.Contains(list, `topic "readings" with 2 partitions`) {
		t.Errorf("kcat -L shows:\n%s", list)
	}
	for i, codec := range []string{"none", "gzip", "snappy", "lz4", "zstd"} {
		kcat(t, n, fmt.Sprintf(`{"sensor":"%s","value":%d}`+"\n", codec, 29+i), "-P", "-t", "readings", "-z", codec, "-X", "enable.idempotence=true", "-X", "acks=all")
	}
	awaitStatus(t, n, "hot_readings", `"rowsIn":5`)
	got := kcat(t, n, "", "-C", "-t", "readings", "-e", "-q", "-f", "%s\n")
	if lines := sortedLines(got); len(lines) != 5 || lines[0] != `{"sensor":"gzip","value":30}` {
		t.Errorf("kcat reads %q", lines)
	}
	got = kcat(t, n, "", "-C", "-t", "hot", "-e", "-q", "-f", "%s\n", "-X", "isolation.level=read_committed")
	if want := []string{`{"sensor":"lz4","value":32}`, `{"sensor":"snappy","value":31}`, `{"sensor":"zstd","value":33}`}; !slices.Equal(sortedLines(got), want) {
		t.Errorf("the query wrote %q, want %q", sortedLines(got), want)
	}
	group := kcat(t, n, "", "-G", "readers", "-e", "-q", "-f", "%s\n", "-X", "auto.offset.reset=earliest", "readings")
	if len(sortedLines(group)) != 5 {
		t.Errorf("a consumer group reads %q", group)
	}
}

func kcat(t *testing.T, n *proctest.Node, stdin string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, "kcat", append([]string{"-b", n.Kafka}, args...)...)
	var stderr bytes.Buffer
	cmd.Stdin, cmd.Stderr = strings.NewReader(stdin), &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("kcat %q: %v\n%s%s", args, err, out, &stderr)
	}
	return string(out)
}

func sortedLines(text string) []string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	slices.Sort(lines)
	return lines
}

// TestFranz has franz-go create a topic, produce with every codec and in a transaction, consume as a group, and find the
// same through SQL.
func TestFranz(t *testing.T) {
	n := proctest.NewNode(t).Start()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	adm := kadm.NewClient(kafkaClient(t, n.Kafka))
	defer adm.Close()
	if _, err := adm.CreateTopic(ctx, 3, 1, map[string]*string{"streamflow.format": kadm.StringPtr("json"), "streamflow.schema": kadm.StringPtr("id INT")}, "ids"); err != nil {
		t.Fatal(err)
	}
	for i, codec := range []kgo.CompressionCodec{kgo.NoCompression(), kgo.GzipCompression(), kgo.SnappyCompression(), kgo.Lz4Compression(), kgo.ZstdCompression()} {
		cl := kafkaClient(t, n.Kafka, kgo.DefaultProduceTopic("ids"), kgo.ProducerBatchCompression(codec))
		if err := cl.ProduceSync(ctx, &kgo.Record{Value: fmt.Appendf(nil, `{"id":%d}`, i)}).FirstErr(); err != nil {
			t.Error(err)
		}
		cl.Close()
	}
	for i, commit := range []kgo.TransactionEndTry{kgo.TryAbort, kgo.TryCommit} {
		cl := kafkaClient(t, n.Kafka, kgo.DefaultProduceTopic("ids"), kgo.TransactionalID("writer"))
		if err := cl.BeginTransaction(); err != nil {
			t.Fatal(err)
		}
		if err := cl.ProduceSync(ctx, &kgo.Record{Value: fmt.Appendf(nil, `{"id":%d}`, 100+i)}).FirstErr(); err != nil {
			t.Error(err)
		}
		if err := cl.EndTransaction(ctx, commit); err != nil {
			t.Error(err)
		}
		cl.Close()
	}
	member := kafkaClient(t, n.Kafka, kgo.ConsumerGroup("readers"), kgo.ConsumeTopics("ids"), kgo.FetchIsolationLevel(kgo.ReadCommitted()))
	defer member.Close()
	var ids []int
	for len(ids) < 6 {
		fetches := member.PollFetches(ctx)
		if err := fetches.Err0(); err != nil {
			t.Fatalf("%v; read %v", err, ids)
		}
		fetches.EachRecord(func(r *kgo.Record) {
			var row struct{ ID int }
			if err := json.Unmarshal(r.Value, &row); err != nil {
				t.Errorf("%q: %v", r.Value, err)
			}
			ids = append(ids, row.ID)
		})
	}
	if err := member.CommitUncommittedOffsets(ctx); err != nil {
		t.Error(err)
	}
	if slices.Sort(ids); !slices.Equal(ids, []int{0, 1, 2, 3, 4, 101}) {
		t.Errorf("a group reads %v", ids)
	}
	if got := n.SQL("SELECT count(*) AS n, sum(id) AS total FROM ids"); got != `{"n":6,"total":111}`+"\n" {
		t.Errorf("SQL finds %s", got)
	}
}

// TestStopLeavesNothing ends a node by SIGTERM while it is busy: code 0, no lock, and the next start finds everything.
func TestStopLeavesNothing(t *testing.T) {
	n := proctest.NewNode(t).Start()
	n.SQL("CREATE TABLE source (id INT) USING topic; CREATE TABLE sink (id INT) USING topic")
	n.SQL("CREATE STREAMING QUERY pass AS INSERT INTO sink SELECT id FROM source")
	n.SQL("INSERT INTO source SELECT CAST(id AS INT) FROM range(1000)")
	if code := n.Stop(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	n.Start()
	n.Command("streamflow", "topic", "seal", "source").Must(t)
	awaitStatus(t, n, "pass", "finished")
	if got := n.SQL("SELECT count(*) AS n, count(DISTINCT id) AS ids FROM sink"); got != `{"n":1000,"ids":1000}`+"\n" {
		t.Errorf("the sink holds %s", got)
	}
	if code := n.Stop(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}
