package main

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/streamflow/streamflow"
	"github.com/streamflow/streamflow/internal/proctest"
	"github.com/streamflow/streamflow/structured"
)

// TestCrashRightAfter kills the node in the moment in which a client hears that its work is done. What was promised must be
// there: markers of transactions go to disk with company, and nobody publishes again what is over.
func TestCrashRightAfter(t *testing.T) {
	n := proctest.NewNode(t).Start()
	n.SQL("CREATE TABLE numbers (id BIGINT) USING topic")
	rows := 0
	for round := range 6 {
		s := session(t, n)
		if round%2 == 0 {
			execute(t, s, fmt.Sprintf("INSERT INTO numbers SELECT id FROM range(%d, %d)", rows, rows+10))
		} else {
			src := fmt.Sprintf("source%d", round)
			n.SQL(fmt.Sprintf("CREATE TABLE %s (id BIGINT) USING topic; INSERT INTO %s SELECT id FROM range(%d, %d)", src, src, rows, rows+10))
			n.Command("streamflow", "topic", "seal", src).Must(t)
			execute(t, s, fmt.Sprintf("CREATE STREAMING QUERY q%d AS INSERT INTO numbers SELECT id FROM %s", round, src))
			awaitQuery(t, s, fmt.Sprintf("q%d", round))
		}
		rows += 10
		n.Kill()
		n.Start()
		if got := len(readTopic(context.Background(), t, n.Kafka, "numbers", kgo.ReadCommitted())); got != rows {
			t.Fatalf("round %d: %d rows, %d were written", round, got, rows)
		}
	}
}

func session(t *testing.T, n *proctest.Node) *structured.Session {
	t.Helper()
	s, err := streamflow.Connect(context.Background(), "sc://"+n.Connect)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() }) // its node has been killed
	return s
}

func execute(t *testing.T, s *structured.Session, text string) {
	t.Helper()
	rows, err := s.Run(context.Background(), text, structured.RunOptions{}, structured.ExecOptions{})
	if err != nil {
		t.Fatal(err)
	}
	_ = rows.Close() // what matters is that it has ended
}

func awaitQuery(t *testing.T, s *structured.Session, name string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	list, err := s.Streams(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range list {
		if q.Name() == name {
			if err := q.AwaitTermination(ctx); err != nil {
				t.Fatal(err)
			}
			return
		}
	}
	t.Fatalf("there is no query %s", name)
}

// TestCrashDuringInsert kills the node while a client waits for an INSERT. Whatever the client then hears, the rows are
// there once or not at all, and they are there if it heard that they are.
func TestCrashDuringInsert(t *testing.T) {
	n := proctest.NewNode(t).Start()
	n.SQL("CREATE TABLE numbers (id BIGINT) USING topic OPTIONS (partitions '1')")
	before, failed := 0, 0
	for round := range 8 {
		s := session(t, n)
		heard := make(chan error, 1)
		go func() {
			heard <- drain(s, fmt.Sprintf("INSERT INTO numbers SELECT id FROM range(%d, %d)", round*1000, round*1000+1000), structured.RunOptions{})
		}()
		time.Sleep(time.Duration(round*2) * time.Millisecond)
		n.Kill()
		n.Start()
		var err error
		select {
		case err = <-heard:
		case <-time.After(30 * time.Second):
			t.Fatal("the client has heard nothing")
		}
		got := len(readTopic(context.Background(), t, n.Kafka, "numbers", kgo.ReadCommitted())) - before
		if got != 1000 && (got != 0 || err == nil) {
			t.Errorf("round %d: %d rows of 1000; the client heard: %v", round, got, err)
		}
		if before += got; err != nil {
			failed++
		}
	}
	t.Logf("%d rows, %d clients heard of a failure", before, failed)
}
