package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/streamflow/streamflow/internal/proctest"
)

// fill produces records into partition 0 of a topic, each acknowledged before the next.
func fill(t *testing.T, n *proctest.Node, topic string, values ...string) {
	t.Helper()
	cl := kafkaClient(t, n.Kafka, kgo.DefaultProduceTopic(topic), kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.AllowAutoTopicCreation(),
		kgo.ProducerBatchCompression(kgo.NoCompression()))
	defer cl.Close()
	for _, v := range values {
		if err := cl.ProduceSync(context.Background(), &kgo.Record{Value: []byte(v)}).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
}

// damage changes one byte of the only file among a pattern's that holds a text, and returns the file.
func damage(t *testing.T, pattern, text string) string {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if at := bytes.Index(b, []byte(text)); at >= 0 {
			b[at] ^= 1
			if err := os.WriteFile(file, b, 0o644); err != nil {
				t.Fatal(err)
			}
			return file
		}
	}
	t.Fatalf("no file of %s holds %q", pattern, text)
	return ""
}

// TestDamagedSegment flips a bit in a sealed segment. What lies elsewhere is served; whoever reads the segment is told which
// file it is and what to do, and gets no wrong record.
func TestDamagedSegment(t *testing.T) {
	n := proctest.NewNode(t)
	n.Start()
	fill(t, n, "damaged", `{"n":1}`, `{"n":2}`, `{"n":3}`)
	fill(t, n, "sound", `{"n":1}`)
	n.Stop()
	file := damage(t, filepath.Join(n.DataDir(), "log/topics/damaged/0/*.log"), `{"n":2}`)
	n.Start()

	for _, c := range []proctest.Command{
		n.Command("sfsubmit", "sql", "-e", "SELECT count(value) FROM damaged"),
		n.Command("sfsubmit", "sql", "-e", "CREATE TABLE copy (value BINARY) USING topic; INSERT INTO copy SELECT value FROM damaged"),
	} {
		r := c.Run(t)
		if r.Code != 1 || !strings.Contains(r.Stderr, "[CORRUPT_SEGMENT]") || !strings.Contains(r.Stderr, file) || !strings.Contains(r.Stderr, "Restore the file from a copy or a replica") {
			t.Errorf("%q: code %d, %s", c.Args, r.Code, r.Stderr)
		}
	}
	r := n.Command("streamflow", "consume", "damaged", "--end").Run(t)
	if r.Code != 1 || strings.Contains(r.Stdout, `{"n":3}`) {
		t.Errorf("consume: code %d, stdout %s, stderr %s", r.Code, r.Stdout, r.Stderr)
	}
	if !strings.Contains(n.Log(), "CORRUPT_SEGMENT") || !strings.Contains(n.Log(), file) {
		t.Errorf("the node's log does not tell of the damage:\n%s", n.Log())
	}
	if got := n.Command("streamflow", "consume", "sound", "--end").Must(t).Stdout; got != `{"n":1}`+"\n" {
		t.Errorf("the sound topic holds %q", got)
	}
}

// TestDamagedWAL flips a bit in the write-ahead log, in a record that later records say was durable: not a torn tail, but
// acknowledged data that is gone. The node must not start as if nothing was missing.
func TestDamagedWAL(t *testing.T) {
	n := proctest.NewNode(t)
	n.Start()
	fill(t, n, "t", `{"n":1}`, `{"n":2}`, `{"n":3}`)
	n.Kill()
	file := damage(t, filepath.Join(n.DataDir(), "log/wal/*.log"), `{"n":2}`)
	n.Launch()
	if code := n.Wait(10 * time.Second); code != 1 {
		t.Errorf("exit code %d", code)
	}
	for _, want := range []string{"[CORRUPT_WAL]", file} {
		if !strings.Contains(n.Log(), want) {
			t.Errorf("the node does not say %s:\n%s", want, n.Log())
		}
	}
}
