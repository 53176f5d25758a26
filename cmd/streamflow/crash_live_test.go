package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/streamflow/streamflow/internal/proctest"
	"github.com/streamflow/streamflow/structured"
)

// TestCrashEndsClientQueries kills the node under a query whose rows go to a client. The client hears of it; the node that
// comes back forgets the query, shows what its committed batches had set aside, and has nothing of its state when a query
// of the same name is created.
func TestCrashEndsClientQueries(t *testing.T) {
	n := proctest.NewNode(t)
	n.Env = []string{"STREAMFLOW_STORAGE_STATE_CHECKPOINT_INTERVAL=1ms"}
	n.Start()
	n.SQL("CREATE TABLE ticks (ts TIMESTAMP, k STRING, WATERMARK FOR ts AS ts - INTERVAL 10 SECONDS) USING topic OPTIONS (partitions '1')")
	n.SQL("CREATE TABLE counts (w TIMESTAMP, k STRING, n BIGINT) USING topic OPTIONS (partitions '1')")
	const query = "SELECT window(ts, '5 seconds').start AS w, k, count(*) AS n FROM ticks GROUP BY window(ts, '5 seconds'), k"

	ended := make(chan error, 1)
	s := session(t, n)
	go func() { ended <- drain(s, query, structured.RunOptions{Live: true, Name: "again"}) }()
	awaitStatus(t, n, "again", "running")
	sendTicks(t, n, "ticks", 100, "no json")
	awaitRows(t, n, "again.dead", 1)

	n.Kill()
	n.Start()
	select {
	case err := <-ended:
		if err == nil {
			t.Error("the client's query ended as if all was well")
		}
	case <-time.After(30 * time.Second):
		t.Error("the client has not heard of the end of its query")
	}
	if left := n.SQL("SHOW QUERIES"); left != "" {
		t.Errorf("the node still knows %s", left)
	}
	if dead := readTopic(context.Background(), t, n.Kafka, "again.dead", kgo.ReadCommitted()); len(dead) != 1 {
		t.Errorf("%d dead records, want 1", len(dead))
	}

	n.SQL("CREATE STREAMING QUERY again START FROM now AS INSERT INTO counts " + query)
	sendTicks(t, n, "ticks", 7)
	awaitStatus(t, n, "again", `"rowsIn":7`)
	n.Kill()
	n.Start()
	n.Command("streamflow", "topic", "seal", "ticks").Must(t)
	awaitStatus(t, n, "again", "finished")
	total := 0
	for _, r := range readTopic(context.Background(), t, n.Kafka, "counts", kgo.ReadCommitted()) {
		var count int
		if _, err := fmt.Sscanf(string(r.Value[strings.Index(string(r.Value), `"n":`):]), `"n":%d`, &count); err != nil {
			t.Fatalf("%s: %v", r.Value, err)
		}
		total += count
	}
	if total != 7 {
		t.Errorf("the new query counted %d rows, 7 arrived in its life", total)
	}
}

// drain runs a statement and reads its rows to their end.
func drain(s *structured.Session, text string, o structured.RunOptions) error {
	ctx := context.Background()
	rows, err := s.Run(ctx, text, o, structured.ExecOptions{})
	if err != nil {
		return err
	}
	defer rows.Close()
	for {
		_, err := rows.Next(ctx)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// sendTicks produces n rows of the table ticks, a second apart, and then other lines.
func sendTicks(t *testing.T, node *proctest.Node, topic string, n int, others ...string) {
	t.Helper()
	var lines strings.Builder
	for i := range n {
		fmt.Fprintf(&lines, `{"ts":"%s","k":"a"}`+"\n", crashEpoch.Add(time.Duration(i)*time.Second).Format(time.RFC3339))
	}
	for _, l := range others {
		lines.WriteString(l + "\n")
	}
	c := node.Command("streamflow", "produce", topic)
	c.Stdin = lines.String()
	c.Must(t)
}

// awaitStatus waits until SHOW QUERIES shows a text in the line of a query.
func awaitStatus(t *testing.T, n *proctest.Node, query, text string) {
	t.Helper()
	var last string
	for range 200 {
		last = n.SQL("SHOW QUERIES")
		for line := range strings.Lines(last) {
			if strings.Contains(line, fmt.Sprintf(`"name":%q`, query)) && strings.Contains(line, text) {
				return
			}
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatalf("query %s does not come to %s: %s", query, text, last)
}

// awaitRows waits until a topic shows so many records.
func awaitRows(t *testing.T, n *proctest.Node, topic string, want int) {
	t.Helper()
	for range 200 {
		if len(readTopic(context.Background(), t, n.Kafka, topic, kgo.ReadCommitted())) >= want {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatalf("topic %s does not come to %d records", topic, want)
}
