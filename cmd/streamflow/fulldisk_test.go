//go:build linux

package main

import (
	"context"
	"crypto/rand"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/streamflow/streamflow/internal/proctest"
)

// smallDisk mounts a small file system for the node's data. It needs root.
func smallDisk(t *testing.T, dir string, bytes string) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("skipped: mounting a small file system needs root")
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size="+bytes); err != nil {
		t.Skipf("skipped: a tmpfs cannot be mounted here: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Errorf("unmount %s: %v", dir, err)
		}
	})
}

// TestFullDisk fills the disk under a node. Appends are refused with an error, everything acknowledged stays readable, and
// when there is room again the node takes records without being started anew.
func TestFullDisk(t *testing.T) {
	t.Parallel() // it mostly waits
	n := proctest.NewNode(t)
	t.Cleanup(n.Kill)
	smallDisk(t, n.DataDir(), "640m")
	ballast := filepath.Join(n.DataDir(), "ballast")
	if err := os.WriteFile(ballast, make([]byte, 352<<20), 0o644); err != nil {
		t.Fatal(err)
	}
	n.Start()
	n.Command("streamflow", "topic", "create", "t", "--partitions", "1").Must(t)

	value := make([]byte, 512<<10)
	rand.Read(value) // never fails
	acked := 0
	var refused error
	for refused == nil && acked < 2000 {
		if refused = produceOne(t, n, value); refused == nil {
			acked++
		}
	}
	if refused == nil || acked < 20 {
		t.Fatalf("%d records of 512 KiB fit on the disk, then: %v", acked, refused)
	}
	t.Logf("after %d records: %v", acked, refused)
	r := n.Command("streamflow", "produce", "t", "--file", writeFile(t, strings.Repeat("x", 600<<10))).Run(t)
	if r.Code != 1 || !strings.Contains(r.Stderr, "[PRODUCE_TIMEOUT]") {
		t.Errorf("produce: code %d, %s", r.Code, r.Stderr)
	}
	if got := len(readTopic(context.Background(), t, n.Kafka, "t", kgo.ReadCommitted())); got < acked {
		t.Errorf("%d records can be read while the disk is full, %d were acknowledged", got, acked)
	}

	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(20 * time.Second)
	for produceOne(t, n, value) != nil {
		if time.Now().After(deadline) {
			t.Fatal("the node takes no records although there is room again")
		}
	}
	acked++
	n.Kill()
	n.Start()
	if got := len(readTopic(context.Background(), t, n.Kafka, "t", kgo.ReadCommitted())); got < acked {
		t.Errorf("%d records after a crash, %d were acknowledged", got, acked)
	}
}

// produceOne produces a record, trying for no longer than it takes to be sure.
func produceOne(t *testing.T, n *proctest.Node, value []byte) error {
	t.Helper()
	cl := kafkaClient(t, n.Kafka, kgo.DefaultProduceTopic("t"), kgo.RecordDeliveryTimeout(2*time.Second), kgo.ProducerBatchCompression(kgo.NoCompression()))
	defer cl.Close()
	return cl.ProduceSync(context.Background(), &kgo.Record{Value: value}).FirstErr()
}

func writeFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "lines")
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}
